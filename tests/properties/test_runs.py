"""Results do not depend on cores, blocks, stacks or executor: real runs of odd samples."""

import random
import re
import sys
from pathlib import Path

import pytest
from drawn import TIMES

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
import companions
from comparison import differences, read
from projects import Project

METHODS = {
    "tile": {"filter": "denoised", "threshold": "otsu"},
    "sample": {"filter": "denoised", "threshold": "li", "scope": "sample"},
    "local": {"threshold": {"adaptive": {"size": 21, "offset": -9}}, "cleanup": [{"opening": 1}]},
}
SHAPES = {"one": (1, 1, 1), "odd": (2, 50, 37), "low": (1, 33, 65), "wide": (1, 70, 131)}
SHAPES |= {"tall": (1, 129, 40), "large": (2, 130, 70)}
RUNS = max(round(4 * TIMES), 1)
OF_BLOCK = re.compile(r"(.*/)(\d+/\d+/\d+)(\.tsv|/.*\.png)")
ANY_TILE = ("sample", "local")
"""Methods whose masks do not depend on tiles."""


def create(folder, **settings):
    project = Project.create(folder)
    writer = companions.Writer(project.folder)
    for number, (name, shape) in enumerate(SHAPES.items()):
        row = {"group": f"m{number // 2}"}
        if name == "odd":
            companions.write_roi(project.folder / "roi.png", *shape[1:])
            row["roi"] = "roi.png"
        writer.add(name, shape, planes=0 if name == "low" else None, **row)
    common = {"tile": 48, "methods": METHODS, "overlay": {"format": "zarr-only"}}
    common |= {"validate": {"metrics": ["nsd"], "errors": False, "oracles": False}}
    return project.configure(writer.rows, **common | settings)


def values(project):
    """Results by name, however they are cut into blocks: lines of a sample's tables together."""
    found = {}
    for name, value in read(project.results).items():
        match = OF_BLOCK.fullmatch(name)
        if not match:
            found[name] = value
        elif match[3] == ".tsv":
            header, *lines = value
            known = found.get(match[1], [header])
            assert known[0] == header
            found[match[1]] = [header, *sorted([*known[1:], *lines])]
        else:
            found[match[1] + match[3]] = value
    return {f"{name}all.tsv" if name.endswith("/") else name: one for name, one in found.items()}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Each sample a stack of its own, of a single block, on one core."""
    project = create(tmp_path_factory.mktemp("expected") / "project", collect={"side": 0})
    project.succeed(cores=1)
    found = values(project)
    assert {name.split("/")[0] for name in found} >= {*SHAPES, "metrics.tsv", "ranking.tsv"}
    return found


def drawn(number):
    """Settings that results do not depend on, and cores."""
    dice = random.Random(number)
    block = {dice.choice(["planes", "rows", "columns"]): 1} if dice.random() < 0.8 else {}
    collect = {"side": dice.choice([0, 2, 8]), "planes": dice.choice([1, 3, 4, 64])}
    return {"block": block, "collect": collect}, dice.randint(1, 5)


@pytest.mark.parametrize("number", range(RUNS))
def test_cores_blocks_and_stacks(tmp_path, expected, number):
    settings, cores = drawn(number)
    project = create(tmp_path / "project", **settings)
    project.succeed(cores=cores)
    # sums in another order differ in the last bits
    assert differences(expected, values(project), 1e-9) == [], (settings, cores)


@pytest.mark.parametrize("tile", [32])
def test_tiles(tmp_path, expected, tile):
    project = create(tmp_path / "project", tile=tile)
    project.succeed()
    found = values(project)
    arrays = [
        f"{sample}/image.zarr/{label}0"
        for sample in SHAPES
        for label in ("", *(f"labels/{method}/" for method in ANY_TILE))
    ]
    assert {name: found[name] for name in arrays} == {name: expected[name] for name in arrays}


def test_executor(tmp_path, expected):
    """Each job, or group of jobs, is submitted to a scheduler, which starts it at once."""
    project = create(tmp_path / "project")
    submit = project.folder / "submit.sh"
    submit.write_text('nohup sh "$1" > "$1.log" 2>&1 &\necho $!\n')
    run = project.succeed(
        *("--executor", "cluster-generic", "--cluster-generic-submit-cmd", f"sh {submit}"),
        *("--jobs", "4", "--seconds-between-status-checks", "1", "--latency-wait", "20"),
        # a method of several blocks or samples is submitted as few jobs
        *("--group-components", "prepare=4", "segment=4", "ingest=4", "compare=4"),
    )
    assert len(re.findall("Submitted .*job .* with external jobid", run.output)) > 2
    assert differences(expected, values(project), 1e-9) == []
