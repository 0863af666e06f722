"""What a shard holds, and the metadata that says so; nothing heavy is imported for it.

Every chunk is followed by its CRC-32C, compressed or not (Zarr v3 codec `crc32c` 1.0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tilewise.store.grid import Grid

CODECS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "zstd": [{"name": "zstd", "configuration": {"level": 1, "checksum": False}}],
    "lz4": [{"name": "numcodecs.lz4", "configuration": {"acceleration": 1}}],
}
"""Metadata of the compressor, by the name that the configuration uses."""


@dataclass(frozen=True)
class Layout:
    """What one shard holds."""

    shard: tuple[int, ...]
    """Its shape, in pixels."""
    chunk: tuple[int, ...]
    """The shape of its chunks, in pixels."""
    dtype: str
    """Name of a numpy dtype."""
    fill: float = 0
    """Value of a chunk that is not stored."""
    codec: str = "zstd"
    """A name of `CODECS`."""

    @property
    def chunks_along(self) -> tuple[int, ...]:
        """Number of chunks along each axis."""
        return tuple(size // step for size, step in zip(self.shard, self.chunk, strict=True))

    def metadata(self, shape: Sequence[int]) -> dict[str, Any]:
        """The `zarr.json` of an array of this shape, in pixels."""
        endian = {"name": "bytes", "configuration": {"endian": "little"}}
        checksum = {"name": "crc32c"}
        sharding = {
            "chunk_shape": list(self.chunk),
            "codecs": [endian, *CODECS[self.codec], checksum],
            "index_codecs": [endian, checksum],
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


def layout_from(metadata: Mapping[str, Any]) -> Layout:
    """The layout of an array that has been written, from its `zarr.json`.

    ValueError if that is none of `Layout.metadata`.
    """
    try:
        (sharding,) = metadata["codecs"]
        settings = sharding["configuration"]
        _, *compressor, _ = settings["codecs"]
        (codec,) = (name for name, codecs in CODECS.items() if codecs == compressor)
        shard = metadata["chunk_grid"]["configuration"]["chunk_shape"]
        chunk, fill = settings["chunk_shape"], metadata["fill_value"]
        layout = Layout(tuple(shard), tuple(chunk), metadata["data_type"], fill, codec)
        is_same = layout.metadata(metadata["shape"])["codecs"] == metadata["codecs"]
    except (KeyError, TypeError, ValueError):
        is_same = False
    if not is_same:
        raise ValueError("it describes no array of tilewise")
    return layout


def layout_of(
    grid: Grid, dtype: str, fill: float = 0, codec: str = "zstd", channels: int = 1
) -> Layout:
    """The shard of one block: chunks of the grid's, per channel if there are several."""
    shard: tuple[int, ...] = grid.block
    chunk: tuple[int, ...] = (1, *grid.chunk)
    if channels > 1:
        shard, chunk = (channels, *shard), (1, *chunk)
    return Layout(shard, chunk, dtype, fill, codec)
