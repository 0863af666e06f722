import re

import pytest

from tilewise import costs
from tilewise.decide import quantities, ranking, summary
from tilewise.quality import flags, tile_table
from tilewise.score import error_table, formulas
from tilewise.view.glossary import COLUMNS, METRICS, TERMS, WORDS

SHOWN = {
    "ranking": ranking.RANKING,
    "scores": ranking.SCORES,
    "quantities": quantities.COLUMNS,
    "quantities_groups": quantities.GROUP_COLUMNS,
    "summary": summary.COLUMNS,
    "costs": costs.COLUMNS,
    "quality": tile_table.QUALITY,
    "trust": tile_table.NEXT,
}
"""Tables whose columns the report shows."""
ESTIMATES = ("fixed", "held out", "resubstitution", "trivial", "best given the truth")
RELATIONS = (ranking.WORSE, ranking.EQUIVALENT, ranking.UNKNOWN, ranking.UNTESTED)


def test_every_metric_has_a_sentence():
    assert {*formulas.METRICS, summary.FALSE_POSITIVE_AREA} == set(METRICS)


@pytest.mark.parametrize("table", SHOWN)
def test_every_column_has_a_sentence(table):
    assert [name for name in SHOWN[table] if name not in TERMS] == []


def test_errors_have_sentences():
    counts = {name.upper() for name in formulas.COUNTS}
    others = set(error_table.STRATA_COLUMNS) - {*formulas.COUNTS}
    assert (counts | others) <= set(TERMS)


@pytest.mark.parametrize("words", [ESTIMATES, RELATIONS, flags.FLAGS])
def test_what_stands_in_cells_has_a_sentence(words):
    assert [word for word in words if word not in TERMS] == []


def test_no_term_is_told_twice():
    assert len(TERMS) == len(WORDS) + len(METRICS) + len(COLUMNS)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_one_short_sentence(term):
    sentence = TERMS[term]
    assert sentence[0].isupper() or sentence[0].isdigit()
    assert sentence.endswith(".")
    # a point within would begin a second sentence
    assert not re.search(r"\.\s", sentence)
    assert len(sentence.split()) <= 40
    assert sentence.isascii()
