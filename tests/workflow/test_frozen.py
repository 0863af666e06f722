"""Results are what the version before made of the same images: every table, mask and overlay.

Tiles at the edges of planes are tiles like any other there (`tile_edges: keep`), and those without
two clear classes are empty from a contrast of 4 down (`min_contrast`, `fallback`).
"""

import hashlib
import json
import lzma
import os
import re
from pathlib import Path

import pytest
import variety
import yaml
from comparison import differences, read
from projects import ROOT
from published import needs_kesm

FROZEN = ROOT / "tests/workflow/frozen"
REMEDY = """
Results have changed. If they are meant to, freeze them anew and say in CHANGELOG.md, under *Frozen
results*, what has changed and why, beside the new checksums, which the tests then ask for:

    TILEWISE_FREEZE=1 python -m pytest tests/workflow/test_frozen.py
"""
TOLERANCE = 1e-9
"""BLAS of another processor sums in another order: the last bits of a score may differ."""
LATER = {"smooth_otsu", "ridge", "matched", "learned", "learned_fast"}
"""Methods of configurations that came after results were frozen, each with a filter of its own."""
STUDIES = [
    pytest.param("demo", "config.yaml", id="demo"),
    pytest.param("planes", "planes.yaml", id="planes"),
    pytest.param("stacks", "stacks.yaml", id="stacks"),
    pytest.param("kesm", "config/kesm.yaml", id="kesm", marks=needs_kesm),
    pytest.param("kesm-methods", "config/kesm-methods.yaml", id="kesm-methods", marks=needs_kesm),
]


def as_before(path):
    """Give a configuration the settings that were the defaults when results were frozen."""
    configuration = yaml.safe_load(path.read_text())
    configuration["tile_edges"] = "keep"
    # pictures are no results
    configuration |= {"figures": {"tiles": 0}, "report": {"tiles": 0}}
    for name in LATER & {*configuration["methods"]}:
        configuration["filters"].pop(configuration["methods"].pop(name).get("filter"), None)
    for method in configuration["methods"].values():
        method.setdefault("fallback", "empty")
        if method.get("min_contrast", 5) == 5:
            method["min_contrast"] = 4
    path.write_text(yaml.safe_dump(configuration, sort_keys=False))


@pytest.mark.parametrize(("name", "configuration"), STUDIES)
def test_results_are_the_frozen_ones(project, name, configuration):
    if name in ("planes", "stacks"):
        variety.write(project.folder)
    as_before(Path(project.folder, configuration))
    project.succeed("--configfile", configuration)
    results, path = read(project.results), FROZEN / f"{name}.json.xz"
    found = differences(read(path), results, TOLERANCE)
    if found and os.environ.get("TILEWISE_FREEZE"):
        with lzma.open(path, "wt") as file:
            json.dump(results, file, sort_keys=True)
    assert not found, "\n".join([*found[:50], f"{len(found)} differences", REMEDY])


def test_frozen_results_stand_in_the_changelog():
    """A frozen file cannot change without a change of the changelog."""
    checksums = {
        path.name.removesuffix(".json.xz"): hashlib.sha256(
            lzma.decompress(path.read_bytes())
        ).hexdigest()[:16]
        for path in FROZEN.glob("*.json.xz")
    }
    assert checksums.keys() == {study.id for study in STUDIES}
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    # those of the latest version, which comes first
    section = re.search(r"^### Frozen results\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL)
    written = dict(re.findall(r"^- `(.+?)`: `([0-9a-f]{16})`", section[1], re.MULTILINE))
    assert written == checksums, "CHANGELOG.md, Frozen results, says what changed"
