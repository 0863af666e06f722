"""Figures, drawn off-screen; the same input gives the same bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from tilewise.view.overlay import COLORS, scale_bar

matplotlib.rcParams.update({"svg.hashsalt": "tilewise", "font.size": 8, "figure.dpi": 100})
# letters of a PDF stay letters, of a font that is in the file
matplotlib.rcParams["pdf.fonttype"] = 42
STEPS = ("image", "filtered", "mask", "truth", "overlay")
OUTCOMES = {"tp": "right", "fp": "false", "fn": "missed"}
"""What foreground of mask and truth is, in words."""
TITLE_INCHES = 0.15
PNG_DPI = 300
"""Pixels per inch of figures that are PNG files, which say so."""
MOST_REFERENCES = 5
"""Lines of reference scores in a comparison."""
_WITHOUT_DATE = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as SVG, PDF or PNG, by the end of its path."""
    kind = str(path).rsplit(".", 1)[-1]
    dpi = PNG_DPI if kind == "png" else "figure"
    figure.savefig(path, format=kind, metadata=_WITHOUT_DATE[kind], dpi=dpi)


def side_by_side(
    tiles: Mapping[str, Mapping[str, NDArray[np.uint8]]],
    title: str,
    pixel_sizes: Mapping[str, float | None],
    colors: Mapping[str, Sequence[int]] = COLORS,
) -> Figure:
    """Tiles through every step: a row per tile, a column per step.

    Parameters
    ----------
    tiles
        By tile and step, in the order of `STEPS`; (rows, columns) uint8 grey, 0/1 for masks and
        truth (255 not annotated), or (rows, columns, 3) uint8.
    pixel_sizes
        By tile, along x, in micrometres; where it is known, the image has a scale bar.
    colors
        Of the overlay, as of `overlay.blend`: what they mean stands below.
    """
    figure, axes = _figure(
        (len(tiles), len(STEPS)), cell=(1.9, 1.9), gap=(0.06, 0.06), left=0.5, bottom=0.3
    )
    for row, (name, pictures) in zip(axes, tiles.items(), strict=True):
        for axis, step in zip(row, STEPS, strict=True):
            axis.imshow(_shades(pictures[step], step), cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(name)
        if (size := pixel_sizes[name]) is not None:
            _draw_scale_bar(row[0], pictures[STEPS[0]].shape, size)
    for axis, step in zip(axes[0], STEPS, strict=True):
        axis.set_title(step)
    _name(figure, title)
    if tiles:
        _draw_meaning(axes[-1][-1], colors)
    return figure


def _draw_meaning(axis, colors):
    """What the colours of an overlay mean, below the last of them."""
    patches = [
        Patch(
            facecolor=(colors[name][0] / 255, colors[name][1] / 255, colors[name][2] / 255),
            edgecolor="black",
            linewidth=0.5,
            label=word,
        )
        for name, word in OUTCOMES.items()
    ]
    spaces = {"borderaxespad": 0.2, "borderpad": 0, "handlelength": 1, "columnspacing": 0.8}
    axis.legend(
        handles=patches,
        loc="upper right",
        bbox_to_anchor=(1, -0.01),
        ncols=3,
        fontsize=6,
        frameon=False,
        **spaces,
    )


def _figure(cells, cell, gap, left=0.1, right=0.1, top=0.5, bottom=0.1, **settings):
    """A figure with rows and columns of axes, all in inches.

    Laying it out to fit takes as long as drawing it.
    """
    (rows, columns), (width, height), (across, down) = cells, cell, gap
    size = (
        left + columns * width + (columns - 1) * across + right,
        top + rows * height + (rows - 1) * down + bottom,
    )
    places = {"left": left / size[0], "right": 1 - right / size[0]}
    places |= {"top": 1 - top / size[1], "bottom": bottom / size[1]}
    places |= {"wspace": across / width, "hspace": down / height}
    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, squeeze=False, gridspec_kw=places, **settings)


def _name(figure, title):
    """A title as far from the upper edge in tall figures as in others."""
    figure.suptitle(title, y=1 - TITLE_INCHES / figure.get_figheight(), va="center")


