"""What a sample's results do not depend on: its rows and windows, files and their order, and more.

The jobs run in this process, as the plan says them.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from drawn import SEEDS, examples
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from comparison import differences
from jobs import configuration, results, write, write_sheet

SCORED = {"validate": {"metrics": ["cldice", "nsd", "objects"]}}
COLLECTED = st.sampled_from(({"side": 0}, {"side": 8, "planes": 4}))


@st.composite
def samples(draw, fewest):
    side, kind = st.integers(1, 40), draw(st.sampled_from(("uint8", "uint16", "float32")))
    return [
        {
            "shape": draw(st.tuples(st.integers(1, 2), side, side)),
            **{"seed": draw(SEEDS), "kind": kind, "annotators": 1, "has_roi": False},
            **{"foreground": None, "step": 1},
        }
        for _ in range(draw(st.integers(fewest, fewest + 2)))
    ]


def write_windows(folder, name, sample, row):
    """Windows of truth in place of its planes: a table, whose lines may be in any order."""
    planes, height, width = sample["shape"]
    lines = []
    for z in range(planes):
        truth = np.asarray(Image.open(folder / f"{name}_truth_0_{z + 1}.png"))
        for y in range(0, height, 13):
            path = f"{name}_window_{z}_{y}.png"
            Image.fromarray(truth[y : y + 9]).save(folder / path)
            lines.append(f"{z}\t{y}\t0\t{path}\n")
    (folder / f"{name}.tsv").write_text("z\ty\tx\tpath\n" + "".join(lines))
    return row | {"truth": f"{name}.tsv"}, lines


def without_order(values):
    """What samples have: tables of all of them together have their lines in the sheet's order."""
    return {
        name: sorted(value) if name.endswith(".tsv") else value for name, value in values.items()
    }


@examples(3)
@given(drawn=samples(2), collect=COLLECTED, seed=SEEDS)
def test_the_order_of_rows_windows_and_files_does_not_matter(drawn, collect, seed):
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, windows = [], {}
        for number, sample in enumerate(drawn):
            own = f"s{number}"
            row = write(folder, own, sample)
            if number == 0:
                row, windows[own] = write_windows(folder, own, sample, row)
            rows.append(row)
        write_sheet(folder, rows)
        config = configuration(**SCORED, collect=collect)
        first = results(folder / "first", config)
        random.shuffle(rows)
        for own, lines in windows.items():
            random.shuffle(lines)
            (folder / f"{own}.tsv").write_text("z\ty\tx\tpath\n" + "".join(lines))
        # files in a folder are listed in the order in which they came, as a rule
        paths = sorted(folder.glob("*_*.*"))
        random.shuffle(paths)
        for path in paths:
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data)
        write_sheet(folder, rows)
        second = results(folder / "second", config)
        assert {name.split("/")[0] for name in first} >= {f"s{n}" for n in range(len(drawn))}
        assert differences(without_order(first), without_order(second)) == []


@examples(2)
@given(drawn=samples(1), collect=COLLECTED)
def test_a_region_of_everything_is_as_none(drawn, collect):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [write(folder, f"s{number}", sample) for number, sample in enumerate(drawn)]
        write_sheet(folder, rows)
        config = configuration(**SCORED, collect=collect)
        none = results(folder / "none", config)
        for number, (row, sample) in enumerate(zip(rows, drawn, strict=True)):
            path = f"s{number}_everything.png"
            Image.fromarray(np.full(sample["shape"][1:], 255, np.uint8)).save(folder / path)
            row["roi"] = path
        write_sheet(folder, rows)
        everything = results(folder / "everything", config)
        is_known = {name: "/labels/roi/" in name for name in everything}
        assert any(is_known.values())
        # what a stack's metadata say of its labels names the region
        without = {name: value for name, value in everything.items() if not is_known[name]}
        assert differences(none, without) == []
