"""Figures are laid out by hand: what is written lies within them."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from tilewise.view import figures
from tilewise.view.overlay import COLORS

TITLE = "adaptive_background (tuned on these tiles)"
NAME = "hippocampus_07\nz0000_y00_x00"
# most of the pixels of a bin that are written in full
PIXELS = np.zeros((512, 512), np.uint8)
PIXELS[:100] = 90


@pytest.mark.parametrize(
    "figure",
    [
        figures.histograms({NAME: (PIXELS, [45.0], ""), f"{NAME}1": (PIXELS, [], "empty")}, TITLE),
        figures.confusion_matrix({"tp": 10, "fp": 1, "fn": 1, "tn": 10**9}, TITLE),
        figures.comparison(
            [{"method": TITLE[:19], "value": 0.8, "low": 0.7, "high": 0.9}],
            {"oracle: one threshold for all, denoised": 0.95, "empty mask": 0.0},
            TITLE,
        ),
        figures.side_by_side(
            {NAME: dict.fromkeys(figures.STEPS, PIXELS)}, TITLE, {NAME: 0.5}, COLORS
        ),
    ],
    ids=["histograms", "confusion_matrix", "comparison", "side_by_side"],
)
def test_names_and_titles_are_not_cut_off(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = [figure._suptitle] if figure._suptitle else []
    for axis in figure.axes:
        drawn += [axis.title, axis.xaxis.label, axis.yaxis.label]
        drawn += axis.get_legend().get_texts() if axis.get_legend() else []
    texts = [text for text in drawn if text.get_text()]
    assert any(TITLE in text.get_text() for text in texts)
    for text in texts:
        box = text.get_window_extent(canvas.get_renderer())
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert 0 <= box.y0 < box.y1 <= figure.bbox.y1, text


def test_the_colors_of_overlays_are_explained():
    tiles = {name: dict.fromkeys(figures.STEPS, PIXELS) for name in "ab"}
    figure = figures.side_by_side(tiles, TITLE, dict.fromkeys(tiles), COLORS)
    (legend,) = [axis.get_legend() for axis in figure.axes if axis.get_legend()]
    assert [text.get_text() for text in legend.get_texts()] == ["right", "false", "missed"]
    shades = [patch.get_facecolor()[:3] for patch in legend.get_patches()]
    np.testing.assert_allclose(shades, [(0, 1, 1), (1, 0, 1), (1, 1, 0)])


def test_scores_with_intervals_and_references():
    rows = [
        {"method": "a", "value": 0.8, "low": 0.7, "high": 0.9},
        {"method": "b", "value": 0.6, "low": None, "high": None},
        {"method": "c", "value": None, "low": None, "high": None},
    ]
    references = {f"reference {i}": i / 10 for i in range(9)}
    (axis,) = figures.comparison(rows, references, "MCC").axes
    lines = [tuple(map(tuple, (line.get_xdata(), line.get_ydata()))) for line in axis.lines]
    assert lines[:3] == [((0.7, 0.9), (0, 0)), ((0.8,), (0,)), ((0.6,), (1,))]
    # the highest of the references
    assert [x for x, _ in lines[3:]] == [(i / 10, i / 10) for i in (8, 7, 6, 5, 4)]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_files_have_no_date_and_their_fonts(kind, tmp_path):
    paths = [tmp_path / f"{number}.{kind}" for number in range(2)]
    for path in paths:
        figure = figures.confusion_matrix({"tp": 1, "fp": 1, "fn": 1, "tn": 1}, TITLE)
        figures.save(figure, path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert b"Date" not in first
    if kind == "pdf":
        assert b"/FontFile2" in first
    if kind == "png":
        with Image.open(paths[0]) as picture:
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
