"""Methods in words."""

import pytest
import yaml
from studies import OTSU, make_study, write_sample

from tilewise.plan import definitions
from tilewise.plan.study import Choice


@pytest.fixture
def row(tmp_path):
    return write_sample(tmp_path, "a", (1, 32, 32), truth=(0,), site="north")


def facts_of(study, *choices):
    known = definitions.facts(study, choices)
    return {one["name"]: one for one in known["methods"]}


def test_steps_in_words():
    steps = ["invert", {"median": 3}, {"background": {"method": "median", "size": 51}}, "clahe"]
    assert definitions.in_words(steps) == (
        "invert, median (3), background (method median, size 51), CLAHE"
    )
    lines = [{"ridge": {"sigmas": [1, 2, 3], "dark": True}}]
    assert definitions.in_words(lines) == "ridge (sigmas 1, 2 and 3, dark yes)"
    assert definitions.in_words([]) == ""


def test_of_a_model_a_few_settings_are_told(tmp_path, row):
    study = make_study(tmp_path, row, methods={"m": {"threshold": "pixel_classifier"}})
    words = facts_of(study)["m"]["definition"]["threshold"]
    assert words == "pixel classifier (trees 100, depth 4)"


def test_a_method_in_words_and_as_a_configuration(tmp_path, row):
    filters = {"smooth": [{"median": 3}], "other": ["invert"]}
    methods = {
        "m": {"filter": "smooth", "threshold": "otsu", "foreground": "dark"}
        | {"scope": "sample", "cleanup": [{"remove_small": 20}]}
    }
    study = make_study(tmp_path, row, methods=methods, filters=filters)
    own = facts_of(study)["m"]
    assert own["definition"] == {
        "filter": "median (3)",
        "threshold": "Otsu, a threshold per sample, foreground is dark, then remove small (20)",
        **{"parameters": "", "roi": ""},
    }
    # what is shown gives the same method
    shown = yaml.safe_load(own["yaml"])
    assert shown["filters"] == {"smooth": [{"median": 3}]}
    again = make_study(tmp_path, row, **shown)
    assert again.methods["m"] == study.methods["m"]
    assert own["settings"] == {}


def test_what_was_chosen_and_what_was_tried(tmp_path, row):
    grid = {"offset": [-25, 1.5], "filter": ["smooth", None]}
    methods = OTSU | {"m": {"threshold": {"adaptive": {"size": 15}}, "grid": grid}}
    study = make_study(tmp_path, row, methods=methods, filters={"smooth": ["invert"]})
    chosen = study.methods["m"].variants[2].name
    own = facts_of(study, Choice("otsu"), Choice("m", chosen))["m"]
    assert own["definition"]["filter"] == "invert"
    assert own["definition"]["threshold"].startswith("adaptive (size 15, offset 1.5")
    assert own["definition"]["parameters"] == (
        "offset=1.5, filter=smooth (chosen on annotated tiles, of 4)"
    )
    assert list(own["settings"].values()) == [
        {"offset": -25, "filter": "smooth"},
        {"offset": -25, "filter": "null"},
        {"offset": 1.5, "filter": "smooth"},
        {"offset": 1.5, "filter": "null"},
    ]
    assert own["is_tuned"]


def test_values_with_commas_stay_whole():
    assert definitions._split("low=[1,2],high={a:1,b:2},x=3") == [
        *("low=[1,2]", "high={a:1,b:2}", "x=3")
    ]


def test_samples_and_metrics(tmp_path, row):
    study = make_study(tmp_path, row, validate={"metrics": ["cldice"]})
    known = definitions.facts(study, ())
    assert known["samples"] == [
        {
            **{"name": "a", "planes": 1, "height": 32, "width": 32, "tile": [16, 16]},
            **{"pixel_size": None, "is_color": False, "metadata": {"site": "north"}},
        }
    ]
    assert known["metrics"][-1] == "cldice"
    assert known["metric"] == "mcc"
