"""The methods text of a paper; the plan makes its facts of a configuration."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "plan"))
from studies import imagined_sample, study_of, with_defaults

from tilewise.plan.methods_facts import facts
from tilewise.plan.study import Choice
from tilewise.view.methods_text import citations, write

DECISION = {
    **{"method": "otsu", "variant": "", "metric": "mcc", "estimate": "fixed"},
    **{"value": 0.91234, "low": 0.9, "high": 0.925},
    "expected": {"value": 0.9, "low": 0.88, "high": 0.92, "chosen": ["otsu"]},
    "units": {"unit": "sample", "number": 8, "independent": 8},
    "others": [
        {"method": "li", "indistinguishable": "yes"},
        {"method": "yen", "indistinguishable": ""},
    ],
}
THREE = {name: {"threshold": name} for name in ("otsu", "li", "yen")}
VERSIONS = {"python": "3.12.1", "numpy": "2.1", "snakemake": "9.27.1", "onnxruntime": "1.20"}


def facts_of(number=8, fields=None, choices=(), **settings):
    samples = [imagined_sample(f"s{i}", truth=[0], **fields or {}) for i in range(number)]
    return facts(study_of(samples, with_defaults({"methods": THREE} | settings)), choices)


def keys(bibtex):
    return re.findall(r"^@\w+\{(\w+),", bibtex, re.MULTILINE)


def test_bibtex_has_what_the_text_cites_and_no_more():
    _, text, bibtex = write(facts_of(), DECISION, VERSIONS)
    assert keys(bibtex) == sorted(set(re.findall(r"@(\w+)", text)))
    assert {"otsu1979", "li1993", "yen1995", "matthews1975", "shit2021"} <= set(keys(bibtex))
    methods = {"otsu": THREE["otsu"]}
    validate = {"metrics": []}
    _, other, fewer = write(facts_of(methods=methods, validate=validate), DECISION, VERSIONS)
    assert "otsu1979" in keys(fewer)
    assert not {"li1993", "yen1995", "shit2021", "nikolov2021", "holm1979"} & set(keys(fewer))
    assert "clDice" not in other


def test_methods_cite_their_own_sources():
    filters = {"lines": [{"ridge": {"sigmas": [1], "measure": "frangi"}}]}
    methods = THREE | {"lines": {"filter": "lines", "threshold": "triangle"}}
    assert citations(facts_of(filters=filters, methods=methods)) == {
        "otsu": ["otsu1979"],
        "li": ["li1993", "li1998"],
        "yen": ["yen1995"],
        "lines": ["frangi1998", "zack1977"],
    }


def test_what_was_selected_and_what_it_is_worth():
    _, text, _ = write(facts_of(), DECISION, VERSIONS)
    assert "otsu was selected: the simplest method" in text
    assert "Its MCC is 0.912 (95% interval 0.900 to 0.925). Since" in text
    assert "the MCC is 0.900 (95% interval 0.880 to 0.920)." in text
    assert "could not be told apart from li." in text
    few = DECISION | {
        "low": None,
        "high": None,
        "expected": {"value": 0.9, "low": None, "chosen": ["otsu"]},
    }
    few |= {"units": {"unit": "sample", "number": 2, "independent": 2}}
    _, text, bibtex = write(facts_of(2), few, VERSIONS)
    assert "With fewer than 5 independent units, neither confidence intervals nor tests" in text
    assert "the MCC is 0.900." in text
    assert "efron1993" not in keys(bibtex)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"truth": {"consensus": "majority"}}, "were combined by majority"),
        ({}, "were combined by STAPLE [@warfield2004]"),
    ],
)
def test_several_annotators(settings, said):
    samples = [imagined_sample(f"s{i}", truth=[[0], [0], [0]]) for i in range(3)]
    found = facts(study_of(samples, with_defaults({"methods": THREE} | settings)))
    _, text, _ = write(found, DECISION, VERSIONS)
    assert f"The annotations of up to 3 annotators of a sample {said}" in text
    assert "Fleiss' kappa [@fleiss1971]" in text


def test_a_method_in_words():
    filters = {"flat": ["invert", {"gaussian": 1.5}]}
    own = {"filter": "flat", "threshold": {"sauvola": {"size": 31}}, "cleanup": ["fill_holes"]}
    methods = {"own": own | {"grid": {"k": [0.2, 0.3, 0.5]}}}
    choices = (Choice("own", "k=0.3"),)
    found = facts_of(filters=filters, methods=methods, choices=choices)
    plain, markdown, _ = write(found, None, VERSIONS)
    own = (
        "own: inversion and a Gaussian filter (sigma = 1.5), then Sauvola's local threshold "
        "(size = 31, k = 0.3) {source}, then filling of holes. Of the values 0.2, 0.3 and 0.5 of "
        "k, 0.3 had the highest MCC on all annotated tiles."
    )
    assert f"- {own.format(source='[@sauvola2000]')}" in markdown.split("\n\n")
    assert own.format(source="(Sauvola and Pietikäinen 2000)") in plain.split("\n\n")


def test_a_set_of_parameters_in_words():
    """The chosen one stands in the steps, and each key with what was tried."""
    filters = {"flat": ["invert"], "soft": ["invert", {"median": 5}]}
    own = {"filter": "flat", "threshold": {"hysteresis": {"low": 10, "high": 50}}}
    methods = {"own": own | {"grid": {"filter": ["flat", "soft"], "low": [10, 20], "high": [50]}}}
    known = (Choice("own", "filter=soft,low=20,high=50"),)
    text = write(facts_of(filters=filters, methods=methods, choices=known), None, VERSIONS).plain
    assert (
        "own: inversion and a median filter (size = 5), then hysteresis between two thresholds "
        "(low = 20, high = 50) of each tile. Of 4 sets of parameters (filter = flat or soft; low = "
        "10 or 20; high = 50), filter = soft, low = 20 and high = 50 had the highest MCC on all "
        "annotated tiles."
    ) in text


def test_parameters_that_are_not_chosen_yet_have_no_value():
    filters = {"flat": ["invert"], "soft": ["invert", {"median": 5}]}
    own = {"filter": "flat", "threshold": {"hysteresis": {"low": 10, "high": 50}}}
    methods = {"own": own | {"grid": {"filter": ["flat", "soft"], "low": [10, 20]}}}
    text = write(facts_of(filters=filters, methods=methods), None, VERSIONS).plain
    assert (
        "own: hysteresis between two thresholds (high = 50) of each tile. Of 4 sets of parameters "
        "(filter = flat or soft; low = 10 or 20), that with the highest MCC on annotated tiles is "
        "used."
    ) in text


@pytest.mark.parametrize(
    ("level", "said"), [("87.5", "It is 87.5"), ("276.0;95.0", "They are 276 and 95")]
)
def test_a_calibrated_threshold_has_the_level_that_was_found(level, said):
    # of hues there are two: the ends of an arc
    methods = {"m": {"threshold": "otsu", "scope": "calibrated"}}
    known = (Choice("m", "", (("variant", ""), ("threshold", level))),)
    text = write(facts_of(methods=methods, choices=known), None, VERSIONS).plain
    assert f"the same for all samples. {said}, by all annotated tiles." in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"estimate": "held out"}, "on units that had no part in choosing its parameters."),
        ({"estimate": "resubstitution"}, "which makes it too high."),
        ({"expected": {"value": 0.9}}, "Since the method was selected by this score, it is biased"),
    ],
)
def test_a_flattering_score_says_so(changes, said):
    assert said in write(facts_of(), DECISION | changes, VERSIONS).plain


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("sample", "8 independent samples."),
        (
            "spatial blocks of one tile",
            "9 blocks of the only annotated tile, which are not independent.",
        ),
        ("near tiles of one plane", "9 tiles that lie near each other, which are not"),
    ],
)
def test_what_units_are(unit, said):
    units = {"unit": unit, "number": 9, "independent": 8 if unit == "sample" else 1}
    text = write(facts_of(), DECISION | {"units": units}, VERSIONS).plain
    assert f"the pooled counts of all units: {said}" in text


def test_a_sample_of_one_tile_lends_no_threshold():
    said = "by the grey levels of their whole sample"
    assert said not in write(facts_of(), DECISION, VERSIONS).plain
    assert said in write(facts_of(fields={"shape": (2, 16, 16)}), DECISION, VERSIONS).plain


def test_what_only_authors_know_is_to_be_filled_in():
    text = write(facts_of(), DECISION, VERSIONS).plain
    assert text.count("[State ") == 3
    known = facts_of(fields={"pixel_size": (None, 0.5, 0.5)}, description="Vessels of a mouse")
    text = write(known, DECISION, VERSIONS).plain
    assert "Vessels of a mouse. We analysed 8 samples" in text
    assert text.count("[State ") == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"scope": "plane"}, "Otsu's threshold [@otsu1979] of each plane."),
        (
            {"scope": "sample", "foreground": "dark"},
            "of each sample, with foreground where the image is",
        ),
        ({"scope": "calibrated"}, "of the annotated tiles, the same for all samples."),
        ({"fallback": "empty"}, "were left empty."),
    ],
)
def test_scopes_and_the_guard_in_words(settings, said):
    methods = {"m": {"threshold": "otsu"} | settings}
    _, text, _ = write(facts_of(methods=methods), None, VERSIONS)
    assert said in text


def test_without_truth_there_are_no_scores():
    found = facts(
        study_of([imagined_sample("a")], with_defaults({"methods": THREE, "apply": "otsu"}))
    )
    _, text, bibtex = write(found, None, VERSIONS)
    assert "No ground truth was available." in text
    assert not {"mcc", "matthews1975", "maierhein2024", "efron1993"} & set(keys(bibtex))
    assert not re.search("Validation|Statistics|Selection", text)


def test_fractions_are_corrected_where_tiles_were_drawn():
    random = {"quantities": {"sampling": "random"}}
    assert "angelopoulos2023" in keys(write(facts_of(**random), DECISION, VERSIONS).bibtex)
    assert "angelopoulos2023" not in keys(write(facts_of(), DECISION, VERSIONS).bibtex)


def test_versions_are_those_of_the_jobs():
    _, text, _ = write(facts_of(), DECISION, VERSIONS)
    assert "Snakemake 9.27.1 [@molder2021], with Python 3.12.1 and NumPy 2.1 [@harris2020]." in text
    # no method runs a network
    assert "ONNX" not in text


def test_headings_and_paragraphs_are_plain():
    plain, markdown, _ = write(facts_of(), DECISION, VERSIONS)
    assert markdown.isascii()
    assert not re.search(r"[@\\{}]", plain)
    before, references = plain.split("\n\nReferences\n\n")
    paragraphs = before.split("\n\n")
    headings = [line[3:] for line in markdown.split("\n\n") if line.startswith("## ")]
    assert len(headings) == 7
    assert set(headings) <= {*paragraphs}
    assert all(line.endswith((".", ".]")) for line in paragraphs if line not in headings)
    assert references.startswith("Bradski, G.") or references.startswith("Chicco, D.")
    assert "  " not in plain
    assert all("\n" not in line for line in plain.split("\n\n"))


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"colored": 8}, "All of them are in colour."),
        ({"colored": 3}, "3 of them are in colour."),
        ({"channels": ["luma"]}, "Methods that name no channel were given the luma."),
        ({"channels": ["0", "DAPI"]}, "no channel were given channel 0 or channel DAPI."),
        ({"groups": 2}, "Samples belong to 2 groups."),
        ({"pixel_size": (2, 0.5, 0.25)}, "Pixels measure 2 x 0.5 x 0.25 micrometres."),
        ({"pixel_size": (None, 0.5, 0.25)}, "Pixels measure 0.5 x 0.25 micrometres."),
        ({"pixel_size": None, "pixel_sizes": True}, "pixel, which differs between samples.]"),
        ({"rois": 8}, "In all 8 samples, only pixels within a region of interest"),
        ({"apply": "best"}, "It segmented all tiles. Its MCC"),
        ({"apply": "li"}, "All tiles were segmented with li. Its MCC"),
        ({"apply": "none"}, "than the highest. Its MCC"),
        ({"ranked": 1}, "The MCC of otsu is 0.912 (95% interval 0.900 to 0.925)."),
        (
            {"exclude": ["blurred", "low_contrast"]},
            "flagged as blurred and low contrast [@pechpacheco2000] were left out of all scores.",
        ),
    ],
)
def test_facts_in_words(known, said):
    assert said in write(facts_of() | known, DECISION, VERSIONS)[1]


def test_a_selection_that_could_not_be_repeated_is_biased():
    decision = DECISION | {"expected": {}, "others": []}
    text = write(facts_of(), decision, VERSIONS)[1]
    assert text.count("it is biased upwards.") == 1
    assert "cross-validation" not in text
    assert "could not be told apart" not in text


@pytest.mark.parametrize(
    ("extent", "unit", "where", "how", "near"),
    [
        ("sample", "um", "whole samples, in 3-D", "@lee1994", "1 um apart"),
        ("tile", "pixel", "tiles", "@zhang1984", "2 pixels apart"),
    ],
)
def test_structure_in_words(extent, unit, where, how, near):
    found = facts_of()
    found["metrics"] = ["mcc", "cldice", "nsd"]
    found["validate"] = found["validate"] | {
        **{"extent": extent, "unit": unit, "tolerance": int(near[0])},
    }
    text = write(found, DECISION, VERSIONS)[1]
    assert f"Structure was compared within {where}." in text
    assert f"Centrelines were found by thinning [{how}]." in text
    assert f"Surfaces up to {near} counted as equal." in text


@pytest.mark.parametrize(
    ("criterion", "said"),
    [
        ("iou", "if their intersection over union was above 0.5."),
        ("overlap", "if more than 0.5 of the true object was covered."),
        ("any", "if they shared a pixel."),
    ],
)
def test_how_objects_are_matched_in_words(criterion, said):
    found = facts_of()
    found["metrics"] = ["mcc", "object_f1"]
    objects = {"criterion": criterion, "threshold": 0.5}
    found["validate"] = found["validate"] | {"objects": objects}
    assert f"Objects matched {said}" in write(found, DECISION, VERSIONS)[1]
