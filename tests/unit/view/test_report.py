"""The page that people look at."""

import re

from tilewise.decide.quantities import COLUMNS, GROUP_COLUMNS
from tilewise.view import report


def table_of(page, title):
    """Cells of the table after a title, row by row."""
    html = page.partition(title)[2].partition("</table>")[0]
    return [re.findall(r"<t[dh][^>]*>([^<]*)", row) for row in html.split("<tr>")[1:]]


def row(columns, **fields):
    """A row of a table as text."""
    return dict.fromkeys(columns, "") | fields


def test_fractions_with_their_intervals():
    corrected = {"uncorrected": "0.04", "corrected": "0.03", "low": "0.025", "high": "0.0351"}
    corrected |= {"confidence": "0.9", "units": "8", "unit": "tile", "corrected_um2": "12345.6"}
    rows = [
        row(COLUMNS, level="sample", name="a", annotated="8", tiles="20", **corrected),
        row(
            COLUMNS, level="group", name="g", uncorrected="0.5", annotated="0", tiles="9", note="n"
        ),
    ]
    pair = {"difference": "-0.01", "low": "-0.02", "high": "0", "p_adjusted": "0.04"}
    differences = [row(GROUP_COLUMNS, group="g", other="h", confidence="0.95", **pair)]
    page = report.page([], {}, quantities=rows, differences=differences)
    head, a, g = table_of(page, "Foreground of all tiles")
    assert head[:4] == ["", "of the mask", "corrected", "90% interval"]
    assert a == [
        "a",
        "4.00%",
        "3.00%",
        "2.50% to 3.51%",
        "12,346",
        "8 of 20 tiles",
        "8 (tile)",
        "",
    ]
    dash = "\u2013"
    assert g == ["g (group)", "50.00%", dash, dash, dash, "0 of 9 tiles", dash, "n"]
    head, known = table_of(page, "Differences of groups")
    assert head[2] == "95% interval"
    assert known == ["g less h", "-1.00%", "-2.00% to 0.00%", "0.040", ""]


def test_nothing_to_estimate():
    page = report.page([], {})
    assert "No method segments all tiles: there is nothing to estimate." in page
    assert "Differences of groups" not in page


def test_costs_stand_in_the_order_of_the_ranking():
    costs = [
        {"method": "a", "mpx": "5.111808", "cpu_s_per_mpx": "0.0217", "peak_mb": "68.0"},
        {"method": "b", "mpx": "0", "cpu_s_per_mpx": "", "peak_mb": "70.5"},
    ]
    html = "".join(report._costs(costs, [{"method": name} for name in ("b", "left_out", "a")]))
    _, *rows = table_of(html, "Cost of methods")
    assert rows == [["b", "0", "\u2013", "70.5"], ["a", "5.112", "0.022", "68.0"]]
    assert "Of this machine" in html
    assert report._costs([], [{"method": "a"}]) == []
