"""The report of a fixture keeps the contract, and is not too large."""

import base64

import cv2
import jsonschema
import numpy as np
import pytest
from page_data import schema
from report_fixture import ALERT, fixture, write

from tilewise.view.columns import rows_of


@pytest.fixture(scope="module")
def known():
    return fixture(tiles=10, methods=3, side=64)


def test_the_fixture_keeps_the_contract(known):
    jsonschema.validate(known[0], schema())


def test_it_has_what_is_hard_to_show(known):
    data, packs = known
    tiles = rows_of(data["tiles"])
    assert ALERT in {tile["sample"] for tile in tiles}
    assert {tile["annotated"] for tile in tiles} == {0, 1}
    # a tile without truth has no score
    unknown = [tile["annotated"] for tile in tiles].index(0)
    assert data["tile_scores"]["methods"]["otsu"]["mcc"][unknown] is None
    assert any(sample["is_color"] for sample in data["samples"])
    assert len(packs) == len(tiles) == 10
    codes = [
        set(np.unique(picture(pack["codes"]["otsu"]["data"])))
        for pack in data["packs"]["embedded"].values()
        if pack["codes"]
    ]
    # all classes, and what is not annotated or outside
    assert set.union(*codes) >= {0, 1, 2, 3, 4, 6}


def test_counts_are_those_of_the_pictures(known):
    """Counts of pixels in the table of tiles are those of the codes in its pack, or missing."""
    data, _ = known
    for i, tile in enumerate(rows_of(data["tiles"])):
        pack = data["packs"]["embedded"][str(tile["pack"])]
        for method, own in pack["codes"].items():
            codes = picture(own["data"])
            scores = data["tile_scores"]["methods"][method]
            for code, name in enumerate(("tn", "fp", "fn", "tp")):
                assert (scores[name][i] or 0) == np.count_nonzero(codes == code)


def test_packs_lie_beside_the_page(known, tmp_path):
    write(tmp_path / "report.html", *known)
    assert len(list((tmp_path / "report").glob("pack_*.js"))) == 10
    assert (tmp_path / "report" / "pack_0000.js").read_text().startswith("tilewise_pack(0, {")


def picture(text):
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED)
