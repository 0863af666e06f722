"""The data of the page, from tables by hand."""

import json
from pathlib import Path

import jsonschema
import pytest

from tilewise.report import data
from tilewise.view.columns import rows_of

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/report.schema.json"
HOSTILE = "<script>alert(1)</script>"
COLORS = {"tp": [0, 255, 255], "fp": [255, 0, 255], "fn": [255, 255, 0], "tn": [0, 0, 0]}


def study(name="a", tiles=2):
    """Two methods and a sample of some tiles side by side."""
    words = {"filter": "", "threshold": "Otsu", "parameters": "", "roi": ""}
    method = {"definition": words, "yaml": "", "is_tuned": False}
    size = {"planes": 1, "height": 64, "width": 64 * tiles, "tile": [64, 64]}
    kind = {"pixel_size": None, "is_color": False, "metadata": {}}
    return {
        **{"title": "", "description": ""},
        **{"metric": "mcc", "metrics": ["mcc", "hd95"], "colors": COLORS, "alpha": 0.3},
        "samples": [{"name": name, **size, **kind}],
        "methods": [
            {"name": "otsu", **method, "settings": {}},
            {"name": "swept", **method, "settings": {"offset=1": {"offset": 1}}},
        ],
    }


def place(i, name="a"):
    return {"sample": name, "tile": f"t{i}", "z": "0", "y": "0", "x": str(64 * i)} | {
        "height": "64",
        "width": "64",
    }


def scored(i, method, mcc, name="a", **more):
    row = place(i, name) | {"method": method, "mcc": str(mcc), "hd95": "", "extent": "tile"}
    row |= {"tp": "3", "fp": "1", "fn": "2", "tn": "58", "estimate": "fixed", "flags": "blurred"}
    return row | {"excluded": "", "edge": "normal"} | more


def quality(i, name="a"):
    return place(i, name) | {"edge": "", "flags": "", "mean": "7.5"}


def assembled(tables, pictures=None, sweeps=None, name="a", tiles=2, **further):
    shown = pictures or data.Pictures()
    found = data.assemble(study(name, tiles), tables, None, sweeps or {}, shown, {}, **further)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    return found


@pytest.mark.parametrize(
    ("names", "title", "said"),
    [
        (["a"], "", "a - tilewise"),
        (list("abcde"), "", "a, b, c and 2 more - tilewise"),
        (["a"], "Vessels", "Vessels"),
    ],
)
def test_a_report_has_a_name_of_its_own(names, title, said):
    known = study()
    known |= {"title": title, "samples": [known["samples"][0] | {"name": name} for name in names]}
    assert data.assemble(known, {}, None, {}, data.Pictures(), {})["title"] == said


def test_tiles_with_and_without_truth():
    folds = [{**place(0), "patch": "", "unit": "a z0"}, {**place(0), "patch": "1", "unit": "b"}]
    tables = {
        "metrics": [
            scored(0, "otsu", 0.5),
            scored(0, "swept", ""),
            scored(0, "otsu", 9, extent="plane"),
        ],
        "quality": [quality(1), quality(0)],
        "trust": [{**quality(1), "trust": "0.25"}, {**quality(0), "trust": ""}],
        "folds": folds,
    }
    found = assembled(tables)
    first, second = rows_of(found["tiles"])
    assert (first["annotated"], second["annotated"]) == (1, 0)
    assert (first["unit"], second["unit"]) == ("a z0", "")
    assert (first["edge"], first["flags"], first["mean"]) == ("normal", "blurred", 7.5)
    assert (first["trust"], second["trust"]) == (None, 0.25)
    assert found["tile_scores"]["methods"]["otsu"]["mcc"] == [0.5, None]
    assert found["tile_scores"]["methods"]["otsu"]["tn"] == [58, None]
    # of no tile a distance is known
    assert set(found["tile_scores"]["methods"]["otsu"]) == {"mcc", "tp", "fp", "fn", "tn"}
    assert found["tiles_total"] == 2
    assert found["maps"] == {}


def test_pictures_stand_beside_their_tiles():
    pictures = data.Pictures.of(
        {
            **{"places": [place(1), place(0)], "image": ["B", "A"], "disagreement": [None, 0.125]},
            **{"confusion": {"otsu": [None, "C"]}, "shown": [[1, "worst of otsu", "random"]]},
        }
    )
    found = assembled({"metrics": [scored(0, "otsu", 0.5)]}, pictures)
    assert found["thumbnails"] == {"image": ["A", "B"], "confusion": {"otsu": ["C", None]}}
    assert found["disagreement"] == [0.125, None]
    assert found["tiles"]["pack"] == [0, None]
    assert rows_of(found["tiles"])[0]["reasons"] == "worst of otsu;random"


def test_of_many_tiles_those_with_pictures_are_listed(monkeypatch):
    monkeypatch.setattr(data, "MOST_TILES", 3)
    tables = {"quality": [quality(i) for i in range(6)], "metrics": [scored(4, "otsu", 0.5)]}
    pictures = data.Pictures(
        places=[place(4)], image=["A"], confusion={"otsu": ["C"]}, disagreement=[0.5]
    )
    found = assembled(tables, pictures, tiles=6)
    assert [row["tile"] for row in rows_of(found["tiles"])] == ["t4"]
    assert found["tiles_total"] == 6
    (own,) = found["maps"].values()
    assert own["values"]["otsu"]["mcc"] == [None, None, None, None, 0.5, None]
    assert own["values"]["tiles"]["mean"] == [7.5] * 6


def test_what_was_tried():
    rows = [{"method": "swept", "variant": "offset=1", "chosen": "yes", "mcc": "0.75"}]
    found = assembled({}, sweeps={"swept": rows, "otsu": []})
    assert found["sweeps"] == {
        "swept": {"columns": ["p_offset", "mcc", "chosen"]}
        | {"p_offset": [1], "mcc": [0.75], "chosen": [1]}
    }


def test_costs_and_citations_of_methods():
    costs = [{"method": "otsu", "mpx": "1", "cpu_s_per_mpx": "", "peak_mb": "70.5"}]
    found = assembled({"costs": costs}, citations={"otsu": ["otsu1979"]})
    otsu, swept = found["methods"]
    assert otsu["cost"] == {"cpu_s_per_mpx": None, "peak_mb": 70.5}
    assert (otsu["citations"], swept["citations"]) == (["otsu1979"], [])
    assert swept["cost"] is None
    assert swept["estimate"] == ""


def test_packs_are_embedded_as_long_as_there_is_space():
    packs = [json.dumps({"a": "x" * 10}), json.dumps({"b": "y" * 100}), "null"]
    assert data.embed(packs, most=60) == {"0": {"a": "x" * 10}}
    assert len(data.embed(packs, most=1000)) == 3
    assert data.embed([]) == {}


def test_numbers_that_json_has_not():
    known = data._plain({"p": float("nan"), "others": [{"low": float("-inf")}]})
    assert known == {"p": None, "others": [{"low": None}]}


@pytest.mark.parametrize("name", [HOSTILE, "\"'</script>"])
def test_hostile_names_are_values(name):
    found = assembled({"metrics": [scored(0, "otsu", 0.5, name=name)]}, name=name)
    assert rows_of(found["tiles"])[0]["sample"] == name
