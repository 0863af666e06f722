"""OME-Zarr images, version 0.4 and 0.5: read by whole chunks."""

import json
import math
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, product
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.pixels import PixelSize
from tilewise.read.header import FormatError, Header, dtype_name
from tilewise.read.pixel_size import known_size, micrometers

CHUNKS = {
    ("c", "/"): r"c",
    ("c", "."): r"c(\.\d+)+",
    ("", "/"): r"\d+",
    ("", "."): r"\d+(\.\d+)+",
}
"""Names of chunks, or of the folders that they are in, by how they start and are separated."""
SLAB_BYTES = 2**29
"""Most memory that decoded chunks of an OME-Zarr image may take to save decoding them again."""
CHUNKS_AT_ONCE = 10
"""That Zarr decodes: its `async.concurrency`."""
MOST_CHUNKS = 2**22
"""In a plane, or in those that share chunks: to go through more would take hours."""


class OmeZarr:
    """The first resolution of an OME-Zarr image, version 0.4 (Zarr 2) or 0.5 (Zarr 3)."""

    def __init__(self, path: Path) -> None:
        metadata = _read_metadata(path)
        multiscales = metadata.get("multiscales")
        if not multiscales:
            raise FormatError(
                f"{path} is a folder, but no OME-Zarr image (its metadata have no multiscales): "
                "name the folder of an image"
            )
        self._folder = _array_folder(path, multiscales[0]["datasets"][0]["path"])
        shape, chunks, dtype = _read_zarr_metadata(self._folder)
        axes = multiscales[0].get("axes", "tczyx")
        self._axes = "".join(axis["name"] if isinstance(axis, dict) else axis for axis in axes)
        if len(self._axes) != len(shape) or not set("yx") <= set(self._axes) <= set("tczyx"):
            raise FormatError(
                f"{path} has axes {self._axes}: axes may be t, c, z, y and x, one per dimension"
            )
        size = dict(zip(self._axes, shape, strict=True))
        if size.get("t", 1) != 1:
            raise FormatError(f"{path} has {size['t']} points in time: save one of them")
        _check_chunks(path, size, dict(zip(self._axes, chunks, strict=True)))
        self.header = Header(
            size.get("z", 1),
            size["y"],
            size["x"],
            size.get("c", 1),
            dtype_name(dtype),
            _ngff_pixel_size(multiscales[0], self._axes),
            channel_names=_channel_names(metadata, size.get("c", 1)),
        )
        self.header = replace(self.header, at_once=self._bytes_at_once(chunks))
        self._array: Any = None
        self._slab: NDArray | None = None
        self._slab_place: tuple[int, int, int, int, int | None] | None = None

    def read(self, plane: int, y0: int, y1: int, channel: int | None) -> NDArray:
        """Rows of a plane, as `files.Reader` says."""
        self._open()
        place = *self._slab_range(plane, y0, y1), channel
        if self._slab is None or place != self._slab_place:
            self._slab = None
            self._slab = self._read_slab(*place)
            self._slab_place = place
        z0, _, top, _, _ = place
        return self._slab[plane - z0, y0 - top : y1 - top]

    def spans(self, plane: int, planes: int) -> Iterable[tuple[Path, int, int]]:
        """Metadata and the files of chunks, as `files.Reader` says."""
        array = self._open()
        steps = getattr(array, "shards", None) or array.chunks
        numbers = [range(-(-size // step)) for size, step in zip(array.shape, steps, strict=True)]
        if "z" in self._axes:
            at = self._axes.index("z")
            numbers[at] = range(plane // steps[at], -(-(plane + planes) // steps[at]))
        names = map(array.metadata.encode_chunk_key, product(*numbers))
        files = (self._folder / name for name in chain(("zarr.json", ".zarray"), names))
        sizes = ((file, _file_size(file)) for file in files)
        return ((file, 0, size) for file, size in sizes if size is not None)

    def _open(self) -> Any:
        import zarr

        if self._array is None:
            self._array = zarr.open_array(self._folder, mode="r")
        return self._array

    def close(self) -> None:
        """Let go of the array and of what was decoded of it."""
        self._array = self._slab = self._slab_place = None

    def _bytes_at_once(self, chunks: Sequence[int]) -> int:
        """Of a row of chunks, with all planes of a chunk; or of these planes, if they are kept.

        Beside those that are kept, Zarr holds chunks that it decodes, and what it has read of them.
        """
        header, chunk = self.header, dict(zip(self._axes, chunks, strict=True))
        planes = min(chunk.get("z", 1), header.planes)
        of_row = planes * header.width * min(header.channels, 3) * np.dtype(header.dtype).itemsize
        slab = of_row * header.height
        if slab > SLAB_BYTES:
            return of_row * min(chunk["y"], header.height)
        chunks_at_once = CHUNKS_AT_ONCE * math.prod(chunks) * np.dtype(header.dtype).itemsize
        return slab + 2 * min(chunks_at_once, slab)

    def _slab_range(self, plane: int, y0: int, y1: int) -> tuple[int, int, int, int]:
        """Planes and rows to read: whole chunks, as many as memory allows."""
        header = self.header
        chunk = dict(zip(self._axes, self._array.chunks, strict=True))
        step = chunk.get("z", 1)
        z0 = plane // step * step
        z1 = min(z0 + step, header.planes)
        plane_bytes = header.height * header.width * self._array.dtype.itemsize
        if (z1 - z0) * plane_bytes * min(header.channels, 3) <= SLAB_BYTES:
            return z0, z1, 0, header.height
        step = chunk["y"]
        return plane, plane + 1, y0 // step * step, min(-(-y1 // step) * step, header.height)

    def _read_slab(self, z0: int, z1: int, y0: int, y1: int, channel: int | None) -> NDArray:
        """Pixels (z, y, x) of a channel or, if it is None, (z, y, x, 3)."""
        channels = slice(0, 3) if channel is None else slice(channel, channel + 1)
        part = {"t": slice(0, 1), "c": channels, "z": slice(z0, z1), "y": slice(y0, y1)}
        slab = self._array[tuple(part.get(axis, slice(None)) for axis in self._axes)]
        missing = [axis for axis in "tczyx" if axis not in self._axes]
        slab = slab.reshape((1,) * len(missing) + slab.shape)
        axes = "".join(missing) + self._axes
        slab = slab.transpose([axes.index(axis) for axis in "tzyxc"])[0]
        return slab if channel is None else slab[..., 0]


def _array_folder(path: Path, name: str) -> Path:
    """The folder of an array in that of its image."""
    inner = PurePosixPath(name)
    if inner.is_absolute() or ".." in inner.parts:
        raise FormatError(
            f"{path} says that its pixels are in {name!r}, outside of its folder: name the image "
            "that has them"
        )
    return path / inner


def _check_chunks(path: Path, size: Mapping[str, int], chunk: Mapping[str, int]) -> None:
    """Refuse an image of so many chunks that none could go through them."""
    number = math.prod(-(-size[axis] // chunk[axis]) for axis in size if axis != "z")
    if number > MOST_CHUNKS:
        raise FormatError(
            f"{path} has {number:,} chunks in a plane, of {chunk['y']} x {chunk['x']} px: save it "
            "in larger ones"
        )


def _file_size(path: Path) -> int | None:
    """Bytes of a file; None if there is none: a chunk that has only the fill value may be missing.

    Anything else in its place is refused: Zarr would take a folder for a missing chunk, and wait
    for a named pipe for ever.
    """
    try:
        known = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise ValueError(f"{path} is a link to nothing") from None
        return None
    if not stat.S_ISREG(known.st_mode):
        raise ValueError(f"{path} is no file")
    return known.st_size


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def _read_metadata(path: Path) -> dict[str, Any]:
    """What NGFF says of an image."""
    group = _read_json(path / "zarr.json")
    if group is not None:
        return group.get("attributes", {}).get("ome", {})
    return _read_json(path / ".zattrs") or {}


def _channel_names(metadata: dict[str, Any], channels: int) -> tuple[str, ...]:
    """Those of viewers' settings, which name each channel or none."""
    omero = metadata.get("omero")
    listed = omero.get("channels") if isinstance(omero, dict) else None
    if not isinstance(listed, list) or len(listed) != channels:
        return ()
    labels = [one.get("label") if isinstance(one, dict) else None for one in listed]
    return tuple(label if isinstance(label, str) else "" for label in labels)


def _ngff_pixel_size(multiscale: dict[str, Any], axes: str) -> PixelSize | None:
    """Of the first resolution: the product of its scales, in the units of the axes."""
    scale = None
    for part in (multiscale["datasets"][0], multiscale):
        for transformation in part.get("coordinateTransformations") or ():
            factors = transformation.get("scale")
            if isinstance(factors, list) and len(factors) == len(axes):
                scale = np.multiply(factors, 1.0 if scale is None else scale)
    if scale is None:
        return None
    units = [
        axis.get("unit") if isinstance(axis, dict) else None
        for axis in multiscale.get("axes", axes)
    ]
    size = dict(zip(axes, map(micrometers, scale, units), strict=True))
    return known_size(size.get("z"), size["y"], size["x"])


def _read_zarr_metadata(folder: Path) -> tuple[Sequence[int], Sequence[int], str]:
    """Shape of an array and of its chunks, and its dtype."""
    array = _read_json(folder / "zarr.json") or _read_json(folder / ".zarray")
    if array is None:
        raise ValueError(f"its array {folder} is missing")
    shape = array["shape"]
    chunks = _chunks(array)
    for name, sizes in (("shape", shape), ("shape of chunks", chunks)):
        if not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError(
                f"the {name} of its array {folder} is {sizes}, not whole numbers above 0"
            )
    _check_separator(folder, array)
    return shape, chunks, array.get("data_type") or array["dtype"]


def _chunks(array: dict[str, Any]) -> Sequence[int]:
    """The shape of chunks; of shards, that of the chunks in them."""
    if "data_type" not in array:
        return array["chunks"]
    for codec in array["codecs"]:
        if codec["name"] == "sharding_indexed":
            return codec["configuration"]["chunk_shape"]
    return array["chunk_grid"]["configuration"]["chunk_shape"]


def _check_separator(folder: Path, array: dict[str, Any]) -> None:
    """Refuse an array whose chunks have other names than its metadata say: they read as missing."""
    if "data_type" in array:
        encoding = array["chunk_key_encoding"]
        start, usual = ("c", "/") if encoding["name"] == "default" else ("", ".")
        separator = encoding.get("configuration", {}).get("separator", usual)
    else:
        start, separator = "", array.get("dimension_separator") or "."
    other = "." if separator == "/" else "/"
    with os.scandir(folder) as entries:
        for entry in entries:
            if re.fullmatch(CHUNKS[start, separator], entry.name):
                return
            if re.fullmatch(CHUNKS[start, other], entry.name):
                raise ValueError(
                    f"chunks of its array {folder} have `{other}` between the numbers of their "
                    f"names, and its metadata say `{separator}`: correct the separator there"
                )
