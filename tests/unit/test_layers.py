"""Which packages of the library import which, and what scripts do without."""

from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tilewise import imports

SCRIPTS = Path(__file__).parents[2] / "scripts"
LIBRARY = SCRIPTS / "tilewise"
ALLOWED = {
    "store": set(),
    "read": {"store.grid"},
    "segment": {
        *("store.grid", "store.blocks", "store.class_histograms", "store.parts"),
        *("learn", "score.patches"),
    },
    "score": set(),
    "decide": {"score.formulas", "score.score_table", "store.class_histograms"},
    "quality": {"segment"},
    "view": set(),
    "report": {
        *("view", "score.formulas"),
        *("segment.filtered", "segment.thresholds"),
        *("store.grid", "store.blocks", "store.parts"),
    },
    "learn": {"score.formulas", "score.patches"},
    "demo": set(),
    "annotate": {
        *("read.painted", "view.png"),
        *("store.grid", "store.blocks", "store.layout", "store.parts"),
    },
    "verify": set(),
    "serve": {"store.grid", "score.formulas"},
    "plan": {
        *("read", "segment", "learn", "store.grid", "store.blocks", "report.limits"),
        *("score.formulas", "score.score_table"),
    },
}
"""Packages, or single modules of them, that each package imports; besides itself and the root."""
OF_PIXELS = {"score.confusion", "score.skeleton", "score.structure", "store.blocks", "store.shards"}
OF_MASKS = {"segment.segmenters", "store.blocks", "store.shards"}
OF_THRESHOLDS = {"segment.segmenters", "segment.cleanup", "segment.global_thresholds"}
WITHOUT = {
    **dict.fromkeys(("aggregate", "choose", "decide"), OF_PIXELS),
    "trust": OF_MASKS,
    **dict.fromkeys(("filter", "extent", "tile_histograms"), OF_THRESHOLDS),
    # of all methods it knows Otsu's, by which tiles are clear or not
    "histogram": OF_THRESHOLDS - {"segment.global_thresholds"},
    # an edit of what makes the pictures runs no tables' page anew, nor the other way round
    "report": OF_PIXELS | {"report.tiles", "report.choice"},
    "report_tiles": {"report.data", "view.page", "segment.segmenters"},
}
"""Modules that scripts do not import, directly or not."""
WITHOUT_OPENCV = ("aggregate", "choose", "decide", "trust")
COMMANDS = ("annotate", "partial_report", "verify", "view")
"""Scripts that people call themselves."""
FILES = sorted(LIBRARY.rglob("*.py"))


def name_of(path):
    """The name of a module without that of the library: `store.grid`; `store` for a package."""
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def names_of(paths):
    return {name_of(path) for path in paths} - {""}


def package_of(name):
    return name.partition(".")[0]


MODULES = names_of(path for path in FILES if path.name != "__init__.py")
PACKAGES = {package_of(name) for name in MODULES if "." in name}


def run_by(script):
    """Files of the library that a script imports, directly or not."""
    return imports.find(SCRIPTS / f"{script}.py", SCRIPTS)[1:]


def imports_opencv(path):
    return "import cv2" in path.read_text(encoding="utf-8")


def test_every_package_has_its_rule():
    assert set(ALLOWED) == PACKAGES


def test_rules_name_what_exists():
    named = set().union(*ALLOWED.values(), *WITHOUT.values())
    assert named <= PACKAGES | MODULES


def test_rules_have_no_cycle():
    graph = {package: set(map(package_of, names)) for package, names in ALLOWED.items()}
    assert set(TopologicalSorter(graph).static_order()) == PACKAGES


@pytest.mark.parametrize("name", sorted(MODULES))
def test_module_imports_what_its_package_may(name):
    path = LIBRARY.joinpath(*name.split(".")).with_suffix(".py")
    found = names_of(imports.imported(path, LIBRARY)) - PACKAGES
    own = package_of(name) if "." in name else None
    others = {module for module in found if "." in module and package_of(module) != own}
    allowed = ALLOWED.get(own, set())
    assert {one for one in others if not {one, package_of(one)} & allowed} == set()


def test_packages_are_empty():
    packages = [path for path in FILES if path.name == "__init__.py"]
    assert names_of(packages) == PACKAGES
    assert [path for path in packages if path.stat().st_size] == []


JOBS = [path for path in sorted(SCRIPTS.glob("*.py")) if path.stem not in COMMANDS]


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_no_script_of_a_job_imports_plan(path):
    assert "plan" not in map(package_of, names_of(run_by(path.stem)))


@pytest.mark.parametrize("script", WITHOUT)
def test_script_imports_no_more_than_it_uses(script):
    assert names_of(run_by(script)) & WITHOUT[script] == set()


def test_tables_are_decided_on_without_opencv():
    assert any(map(imports_opencv, run_by("validate")))
    found = {script: list(filter(imports_opencv, run_by(script))) for script in WITHOUT_OPENCV}
    assert found == dict.fromkeys(WITHOUT_OPENCV, [])
