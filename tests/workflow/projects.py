"""A copy of the workflow in a folder of its own, run as a user runs it."""

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import forks
import yaml

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "profiles", "scripts", "envs", "config", "config.yaml")


@dataclass
class Run:
    """What a call of Snakemake did."""

    code: int
    output: str

    @property
    def jobs(self):
        """Number of jobs per rule; `all` is left out."""
        names = re.findall(r"^(?:local)?(?:rule|checkpoint) (\w+):$", self.output, re.MULTILINE)
        return Counter(name for name in names if name != "all")


class Project:
    """The workflow in a folder, with its configuration and its images.

    Everything that a test does not set is small: tiles of 64 px, no figures, no pictures in the
    report, no reduced levels, no quality, no samples collected; all methods are run on everything.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.results = self.folder / "results"

    @classmethod
    def create(cls, folder):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, folder / part, symlinks=True, ignore=ignored)
            else:
                shutil.copy2(source, folder / part)
        return cls(folder)

    def copy(self, folder):
        """The project with all of its results and their times, somewhere else."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def configure(self, rows=None, **settings):
        """Write `my.yaml` and, if given, `my.tsv`; settings left out keep small defaults."""
        if rows is not None:
            columns = list(dict.fromkeys(column for row in rows for column in row))
            lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
            text = "".join("\t".join(line) + "\n" for line in lines)
            (self.folder / "my.tsv").write_text(text)
        config = {
            "samples": "my.tsv",
            "tile": 64,
            "collect": {"side": 0},
            "pyramid": {"levels": 0},
            "apply": "all",
            "quality": {"measure": False},
            "figures": {"tiles": 0},
            "report": {"tiles": 0},
            "keep_filtered": True,
            "filters": {"denoised": [{"median": 3}]},
            "methods": {"otsu": {"filter": "denoised", "threshold": "otsu"}},
        } | settings
        (self.folder / "my.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        return self

    def run(self, *arguments, cores=2, is_alike=True):
        """Run Snakemake on `my.yaml`, with sets in the order of other runs, or in another."""
        start = forks.command(0 if is_alike else 1)
        command = [*start, "-m", "snakemake", "--cores", str(cores)]
        if (self.folder / "my.yaml").exists() and "--configfile" not in arguments:
            command += ["--configfile", "my.yaml"]
        if (self.folder / "profiles").exists() and "--workflow-profile" not in arguments:
            # which names every job
            command += ["--workflow-profile", "plain"]
        done = subprocess.run(
            [*command, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        return Run(done.returncode, done.stdout + done.stderr)

    def succeed(self, *arguments, **settings):
        """Run Snakemake; an error in it is an error of the test."""
        run = self.run(*arguments, **settings)
        assert run.code == 0, run.output
        return run

    def rows(self, table):
        """A table of `results/`."""
        lines = (self.results / table).read_text().splitlines()
        header = lines[0].split("\t")
        return [dict(zip(header, line.split("\t"), strict=True)) for line in lines[1:]]

    def scores(self, method, estimate, metric="mcc"):
        """The only row of the scores with these names."""
        (row,) = [
            row
            for row in self.rows("scores.tsv")
            if (row["method"], row["estimate"], row["metric"]) == (method, estimate, metric)
        ]
        return row

    def array(self, path):
        """An array of `results/`, read by zarr-python."""
        import zarr

        return zarr.open_array(self.results / path, mode="r")[:]
