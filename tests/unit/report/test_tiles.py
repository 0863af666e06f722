"""Tiles that are read block by block."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tilewise.labels import NOT_ANNOTATED
from tilewise.report import tiles
from tilewise.store.blocks import BlockWriter, strips
from tilewise.store.grid import Grid
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part
from tilewise.tables import write_rows

GRID = Grid((1, 40, 32), 16, (1, 16, 32))
"""Three blocks of two tiles each; those of the last are cut."""
THRESHOLDS = ("sample", "tile", "threshold", "separability", "contrast", "difference")


def stored(folder, kind, pixels, fill=0):
    """Files of an array, block by block."""
    layout, paths = layout_of(GRID, str(pixels.dtype), fill), []
    for number, block in enumerate(GRID.blocks()):
        paths.append(str(folder / f"{kind}_{number}"))
        with BlockWriter(paths[-1], block, layout) as writer:
            for strip in strips(GRID, block):
                own = pixels[strip.y0 : strip.y1, strip.x0 : strip.x1]
                writer.write(Part("s", GRID, block, 0), strip, own)
    return paths


@pytest.fixture(params=[[]])
def study(tmp_path, request):
    """An image, masks by two methods, and truth of the first two blocks but for one tile.

    A mask of all tiles is `b` without what it has in common with `a`; `b` is probable as bright
    pixels are. Returns the arrays, and the blocks as a function of the tiles to annotate next.
    """
    everywhere, random = request.param, np.random.default_rng(0)
    image = random.integers(0, 255, GRID.shape[1:]).astype(np.uint8)
    masks = {name: random.integers(0, 2, image.shape).astype(np.uint8) for name in ("a", "b")}
    masks["segmentation"] = masks["b"] & ~masks["a"]
    truth = random.integers(0, 2, image.shape).astype(np.uint8)
    truth[16:32, 16:] = NOT_ANNOTATED
    truth[32:] = NOT_ANNOTATED
    images = stored(tmp_path, "image", image)
    truths = stored(tmp_path, "truth", truth, NOT_ANNOTATED)
    of_masks = {name: stored(tmp_path, name, own) for name, own in masks.items()}
    known = tmp_path / "thresholds.tsv"
    row = {"sample": "s", "tile": "z0000_y00_x00", "threshold": "80;120", "note": "n"}
    write_rows(known, (*THRESHOLDS, "guard", "note"), [row])
    grid = {"shape": GRID.shape, "tile": 16, "block": GRID.block, "edges": GRID.edges}
    made = [
        {
            "method": name,
            "is_applied": is_applied,
            "has_probability": name == "b" and not is_applied,
        }
        for name, is_applied in (("a", False), ("b", False), ("b", True))
    ]
    listed, files = [], {kind: [] for kind in tiles.KINDS}
    for number, block in enumerate(GRID.blocks()):
        part = {"sample": "s", "block": block, "grid": grid, "offset": 0}
        part |= {"methods": ["a", "b"], "everywhere": everywhere, "is_applied": not everywhere}
        inverted = {"name": "inverted", "methods": ["a", "b"], "blocks": [block]}
        inverted |= {"steps": ["invert"], "codec": "zstd", "channels": 1, "dtype": "uint8"}
        own = {"images": [images[number]], "truths": [truths[number]]}
        own |= {"masks": [paths[number] for paths in of_masks.values()]}
        own |= {"thresholds": [str(known)] * 3, "filtered": [images[number]]}
        own |= {"probabilities": [images[number]]}
        listed.append(
            {
                **{"block": block, "dtype": "uint8", "is_color": False, "masks": made},
                **{"parts": [part | {"is_shown": False}], "filters": [inverted]},
                "files": {kind: len(own.get(kind, ())) for kind in tiles.KINDS},
            }
        )
        for kind, paths in own.items():
            files[kind] += paths
    return image, masks, truth, lambda following=(): tiles.blocks_of(listed, files, following)


def names(found):
    return [place["tile"] for place in found.places]


def test_tiles_with_truth_and_those_to_annotate_next(study):
    *_, read = study
    annotated = ["z0000_y00_x00", "z0000_y00_x01", "z0000_y01_x00"]
    assert names(tiles.survey(read(), ["a", "b"])) == annotated
    found = tiles.survey(read({("s", "z0000_y02_x01")}), ["a", "b"])
    assert names(found) == [*annotated, "z0000_y02_x01"]
    assert found.annotated == [True, True, True, False]
    assert found.places[3] == {
        **{"sample": "s", "tile": "z0000_y02_x01", "z": 0, "y": 32, "x": 16},
        **{"height": 8, "width": 16},
    }


def test_how_far_methods_differ(study):
    _, masks, _, read = study
    found = tiles.survey(read({("s", "z0000_y02_x01")}), ["a", "b"])
    for share, place in zip(found.disagreement[:3], found.places, strict=False):
        own = np.s_[place["y"] : place["y"] + 16, place["x"] : place["x"] + 16]
        assert share == np.mean(masks["a"][own] != masks["b"][own])
    # without truth, there is the mask of one method
    assert np.isnan(found.disagreement[3])


def test_pictures_of_some_tiles_are_those_of_all(study):
    *_, read = study
    every = tiles.survey(read(), ["a", "b"])
    assert None not in every.image
    few = tiles.survey(read(), ["a", "b"], has_pictures=False)
    assert set(few.image) == {None}
    few = few.only([2, 0])
    tiles.add_pictures(few, read())
    assert few == every.only([2, 0])
    assert names(few) == ["z0000_y01_x00", "z0000_y00_x00"]


def test_a_tile_in_full(study):
    image, masks, truth, read = study
    wanted = {("s", "z0000_y01_x00"): 7, ("s", "z0000_y00_x00"): 3}
    packs = dict(tiles.full(read(), wanted))
    assert list(packs) == [3, 7]
    own, pack = np.s_[16:32, :16], packs[7]
    for name in ("a", "b"):
        np.testing.assert_array_equal(labels(pack, name), masks[name][own] + 2 * truth[own])
    # nothing but what lossy pictures lose
    data = base64.b64decode(pack["probability"]["b"]["data"])
    probable = np.array(Image.open(io.BytesIO(data)).convert("L")).astype(int)
    assert np.abs(probable - image[own]).mean() < 30 < np.abs(probable - image[:16, :16]).mean()
    counts = np.bincount(255 - image[own].ravel(), minlength=256)
    found = pack["histograms"]["inverted"]["counts"]
    assert found == counts[: len(found)].tolist()
    assert pack["method_filter"] == {"a": "inverted", "b": "inverted"}
    assert pack["thresholds"]["a"] == tiles.NO_THRESHOLD
    assert packs[3]["thresholds"]["b"] == {"values": [80, 120], "note": "n"}


def test_a_tile_without_truth_has_the_mask_that_is_made_of_all_tiles(study):
    image, masks, _, read = study
    place = "s", "z0000_y02_x01"
    found = tiles.survey(read({place}), ["a", "b"])
    assert [own[3] is None for own in found.confusion.values()] == [True, False]
    ((_, pack),) = tiles.full(read({place}), {place: 0})
    own = np.s_[32:40, 16:]
    # 4 is not annotated
    np.testing.assert_array_equal(labels(pack, "b"), masks["segmentation"][own] + 4)
    assert set(pack["codes"]) == set(pack["thresholds"]) == {"b"}
    assert pack["method_filter"] == {"b": "inverted"}
    counts = np.bincount(255 - image[own].ravel(), minlength=256)
    found = pack["histograms"]["inverted"]["counts"]
    assert (found, counts[len(found) :].sum()) == (counts[: len(found)].tolist(), 0)
    assert pack["probability"] == {}


@pytest.mark.parametrize("study", [["a", "b"]], indirect=True)
def test_a_tile_without_truth_has_the_masks_of_all_methods_that_are_applied(study):
    _, masks, _, read = study
    place = "s", "z0000_y02_x01"
    found = tiles.survey(read({place}), ["a", "b"])
    own = np.s_[32:40, 16:]
    assert found.disagreement[3] == np.mean(masks["a"][own] != masks["b"][own])
    ((_, pack),) = tiles.full(read({place}), {place: 0})
    for name in ("a", "b"):
        np.testing.assert_array_equal(labels(pack, name), masks[name][own] + 4)


def labels(pack, method):
    data = base64.b64decode(pack["codes"][method]["data"])
    return np.array(Image.open(io.BytesIO(data)))


def test_merits_are_of_tiles_that_count():
    places = [{"sample": "s", "tile": f"t{i}"} for i in range(4)]
    found = tiles.Survey(places)
    row = {"sample": "s", "method": "a", "extent": "tile", "excluded": "", "edge": "normal"}
    rows = [
        row | {"tile": "t0", "mcc": "0.5", "assd": "3"},
        row | {"tile": "t1", "mcc": "0.25", "assd": "1", "excluded": "yes"},
        row | {"tile": "t2", "mcc": "0.75", "assd": "1", "edge": "sliver"},
        row | {"tile": "t3", "mcc": "", "assd": "2"},
        row | {"tile": "elsewhere", "mcc": "0.1", "assd": "1"},
    ]
    nan = np.nan
    own = tiles.merits_of(rows, found, "mcc")["a"]
    np.testing.assert_array_equal(own, [0.5, nan, nan, nan])
    # of a distance, less is better
    own = tiles.merits_of(rows, found, "assd")["a"]
    np.testing.assert_array_equal(own, [-3, nan, nan, -2])


def test_a_record_is_json(study):
    *_, read = study
    record = tiles.to_record(tiles.survey(read({("s", "z0000_y02_x01")}), ["a"]), {1: ["random"]})
    assert record["shown"] == [[1, "random"]]
    assert record["disagreement"][3] is None
