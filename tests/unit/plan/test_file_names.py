"""Paths that Snakemake takes as they are, and those that it would replace a part of."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from snakemake.exceptions import UndefinedPathvarException, WildcardError
from snakemake.io import apply_wildcards
from snakemake.pathvars import Pathvars

from tilewise.plan.file_names import check_path, check_workflow
from tilewise.plan.sheet import read_samples

TAKEN = (
    *("a.png", "with  space.png", "é.png", "e\u0301.png", 'it\'s "q".png', "t\tab.png"),
    *("-rf.png", "--help.png", "{}.png", "{0:04d}{.png", "}x{.png", "100%s%(x)s.png", "$(id).png"),
    *("a\\b.png", "*.png", "[1].png", "~a.png", "#c.png", "a:b;c.png", "a + b.png", "< >.png"),
    *("<B>.png", "<1>.png", "<b id='x'>&amp;.png", "a\u2028b\x85c\x0bd.png"),
)
REPLACED = (
    *("{stack}.png", "{ x }.png", "{{x}}.png", "{0}.png", "{x,\\d+}.png", "a{x,b/c}.png"),
    *("{a.b}/c.png", "<results>.png", "a<b>c.png"),
)


def as_snakemake_has_it(path):
    """The path that an input function's becomes, or None where Snakemake ends in an error."""
    try:
        pathvars = Pathvars.with_defaults().apply(path)
        return apply_wildcards(pathvars, dict.fromkeys(("stack", "x"), "of another"))
    except (UndefinedPathvarException, WildcardError):
        return None


@pytest.mark.parametrize("path", TAKEN)
def test_what_snakemake_takes_as_it_is(path):
    assert as_snakemake_has_it(path) == path
    check_path(path)


@pytest.mark.parametrize("path", REPLACED)
def test_what_snakemake_would_replace(path):
    assert as_snakemake_has_it(path) != path
    message = f"the path {path!r} cannot be used, since Snakemake would put something else in the"
    with pytest.raises(ValueError, match=f"^{re.escape(message)} .* rename it$"):
        check_path(path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a\nb.png", "it has a line break"),
        ("a\rb.png", "it has a line break"),
        (os.fsdecode(b"\xff.png"), "it has bytes that are no text in UTF-8"),
    ],
)
def test_what_stands_on_no_line_of_text(path, reason):
    with pytest.raises(ValueError, match=rf"cannot be used, since {reason}: rename it") as caught:
        check_path(path)
    assert str(caught.value).isprintable()


def test_the_folder_of_the_workflow(tmp_path, monkeypatch):
    check_workflow(tmp_path)
    with pytest.raises(ValueError, match=r"/a\{b', .* move it to a folder without braces"):
        check_workflow(tmp_path / "a{b")
    with pytest.raises(ValueError, match="in the place of <results>: rename it"):
        check_workflow(tmp_path / "<results>")
    # from within it, no path of code has its name
    folder = tmp_path / "<results>"
    folder.mkdir()
    monkeypatch.chdir(folder)
    check_workflow(folder)


@pytest.mark.parametrize("column", ["image", "truth", "roi", "cells", "window"])
def test_every_file_of_a_sheet_is_checked(tmp_path, column):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    for name in ("{stack}.png", "b.png", "c.png"):
        Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / name)
    windows = "z\ty\tx\tpath\n0\t0\t0\t{stack}.png\n"
    (tmp_path / "windows.tsv").write_text(windows)
    row = {"sample": "s", "image": "a.png", "truth": "b.png", "roi": "", "cells": "c.png"}
    row |= {"truth": "windows.tsv"} if column == "window" else {column: "{stack}.png"}
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text("\t".join(row) + "\n" + "\t".join(row.values()) + "\n")
    with pytest.raises(ValueError, match=r"sample s in .*line 2.*\{stack\}.*: rename it"):
        read_samples(sheet, {}, "luma", None, external=("cells",))


def test_the_sheet_itself_is_checked():
    with pytest.raises(ValueError, match=r"the path '\{x\}/my.tsv' cannot be used"):
        read_samples(Path("{x}/my.tsv"), {}, "luma", None)
