import inspect
import re
from pathlib import Path

import pytest

from tilewise.plan import methods
from tilewise.score import formulas
from tilewise.segment import cleanup, filters
from tilewise.segment.projections import PROJECTIONS
from tilewise.segment.sources import SOURCES
from tilewise.view import methods_text, references
from tilewise.view.references import BIBTEX, CLEANUP, COMMON, FILTERS, MEASURES, METRICS, THRESHOLDS

REGISTERED = {
    "filters": (FILTERS, {*filters.FILTERS, *PROJECTIONS, *SOURCES}),
    "thresholds": (THRESHOLDS, set(methods._threshold_functions())),
    "cleanup": (CLEANUP, set(cleanup.STEPS)),
    "metrics": (METRICS, set(formulas.METRICS)),
}
KNOWN = FILTERS | MEASURES | THRESHOLDS | CLEANUP | METRICS
SURNAME = re.compile(r"[A-Z][\w]+")
YEAR = re.compile(r"(?<![-\d])(?:19|20)\d\d(?![-\d])")


def functions():
    """Every registered function that computes something, by its name."""
    found = {name: known.apply for name, known in (filters.FILTERS | PROJECTIONS).items()}
    found |= {name: step.apply for name, step in cleanup.STEPS.items()}
    thresholds = methods._threshold_functions()
    found |= {name: getattr(known, "func", known) for name, known in thresholds.items()}
    return found | {name: one.formula for name, one in formulas.METRICS.items() if one.formula}


def cited(function):
    """First author and years of each source of a docstring, in the form of a key."""
    text = inspect.getdoc(function) or ""
    section = re.search(r"References\n-+\n(.*?)(\n\n|\Z)", text, re.DOTALL)
    if not section:
        return []
    sources = " ".join(section[1].split()).split("; ")
    return [
        {f"{SURNAME.search(source)[0].lower()}{year}" for year in YEAR.findall(source)}
        for source in sources
    ]


@pytest.mark.parametrize("kind", REGISTERED)
def test_all_that_is_registered_has_a_name_in_prose(kind):
    known, registered = REGISTERED[kind]
    assert set(known) == registered


@pytest.mark.parametrize("name", KNOWN)
def test_it_has_a_source_or_needs_none(name):
    assert bool(KNOWN[name].keys) != (name in COMMON)
    assert set(KNOWN[name].keys) <= set(BIBTEX)


def test_what_needs_none_exists():
    assert set(COMMON) <= set(KNOWN)


@pytest.mark.parametrize("name", functions())
def test_sources_of_the_docstring_are_cited(name):
    measured = MEASURES.values() if name == "ridge" else ()
    keys = {key for one in (KNOWN[name], *measured) for key in one.keys}
    assert all(source & keys for source in cited(functions()[name]))


def test_docstrings_do_have_sources():
    assert sum(bool(cited(function)) for function in functions().values()) >= 15


@pytest.mark.parametrize("key", BIBTEX)
def test_an_entry_is_complete(key):
    entry = BIBTEX[key]
    kind, own = re.match(r"@(\w+)\{(\w+),\n", entry).groups()
    fields = dict(re.findall(r"^  (\w+) = \{(.*?)\}(?:,\n|\n\})", entry, re.MULTILINE | re.DOTALL))
    assert own == key
    assert fields["year"] == key[-4:]
    assert {"author", "title"} <= set(fields)
    place = {
        "article": "journal",
        "inproceedings": "booktitle",
        "incollection": "booktitle",
        "book": "publisher",
        "misc": "eprint",
    }
    assert place[kind] in fields
    assert entry.count("{") == entry.count("}")
    # the key begins with the surname of the first author, without accents
    author = fields["author"].split(",")[0].replace("{\\ae}", "ae")
    author = re.sub(r"\{\\.(\w+)\}", r"\1", author)
    author = re.sub(r"[^a-z]", "", author.lower())
    assert author.startswith(key[:-4])


def test_entries_are_in_order_and_all_are_used():
    assert list(BIBTEX) == sorted(BIBTEX)
    text = Path(methods_text.__file__).read_text(encoding="utf-8")
    used = {key for one in KNOWN.values() for key in one.keys}
    used |= {key for one in methods_text.LIBRARIES.values() for key in one.keys}
    used |= {*re.findall(r"@([a-z]+\d{4})", text), *references.SKELETONS.values()}
    assert used == set(BIBTEX)
