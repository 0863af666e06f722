"""Draw the pictures of docs/methods.md: what filters and thresholds make of small phantoms.

PYTHONPATH=scripts:benchmarks:tests/workflow python docs/pictures.py
"""

from pathlib import Path

import cv2
import kinds
import numpy as np
from kinds_of_images import section
from PIL import Image

from tilewise.segment.filters import apply_chain
from tilewise.segment.global_thresholds import GLOBAL
from tilewise.segment.histograms import histogram
from tilewise.segment.local_thresholds import LOCAL

DOCS = Path(__file__).parent
SIDE, GAP, TITLE = 96, 4, 14
LEVELS = 10
"""Grey levels or colours of a picture, so that its file is small."""


def titled(picture, title):
    """A picture of 8 bits, grey or in colour, under its title."""
    colors = np.dstack([picture] * 3) if picture.ndim == 2 else picture
    panel = np.full((SIDE + TITLE, SIDE + GAP, 3), 255, np.uint8)
    panel[TITLE:, :SIDE] = colors[:SIDE, :SIDE]
    font = cv2.FONT_HERSHEY_SIMPLEX
    return cv2.putText(panel, title, (0, TITLE - 4), font, 0.36, (0, 0, 0), 1, cv2.LINE_AA)


def stretched(picture):
    """A picture whose values reach from black to white."""
    low, high = np.percentile(picture, (0.5, 99.5))
    return np.clip((picture - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)


def write(name, pictures):
    """A row of pictures by their titles, as a file of few colours."""
    sheet = np.hstack([titled(picture, title) for title, picture in pictures.items()])[:, :-GAP]
    few = Image.fromarray(sheet).quantize(LEVELS, dither=Image.Dither.NONE)
    few.save(DOCS / f"methods-{name}.png", optimize=True)


def filtered(plane, chains):
    """The plane, and after each chain of steps."""
    pictures = {"image": stretched(plane)}
    return pictures | {
        title: stretched(apply_chain(plane, chain)[:SIDE, :SIDE]) for title, chain in chains.items()
    }


def main():
    """Draw all of them."""
    membranes, _ = kinds.membranes()
    gel, _ = kinds.gels()
    nuclei, _ = kinds.nuclei()
    nuclei = cv2.resize(nuclei, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)[-SIDE:, -SIDE:]
    write(
        "noise",
        filtered(
            membranes[:SIDE, :SIDE],
            {
                "median": [{"median": 5}],
                "gaussian": [{"gaussian": 2}],
                "bilateral": [{"bilateral": {"size": 7, "levels": 40}}],
                "nlm": ["nlm"],
                "wavelet": ["wavelet"],
            },
        ),
    )
    write(
        "light",
        filtered(
            cv2.resize(gel, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA),
            {
                "background": [{"background": {"method": "median", "size": 41}}],
                "tophat": [{"tophat": 15}],
                "equalize": ["equalize"],
                "clahe": [{"clahe": {"tiles": 3}}],
                "rescale": ["rescale"],
            },
        ),
    )
    ridge = {"sigmas": [2, 3], "dark": True}
    write(
        "lines",
        filtered(
            membranes[:SIDE, :SIDE],
            {
                "ridge": [{"ridge": ridge}],
                "sato": [{"ridge": ridge | {"measure": "sato"}}],
                "frangi": [{"ridge": ridge | {"measure": "frangi"}}],
                "matched": [{"matched": {"sigma": 2, "dark": True}}],
                "dog": [{"dog": 2}],
            },
        ),
    )
    color, _ = section(1)
    channels = np.ascontiguousarray(color.transpose(2, 0, 1))
    steps = ("luma", "red", "hematoxylin", "saturation")
    write(
        "colours",
        {"image": color} | {name: stretched(apply_chain(channels, [name])) for name in steps},
    )
    counted = histogram(nuclei)
    names = ("otsu", "li", "yen", "triangle", "minimum", "mean")
    write(
        "thresholds",
        {"image": stretched(nuclei)}
        | {name: (nuclei > GLOBAL[name](*counted)) * np.uint8(255) for name in names},
    )
    local = {
        "adaptive": {"size": 51, "offset": -15},
        "sauvola": {"size": 51, "k": -0.2},
        "niblack": {"size": 51, "k": -0.7},
    }
    write(
        "local",
        {"image": stretched(nuclei)}
        | {
            name: (nuclei > LOCAL[name].surface(nuclei, **given)) * np.uint8(255)
            for name, given in local.items()
        },
    )


if __name__ == "__main__":
    main()
