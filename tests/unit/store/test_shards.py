import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zarr

from tilewise.store.layout import Layout
from tilewise.store.shards import ShardReader, ShardWriter

SHAPE = (3, 20, 30)
SHARD = (2, 16, 32)
CHUNK = (1, 8, 8)


def pixels_of(dtype):
    pixels = np.random.default_rng(1).integers(1, 200, SHAPE).astype(dtype)
    pixels[1, :8, 8:16] = 0
    return pixels


def write_array(folder, pixels, layout):
    """Write every shard of an array, the chunks in reverse order."""
    (folder / "zarr.json").write_text(json.dumps(layout.metadata(pixels.shape)))
    for z in range(0, SHAPE[0], SHARD[0]):
        for y in range(0, SHAPE[1], SHARD[1]):
            path = folder / "c" / str(z // SHARD[0]) / str(y // SHARD[1]) / "0"
            path.parent.mkdir(parents=True)
            with ShardWriter(path, layout) as writer:
                for place in reversed(list(np.ndindex(layout.chunks_along))):
                    low = [o + p * c for o, p, c in zip((z, y, 0), place, CHUNK, strict=True)]
                    chunk = pixels[tuple(slice(a, a + c) for a, c in zip(low, CHUNK, strict=True))]
                    if chunk.size:
                        writer.write(place, chunk)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_zarr_reads_what_is_written(tmp_path, dtype, codec):
    pixels = pixels_of(dtype)
    write_array(tmp_path, pixels, Layout(SHARD, CHUNK, dtype, codec=codec))
    array = zarr.open_array(tmp_path, mode="r")
    assert array.shards == SHARD
    assert array.chunks == CHUNK
    np.testing.assert_array_equal(array[:], pixels)


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_zarrs_reads_what_is_written(tmp_path, codec):
    pixels = pixels_of("uint16")
    write_array(tmp_path, pixels, Layout(SHARD, CHUNK, "uint16", codec=codec))
    with zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
        np.testing.assert_array_equal(zarr.open_array(tmp_path, mode="r")[:], pixels)


@pytest.mark.parametrize(
    "pipeline", ["zarr.core.codec_pipeline.BatchedCodecPipeline", "zarrs.ZarrsCodecPipeline"]
)
def test_reads_what_zarr_writes(tmp_path, pipeline):
    pixels = pixels_of("uint16")
    layout = Layout(SHARD, CHUNK, "uint16")
    (tmp_path / "zarr.json").write_text(json.dumps(layout.metadata(SHAPE)))
    with zarr.config.set({"codec_pipeline.path": pipeline}):
        zarr.open_array(tmp_path, mode="r+")[:] = pixels
    reader = ShardReader(tmp_path / "c/0/0/0", layout)
    np.testing.assert_array_equal(reader.read((0, 1, 3))[0, :, :6], pixels[0, 8:16, 24:30])
    assert not reader.is_stored((1, 0, 1))
    assert (reader.read((1, 0, 1)) == 0).all()


def test_lz4_round_trip(tmp_path):
    layout = Layout(SHARD, CHUNK, "uint8", codec="lz4")
    chunk = pixels_of("uint8")[:1, :8, :8]
    with ShardWriter(tmp_path / "shard", layout) as writer:
        writer.write((1, 1, 2), chunk)
    np.testing.assert_array_equal(ShardReader(tmp_path / "shard", layout).read((1, 1, 2)), chunk)


def test_missing_chunks_hold_the_fill_value(tmp_path):
    layout = Layout(SHARD, CHUNK, "uint8", fill=255)
    with ShardWriter(tmp_path / "shard", layout) as writer:
        writer.write((0, 0, 0), np.full(CHUNK, 255, np.uint8))
        writer.write((0, 0, 1), np.zeros((1, 3, 2), np.uint8))
    reader = ShardReader(tmp_path / "shard", layout)
    assert not reader.is_stored((0, 0, 0))
    assert (reader.read((1, 1, 1)) == 255).all()
    assert reader.read((0, 0, 1))[0, :3, :2].max() == 0
    assert reader.read((0, 0, 1))[0, 3:].min() == 255


def test_a_chunk_is_written_once(tmp_path):
    layout = Layout(SHARD, CHUNK, "uint8")
    with ShardWriter(tmp_path / "shard", layout) as writer:
        writer.write((0, 0, 0), np.ones(CHUNK, np.uint8))
        with pytest.raises(ValueError, match="twice"):
            writer.write((0, 0, 0), np.ones(CHUNK, np.uint8))


def test_damage_is_named(tmp_path):
    layout = Layout(SHARD, CHUNK, "uint8")
    path = tmp_path / "shard"
    with ShardWriter(path, layout) as writer:
        writer.write((0, 0, 0), np.ones(CHUNK, np.uint8))
    data = bytearray(path.read_bytes())
    data[-6] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"shard.*index is damaged"):
        ShardReader(path, layout)
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="too short"):
        ShardReader(path, layout)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_bytes_do_not_depend_on_the_threads_that_write(tmp_path, channels):
    layout = Layout((*channels, 4, 64, 64), (*(1 for _ in channels), 1, 16, 16), "uint8")
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, layout.shard, np.uint8)
    # by plane, tile row and column, the channels of each together
    places = [(*c, *place) for place in np.ndindex(4, 4, 4) for c in np.ndindex(channels)]
    del places[5]

    def write(path, order, threads):
        with ShardWriter(path, layout, threads) as writer, ThreadPoolExecutor(threads) as pool:

            def store(place):
                corner = zip(place, layout.chunk, strict=True)
                writer.write(place, pixels[tuple(slice(i * n, i * n + n) for i, n in corner)])

            list(pool.map(store, order))
        return path.read_bytes()

    expected = write(tmp_path / "one", places, 1)
    shuffled = [places[i] for i in random.permutation(len(places))]
    assert write(tmp_path / "several", shuffled, 4) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "several"]
