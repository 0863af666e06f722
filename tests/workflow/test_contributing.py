"""CONTRIBUTING.md: the examples work as they stand there.

The first line of a code block says where it goes: `# FILE, before NAME`, `# FILE, in NAME`,
`# FILE, at the end` or `# FILE, a new file`. Blocks of `sh` in an example are run.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from projects import ROOT, Project

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"# (\S+), (before|in|at the end|a new file) ?(.*)\n")
EXAMPLES = {
    "Add a filter": "results/_small_uint8_4/image.zarr/labels/thickened_otsu/0/c/0/0/0",
    "Add a threshold": "results/_small_uint8_4/image.zarr/labels/brightest/0/c/0/0/0",
    "Add a metric": "results/summary.tsv",
    "Add a rule": "results/foreground.tsv",
}
"""A file that each example makes."""
ON_THE_PAGE = {
    "Add a filter": "### maximum",
    "Add a threshold": "### percentile",
    "Add a metric": "| `informedness` | Recall plus specificity less 1",
}
"""What the reference of the configuration has then."""


def section(title):
    """The text under a heading."""
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)[1]


def apply(block, folder):
    """Put a block where its first line says."""
    place, code = re.match(PLACE, block), block.partition("\n")[2]
    assert place, f"the first line does not say where the block goes: {block}"
    file, how, name = folder / place[1], place[2], place[3]
    if how == "a new file":
        assert not file.exists()
        file.write_text(code)
        return
    text = file.read_text()
    if how == "at the end":
        text = f"{text}\n\n{code}"
    elif how == "before":
        (line,) = re.findall(rf"^{name}(?:: .*)? = .*\n", text, re.MULTILINE)
        text = text.replace(line, f"{code}\n\n{line}")
    elif name.startswith("rule "):
        (head,) = re.findall(rf"^{name}:\n    input:\n", text, re.MULTILINE)
        text = text.replace(head, head + code)
    elif file.suffix == ".yaml":
        text = re.sub(rf"^{name}:\n", lambda head: head[0] + code, text, flags=re.MULTILINE)
    else:
        # before the bracket that ends the dictionary, list or tuple
        pattern = rf"^({name}(?:: .*)? = [\[{{(]\n.*?)(?=^[\]}})]$)"
        text = re.sub(pattern, lambda found: found[1] + code, text, flags=re.MULTILINE | re.DOTALL)
    assert code in text, f"there is no {name} in {file.name}"
    file.write_text(text)


def run(command, folder):
    """Run a command of a shell with the Python of the tests; an error is one of the test."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTEST_ADDOPTS": "-n 0",
    }
    done = subprocess.run(
        ["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the repository, without results, in which one example follows the other."""
    project = Project.create(tmp_path_factory.mktemp("contributing") / "tilewise")
    for part in ("tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", "frozen")
        shutil.copytree(ROOT / part, project.folder / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", project.folder)
    # without pictures, which take the most time
    with (project.folder / "config.yaml").open("a") as config:
        config.write("figures: {tiles: 0}\nreport: {tiles: 0}\n")
    return project.folder


def test_every_example_is_followed():
    titles = re.findall(r"^## (Add an? .+)$", TEXT, re.MULTILINE)
    assert {title for title in titles if BLOCK.search(section(title))} == set(EXAMPLES)


@pytest.mark.parametrize("title", EXAMPLES)
def test_example_works(copy, title):
    blocks = BLOCK.findall(section(title))
    commands = [text for language, text in blocks if language == "sh"]
    for language, text in blocks:
        if language != "sh":
            apply(text, copy)
    run("ruff check . && ruff format --check . && snakefmt --check Snakefile workflow", copy)
    assert len(commands) == 1
    output = run(commands[0], copy)
    assert re.search(r"^\d+ passed", output, re.MULTILINE)
    assert (copy / EXAMPLES[title]).is_file()
    if title in ON_THE_PAGE:
        run("PYTHONPATH=scripts python docs/reference.py", copy)
        assert f"\n{ON_THE_PAGE[title]}" in (copy / "docs/configuration.md").read_text()
