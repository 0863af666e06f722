"""The page that people look at."""

import base64
import gzip
import json
import re
from html import unescape
from html.parser import HTMLParser

import jsonschema
import pytest
from page_data import page_data, schema

from tilewise.view import page
from tilewise.view.columns import rows_of, table

HOSTILE = ("<script>alert(1)</script>", "\"' onload=alert(1) x='", "</script><img src=x>", "&lt;")


class Reader(HTMLParser):
    """Elements of a page, and the text of its static part."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append((tag, tuple(attrs)))

    def handle_data(self, data):
        """Note text."""
        if self.elements and self.elements[-1][0] not in ("script", "style"):
            self.words.append(data)


def held(html):
    """The data that a page holds."""
    packed = re.search(r'<script type="application/gzip" id="data">([^<]*)</script>', html)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def table_of(html, title):
    """Cells of the table after a title, row by row."""
    html = html.partition(f'aria-label="{title}"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]
    return [[unescape(cell) for cell in row] for row in cells]


def test_data_made_by_hand_keeps_the_contract():
    jsonschema.validate(page_data(), schema())


def test_the_data_comes_back():
    data = page_data()
    assert held(page.render(data)) == data


def test_the_same_data_gives_the_same_page():
    assert page.render(page_data()) == page.render(page_data())


def test_the_answer_stands_first_and_as_text():
    html = page.render(page_data(method="best"))
    body = html.partition("<body>")[2]
    assert body.index("Use best.") < body.index("touching; r") < body.index("Annotate more.")
    assert body.index("What else could mislead") < body.index("other; r")
    assert table_of(html, "Methods")[1:] == [
        ["1", "best", "Otsu", "0.800", "0.700 to 0.900", "the highest", "of fixed parameters"]
        + ["0.022", "68"],
        ["2", "li", "Otsu", "0.750", "0.700 to 0.900", "\u2013", "of fixed parameters"]
        + ["0.022", "68"],
    ]
    assert table_of(html, "Worst tiles")[1] == ["brain", "z0_y0_x0", "0.800", "1", "2", ""]


def test_what_was_imaged_and_why_the_worst_tile_is():
    data = page_data(description="Vessels of a mouse.", methods_text="Images\n\nWe analysed 2.")
    rows = rows_of(data["tiles"])
    data["tiles"] = table([row | {"why": f"why {row['x']:g}"} for row in rows])
    body = page.render(data).partition("<body>")[2]
    assert body.index("<p>Vessels of a mouse.</p>") < body.index("Use otsu.")
    assert table_of(body, "Worst tiles")[1][-1] == "why 0"
    assert "<p>Images</p>\n<p>We analysed 2.</p>" in body


def test_what_stands_in_backticks_is_code():
    assert page.coded("write `unit: <b>` and `x`, 5` more") == (
        "write <code>unit: &lt;b&gt;</code> and <code>x</code>, 5` more"
    )
    answer = {"sentences": ["Use a."], "next": ["Write `apply: a`."], "warnings": []}
    assert "<li>Write <code>apply: a</code>.</li>" in page.render(page_data(answer=answer))


def test_columns_without_a_value_are_left_out():
    row = {"level": "sample", "name": "a", "uncorrected": 0.04, "corrected": 0.03, "low": None}
    row |= {"high": None, "confidence": None, "tiles": 9, "annotated": 9, "units": None}
    row |= {"unit": "", "corrected_um2": None, "assumption": "", "note": "n"}
    html = page.render(page_data(tables={"quantities": table([row])}))
    assert table_of(html, "Foreground of all tiles") == [
        ["sample or group", "in the mask", "corrected", "annotated tiles", "note"],
        ["a", "4.00%", "3.00%", "9 of 9", "n"],
    ]


def test_nothing_to_estimate():
    assert "there is nothing to estimate" in page.render(page_data())


def test_fractions_with_their_intervals():
    rows = [
        {"level": "sample", "name": "a", "uncorrected": 0.04, "corrected": 0.03, "low": 0.025}
        | {"high": 0.0351, "confidence": 0.9, "tiles": 20, "annotated": 8, "units": 8}
        | {"unit": "tile", "corrected_um2": 12345.6, "assumption": "", "note": ""},
        {
            "level": "group",
            "name": "g",
            "uncorrected": 0.5,
            "tiles": 9,
            "annotated": 0,
            "note": "n",
        },
    ]
    pair = {"group": "g", "other": "h", "difference": -0.01, "low": -0.02, "high": 0.0}
    pair |= {"confidence": 0.95, "p_adjusted": 0.04, "note": ""}
    tables = {"quantities": table(rows, list(rows[0])), "quantities_groups": table([pair])}
    html = page.render(page_data(tables=tables))
    dash = "\u2013"
    assert table_of(html, "Foreground of all tiles")[1:] == [
        ["a", "4.00%", "3.00%", "2.50% to 3.51% (90%)", "12,346", "8 of 20", "8 tiles", ""],
        ["g (group)", "50.00%", dash, dash, dash, "0 of 9", dash, "n"],
    ]
    assert table_of(html, "Differences of groups")[1] == [
        *("g minus h", "-1.00%", "-2.00% to 0.00% (95%)", "0.040", "")
    ]


def test_numbers_as_people_read_them():
    assert [page.short(value) for value in (None, "", 3, 1234567, 0.12345, "x")] == [
        *("\u2013", "\u2013", "3", "1,234,567", "0.123", "x")
    ]
    # no minus before zero
    assert page.short(-0.0001) == "0.000"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name):
    """The elements are those of a page with harmless names, and the names are shown as they are."""
    harmless = page.render(page_data())
    html = page.render(page_data(sample=name, method=name))
    assert Reader(html).elements == Reader(harmless).elements
    assert "".join(Reader(html).words).count(name) >= 3
    assert held(html)["samples"][0]["name"] == name


def test_a_bundle_cannot_end_its_script(tmp_path, monkeypatch):
    for name in ("report.js", "report.css", "report.html.j2"):
        (tmp_path / name).write_bytes((page.FOLDER / name).read_bytes())
    (tmp_path / "report.js").write_text("let x = '</script><b>';")
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    reader = Reader(page.render(page_data()))
    assert ("b", ()) not in reader.elements


def test_a_partial_report_says_so():
    assert '<p class="warning">The run goes on.</p>' in page.render(
        page_data(partial="The run goes on.")
    )


def test_rows_that_are_left_out_are_counted(monkeypatch):
    row = {"metric": "mcc", "method": "otsu", "tiles": 3, "pooled": 0.8, "mean": 0.7, "sd": 0.1}
    row |= {"estimate": "fixed"}
    summary = table([row | {"sample": name} for name in ("a", "b", "c")])
    assert "more rows" not in page.render(page_data(tables={"summary": summary}))
    monkeypatch.setattr(page, "MOST_SCORES", 2)
    html = page.render(page_data(tables={"summary": summary}))
    assert "1 more rows are in" in html
    assert [row[0] for row in table_of(html, "Scores of each sample")[1:]] == ["a", "b"]
