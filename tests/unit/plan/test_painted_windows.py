"""Tables of windows of masks that people paint, and truth of several entries."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from studies import make_study, write_sample

from tilewise.plan import doubts, ingest
from tilewise.read.painted import Start, file_checksum, labels_of, pixel_checksum

MASK = np.full((20, 19), 128, np.uint8)
MASK[4:20, 3:19] = 0
COLUMNS = ("z", "y", "x", "path", "pi", "height", "width", "context", "accepted", "start")


@pytest.fixture
def folder(tmp_path):
    """Masks of tiles of 16 x 16 pixels, with 4 above and 3 on the left, and where they begin."""
    starts = {}
    for name in ("a.tif", "b.tif", "c.tif"):
        tifffile.imwrite(tmp_path / name, MASK)
        pixels = pixel_checksum(labels_of(MASK[4:, 3:]))
        starts[name] = str(Start(file_checksum(tmp_path / name), pixels))
    return tmp_path, starts


def window(starts, name, x, **cells):
    known = {"z": 0, "y": 48, "x": x, "path": name, "height": 16, "width": 16, "pi": ""}
    known |= {"context": "4 0 3 0", "accepted": "", "start": starts[name]}
    return known | cells


def write_table(folder, rows, name="windows.tsv"):
    lines = [COLUMNS, *([row[column] for column in COLUMNS] for row in rows)]
    (folder / name).write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))


def study_of(folder, rows, truth="windows.tsv", **settings):
    write_table(folder, rows)
    return make_study(folder, write_sample(folder, "s") | {"truth": truth}, **settings)


def paint(path):
    mask = tifffile.imread(path)
    mask[10, 10] = 255
    tifffile.imwrite(path, mask)


def test_masks_that_nobody_has_painted_in_are_left_out_with_a_warning(folder):
    path, starts = folder
    paint(path / "b.tif")
    rows = [window(starts, name, 16 * i) for i, name in enumerate(starts)]
    sample = study_of(path, rows).samples["s"]
    (piece,) = sample.truth
    assert (piece.z, piece.y, piece.x, piece.height, piece.width) == (0, 48, 16, 16, 16)
    assert (piece.top, piece.left, piece.is_painted) == (4, 3, True)
    (doubt,) = sample.doubts
    assert (doubt.code, doubt.sample) == ("not_painted", "s")
    assert doubt.message.startswith("sample s: 2 of 3 masks to paint are as they were written")
    assert "a.tif, c.tif" in doubt.message
    assert "`pi`" not in doubt.remedy


def test_a_sample_of_nothing_but_starting_points_has_no_truth(folder):
    path, starts = folder
    study = study_of(path, [window(starts, "a.tif", 0, pi="0.5")])
    assert study.annotated == []
    (doubt,) = study.samples["s"].doubts
    assert "drawn together" in doubt.remedy


def test_a_mask_that_is_right_as_it_is_counts_once_it_is_accepted(folder):
    path, starts = folder
    rows = [window(starts, "a.tif", 0, accepted="Yes"), window(starts, "b.tif", 16, accepted="no")]
    sample = study_of(path, rows).samples["s"]
    assert [(piece.x, piece.start) for piece in sample.truth] == [(0, None)]
    assert len(sample.doubts) == 1


def test_a_mask_that_was_saved_again_is_looked_at_by_the_job(folder):
    path, starts = folder
    tifffile.imwrite(path / "a.tif", MASK, compression="zlib")
    study = study_of(path, [window(starts, "a.tif", 0)], block={"planes": 1, "rows": 2})
    assert study.samples["s"].doubts == ()
    pixels = int(starts["a.tif"][9:], 16)
    ((place,),) = (part["truth"] for part in ingest.truth(study, "s", "0/1/0").parts)
    assert (place["start"], place["is_painted"]) == (pixels, True)
    # the block that the mask lies in, and no other
    assert doubts.warnings(study).made_from == ["results/s/made_from/truth/0/1/0.json"]


def test_masks_of_one_of_several_annotators(folder):
    path, starts = folder
    paint(path / "a.tif")
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(path / "other.png")
    study = study_of(path, [window(starts, "a.tif", 0)], "other.png; windows.tsv")
    assert [len(own) for own in study.samples["s"].annotators] == [1, 1]
    assert doubts.warnings(study).made_from == ["results/s/made_from/annotator-2/0/0/0.json"]


def test_entries_with_a_plus_between_belong_together(folder):
    path, starts = folder
    paint(path / "a.tif")
    paint(path / "b.tif")
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(path / "truth_1.png")
    write_table(path, [window(starts, "b.tif", 16)], "more.tsv")
    write_table(path, [window(starts, "a.tif", 0, pi="0.25")])
    row = write_sample(path, "s", (2, 64, 64))
    entries = "windows.tsv + truth_*.png + more.tsv"
    sample = make_study(path, row | {"truth": entries}).samples["s"]
    assert [(p.z, p.y, p.x, p.is_painted) for p in sample.truth] == [
        (0, 48, 0, True),
        (0, 48, 16, True),
        (1, 0, 0, False),
    ]
    assert sample.annotators == ()
    assert [window.drawn.pi for window in sample.sampling.windows] == [0.25]


def test_entries_that_overlap_are_refused(folder):
    path, starts = folder
    paint(path / "a.tif")
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(path / "truth.png")
    with pytest.raises(ValueError, match=r"a\.tif and .*truth\.png overlap at z 0: name one of"):
        study_of(path, [window(starts, "a.tif", 0)], "truth.png + windows.tsv")


def test_a_plus_may_be_part_of_a_file_name(tmp_path):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "mine + yours.png")
    row = write_sample(tmp_path, "s") | {"truth": "mine + yours.png"}
    (piece,) = make_study(tmp_path, row).samples["s"].truth
    assert piece.path.endswith("mine + yours.png")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"context": "4 0 3"}, r"windows\.tsv, line 2: context '4 0 3' is no four numbers"),
        ({"context": "4 0 -3 0"}, "is no four numbers"),
        ({"context": ""}, "a.tif has 20 x 19 px, but its row the window 16 x 16: save it"),
        ({"context": "0 0 3 0"}, "20 x 19 px, .* 16 x 16 and the context 0 0 3 0: save it in the"),
        ({"y": 49}, r"a\.tif \(16 x 16\) at z 0, y 49, x 0 does not lie within"),
        ({"accepted": "maybe"}, "line 2: accepted 'maybe' is no answer: write yes"),
        ({"start": "edited"}, "line 2: start 'edited' is no checksum of a starting point"),
    ],
)
def test_windows_of_masks_that_cannot_be(folder, cells, message):
    path, starts = folder
    with pytest.raises(ValueError, match=message):
        study_of(path, [window(starts, "a.tif", 0) | cells])


def test_a_mask_with_other_layers_is_refused(folder):
    path, starts = folder
    tifffile.imwrite(path / "a.tif", np.stack([MASK, MASK]), photometric="minisblack")
    with pytest.raises(ValueError, match=r"line 2: a\.tif has 2 planes: save it alone"):
        study_of(path, [window(starts, "a.tif", 0)])


def test_a_region_of_interest_is_not_painted(folder):
    path, starts = folder
    write_table(path, [window(starts, "a.tif", 0)])
    row = write_sample(path, "s", truth=[0]) | {"roi": "windows.tsv"}
    with pytest.raises(ValueError, match="the column `pi` is of windows of truth"):
        make_study(path, row)
