"""The methods text of a paper; the plan makes its facts of a configuration."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "plan"))
from studies import imagined_sample, study_of, with_defaults

from tilewise.plan.methods_facts import facts
from tilewise.view.methods_text import citations, write

DECISION = {
    **{"method": "otsu", "variant": "", "metric": "mcc", "estimate": "fixed"},
    **{"value": 0.91234, "low": 0.9, "high": 0.925},
    "expected": {"value": 0.9, "low": 0.88, "high": 0.92},
    "units": {"unit": "sample", "number": 8, "independent": 8},
    "others": [
        {"method": "li", "indistinguishable": "yes"},
        {"method": "yen", "indistinguishable": ""},
    ],
}
THREE = {name: {"threshold": name} for name in ("otsu", "li", "yen")}
VERSIONS = {"python": "3.12.1", "numpy": "2.1", "snakemake": "9.27.1", "onnxruntime": "1.20"}


def facts_of(number=8, fields=None, **settings):
    samples = [imagined_sample(f"s{i}", truth=[0], **fields or {}) for i in range(number)]
    return facts(study_of(samples, with_defaults({"methods": THREE} | settings)))


def keys(bibtex):
    return re.findall(r"^@\w+\{(\w+),", bibtex, re.MULTILINE)


def test_bibtex_has_what_the_text_cites_and_no_more():
    text, bibtex = write(facts_of(), DECISION, VERSIONS)
    assert keys(bibtex) == sorted(set(re.findall(r"@(\w+)", text)))
    assert {"otsu1979", "li1993", "yen1995", "matthews1975", "shit2021"} <= set(keys(bibtex))
    methods = {"otsu": THREE["otsu"]}
    validate = {"metrics": []}
    other, fewer = write(facts_of(methods=methods, validate=validate), DECISION, VERSIONS)
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
    text, _ = write(facts_of(), DECISION, VERSIONS)
    assert "otsu was selected: the simplest method" in text
    assert "MCC 0.912 (95% interval 0.900 to 0.925)" in text
    assert "had MCC 0.900 (95% interval 0.880 to 0.920)" in text
    assert "could not be told apart from li." in text
    few = DECISION | {"low": None, "high": None, "expected": {"value": 0.9, "low": None}}
    few |= {"units": {"unit": "sample", "number": 2, "independent": 2}}
    text, bibtex = write(facts_of(2), few, VERSIONS)
    assert "With fewer than 5 independent units, no confidence interval and no test" in text
    assert "had MCC 0.900." in text
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
    text, _ = write(found, DECISION, VERSIONS)
    assert f"The annotations of up to 3 annotators of a sample {said}" in text
    assert "Fleiss' kappa [@fleiss1971]" in text


def test_a_method_in_words():
    filters = {"flat": ["invert", {"gaussian": 1.5}]}
    own = {"filter": "flat", "threshold": {"sauvola": {"size": 31}}, "cleanup": ["fill_holes"]}
    methods = {"own": own | {"grid": {"k": [0.2, 0.3, 0.5]}}}
    text, _ = write(facts_of(filters=filters, methods=methods), None, VERSIONS)
    assert (
        "own: inversion and a Gaussian filter (sigma = 1.5), then Sauvola's local threshold "
        "(size = 31, k = 0.2) [@sauvola2000], then filling of holes. Annotated tiles chose its k "
        "(0.2, 0.3 or 0.5)."
    ) in text


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
    text, _ = write(facts_of(methods=methods), None, VERSIONS)
    assert said in text


def test_without_truth_there_are_no_scores():
    found = facts(
        study_of([imagined_sample("a")], with_defaults({"methods": THREE, "apply": "otsu"}))
    )
    text, bibtex = write(found, None, VERSIONS)
    assert "No ground truth was available." in text
    assert not {"mcc", "matthews1975", "maierhein2024", "efron1993"} & set(keys(bibtex))
    assert not re.search("Validation|Statistics|Selection", text)


def test_fractions_are_corrected_where_tiles_were_drawn():
    random = {"quantities": {"sampling": "random"}}
    assert "angelopoulos2023" in keys(write(facts_of(**random), DECISION, VERSIONS)[1])
    assert "angelopoulos2023" not in keys(write(facts_of(), DECISION, VERSIONS)[1])


def test_versions_are_those_of_the_jobs():
    text, _ = write(facts_of(), DECISION, VERSIONS)
    assert "Snakemake 9.27.1 [@molder2021], with Python 3.12.1 and NumPy 2.1 [@harris2020]." in text
    # no method runs a network
    assert "ONNX" not in text


def test_paragraphs_are_plain_sentences():
    text, _ = write(facts_of(), DECISION, VERSIONS)
    assert text.isascii()
    for paragraph in text.split("\n\n"):
        assert re.match(r"[A-Z][a-z]+( of [a-z]+)?\. ", paragraph)
        assert paragraph.endswith(".")
        assert "  " not in paragraph
        assert "\n" not in paragraph
