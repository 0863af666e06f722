import json
import struct
from concurrent.futures import ThreadPoolExecutor

import google_crc32c
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from tilewise.store.layout import Layout
from tilewise.store.shards import ShardReader, ShardWriter

SHAPE = (3, 20, 30)
SHARD = (2, 16, 32)
CHUNK = (1, 8, 8)
CODECS = ["none", "zstd", "lz4"]
BATCHED, ZARRS = "zarr.core.codec_pipeline.BatchedCodecPipeline", "zarrs.ZarrsCodecPipeline"

pytestmark = pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in")


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
@pytest.mark.parametrize("codec", CODECS)
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
    with zarr.config.set({"codec_pipeline.path": ZARRS}):
        np.testing.assert_array_equal(zarr.open_array(tmp_path, mode="r")[:], pixels)


@pytest.mark.parametrize(
    ("pipeline", "codec"),
    [*((BATCHED, codec) for codec in CODECS), *((ZARRS, codec) for codec in ("none", "zstd"))],
)
def test_reads_what_zarr_writes(tmp_path, pipeline, codec):
    pixels = pixels_of("uint16")
    layout = Layout(SHARD, CHUNK, "uint16", codec=codec)
    (tmp_path / "zarr.json").write_text(json.dumps(layout.metadata(SHAPE)))
    with zarr.config.set({"codec_pipeline.path": pipeline}):
        zarr.open_array(tmp_path, mode="r+")[:] = pixels
    reader = ShardReader(tmp_path / "c/0/0/0", layout)
    np.testing.assert_array_equal(reader.read((0, 1, 3))[0, :, :6], pixels[0, 8:16, 24:30])
    assert not reader.is_stored((1, 0, 1))
    assert (reader.read((1, 0, 1)) == 0).all()


@pytest.mark.parametrize("codec", CODECS)
def test_each_chunk_ends_with_its_checksum(tmp_path, codec):
    layout = Layout(SHARD, CHUNK, "uint8", codec=codec)
    path = write_shard(tmp_path / "shard", layout)
    data = path.read_bytes()
    index = struct.unpack("<32Q", data[-260:-4])
    stored = [place for place in zip(index[::2], index[1::2], strict=True) if place[0] < 2**64 - 1]
    assert len(stored) == 3
    for offset, size in stored:
        chunk, checksum = data[offset : offset + size - 4], data[offset + size - 4 : offset + size]
        assert struct.unpack("<I", checksum)[0] == google_crc32c.value(chunk)
    # nothing but chunks, the index and its checksum
    assert sum(size for _, size in stored) + 260 == len(data)


@pytest.mark.parametrize("codec", CODECS)
def test_zarr_refuses_a_flipped_bit(tmp_path, codec):
    write_array(tmp_path, pixels_of("uint8"), Layout(SHARD, CHUNK, "uint8", codec=codec))
    path = tmp_path / "c/0/0/0"
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="checksum do not match"):
        zarr.open_array(tmp_path, mode="r")[:]


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


def write_shard(path, layout):
    """A shard of three chunks: of noise, of one value, and of few values."""
    random = np.random.default_rng(2)
    with ShardWriter(path, layout) as writer:
        writer.write((0, 0, 0), random.integers(1, 255, CHUNK, np.uint8))
        writer.write((0, 1, 2), np.full(CHUNK, 7, np.uint8))
        writer.write((1, 0, 3), random.integers(1, 3, CHUNK, np.uint8))
    return path


def read_shard(path, layout):
    reader = ShardReader(path, layout)
    return [reader.read(place) for place in np.ndindex(layout.chunks_along)]


def assert_refused(path, layout):
    message = f"^{path} is damaged .*: delete it, and the next run makes it again$"
    with pytest.raises(ValueError, match=message):
        read_shard(path, layout)


@pytest.mark.parametrize("codec", CODECS)
def test_a_flipped_bit_of_any_byte_is_noticed(tmp_path, codec):
    layout = Layout(SHARD, CHUNK, "uint8", codec=codec)
    path = write_shard(tmp_path / "shard", layout)
    data = path.read_bytes()
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        assert_refused(path, layout)


@pytest.mark.parametrize("codec", CODECS)
def test_a_shard_of_another_length_is_noticed(tmp_path, codec):
    layout = Layout(SHARD, CHUNK, "uint8", codec=codec)
    path = write_shard(tmp_path / "shard", layout)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert_refused(path, layout)
    path.write_bytes(data + b"\0")
    assert_refused(path, layout)


@pytest.mark.parametrize("codec", CODECS)
def test_no_damage_gives_other_pixels(tmp_path_factory, codec):
    layout = Layout(SHARD, CHUNK, "uint8", codec=codec)
    path = write_shard(tmp_path_factory.mktemp("damage") / "shard", layout)
    data, expected = path.read_bytes(), read_shard(path, layout)
    positions = st.integers(0, len(data))

    @settings(deadline=None, database=None, max_examples=100)
    @given(ends=st.tuples(positions, positions), content=st.binary(max_size=400) | st.just(None))
    def damage(ends, content):
        start, end = sorted(ends)
        # as after a crash: a hole of zeros
        content = bytes(end - start) if content is None else content
        path.write_bytes(data[:start] + content + data[end:])
        try:
            found = read_shard(path, layout)
        except ValueError:
            assert_refused(path, layout)
        else:
            np.testing.assert_array_equal(found, expected)

    damage()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("encoded", [b"", b"no such data", bytes(64), bytes(65)])
def test_a_chunk_of_another_layout_is_refused(tmp_path, codec, encoded):
    # checksums are right, but what they are of is no chunk of 16-bit pixels
    layout = Layout(SHARD, CHUNK, "uint16", codec=codec)
    path = tmp_path / "shard"
    chunk = encoded + struct.pack("<I", google_crc32c.value(encoded))
    index = struct.pack("<32Q", 0, len(chunk), *[2**64 - 1] * 30)
    path.write_bytes(chunk + index + struct.pack("<I", google_crc32c.value(index)))
    assert_refused(path, layout)


def test_a_shard_without_checksums_is_refused(tmp_path):
    layout = Layout(SHARD, CHUNK, "uint8")
    metadata = layout.metadata(SHARD)
    metadata["codecs"][0]["configuration"]["codecs"].pop()
    (tmp_path / "zarr.json").write_text(json.dumps(metadata))
    array = zarr.open_array(tmp_path, mode="r+")
    array[:] = 7
    assert_refused(tmp_path / "c/0/0/0", layout)


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
