"""How annotated tiles were picked: columns of the sheet and of tables of windows."""

import numpy as np
import pytest
from PIL import Image
from studies import make_study, write_sample

from tilewise.plan import decide
from tilewise.plan.sampling import Drawn


def write_windows(folder, columns, *rows):
    """A table of windows of 8 x 8 pixels, whose path is added."""
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "window.png")
    lines = ["\t".join(("z", "y", "x", "path", *columns))]
    lines += ["\t".join((*map(str, row[:3]), "window.png", *row[3:])) for row in rows]
    (folder / "windows.tsv").write_text("\n".join(lines) + "\n")


def study_of_windows(folder, columns, *rows, config=None, **cells):
    """Of a sample of 4 x 4 tiles of 16 x 16 pixels with such windows."""
    write_windows(folder, columns, *rows)
    row = write_sample(folder, "a") | {"truth": "windows.tsv"} | cells
    return make_study(folder, row, **config or {})


def test_without_these_columns_all_tiles_score(tmp_path):
    own = decide.folds(make_study(tmp_path, write_sample(tmp_path, "a", truth=[0]))).sampling
    everywhere = {"purpose": "estimate", "pi": None, "tiles": []}
    assert own == {"a": everywhere | {"planes": 1, "tiles_of_plane": 16}}


def test_the_sheet_speaks_of_all_tiles_of_a_sample(tmp_path):
    study = make_study(
        tmp_path,
        write_sample(tmp_path, "a", (3, 64, 32), truth=[0, 2], pi="0.25"),
        write_sample(tmp_path, "b", truth=[0], purpose="train"),
    )
    own = decide.folds(study).sampling
    assert [own["a"][key] for key in ("purpose", "pi")] == ["estimate", 0.25]
    assert [own["a"][key] for key in ("planes", "tiles_of_plane")] == [3, 8]
    assert [own["b"][key] for key in ("purpose", "pi")] == ["train", None]
    # neither is metadata
    assert study.metadata_columns == []


def test_windows_overrule_the_sheet_where_they_say_anything(tmp_path):
    # the second lies in four tiles
    rows = [(0, 0, 0, "train", "1"), (0, 12, 28, "", "0.5"), (0, 48, 48, "", "")]
    study = study_of_windows(tmp_path, ("purpose", "pi"), *rows, pi="0.125")
    assert study.drawn_tiles["a"] == {
        (0, 0, 0): Drawn("train", 1),
        **{(0, row, column): Drawn("estimate", 0.5) for row in (0, 1) for column in (1, 2)},
        (0, 3, 3): Drawn("estimate", 0.125),
    }
    tiles = decide.folds(study).sampling["a"]["tiles"]
    assert tiles[:2] == [[0, 0, 0, "train", 1], [0, 0, 1, "estimate", 0.5]]


def test_windows_of_one_tile_say_the_same_of_it(tmp_path):
    rows = [(0, 0, 0, "0.5"), (0, 0, 8, "0.5"), (0, 8, 0, "0.25")]
    with pytest.raises(ValueError, match=r"sample a: .*windows\.tsv, line 4: ") as error:
        study_of_windows(tmp_path, ("pi",), *rows)
    assert "tile z0000_y00_x00 and has purpose estimate, pi 0.25" in str(error.value)
    assert "windows.tsv, line 2 touches it too and has purpose estimate, pi 0.5" in str(error.value)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"purpose": "test"}, r"my\.tsv, line 2: purpose 'test' .* write estimate or train"),
        ({"pi": "0"}, r"my\.tsv, line 2: pi '0' is no probability above 0 and up to 1"),
        ({"pi": "1.5"}, r"my\.tsv, line 2: pi '1\.5'"),
        ({"pi": "-0.5"}, r"my\.tsv, line 2: pi '-0\.5'"),
        ({"pi": "nan"}, r"my\.tsv, line 2: pi 'nan'"),
        ({"pi": "5 %"}, r"my\.tsv, line 2: pi '5 %'"),
        ({"PI": "Smith"}, r"`PI` is not known: name it `pi`; metadata, in another way"),
        ({"inclusion probability": "1"}, r"`inclusion probability` is not known: name it `pi`"),
        ({"purposes": "train"}, r"`purposes` is not known: name it `purpose`"),
        ({"purpose": "train"}, r"purpose: all annotated tiles are to `train`, and none is left"),
    ],
)
def test_columns_of_the_sheet_that_cannot_be(tmp_path, cells, message):
    with pytest.raises(ValueError, match=message):
        make_study(tmp_path, write_sample(tmp_path, "a", truth=[0]) | cells)


def test_metadata_with_short_names_are_not_meant_for_pi(tmp_path):
    row = write_sample(tmp_path, "a", truth=[0]) | {"pid": "7", "pig": "3"}
    assert make_study(tmp_path, row).metadata_columns == ["pid", "pig"]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("purpose", "training", r"windows\.tsv, line 2: purpose 'training' does not exist"),
        ("pi", "2", r"windows\.tsv, line 2: pi '2' is no probability"),
        ("Purpose", "train", r"windows\.tsv: the column `Purpose` is not known: name it `purpose`"),
        ("probability", "1", r"windows\.tsv: the column `probability` is not known: name it `pi`"),
        ("purpose", "train", r"purpose: all annotated tiles are to `train`"),
    ],
)
def test_columns_of_windows_that_cannot_be(tmp_path, column, cell, message):
    with pytest.raises(ValueError, match=message):
        study_of_windows(tmp_path, (column,), (0, 0, 0, cell))


def test_windows_of_a_region_of_interest_were_not_drawn(tmp_path):
    write_windows(tmp_path, ("pi",), (0, 0, 0, "1"))
    row = write_sample(tmp_path, "a", truth=[0]) | {"roi": "windows.tsv"}
    with pytest.raises(ValueError, match=r"windows\.tsv: the column `pi` is of windows of truth"):
        make_study(tmp_path, row)


def test_ranks_have_no_weights(tmp_path):
    row = write_sample(tmp_path, "a", truth=[0], pi="0.5")
    with pytest.raises(ValueError, match=r"decision\.test: wilcoxon ranks units without"):
        make_study(tmp_path, row, decision={"test": "wilcoxon", "average": "macro"})
