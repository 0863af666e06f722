"""Which blocks, filtered or not, and which pieces of truth a job reads."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from studies import (
    S,
    collected_study,
    imagined_sample,
    imagined_study,
    make_study,
    study_of,
    with_defaults,
    write_sample,
)

from tilewise.plan import reads, segment
from tilewise.plan.study import Choice
from tilewise.read.annotation import Piece

FILTERS = {"smooth": [{"median": 5}], "even": ["equalize"]}
KEPT, TEMPORARY = {"keep_filtered": True}, {"keep_filtered": False}
INLINE = {"keep_filtered": "auto", "keep_filtered_limit": 0}


def split_study(**settings):
    """A plane of 64 x 96 in 2 x 3 blocks of 32 x 32 px."""
    return imagined_study((1, 64, 96), (1, 32, 32), filters=FILTERS, **settings)


@pytest.mark.parametrize(
    ("block", "reach", "expected"),
    [
        ("0/0/0", 0, ["0/0/0"]),
        ("0/0/0", 1, ["0/0/0", "0/0/1", "0/1/0", "0/1/1"]),
        # a block away is the last that 32 px reach
        ("0/0/0", 32, ["0/0/0", "0/0/1", "0/1/0", "0/1/1"]),
        ("0/0/0", 33, ["0/0/0", "0/0/1", "0/0/2", "0/1/0", "0/1/1", "0/1/2"]),
        ("0/1/2", 1, ["0/0/1", "0/0/2", "0/1/1", "0/1/2"]),
        ("0/0/1", 1, ["0/0/0", "0/0/1", "0/0/2", "0/1/0", "0/1/1", "0/1/2"]),
        ("0/1/2", math.inf, ["0/0/0", "0/0/1", "0/0/2", "0/1/0", "0/1/1", "0/1/2"]),
    ],
)
def test_blocks_within_reach_in_a_split_plane(block, reach, expected):
    study = split_study()
    pixels = reads.image(study, [("s", block)], "image", reach)
    assert pixels.blocks == expected
    assert pixels.files == [f"results/s/image.zarr/0/c/{block}" for block in expected]
    assert pixels.steps == []
    assert pixels.codec == "zstd"


def test_other_planes_are_never_read():
    study = imagined_study((3, 32, 32), (1, 32, 32))
    pixels = reads.image(study, [("s", "1/0/0")], "image", math.inf)
    assert pixels.blocks == ["1/0/0"]


def test_blocks_of_several_parts_are_read_once():
    study = split_study()
    pixels = reads.image(study, [("s", "0/0/2"), ("s", "0/1/2")], "image", 1)
    # those of the first part, then those that the second adds: none
    assert pixels.blocks == ["0/0/1", "0/0/2", "0/1/1", "0/1/2"]


@pytest.mark.parametrize(
    ("keep", "takes_temporary", "is_written"),
    [
        (KEPT, False, True),
        (KEPT, True, True),
        (TEMPORARY, False, False),
        (TEMPORARY, True, True),
        (INLINE, False, False),
        (INLINE, True, False),
    ],
)
def test_filtered_blocks_or_the_image_s_and_steps(keep, takes_temporary, is_written):
    study = split_study(**keep, filtered_codec="lz4")
    place = [("s", "0/0/0")]
    pixels = reads.filtered(study, place, "smooth", takes_temporary=takes_temporary)
    if is_written:
        assert pixels.files == ["results/s/filtered/smooth.zarr/c/0/0/0"]
        assert (pixels.blocks, pixels.steps, pixels.codec) == (["0/0/0"], [], "lz4")
    else:
        # a window of 5 reaches 2 px into the neighbours
        assert pixels.blocks == ["0/0/0", "0/0/1", "0/1/0", "0/1/1"]
        assert pixels.files[1] == "results/s/image.zarr/0/c/0/0/1"
        assert (pixels.steps, pixels.codec) == ([{"median": 5}], "zstd")
    # there is no file of what is not filtered
    bare = reads.filtered(study, place, "image", takes_temporary=takes_temporary)
    assert bare.files == ["results/s/image.zarr/0/c/0/0/0"]
    assert (bare.steps, bare.codec) == ([], "zstd")


def test_reaches_of_a_filter_and_of_a_method_add_up():
    study = split_study(**INLINE)
    place = [("s", "0/0/0")]
    # 2 of the filter and 30 are 32; 31 are one more
    assert len(reads.filtered(study, place, "smooth", 30).blocks) == 4
    assert len(reads.filtered(study, place, "smooth", 31).blocks) == 6
    assert len(reads.filtered(study, place, "even", 0).blocks) == 6
    kept = split_study(**KEPT)
    assert len(reads.filtered(kept, place, "smooth", 32).blocks) == 4


# the first example reads the schema, which takes its time
@settings(deadline=None, database=None)
@given(data=st.data())
def test_a_mask_s_job_reads_what_covers_its_block_grown_by_the_reach(data):
    draw = data.draw
    planes, rows, columns = (draw(st.integers(1, most)) for most in (2, 90, 90))
    block = (draw(st.integers(1, 2)), *(16 * draw(st.integers(1, 4)) for _ in range(2)))
    window, local = (2 * draw(st.integers(1, 30)) + 1 for _ in range(2))
    is_local, keep = draw(st.booleans()), draw(st.sampled_from([KEPT, TEMPORARY, INLINE]))
    threshold = {"sauvola": {"size": local}} if is_local else "otsu"
    study = imagined_study(
        (planes, rows, columns),
        block,
        filters={"f": [{"median": window}]},
        methods={"m": {"filter": "f", "threshold": threshold}},
        apply="all",
        **keep,
    )
    # windows reach half of their size, which an odd one has beside its middle
    reach = (local - 1) // 2 if is_local else 0
    reach += (window - 1) // 2 if keep == INLINE else 0
    name = draw(st.sampled_from(study.blocks("s")))
    pixels = segment.threshold(study, "s", "m", name, Choice("m")).pixels

    def of_block(name):
        found = np.zeros((planes, rows, columns), bool)
        places = zip(map(int, name.split("/")), block, strict=True)
        found[tuple(slice(place * step, (place + 1) * step) for place, step in places)] = True
        return found

    size = (1, 2 * reach + 1, 2 * reach + 1)
    needed = ndimage.maximum_filter(of_block(name), size, mode="constant")
    touching = [other for other in study.blocks("s") if (of_block(other) & needed).any()]
    assert pixels.blocks == touching
    assert len(pixels.files) == len(touching)
    folder = "image.zarr/0" if keep == INLINE else "filtered/f.zarr"
    assert pixels.files[0] == f"results/s/{folder}/c/{touching[0]}"


@pytest.fixture
def windows(tmp_path):
    """A stack of 2 x 64 x 64 in blocks of 32 x 64; windows of truth in both planes, and a ROI."""
    row = write_sample(tmp_path, "s", (2, 64, 64))
    for name, size in {"wide.png": (64, 20), "small.png": (10, 10), "roi.png": (64, 64)}.items():
        Image.fromarray(np.zeros(size[::-1], np.uint8)).save(tmp_path / name)
    (tmp_path / "windows.tsv").write_text(
        "z\ty\tx\tpath\n0\t20\t0\twide.png\n1\t40\t30\tsmall.png\n"
    )
    row |= {"truth": "windows.tsv", "roi": "roi.png"}
    return make_study(tmp_path, row, block={"planes": 1, "rows": 2}), tmp_path


def test_pieces_of_truth_in_a_block(windows):
    study, folder = windows
    assert study.annotated_blocks("s") == ["0/0/0", "0/1/0", "1/1/0"]
    upper = reads.pieces(study, [("s", "0/0/0")], "truth")
    lower = reads.pieces(study, [("s", "0/1/0")], "truth")
    # rows 20 to 39 lie in both; a place names a file by its number
    assert upper == lower
    assert [path.rsplit("/")[-1] for path in upper.files] == ["wide.png"]
    place = {"path": 0, "page": 0, "z": 0, "y": 20, "x": 0, "height": 20, "width": 64}
    assert upper.places == [[place]]
    other = reads.pieces(study, [("s", "1/1/0")], "truth")
    (places,) = other.places
    assert [(place["z"], place["y"], place["x"]) for place in places] == [(1, 40, 30)]
    assert reads.pieces(study, [("s", "1/0/0")], "truth") == reads.Pieces([], [[]])


def test_a_region_of_interest_of_one_plane_is_that_of_all(windows):
    study, _ = windows
    for block, z in (("0/1/0", 0), ("1/0/0", 1)):
        ((place,),) = reads.pieces(study, [("s", block)], "roi").places
        assert (place["z"], place["page"], place["height"]) == (z, 0, 64)


def test_annotated_tiles_of_a_block(windows):
    study, _ = windows
    # rows 20 to 39 are in tile rows 1 and 2, of which row 1 is in the upper block
    assert reads.annotated_tiles(study, "s", "0/0/0") == [[0, 1, column] for column in range(4)]
    assert reads.annotated_tiles(study, "s", "0/1/0") == [[0, 2, column] for column in range(4)]
    # 40 to 49 and 30 to 39: rows 2 and 3, columns 1 and 2
    assert reads.annotated_tiles(study, "s", "1/1/0") == [
        [1, 2, 1],
        [1, 2, 2],
        [1, 3, 1],
        [1, 3, 2],
    ]


def test_whole_planes_have_all_tiles(tmp_path):
    row = write_sample(tmp_path, "s", (3, 32, 32), truth=(0, 1))
    study = make_study(tmp_path, row, block={"planes": 2})
    assert reads.annotated_tiles(study, "s", "0/0/0") is None
    assert reads.annotated_tiles(study, "s", "1/0/0") == []
    # one plane of a block of two
    row = write_sample(tmp_path, "t", (3, 32, 32), truth=(1,))
    study = make_study(tmp_path, row, block={"planes": 2})
    tiles = [[1, row, column] for row in (0, 1) for column in (0, 1)]
    assert reads.annotated_tiles(study, "t", "0/0/0") == tiles


@pytest.mark.parametrize(
    ("planes", "annotators", "expected"),
    [
        (1, [(0,), (0,)], None),
        (2, [(0, 1), (0, 1), (1,)], None),
        # as many pieces as planes, but of the first alone
        (2, [(0,), (0,)], [[0, 0, 0]]),
    ],
)
def test_several_annotators_of_whole_planes(tmp_path, planes, annotators, expected):
    row = write_sample(tmp_path, "s", (planes, 16, 16))
    names = ("anna", "ben", "carl")[: len(annotators)]
    for name, traced in zip(names, annotators, strict=True):
        for z in traced:
            Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / f"{name}_{z}.png")
    row["truth"] = "; ".join(f"{name}_*.png" for name in names)
    study = make_study(tmp_path, row)
    assert reads.annotated_tiles(study, "s", "0/0/0") == expected


def test_pieces_of_each_annotator(tmp_path):
    row = write_sample(tmp_path, "s", (1, 32, 32))
    for name in ("anna", "ben"):
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / f"{name}.png")
    study = make_study(tmp_path, row | {"truth": "anna.png; ben.png"})
    assert study.voted == ["s"]
    for number, name in ((1, "anna"), (2, "ben")):
        (path,) = reads.pieces(study, [("s", "0/0/0")], number).files
        assert path.endswith(f"{name}.png")
    assert len(reads.pieces(study, [("s", "0/0/0")], "truth").files) == 2


def test_a_part_is_a_block_with_its_grid():
    study = split_study()
    assert reads.part(study, "s", "0/1/2") == {
        "sample": "s",
        "block": "0/1/2",
        "grid": {"shape": [1, 64, 96], "tile": 16, "block": [1, 32, 32], "edges": "keep"},
        "offset": 0,
    }


@pytest.mark.parametrize("reach", [0, 5, math.inf])
def test_collected_samples_read_the_block_that_they_share(reach):
    study = collected_study(filters=FILTERS, **KEPT)
    places = study.places(S, "1/0/0")
    pixels = reads.image(study, places, "even", reach)
    assert pixels.blocks == ["1/0/0"]
    assert pixels.files == [f"results/{S}/image.zarr/0/c/1/0/0"]
    kept = reads.filtered(study, places[1:], "smooth", reach)
    assert kept.files == [f"results/{S}/filtered/smooth.zarr/c/1/0/0"]


def test_a_collected_part_has_its_sample_s_grid_and_its_plane_of_the_stack():
    study = collected_study()
    # a, b, two planes of c; d and e; two void planes
    assert reads.part(study, "f", "0/0/0", word=1) == {
        "sample": "f",
        "block": "0/0/0",
        "grid": {"shape": [3, 16, 5], "tile": 16, "block": [4, 16, 16], "edges": "even"},
        "offset": 8,
        "word": 1,
    }
    parts = reads.parts(study, study.places(S, "0/0/0"))
    assert [(part["sample"], part["offset"]) for part in parts] == [("a", 0), ("b", 1), ("c", 2)]


def test_pieces_of_several_parts_name_their_files_by_number():
    pieces = reads.pieces(collected_study(), [(sample, "0/0/0") for sample in "abc"], "truth")
    assert pieces.files == ["a_1_0.png", "c_1_1.png"]
    # in the sample's own planes
    found = [[(place["path"], place["z"]) for place in places] for places in pieces.places]
    assert found == [[(0, 0)], [], [(1, 1)]]


def test_a_file_of_several_parts_is_read_once():
    shared = Piece("roi.png", 0, 0, 0, 0, 16, 16)
    samples = [imagined_sample(name, truth=[0], roi=(shared,)) for name in "ab"]
    study = study_of(samples, with_defaults({"collect": {}}))
    pieces = reads.pieces(study, study.places("_small_uint8_roi_1", "0/0/0"), "roi")
    assert pieces.files == ["roi.png"]
    assert [place["path"] for places in pieces.places for place in places] == [0, 0]


def test_extents_of_stacks():
    assert reads.extent_of(collected_study(), S, "1/0/0") == "1"
    study = collected_study(collect={"side": 0}, block={"planes": 1})
    assert reads.extent_of(study, "c", "1/0/0") == "stack"
    assert reads.extent_blocks(collected_study(), S, "1") == ["1/0/0"]
    # without truth
    assert reads.extent_blocks(collected_study(), S, "2") == []
    assert reads.extent_blocks(study, "c", "stack") == ["1/0/0"]
