"""OME-Zarr images with damaged metadata or chunks: read, or refused by name."""

import json
import random

import numpy as np
import pytest
import zarr
from conftest import numbers, outcome
from mutations import changed, damaged
from test_images import read

EACH = 500
NOISE = np.random.default_rng(0).integers(0, 255, (3, 24, 40), np.uint8)
MULTISCALES = [
    {
        "axes": [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"],
        "datasets": [
            {
                "path": "0",
                "coordinateTransformations": [{"type": "scale", "scale": [5.0, 0.5, 0.5]}],
            }
        ],
    }
]
SETTINGS = {
    "plain": {"zarr_format": 3, "chunks": (1, 16, 16)},
    "shards": {"zarr_format": 3, "chunks": (1, 16, 16), "shards": (2, 32, 48)},
    "version 2": {
        "zarr_format": 2,
        "chunks": (1, 16, 16),
        "chunk_key_encoding": {"name": "v2", "separator": "/"},
    },
}


def write(folder, zarr_format, **settings):
    group = zarr.open_group(folder, mode="w", zarr_format=zarr_format)
    group.create_array("0", data=NOISE, **settings)
    ome = {"version": "0.5", "multiscales": MULTISCALES}
    group.attrs.update({"ome": ome} if zarr_format == 3 else {"multiscales": MULTISCALES})
    return folder


@pytest.mark.parametrize("kind", SETTINGS)
def test_damaged(kind, tmp_path):
    path = write(tmp_path / "image.zarr", **SETTINGS[kind])
    header, pixels = read(path)
    assert header.pixel_size == (5, 0.5, 0.5)
    np.testing.assert_array_equal(np.stack(pixels), NOISE)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    contents = {file: file.read_bytes() for file in files}
    refused = 0
    for number in numbers(EACH):
        dice = random.Random(f"{kind} {number}")
        file = dice.choice(files)
        is_text = file.name in ("zarr.json", ".zarray", ".zattrs", ".zgroup")
        if is_text and dice.random() < 0.8:
            document = changed(json.loads(contents[file]), dice)
            file.write_text(json.dumps(document), encoding="utf-8", errors="surrogatepass")
        else:
            file.write_bytes(damaged(contents[file], dice))
        reason = outcome(lambda: read(path), f"damage {number} of {file}")
        if reason is not None:
            assert str(path) in reason
            refused += 1
        file.write_bytes(contents[file])
    assert refused
