"""Cost of every filter, threshold and clean-up step: the last column of docs/methods.md.

    PYTHONPATH=scripts python benchmarks/methods.py [--side 1024] [--repeats 3] [--only NAME ...]

CPU seconds per million 8-bit pixels, on one core; the median of some runs. The column is written
into the page. A row that names several steps has the greatest of them. What is trained is trained
before.
"""

import argparse
import re
import time
from pathlib import Path

import cv2
import numpy as np
from kinds import nuclei

from tilewise.learn import drawn, features, training
from tilewise.segment import learned
from tilewise.segment.cleanup import STEPS
from tilewise.segment.filters import FILTERS, apply_chain
from tilewise.segment.global_thresholds import GLOBAL
from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.projections import PROJECTIONS
from tilewise.segment.segmenters import Segmenter, segment_region
from tilewise.segment.steps import parse
from tilewise.store.grid import Grid, Region

PAGE = Path(__file__).parent.parent / "docs/methods.md"
ROW = re.compile(r"^\| (\[.+\]\(configuration\.md#.+)\|[^|]*\|$", re.MULTILINE)
NAME = re.compile(r"\[(\w+)\]\(configuration\.md#")
SETTINGS = {
    "median": {"size": 5},
    "gaussian": {"sigma": 2},
    "tophat": {"size": 31},
    "bilateral": {"size": 7, "levels": 20},
    "deconvolve": {"sigma": 1.5},
    "ridge": {"sigmas": [1, 2, 3]},
    "dog": {"sigma": 2},
    "stain": {"matrix": [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]]},
    "channel": {"which": 1},
    "channels": {"of": ["red", "green", "blue"]},
    "manual": {"value": 80},
    "circular": {"hue": 0},
    "hysteresis": {"low": "li", "high": "otsu"},
    "adaptive": {"size": 51, "offset": -10},
    "sauvola": {"size": 51},
    "niblack": {"size": 51},
    "remove_small": {"size": 20},
    "opening": {"radius": 3},
    "closing": {"radius": 3},
}
"""What is given besides defaults."""
TILE = 512


def segment(plane, name):
    """The mask of a plane, by tiles."""
    settings = SETTINGS.get(name, {})
    if name in LOCAL:
        _, settings = parse({name: settings}, {name: LOCAL[name].surface}, "threshold method")
    elif name == "multiotsu":
        settings = {"classes": 3, "foreground": None}
    rows, columns = (-(-side // TILE) * TILE for side in plane.shape)
    grid = Grid((1, *plane.shape), TILE, (1, rows, columns))
    whole = Region(0, 1, 0, plane.shape[0], 0, plane.shape[1])
    limits = {"scope": "tile", "foreground": "bright", "fallback": "empty", "weak": "auto"}
    limits |= {"min_contrast": 5.0, "min_separability": 0.0, "cleanup": []}
    segment_region(plane, whole, whole, grid, Segmenter(name, settings, **limits))


def classifier(plane, truth):
    """A model with default settings, of up to 10 000 pixels of each class."""
    defaults = parse(learned.NAME, {learned.NAME: learned.pixel_classifier}, "threshold method")[1]
    names, scale = learned.names_of(defaults), features.scale_of("uint8", 0, 255)
    place = drawn.draw(truth, 10_000, 0, ("", 0, 0, 0))
    values = features.compute(plane, names, scale)[:, *place]
    known = truth[place]
    parts = np.arange(known.size) % training.INNER
    pixels = training.Pixels(values, known, np.ones(known.size), parts, [(0, 255)])
    return training.fit(pixels, names, "uint8", training.merit_of("f1"), defaults).model


def works(plane, mask, colors):
    """What is measured, by name."""
    hues = apply_chain(colors, ["hue"])
    given = {name: SETTINGS.get(name) for name in (*FILTERS, *PROJECTIONS, *STEPS)}
    model, (rows, columns) = classifier(plane, mask), plane.shape
    step = {name: [name if own is None else {name: own}] for name, own in given.items()}
    return {
        **{name: lambda name=name: apply_chain(plane, step[name]) for name in FILTERS},
        **{name: lambda name=name: apply_chain(colors, step[name]) for name in PROJECTIONS},
        **{
            name: lambda name=name: segment(hues if name == "circular" else plane, name)
            for name in (*GLOBAL, *LOCAL, "hysteresis")
        },
        **{
            name: lambda name=name: STEPS[name].apply(mask, **(given[name] or {})) for name in STEPS
        },
        learned.NAME: lambda: model.mask(plane, (0, 0), (0, rows, 0, columns)),
    }


def seconds(work, repeats):
    """CPU time of one call: the median."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return float(np.median(times))


def with_costs(page, costs):
    """The page with a last cell in each row that begins with names of steps."""

    def row(found):
        names = NAME.findall(found[1].split(" | ")[0])
        known = [costs[name] for name in names if name in costs]
        return f"| {found[1]}| {max(known):.2g} |" if known else found[0]

    return ROW.sub(row, page)


def main():
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names; by default all")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    image, truth = nuclei()
    times = (-(-given.side // TILE),) * 2
    plane, mask = (np.tile(one, times)[: given.side, : given.side] for one in (image, truth))
    colors = np.stack([plane, plane // 2, 255 - plane])
    megapixels = plane.size / 1e6
    costs = {
        name: seconds(work, given.repeats) / megapixels
        for name, work in works(plane, np.ascontiguousarray(mask), colors).items()
        if not given.only or name in given.only
    }
    PAGE.write_text(with_costs(PAGE.read_text(encoding="utf-8"), costs), encoding="utf-8")


if __name__ == "__main__":
    main()
