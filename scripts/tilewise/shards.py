"""Zarr v3 shards, streamed: chunks are encoded and appended as they come, the index goes last.

The file is the one of the `sharding_indexed` codec (Zarr v3 core specification, sharding codec 1.0)
with `index_location: end` and an index of offset and size per chunk, followed by its CRC-32C.
"""

import mmap
import struct
from dataclasses import dataclass

import google_crc32c
import numpy as np
from numcodecs import lz4, zstd

MISSING = 2**64 - 1
CODECS = {
    "none": (lambda raw: raw, lambda data: data, []),
    "zstd": (
        lambda raw: zstd.compress(raw, 1, False),
        zstd.decompress,
        [{"name": "zstd", "configuration": {"level": 1, "checksum": False}}],
    ),
    "lz4": (
        lambda raw: lz4.compress(raw, 1),
        lz4.decompress,
        [{"name": "numcodecs.lz4", "configuration": {"acceleration": 1}}],
    ),
}
"""Name: how a chunk is encoded, how it is decoded, the metadata of its compressor."""


@dataclass(frozen=True)
class Layout:
    """What one shard holds.

    Parameters
    ----------
    shard, chunk : tuple of int
        Shape of the shard and of its chunks, in pixels.
    dtype : str
        Name of a numpy dtype.
    fill : int or float
        Value of a chunk that is not stored.
    codec : str
        A name of `CODECS`.
    """

    shard: tuple[int, ...]
    chunk: tuple[int, ...]
    dtype: str
    fill: float = 0
    codec: str = "zstd"

    @property
    def chunks_along(self):
        """Number of chunks along each axis."""
        return tuple(size // step for size, step in zip(self.shard, self.chunk, strict=True))

    def metadata(self, shape):
        """The array's `zarr.json`.

        Parameters
        ----------
        shape : tuple of int
            Shape of the whole array, in pixels.

        Returns
        -------
        dict
        """
        endian = {"name": "bytes", "configuration": {"endian": "little"}}
        sharding = {
            "chunk_shape": list(self.chunk),
            "codecs": [endian, *CODECS[self.codec][2]],
            "index_codecs": [endian, {"name": "crc32c"}],
            "index_location": "end",
        }
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(shape),
            "data_type": self.dtype,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(self.shard)}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": self.fill,
            "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
            "attributes": {},
        }


class ShardWriter:
    """Writes a shard chunk by chunk, in any order; each chunk once.

    A chunk that holds nothing but the fill value is left out, as Zarr allows.
    """

    def __init__(self, path, layout):
        self._layout = layout
        self._encode = CODECS[layout.codec][0]
        self._dtype = np.dtype(layout.dtype).newbyteorder("<")
        self._index = np.full((*layout.chunks_along, 2), MISSING, "<u8")
        self._offset = 0
        self._file = open(path, "wb")  # noqa: SIM115 closed by __exit__

    def write(self, place, pixels):
        """Store one chunk.

        Parameters
        ----------
        place : tuple of int
            The chunk's place in the shard, in chunks.
        pixels : ndarray
            At most the chunk's shape; what is missing at its ends is filled.
        """
        if self._index[place][0] != MISSING:
            raise ValueError(f"chunk {place} is written twice")
        if not (pixels != self._layout.fill).any():
            return
        if pixels.shape != self._layout.chunk:
            whole = np.full(self._layout.chunk, self._layout.fill, self._dtype)
            whole[tuple(map(slice, pixels.shape))] = pixels
            pixels = whole
        data = self._encode(np.ascontiguousarray(pixels, self._dtype))
        size = memoryview(data).nbytes
        self._file.write(data)
        self._index[place] = self._offset, size
        self._offset += size

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        if failed is None:
            index = self._index.tobytes()
            self._file.write(index)
            self._file.write(struct.pack("<I", google_crc32c.value(index)))
        self._file.close()


class ShardReader:
    """Reads a shard chunk by chunk.

    Raises
    ------
    ValueError
        If the file is not a shard of this layout or is damaged; the message names the file.
    """

    def __init__(self, path, layout):
        self._layout = layout
        self._path = path
        self._decode = CODECS[layout.codec][1]
        self._dtype = np.dtype(layout.dtype).newbyteorder("<")
        size = int(np.prod(layout.chunks_along)) * 16
        with open(path, "rb") as file:
            file.seek(0, 2)
            if file.tell() < size + 4:
                raise ValueError(f"{path} is too short to be a shard: delete it and run again")
            self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        index = self._data[-size - 4 : -4]
        if struct.unpack("<I", self._data[-4:])[0] != google_crc32c.value(bytes(index)):
            raise ValueError(f"{path}: the shard's index is damaged: delete it and run again")
        self._index = np.frombuffer(index, "<u8").reshape(*layout.chunks_along, 2)

    def is_stored(self, place):
        """Whether the chunk holds more than the fill value."""
        return int(self._index[place][0]) != MISSING

    def read(self, place):
        """One chunk, read-only.

        Parameters
        ----------
        place : tuple of int
            The chunk's place in the shard, in chunks.

        Returns
        -------
        ndarray
        """
        offset, size = map(int, self._index[place])
        if offset == MISSING:
            return np.broadcast_to(np.asarray(self._layout.fill, self._dtype), self._layout.chunk)
        pixels = np.frombuffer(self._decode(self._data[offset : offset + size]), self._dtype)
        if pixels.size != np.prod(self._layout.chunk):
            raise ValueError(f"{self._path}: chunk {place} is damaged: delete it and run again")
        return pixels.reshape(self._layout.chunk)
