"""Two studies of tiny samples that share stacks: of every kind of sample, and of volumes."""

import numpy as np
import tifffile
from PIL import Image
from samples import blobs, write_planes

OTSU = {"filter": "denoised", "threshold": "otsu"}
KINDS = {
    # 8 planes of samples of a tile, 2 of those of more, in a block
    "collect": {"side": 4, "planes": 8},
    "pyramid": {"levels": 1},
    "apply": "best",
    # no image is filtered by a job of its own
    "keep_filtered": "auto",
    "keep_filtered_limit": 0,
    "filters": {"denoised": [{"median": 3}], "flat": ["rescale", {"gaussian": 1.0}]},
    "methods": {
        "swept": OTSU | {"grid": {"scope": ["tile", "sample"], "min_contrast": [0, 3]}},
        "whole": {"threshold": "li", "scope": "sample", "samples": ["odd", "faint", "real"]},
        "flat": {
            "filter": "flat",
            "threshold": "triangle",
            "scope": "plane",
            "min_contrast": 0,
            "cleanup": [{"opening": 1}, {"remove_small": 9}],
            "samples": ["odd", "low", "stain"],
        },
        # noise alone has a contrast of 2.65: most tiles fall back
        "fallback": OTSU | {"min_contrast": 9, "samples": ["tall", "real"]},
        "calibrated": OTSU | {"scope": "calibrated", "samples": ["odd", "low"]},
    },
    "validate": {"metrics": ["cldice", "nsd", "hd95", "objects"], "oracles": False},
    "overlay": {"per_plane": 2},
}
"""Settings of the first study; `apply: best` is what scores best of what runs on all samples."""
VOLUMES = {
    "collect": {"side": 8, "planes": 64},
    "apply": "adaptive",
    "keep_filtered": False,
    "filters": {"smooth": [{"gaussian": 1.5}]},
    "methods": {
        "calibrated": {"filter": "smooth", "threshold": "otsu", "scope": "calibrated"},
        "adaptive": {
            "filter": "smooth",
            "threshold": {"adaptive": {"size": 31}},
            "grid": {"offset": [-20, -9]},
        },
    },
    "validate": {
        "metrics": ["nsd", "objects"],
        "extent": "sample",
        "unit": "micrometer",
        "errors": False,
    },
    "quality": {"survey": 2, "exclude": ["empty"]},
    "overlay": {"format": "zarr-only"},
}
"""Of the second: all samples of a kind are in one block."""


class Writer:
    """Writes samples into a folder, and knows their rows of the sheet and their pixels."""

    def __init__(self, folder):
        self.folder, self.rows, self.images = folder, [], {}

    def add(self, name, shape, planes=None, annotators=1, convert=None, write=None, **row):
        """A sample with truth of its first planes, or of all, shifted for each annotator.

        Returns
        -------
        image, truth : (planes, rows, columns) ndarray
        """
        image, truth = blobs(*shape, seed=len(self.rows))
        image = image if convert is None else convert(image)
        self.images[name] = image
        (write or write_planes)(self.folder / name, image)
        traced = []
        for number in range(annotators if planes != 0 else 0):
            folder = f"{name}_truth_{number}"
            own = np.roll(truth[:planes], 2 * number, axis=2) * 255
            write_planes(self.folder / folder, own)
            traced.append(f"{folder}/*.png")
        files = f"{name}/*" if (self.folder / name).is_dir() else name
        self.rows.append({"sample": name, "image": files, "truth": "; ".join(traced)} | row)
        return image, truth


def write_tiff(path, image):
    path.mkdir()
    tifffile.imwrite(path / "planes.tif", image, photometric="minisblack")


def write_roi(path, rows, columns):
    """An ellipse."""
    y, x = np.mgrid[:rows, :columns]
    inside = (2 * y / rows - 1) ** 2 + (2 * x / columns - 1) ** 2 < 1
    Image.fromarray(inside.astype(np.uint8) * 255).save(path)


def deepened(image):
    return image.astype(np.uint16) * 201


def colored(image):
    return np.stack([image, image // 2 + 40, 255 - image], -1)


def write_kinds(project):
    """One pixel, odd and equal sizes, 8 and 16 bit, floats, colour, regions, windows."""
    writer = Writer(project.folder)
    write_roi(project.folder / "iris_roi.png", 50, 37)
    write_roi(project.folder / "disc_roi.png", 60, 50)
    # planes 0, 1 to 3, 4 and 5 of a stack, then 8 to 10: two are void
    writer.add("dot", (1, 1, 1))
    writer.add("odd", (3, 50, 37), planes=2, group="b", pixel_size="2 0.7 0.6")
    writer.add("bare", (2, 64, 64), planes=0)
    writer.add("tall", (3, 33, 64), convert=lambda image: image // 2 + 9)
    # planes 0 and 1 of another stack
    writer.add("low", (1, 64, 130), group="b")
    _, truth = writer.add("wide", (1, 100, 150), planes=0)
    write_planes(project.folder, truth[:, 30:90, 40:130] * 255, "window_{}.png")
    (project.folder / "windows.tsv").write_text("z\ty\tx\tpath\n0\t30\t40\twindow_1.png\n")
    writer.rows[-1]["truth"] = "windows.tsv"
    writer.add("stain", (1, 90, 70), convert=colored)
    writer.add("slide", (1, 66, 129), convert=lambda image: colored(255 - image), channel="blue")
    writer.add("dim", (1, 40, 64), planes=0, convert=deepened, write=write_tiff)
    writer.add("deep", (2, 60, 50), convert=deepened, write=write_tiff)
    for name, shape, low in (("faint", (2, 64, 33), -7), ("real", (2, 50, 60), 0.25)):
        writer.add(
            name,
            shape,
            convert=lambda image, low=low: image.astype(np.float32) / 255 - low,
            write=write_tiff,
        )
    writer.add("iris", (2, 50, 37), planes=1, roi="iris_roi.png", group="b")
    writer.add("disc", (1, 60, 50), roi="disc_roi.png")
    project.configure(writer.rows, **KINDS)
    return writer.images


def write_volumes(project):
    """Volumes of several pixel sizes and groups; two and three annotators."""
    writer = Writer(project.folder)
    writer.add("cube", (2, 40, 50), group="m1", pixel_size="1.5 0.5 0.5", site="a")
    writer.add("slab", (3, 64, 30), group="m1", pixel_size="1 0.5 0.25", site="b")
    writer.add("blank", (1, 20, 40), planes=0, pixel_size="1 1 1", site="b")
    writer.add("sheet", (2, 33, 64), group="m2", pixel_size="4 1 2", site="a")
    writer.add("pair", (2, 50, 50), annotators=2, group="m3", pixel_size="1 2 1")
    writer.add("panel", (1, 64, 44), annotators=3, group="m3", pixel_size="1 0.3 0.3")
    project.configure(writer.rows, **VOLUMES)
    return writer.images
