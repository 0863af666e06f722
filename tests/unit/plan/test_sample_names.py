"""Names of samples are those of folders in results/ and logs/: none is that of a result."""

import re
from pathlib import Path

import pytest

from tilewise.plan.sample_names import lines_of_samples
from tilewise.plan.sheet_table import TableRow

ROOT = Path(__file__).parents[3]


def read(name):
    return lines_of_samples(Path("my.tsv"), [TableRow(2, {"sample": name})])


def results():
    """What rules and scripts write into results/, logs/ and benchmarks/, and into no stack's."""
    files = [*ROOT.glob("workflow/rules/*.smk"), *ROOT.glob("scripts/**/*.py"), ROOT / "Snakefile"]
    text = "".join(path.read_text() for path in files)
    names = re.findall(r"""["'](?:results|logs|benchmarks)/([\w.-]+)""", text)
    return sorted({*names, "checksums.tsv", "report-partial.html"})


def test_results_are_found():
    assert {"metrics.tsv", "report.html", "run.js", "masks", "aggregate.log"} < set(results())


@pytest.mark.parametrize("name", results())
def test_no_sample_has_the_name_of_a_result(name):
    for spelled in (name, name.upper()):
        with pytest.raises(ValueError, match=f"line 2: '{re.escape(spelled)}' cannot be a sample"):
            read(spelled)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            " ",
            "é",
            "e\u0301",
            "a b",
            "a'b",
            'a"b',
            "a\nb",
            "a\n",
            "-a",
            "--help",
            ".a",
            "..",
            ".",
        ),
        *("a..b", "{a}", "a%", "a/b", "a\\b", "_a", "a*", "a" * 101, "all", "\N{PILE OF POO}"),
    ],
)
def test_names_that_are_refused(name):
    with pytest.raises(ValueError, match="cannot be a sample's name: use up to 100 letters"):
        read(name)


@pytest.mark.parametrize("name", ["a", "0", "A-1_b.c", "a" * 100, "image.zarr", "c", "a-", "a."])
def test_names_that_are_right(name):
    assert read(name) == {name: 2}
