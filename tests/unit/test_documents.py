"""The documents beside the code: links lead somewhere, and indexes are complete."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path for folder in ("", "docs", "config") for path in (ROOT / folder).glob("*.md")
)
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


def anchors(path):
    """Anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        linked = path.parent / target if target else path
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), f"{target}{anchor}"


def test_index_has_every_document():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    named = {target for target, _ in LINK.findall(index) if "/" not in target}
    assert named == {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}


def test_citation_has_what_the_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"]
    assert citation["message"]
    assert all("name" in author or "family-names" in author for author in citation["authors"])
    # the version that the changelog is about
    assert citation["version"] in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_changelog_has_a_section_for_what_is_not_released():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
