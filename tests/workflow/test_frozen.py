"""Results are what the version before made of the same images: every table, mask and overlay.

Tiles at the edges of planes are tiles like any other there: `tile_edges: keep`.
"""

import pytest
import variety
from comparison import differences, read
from projects import ROOT
from test_results import needs_kesm

FROZEN = ROOT / "tests/workflow/frozen"
TOLERANCE = 1e-9
"""BLAS of another processor sums in another order: the last bits of a score may differ."""
STUDIES = [
    pytest.param("demo", "config.yaml", id="demo"),
    pytest.param("planes", "planes.yaml", id="planes"),
    pytest.param("stacks", "stacks.yaml", id="stacks"),
    pytest.param("kesm", "config/kesm.yaml", id="kesm", marks=needs_kesm),
    pytest.param("kesm-methods", "config/kesm-methods.yaml", id="kesm-methods", marks=needs_kesm),
]


@pytest.mark.parametrize(("name", "configuration"), STUDIES)
def test_results_are_the_frozen_ones(project, name, configuration):
    if name in ("planes", "stacks"):
        variety.write(project.folder)
    project.succeed("--configfile", configuration, "--config", "tile_edges=keep")
    frozen = read(FROZEN / f"{name}.json.xz")
    assert differences(frozen, read(project.results), TOLERANCE) == []
