"""Two fresh runs give equal bytes: other folders, users, locales, time zones and orders of sets."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from faults import contents, discs
from pages import report_data
from test_killed import KILLS

USER = "somebody-else"


def configured(folder):
    """A model, overlays, figures, a report with tiles, and a decision."""
    project, rows = discs(folder)
    methods = {
        "otsu": {"filter": "denoised", "threshold": "otsu"},
        "learned": {"threshold": {"pixel_classifier": {"trees": 5}}},
        "vote": {"threshold": {"vote": ["otsu", "learned"]}},
    }
    return project.configure(
        rows,
        methods=methods,
        quality={"measure": True},
        pyramid={"levels": 1},
        figures={"tiles": 1},
        report={"tiles": 4},
    )


def locale():
    """One with a decimal comma, and other cases of letters, if it is installed."""
    done = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False)
    others = (name for name in done.stdout.split() if name.startswith(("tr_TR.", "de_DE.")))
    return next(others, "POSIX")


def run(project, cores, start=(), **variables):
    command = [*start, sys.executable, "-m", "snakemake", "--cores", cores]
    done = subprocess.run(
        [*command, "--configfile", "my.yaml", "--workflow-profile", "plain"],
        cwd=project.folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def another_user():
    """Start of a command that another user runs, without a name, who has these files, too."""
    start = ["unshare", "--user", "--map-user=1234", "--map-group=1234"]
    if not shutil.which(start[0]) or subprocess.run([*start, "true"], check=False).returncode:
        return []
    return start


@pytest.mark.skipif(not KILLS, reason="`make test-faults` runs it: it takes a minute")
def test_runs_of_two_users_are_equal(tmp_path, capsys):
    one, two = configured(tmp_path / "one"), configured(tmp_path / "another, longer name/two")
    run(one, "2", LC_ALL="C.UTF-8", TZ="UTC", PYTHONHASHSEED="1")
    variables = {"LC_ALL": locale(), "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "2"}
    variables |= {"HOME": str(tmp_path), "USER": USER, "LOGNAME": USER}
    start = another_user()
    with capsys.disabled():
        user = "another user" if start else "the same user, since `unshare` is refused here"
        print(f"\nThe second run: {user}, locale {variables['LC_ALL']}")
    run(two, "1", start, **variables)
    first, second = contents(one.results), contents(two.results)
    assert first.keys() == second.keys()
    assert [str(name) for name in first if first[name] != second[name]] == []
    assert len(first) > 40
    pages = [report_data(project) for project in (one, two)]
    for page in pages:
        page["tables"].pop("costs")
        for method in page["methods"]:
            method.pop("cost")
    assert pages[0] == pages[1]
    for project in (one, two):
        assert found(project) == []


def found(project):
    """Results with the folder or the user of a run in them; of the report, its data, too."""
    traces = [str(project.folder), USER]
    texts = {path: path.read_bytes() for path in project.results.rglob("*") if path.is_file()}
    # where it says what was read
    texts = {path: text for path, text in texts.items() if "made_from" not in path.parts}
    texts["the report's data"] = json.dumps(report_data(project)).encode()
    return [
        f"{path}: {trace}"
        for path, text in texts.items()
        for trace in traces
        if trace.encode() in text
    ]
