"""A property: whatever samples share a stack with it, a sample has the results it has alone."""

import tempfile
from pathlib import Path

import pytest
from comparison import differences
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from jobs import KINDS, STEPS, VALUES, configuration, results, write, write_sheet


@st.composite
def companions(draw):
    """Samples of a kind, with one annotator each, or none, or several; no two in a row alike."""
    kind = draw(st.sampled_from(tuple(KINDS)))
    annotators = draw(st.sampled_from(((1, 1, 0), (1, 0, 1), (2, 3, 2), (3, 2, 3))))
    side = st.integers(1, draw(st.sampled_from((16, 40))))
    first = draw(st.integers(0, 5))
    sizes = st.lists(st.tuples(side, side), min_size=2, max_size=4)
    has_roi = draw(st.booleans())
    return [
        {
            "shape": (1 + number % 3, *size),
            "seed": draw(st.integers(0, 2**16)),
            "kind": kind,
            "annotators": annotators[number % 3],
            "has_roi": has_roi,
            "foreground": tuple(VALUES)[number % 3],
            "step": STEPS[number % 3],
        }
        for number, size in enumerate(draw(sizes), first)
    ]


@given(
    drawn=companions(),
    planes=st.sampled_from((4, 12, 64)),
    threads=st.sampled_from((1, 3)),
    extent=st.sampled_from(("tile", "plane", "sample")),
)
# what fails is small already, and shrinking it takes minutes
@settings(
    max_examples=12, deadline=None, database=None, phases=set(Phase) - {Phase.shrink, Phase.explain}
)
def test_a_sample_s_results_do_not_depend_on_its_companions(drawn, planes, threads, extent):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [write(folder, f"s{number}", sample) for number, sample in enumerate(drawn)]
        write_sheet(folder, rows)
        metrics = {"metrics": ["cldice", "nsd", "objects"], "unit": "micrometer"}
        config = {"validate": metrics | {"extent": extent}}
        alone = results(folder / "alone", configuration(**config, collect={"side": 0}))
        shared = configuration(**config, collect={"side": 8, "planes": planes})
        assert differences(alone, results(folder / "shared", shared, threads)) == []


def write_sizes(folder, *sizes):
    """A sheet of samples of two planes with truth, all alike but for their rows and columns."""
    sample = {"kind": "uint8", "has_roi": False, "foreground": None, "step": 1, "annotators": 1}
    samples = [sample | {"shape": (2, *size), "seed": i} for i, size in enumerate(sizes)]
    write_sheet(folder, [write(folder, f"s{i}", one) for i, one in enumerate(samples)])


@pytest.mark.parametrize("collect", [{"side": 8}, {"side": 0}])
@pytest.mark.parametrize(
    ("size", "tile"),
    [
        # a single tile of 20 x 19 px; two of 17 x 17
        ((20, 19), 32),
        ((34, 17), 17),
    ],
)
def test_equal_tiles_are_those_of_a_grid_that_fits(tmp_path, size, tile, collect):
    write_sizes(tmp_path, size)
    common = {"pyramid": {"levels": 0}, "collect": collect}
    own = results(tmp_path / "own", configuration(tile=16, **common), 3)
    fitting = configuration(tile=tile, tile_edges="keep", **common)
    assert differences(results(tmp_path / "fitting", fitting), own) == []


def test_grids_without_a_short_rest_are_as_they_were(tmp_path):
    # 16, 8; 16, 15; 16, 16, 8; no side has less than half a tile at its end
    write_sizes(tmp_path, (24, 31), (40, 16), (72, 40), (9, 16))
    kept = results(tmp_path / "kept", configuration(tile_edges="keep"))
    assert differences(kept, results(tmp_path / "even", configuration())) == []


def test_samples_are_told_apart_whatever_their_names(tmp_path):
    names = {"file": 2, "x": 2, "x.npy": 3, "x.npy.npy": 2, "allow_pickle": 3}
    sample = {"shape": (1, 20, 24), "kind": "uint8", "has_roi": False, "foreground": None}
    rows = [
        write(tmp_path, name, sample | {"seed": seed, "step": 1, "annotators": annotators})
        for seed, (name, annotators) in enumerate(names.items())
    ]
    write_sheet(tmp_path, rows)
    alone = results(tmp_path / "alone", configuration(collect={"side": 0}))
    assert differences(alone, results(tmp_path / "shared", configuration())) == []
