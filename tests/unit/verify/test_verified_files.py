"""Which files hold their own checksums."""

from pathlib import Path

import pytest

from tilewise.verify.files import has_checksum


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/image.zarr/0/c/0/0/0", True),
        ("a/color.zarr/1/c/0/2/0/3", True),
        ("a/filtered/flat.zarr/c/0/0/0", True),
        ("a/image.zarr/0/zarr.json", False),
        # a sample, and a method, of this name
        ("c/image.zarr/0/c/0/0/0", True),
        ("c/image.zarr/zarr.json", False),
        ("a/image.zarr/labels/c/zarr.json", False),
        ("a/image.zarr/labels/c/0/c/1/0/0", True),
        ("c/otsu/metrics/0/0/0.tsv", False),
        ("c/otsu/overlay/0/0/0/c_z0000_y00_x00.png", True),
        ("models/learned.npz", True),
    ],
)
def test_files_with_checksums(path, expected):
    assert has_checksum(Path(path)) is expected
