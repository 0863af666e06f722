"""Zarr v3 shards, streamed: chunks are encoded and appended as they come, the index goes last.

The file is the one of the `sharding_indexed` codec (Zarr v3 core specification, sharding codec 1.0)
with `index_location: end` and an index of offset and size per chunk. Each chunk, and the index, is
followed by its CRC-32C.
"""

import os
import struct
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from tilewise.store.layout import Layout

MISSING = 2**64 - 1
"""Offset, and size, in the index of a chunk that is not stored."""
CHECKSUM_BYTES = 4
"""Size of a CRC-32C."""


class _Codec(threading.local):
    """How a chunk is encoded and decoded; a thread has contexts of its own, which it keeps."""

    encode: Callable[..., bytes | memoryview]
    decode: Callable[..., bytes | memoryview]
    error: type[Exception] = ValueError
    """What `decode` raises for data of another codec."""

    def __init__(self, name: str) -> None:
        if name == "none":
            self.encode = self.decode = memoryview
        elif name == "zstd":
            import zstandard

            # pixels with noise hardly repeat: long matches only are as small, and twice as fast
            parameters = zstandard.ZstdCompressionParameters.from_level(
                1, source_size=2**18, min_match=7, write_checksum=False
            )
            self.encode = zstandard.ZstdCompressor(compression_params=parameters).compress
            self.decode = zstandard.ZstdDecompressor().decompress
            self.error = zstandard.ZstdError
        else:
            from numcodecs import lz4

            self.encode = lambda raw: lz4.compress(raw, 1)
            self.decode = lz4.decompress
            self.error = RuntimeError


class ShardWriter:
    """Writes a shard chunk by chunk, in any order and by several threads; each chunk once.

    A chunk that holds nothing but the fill value is left out, as Zarr allows. Chunks of several
    threads wait in a file without a name, and go into the shard in the order in which one thread
    writes them, so that the bytes are the same.
    """

    def __init__(self, path: str | Path, layout: Layout, threads: int = 1) -> None:
        self._layout = layout
        self._codec = _Codec(layout.codec)
        self._lock = threading.Lock()
        self._dtype = np.dtype(layout.dtype).newbyteorder("<")
        self._index = np.full((*layout.chunks_along, 2), MISSING, "<u8")
        self._offset = 0
        self._file = open(path, "wb")  # noqa: SIM115 closed by __exit__
        self._waiting = None
        if threads > 1:
            self._waiting = tempfile.TemporaryFile(dir=os.path.dirname(path))  # noqa: SIM115

    def write(self, place: tuple[int, ...], pixels: NDArray[Any]) -> None:
        """Store one chunk at its place in the shard, in chunks.

        Pixels that are missing at the chunk's ends are filled. A chunk that has been written before
        is a ValueError.
        """
        if self._index[place][0] != MISSING:
            raise ValueError(f"chunk {place} is written twice")
        if self._is_filled(pixels):
            return
        if pixels.shape != self._layout.chunk:
            whole = np.full(self._layout.chunk, self._layout.fill, self._dtype)
            whole[tuple(map(slice, pixels.shape))] = pixels
            pixels = whole
        data = self._codec.encode(np.ascontiguousarray(pixels, self._dtype))
        checksum = _checksum(np.frombuffer(data, np.uint8))
        size = memoryview(data).nbytes + CHECKSUM_BYTES
        with self._lock:
            file = self._waiting or self._file
            file.write(data)
            file.write(checksum)
            self._index[place] = self._offset, size
            self._offset += size

    def _is_filled(self, pixels):
        fill = self._layout.fill
        # the first pixel tells most chunks that hold something
        return pixels[(0,) * pixels.ndim] == fill and not (pixels != fill).any()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:
            if self._waiting:
                self._put_in_order(self._waiting)
            index = self._index.tobytes()
            self._file.write(index)
            self._file.write(_checksum(index))
        self._file.close()
        if self._waiting:
            self._waiting.close()

    def _put_in_order(self, waiting):
        """Write the chunks that wait: by plane, tile row and column, the channels together."""
        channels = self._index.shape[:-4]
        offset = 0
        for place in np.ndindex(self._index.shape[len(channels) : -1]):
            for channel in np.ndindex(channels):
                start, size = map(int, self._index[(*channel, *place)])
                if start != MISSING:
                    waiting.seek(start)
                    self._file.write(waiting.read(size))
                    self._index[(*channel, *place)] = offset, size
                    offset += size


class ShardReader:
    """Reads a shard chunk by chunk.

    A file that is not a shard of this layout, or whose index or chunk is damaged, is a ValueError
    that names it.
    """

    def __init__(self, path: str | Path, layout: Layout) -> None:
        self._layout = layout
        self._path = path
        self._codec = _Codec(layout.codec)
        self._dtype = np.dtype(layout.dtype).newbyteorder("<")
        size = int(np.prod(layout.chunks_along)) * 16
        # read, not mapped: a mapping's pages count as the job's memory, and fault one by one
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 closed with the reader
        start = os.fstat(self._file.fileno()).st_size - size - CHECKSUM_BYTES
        if start < 0:
            raise self._damage("too short")
        index = self._read_checked(start, size + CHECKSUM_BYTES, "index")
        self._index = index.view("<u8").reshape(*layout.chunks_along, 2)

    def is_stored(self, place: tuple[int, ...]) -> bool:
        """Whether the chunk holds more than the fill value."""
        return int(self._index[place][0]) != MISSING

    def read(self, place: tuple[int, ...]) -> NDArray[Any]:
        """The chunk at a place in the shard, in chunks; read-only."""
        offset, size = map(int, self._index[place])
        if offset == MISSING:
            return np.broadcast_to(np.asarray(self._layout.fill, self._dtype), self._layout.chunk)
        data = self._read_checked(offset, size, f"chunk {place}")
        try:
            pixels = np.frombuffer(self._codec.decode(data), self._dtype)
            return pixels.reshape(self._layout.chunk)
        except (ValueError, self._codec.error) as error:
            raise self._damage(f"chunk {place}") from error

    def _read_checked(self, start, size, what):
        """Bytes of the file without the checksum at their end, which must be right."""
        data = np.frombuffer(os.pread(self._file.fileno(), size, start), np.uint8)
        data, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
        if checksum.tobytes() != _checksum(data):
            raise self._damage(what)
        return data

    def _damage(self, what):
        return ValueError(
            f"{self._path} is damaged ({what}): delete it, and the next run makes it again"
        )


def _checksum(data):
    """The CRC-32C of bytes, as it is stored."""
    return struct.pack("<I", google_crc32c.value(data))
