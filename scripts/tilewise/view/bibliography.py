"""References as people read them, from BibTeX: `(Otsu 1979)`, and a list with titles."""

import re
import unicodedata
from collections.abc import Iterable

from tilewise.view.references import BIBTEX

CITED = re.compile(r" ?\[(@[a-z]+\d{4}(?:; @[a-z]+\d{4})*)\]")
"""Keys in a text, as Pandoc and Quarto write them: ` [@otsu1979]`."""
FIELD = re.compile(r"^  (\w+) = \{(.*?)\}(?:,\n|\n\})", re.MULTILINE | re.DOTALL)
ACCENTS = {'"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303"}
"""Commands of LaTeX, and the marks that follow a letter in Unicode."""
PLACES = ("journal", "booktitle", "publisher")


def with_names(text: str) -> str:
    """A text with authors and years in place of keys: `Otsu's threshold (Otsu 1979)`."""
    return CITED.sub(lambda match: f" ({'; '.join(map(short, _keys(match)))})", text)


def cited(text: str) -> list[str]:
    """The keys that a text cites, each once, in the order of the alphabet."""
    return sorted({key for match in CITED.finditer(text) for key in _keys(match)})


def bibtex(keys: Iterable[str]) -> str:
    """Their entries."""
    return "\n\n".join(BIBTEX[key] for key in keys)


def short(key: str) -> str:
    """Authors and year, as in a sentence: `Li and Lee 1993`, `Buades et al. 2005`."""
    fields = _fields(key)
    names = [name.partition(",")[0] for name in _authors(fields)]
    if len(names) > 2 or "others" in names:
        return f"{names[0]} et al. {fields['year']}"
    return f"{' and '.join(names)} {fields['year']}"


def reference(key: str) -> str:
    """A source in full, as in a list: authors (year). Title. Where. DOI."""
    fields = _fields(key)
    names = _authors(fields)
    authors = ", ".join(_initialled(name) for name in names if name != "others")
    if "others" in names:
        authors += " et al."
    parts = [f"{authors} ({fields['year']}). {fields['title'].rstrip('.')}."]
    place = next((fields[name] for name in PLACES if name in fields), "")
    if place:
        number = f"({fields['number']})" if "number" in fields and "volume" in fields else ""
        volume = f" {fields['volume']}{number}" if "volume" in fields else ""
        pages = fields.get("pages", "").replace("--", "\N{EN DASH}")
        parts.append(f"{place}{volume}{f', {pages}' if pages else ''}.")
    if "doi" in fields:
        parts.append(f"https://doi.org/{fields['doi']}")
    elif "eprint" in fields:
        parts.append(f"arXiv:{fields['eprint']}")
    return " ".join(parts)


def _keys(match: re.Match[str]) -> list[str]:
    return match[1].replace("@", "").split("; ")


def _fields(key: str) -> dict[str, str]:
    return {name: _plain(value) for name, value in FIELD.findall(BIBTEX[key])}


def _authors(fields: dict[str, str]) -> list[str]:
    return fields["author"].split(" and ")


def _initialled(name: str) -> str:
    """`Lee, C. K.` of `Lee, C. K.`, and `Li, C. H.` of `Li, Chun Hung`."""
    family, _, given = name.partition(", ")
    initials = " ".join(
        "-".join(f"{part[0]}." for part in word.split("-") if part) for word in given.split()
    )
    return f"{family}, {initials}" if initials else family


def _plain(value: str) -> str:
    """Text of LaTeX as Unicode, on one line."""
    text = " ".join(value.split()).replace("{\\ae}", "\u00e6").replace("\\&", "&")
    text = re.sub(r"\{\\(\W)\\?(\w)\}", lambda found: found[2] + ACCENTS[found[1]], text)
    return unicodedata.normalize("NFC", text.replace("{", "").replace("}", ""))
