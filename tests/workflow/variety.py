"""Two studies of small, unlike samples, whose results must stay what they are.

python tests/workflow/variety.py FOLDER      # writes the images and `planes.yaml`, `stacks.yaml`
"""

import sys
from pathlib import Path

import numpy as np
import tifffile
import yaml
from PIL import Image
from samples import blobs, write_planes


def write_planes_study(folder):
    """Odd sizes, 8 and 16 bit, floats, colour, windows, annotators."""
    rows = []

    image, truth = blobs(planes=3, rows=150, columns=170, seed=1)
    image[1, :64, :64] //= 3
    write_planes(folder / "odd", image)
    write_planes(folder / "odd_truth", truth[:2] * 255)
    rows.append({"sample": "odd", "image": "odd/*.png", "truth": "odd_truth/*.png"})

    image, truth = blobs(planes=2, rows=130, columns=97, seed=2)
    tifffile.imwrite(folder / "deep.tif", image.astype(np.uint16) * 201, photometric="minisblack")
    tifffile.imwrite(folder / "deep_truth.tif", truth, photometric="minisblack")
    row = {"sample": "deep", "image": "deep.tif", "truth": "deep_truth.tif"}
    rows.append(row | {"pixel_size": "2 0.7 0.6", "group": "b"})

    image, truth = blobs(planes=1, rows=141, columns=203, seed=3)
    colour = np.stack([image[0], image[0] // 2 + 40, 255 - image[0]], -1)
    Image.fromarray(colour).save(folder / "stain.png")
    write_planes(folder, truth * 255, "stain_truth.png")
    rows.append({"sample": "stain", "image": "stain.png", "truth": "stain_truth.png"})

    image, truth = blobs(planes=2, rows=66, columns=129, seed=4)
    pixels = image.astype(np.float32) / 255 - 0.25
    tifffile.imwrite(folder / "float.tif", pixels, photometric="minisblack")
    tifffile.imwrite(folder / "float_truth.tif", truth, photometric="minisblack")
    rows.append({"sample": "float", "image": "float.tif", "truth": "float_truth.tif"})

    image, truth = blobs(planes=1, rows=100, columns=90, seed=5)
    write_planes(folder, image, "panel.png")
    for number, name in enumerate(("anna", "ben", "carla")):
        traced = np.roll(truth, number, axis=2)
        traced[0, 60 + number :, 70:] = 0
        write_planes(folder, traced * 255, f"panel_{name}.png")
    names = "panel_anna.png; panel_ben.png; panel_carla.png"
    rows.append({"sample": "panel", "image": "panel.png", "truth": names, "group": "b"})

    image, truth = blobs(planes=3, rows=200, columns=260, seed=6)
    write_planes(folder / "wide", image)
    write_planes(folder, truth[:1, 30:110, 40:150] * 255, "window_1.png")
    write_planes(folder, truth[2:, 100:164, 128:192] * 255, "window_2.png")
    windows = "z\ty\tx\tpath\n0\t30\t40\twindow_1.png\n2\t100\t128\twindow_2.png\n"
    (folder / "windows.tsv").write_text(windows)
    rows.append({"sample": "wide", "image": "wide/*.png", "truth": "windows.tsv"})

    image, _ = blobs(planes=2, rows=64, columns=65, seed=7)
    write_planes(folder / "bare", image)
    rows.append({"sample": "bare", "image": "bare/*.png"})

    otsu = {"filter": "denoised", "threshold": "otsu"}
    config = {
        "filters": {
            "denoised": [{"median": 3}],
            "flat": ["rescale", {"background": {"method": "opening", "size": 31}}],
        },
        "methods": {
            "tile": otsu | {"min_contrast": 0},
            "fallback": otsu | {"threshold": "yen", "fallback": "sample"},
            "flat": {
                "filter": "flat",
                "threshold": "li",
                "scope": "plane",
                "min_contrast": 0,
                "cleanup": [{"opening": 1}, {"remove_small": 9}],
                "samples": ["odd", "stain", "panel", "wide"],
            },
            "swept": {
                "filter": "denoised",
                "threshold": "otsu",
                "grid": {"scope": ["tile", "sample"], "min_contrast": [0, 3]},
            },
        },
        "validate": {"metrics": ["cldice", "nsd", "hd95", "objects"]},
        "quality": {"survey": 3, "exclude": ["empty"]},
        "block": {"planes": 2, "rows": 2},
        "overlay": {"per_plane": 2},
    }
    _write(folder, "planes", rows, config)


def write_stacks_study(folder):
    """Volumes with metrics in 3-D and in micrometres, calibrated and local thresholds, groups."""
    rows = []
    for number, group in enumerate(("m1", "m1", "m2", "m3")):
        image, truth = blobs(planes=3, rows=70 + 9 * number, columns=100, seed=20 + number)
        name = f"volume{number}"
        tifffile.imwrite(folder / f"{name}.tif", image, photometric="minisblack")
        tifffile.imwrite(folder / f"{name}_truth.tif", truth, photometric="minisblack")
        row = {"sample": name, "image": f"{name}.tif", "truth": f"{name}_truth.tif"}
        rows.append(row | {"group": group, "pixel_size": "1.5 0.5 0.5", "site": f"s{number}"})
    config = {
        "filters": {"smooth": [{"gaussian": 1.5}]},
        "methods": {
            "calibrated": {"filter": "smooth", "threshold": "otsu", "scope": "calibrated"},
            "adaptive": {
                "filter": "smooth",
                "threshold": {"adaptive": {"size": 31}},
                "grid": {"offset": [-20, -9]},
            },
            "hysteresis": {"threshold": {"hysteresis": {"low": "otsu", "high": 160}}},
        },
        "validate": {"metrics": ["nsd", "objects"], "extent": "sample", "unit": "micrometer"},
        "apply": "adaptive",
        "block": {"planes": 2},
        "keep_filtered": False,
    }
    _write(folder, "stacks", rows, config)


def _write(folder, name, rows, config):
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    text = "".join("\t".join(line) + "\n" for line in lines)
    (folder / f"{name}.tsv").write_text(text)
    small = {"samples": f"{name}.tsv", "tile": 64, "pyramid": {"levels": 1}}
    text = yaml.safe_dump(small | config, sort_keys=False)
    (folder / f"{name}.yaml").write_text(text)


def write(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_planes_study(folder)
    write_stacks_study(folder)


if __name__ == "__main__":
    write(sys.argv[1])