def _draw_scale_bar(axis, shape, pixel_size):
    """White with a black rim, in the lower right corner of an image."""
    rows, columns = shape[:2]
    pixels, label = scale_bar(columns, pixel_size)
    thickness, margin = max(rows, columns) / 60, max(rows, columns) / 25
    # the last pixel ends at half a pixel before its number plus one
    right, bottom = columns - 0.5 - margin, rows - 0.5 - margin
    corner = right - pixels, bottom - thickness
    axis.add_patch(
        Rectangle(corner, pixels, thickness, facecolor="white", edgecolor="black", linewidth=0.5)
    )
    axis.annotate(
        label.replace("um", "\u00b5m"),
        (right, bottom - thickness),
        (0, 1),
        textcoords="offset points",
        color="white",
        ha="right",
        va="bottom",
        path_effects=[withStroke(linewidth=1.5, foreground="black")],
    )


def _shades(picture, step):
    if step not in ("mask", "truth"):
        return picture
    # not annotated is mid-grey
    return np.array([0, 255] + [128] * 254, np.uint8)[picture]


def histograms(
    tiles: Mapping[str, tuple[NDArray[Any], Sequence[float], str]], title: str
) -> Figure:
    """Histograms of filtered tiles; by tile, its pixels, thresholds in grey levels and a note."""
    figure, axes = _figure(
        (len(tiles), 1), (5, 1.4), (0, 0.3), left=1.1, top=0.6, bottom=0.45, sharex=True
    )
    for axis, (name, (pixels, thresholds, note)) in zip(axes[:, 0], tiles.items(), strict=True):
        is_8_bit = pixels.dtype == np.uint8
        counts, edges = np.histogram(pixels, np.arange(257) - 0.5 if is_8_bit else 256)
        axis.stairs(counts, edges, fill=True, color="0.6")
        for threshold in thresholds:
            axis.axvline(threshold, color="tab:red", label=f"threshold {threshold:g}")
        axis.set(ylabel=f"{name}\npixels", yscale="log", title=note or None)
        # ticks between powers of ten, and powers as formulas, take longer than all else
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(lambda pixels, _: f"{pixels:g}")
        if thresholds:
            axis.legend(loc="upper right")
    axes[-1, 0].set_xlabel("grey level after filtering")
    _name(figure, title)
    return figure


def confusion_matrix(counts: Mapping[str, int], title: str) -> Figure:
    """The confusion matrix of pooled counts of pixels: `tp`, `fp`, `fn` and `tn`."""
    matrix = np.array([[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]])
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = (("TN", "FP"), ("FN", "TP"))
    figure, ((axis,),) = _figure((1, 1), (2.5, 2.5), (0, 0), left=0.5, top=0.55, bottom=0.45)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), number in np.ndenumerate(matrix):
        text = f"{names[row][column]}\n{number:,}\n{share[row, column]:.1%}"
        dark = share[row, column] > 0.5
        axis.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
    ticks, words = [0, 1], ["background", "foreground"]
    axis.set_xticks(ticks, words)
    axis.set_yticks(ticks, words, rotation=90, va="center")
    axis.set(xlabel="mask", ylabel="truth")
    axis.set_title(title, wrap=True)
    return figure


def comparison(
    methods: Sequence[Mapping[str, Any]], references: Mapping[str, float], title: str
) -> Figure:
    """Scores of methods with their intervals, the best on top, and reference scores as lines.

    Parameters
    ----------
    methods
        In order: `method`, `value`, and `low` and `high`, the ends of the interval; None where
        there is none.
    references
        Of what is no method: the best thresholds that the truth allows, annotators, an empty mask.
        Those with the highest scores are drawn.
    """
    height = 0.25 * max(len(methods), 2)
    figure, ((axis,),) = _figure(
        (1, 1), (4, height), (0, 0), left=1.6, right=3.2, top=0.4, bottom=0.45
    )
    for place, row in enumerate(methods):
        if row["low"] is not None:
            axis.plot([row["low"], row["high"]], [place, place], color="black", linewidth=1)
        if row["value"] is not None:
            axis.plot(row["value"], place, "o", color="black", markersize=4)
    ranked = sorted(references.items(), key=lambda item: -item[1])[:MOST_REFERENCES]
    for number, (name, value) in enumerate(ranked):
        color, style = f"C{number}", ("--", ":", "-.")[number % 3]
        axis.axvline(value, color=color, linestyle=style, linewidth=1, label=f"{name}: {value:.3f}")
    axis.set_yticks(range(len(methods)), [row["method"] for row in methods])
    axis.set(ylim=(len(methods) - 0.5, -0.5), xlabel=title)
    if ranked:
        axis.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=6, frameon=False)
    return figure
