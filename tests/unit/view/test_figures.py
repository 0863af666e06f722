"""Figures are laid out by hand: what is written lies within them."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tilewise.view import figures

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
        figures.side_by_side({NAME: dict.fromkeys(figures.STEPS, PIXELS)}, TITLE, {NAME: 0.5}),
    ],
    ids=["histograms", "confusion_matrix", "side_by_side"],
)
def test_names_and_titles_are_not_cut_off(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = [figure._suptitle] if figure._suptitle else []
    for axis in figure.axes:
        drawn += [axis.title, axis.xaxis.label, axis.yaxis.label]
    texts = [text for text in drawn if text.get_text()]
    assert any(TITLE in text.get_text() for text in texts)
    for text in texts:
        box = text.get_window_extent(canvas.get_renderer())
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert 0 <= box.y0 < box.y1 <= figure.bbox.y1, text
