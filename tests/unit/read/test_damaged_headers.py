"""Headers that promise what a file does not have, each as it was found."""

import json
import os
import struct
import zlib

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from tilewise.read import omezarr
from tilewise.read import tiff as tiff_module
from tilewise.read.files import read_header
from tilewise.read.header import check_size
from tilewise.read.sources import Planes, record

PLANE = np.arange(24 * 40, dtype=np.uint8).reshape(24, 40)


def tag_of(path, name):
    with tifffile.TiffFile(path) as file:
        return file.pages.first.tags[name]


def put(path, offset, layout, *values):
    data = bytearray(path.read_bytes())
    struct.pack_into(layout, data, offset, *values)
    path.write_bytes(data)


def test_a_tiff_file_lists_all_strips(tmp_path):
    # tifffile gives 0 for pixels of strips that are not listed
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PLANE, compression="zlib", rowsperstrip=5)
    tag = tag_of(path, "ImageLength")
    assert (tag.dtype, tag.count, tag.value) == (4, 1, 24)
    put(path, tag.offset + 8, "<I", 41)
    with pytest.raises(ValueError, match=r"a\.tif cannot be read: it lists 5 .* and needs 9"):
        read_header(path)


def test_values_of_a_tiff_file_lie_in_it(tmp_path):
    # without its description, an OME-TIFF is read as another file, without a pixel size
    path = tmp_path / "a.ome.tif"
    pixels = np.stack([PLANE] * 3)
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 0.5})
    tag = tag_of(path, "ImageDescription")
    assert tag.valueoffset + tag.valuebytecount > 3 * PLANE.size
    path.write_bytes(path.read_bytes()[: tag.valueoffset + tag.valuebytecount - 1])
    with pytest.raises(ValueError, match="tag 270 is damaged, or the image file is truncated"):
        read_header(path)


OME = (
    '{}<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
    '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="{}" SizeY="24" SizeZ="{}" '
    'SizeC="1" SizeT="1"><Channel ID="Channel:0:0" Name="{}"/><TiffData PlaneCount="{}"/></Pixels>'
    "</Image></OME>"
)
BOMB = '<!DOCTYPE OME [<!ENTITY a0 "{}">{}]>'.format(
    "x" * 100, "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 20}">' for i in range(1, 9))
)
DAMAGED = {
    "text": (OME.format("", 40, 3, "<", 3), "are damaged"),
    "number": (OME.format("", 40, "?", "a", 3), "are damaged"),
    "planes": (OME.format("", 40, 10**12, "a", 3), "announce 1,000,000,000,000 planes"),
    "width": (OME.format("", 40 * 10**9, 1, "a", 3), "announce 1,000,000,000 planes"),
    "listed planes": (OME.format("", 40, 3, "a", 10**9), "announce 1,000,000,000 planes"),
    "entities": (OME.format(BOMB, 40, 3, "&a8;", 3), "are damaged"),
    "other file": (
        OME.format('<!DOCTYPE OME [<!ENTITY a SYSTEM "file:///etc/passwd">]>', 40, 3, "&a;", 3),
        "are damaged",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_ome_metadata(tmp_path, case):
    # tifffile takes the pages as they come then, or runs out of memory
    text, reason = DAMAGED[case]
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, np.stack([PLANE] * 3), photometric="minisblack", description=text, metadata=None
    )
    with pytest.raises(ValueError, match=rf"a\.ome\.tif cannot be read: its OME metadata {reason}"):
        read_header(path)


def test_ome_metadata_without_end(tmp_path, monkeypatch):
    path = tmp_path / "a.ome.tif"
    text = OME.format("", 40, 3, "a", 3)
    tifffile.imwrite(
        path, np.stack([PLANE] * 3), photometric="minisblack", description=text, metadata=None
    )
    monkeypatch.setattr(tiff_module, "MOST_METADATA", len(text))
    assert read_header(path).planes == 3
    monkeypatch.setattr(tiff_module, "MOST_METADATA", len(text) - 1)
    with pytest.raises(ValueError, match=r"its OME metadata have \d+ characters, above \d+"):
        read_header(path)


@pytest.mark.parametrize("name", ["ImageWidth", "ImageLength"])
def test_a_tiff_file_has_pixels(tmp_path, name):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PLANE)
    put(path, tag_of(path, name).offset + 8, "<I", 0)
    with pytest.raises(ValueError, match=r"a\.tif cannot be read: it says that it is \d+ x \d+ px"):
        read_header(path)


def bmp(folder):
    path = folder / "a.bmp"
    Image.fromarray(PLANE).save(path)
    put(path, 18, "<ii", 10**6, 10**6)
    return path


def png(folder):
    path = folder / "a.png"
    Image.fromarray(PLANE).save(path)
    put(path, 16, ">II", 10**6, 10**6)
    put(path, 29, ">I", zlib.crc32(path.read_bytes()[12:29]))
    return path


def tiff(folder):
    path = folder / "a.tif"
    tifffile.imwrite(path, PLANE, compression="zlib")
    for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
        tag = tag_of(path, name)
        put(path, tag.offset + 2, "<HII", 4, 1, 10**6)
    return path


@pytest.mark.parametrize("make", [bmp, png, tiff])
def test_a_plane_that_no_memory_holds(tmp_path, make):
    path = make(tmp_path)
    header = read_header(path)
    assert (header.height, header.width) == (10**6, 10**6)
    with pytest.raises(ValueError, match=r"a\.\w+ says that it has 1000000 x 1000000 px, .* GB"):
        check_size(header, path, 16)


def test_bytes_that_are_decoded_at_once(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "plain.tif", PLANE)
    tifffile.imwrite(tmp_path / "small.tif", PLANE.astype(np.uint16), compression="zlib")
    assert read_header(tmp_path / "plain.tif").at_once == 0
    assert read_header(tmp_path / "small.tif").at_once == 24 * 40 * 2
    path = ngff(tmp_path / "a.zarr", 3, chunks=(2, 16, 16))
    # two planes, which are kept, beside as much that is decoded and was read; or 16 rows of both
    assert read_header(path).at_once == 3 * 2 * 24 * 40
    # of a single chunk at a time less is
    monkeypatch.setattr(omezarr, "CHUNKS_AT_ONCE", 1)
    assert read_header(path).at_once == 2 * 24 * 40 + 2 * 2 * 16 * 16
    monkeypatch.setattr(omezarr, "SLAB_BYTES", 24 * 40)
    assert read_header(path).at_once == 2 * 16 * 40
    monkeypatch.setattr(omezarr, "SLAB_BYTES", 0)
    path = ngff(tmp_path / "b.zarr", 3, chunks=(1, 8, 16), shards=(2, 32, 48))
    assert read_header(path).at_once == 8 * 40


def ngff(path, zarr_format, **settings):
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    group.create_array("0", data=np.stack([PLANE] * 3), **settings)
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    multiscales = [{"axes": axes, "datasets": [{"path": "0"}]}]
    ome = {"version": "0.5", "multiscales": multiscales}
    group.attrs.update({"ome": ome} if zarr_format == 3 else {"multiscales": multiscales})
    return path


@pytest.mark.parametrize("shape", [[3.0, 24, 40], [3, 0, 40], [3, -24, 40], ["3", 24, 40]])
def test_the_shape_of_an_array(tmp_path, shape):
    path = ngff(tmp_path / "a.zarr", 3, chunks=(1, 16, 16))
    metadata = json.loads((path / "0/zarr.json").read_text())
    (path / "0/zarr.json").write_text(json.dumps(metadata | {"shape": shape}))
    with pytest.raises(ValueError, match="not whole numbers above 0"):
        read_header(path)


@pytest.mark.parametrize(("written", "said"), [("/", "."), (".", "/")])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_names_of_chunks(tmp_path, zarr_format, written, said):
    # chunks under other names are taken for missing, and all of the image for 0
    kind = "v2" if zarr_format == 2 else "default"
    encoding = {"name": kind, "separator": written}
    path = ngff(tmp_path / "a.zarr", zarr_format, chunks=(1, 16, 16), chunk_key_encoding=encoding)
    read_header(path)
    file = path / "0" / (".zarray" if zarr_format == 2 else "zarr.json")
    metadata = json.loads(file.read_text())
    if zarr_format == 3:
        metadata["chunk_key_encoding"]["configuration"]["separator"] = said
    elif said == ".":
        del metadata["dimension_separator"]
    else:
        metadata["dimension_separator"] = said
    file.write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match=f"have `{written}` between .* say `{said}`"):
        read_header(path)


@pytest.mark.parametrize("place", ["../b.zarr/0", "0/../../b.zarr/0", "absolute"])
def test_pixels_outside_of_the_folder(tmp_path, place):
    ngff(tmp_path / "b.zarr", 3, chunks=(1, 16, 16))
    path = ngff(tmp_path / "a.zarr", 3, chunks=(1, 16, 16))
    place = str(tmp_path / "b.zarr/0") if place == "absolute" else place
    metadata = json.loads((path / "zarr.json").read_text())
    metadata["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = place
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match=r"a\.zarr says that its pixels are in .*, outside"):
        read_header(path)


@pytest.mark.parametrize(
    ("shape", "chunks"), [([9, 2**17, 2**17], [1, 1, 1]), ([9, 2**20, 2**20], [1, 256, 256])]
)
def test_more_chunks_than_can_be_read(tmp_path, shape, chunks):
    path = ngff(tmp_path / "a.zarr", 3, chunks=(1, 16, 16))
    metadata = json.loads((path / "0/zarr.json").read_text())
    metadata["chunk_grid"]["configuration"]["chunk_shape"] = chunks
    (path / "0/zarr.json").write_text(json.dumps(metadata | {"shape": shape}))
    with pytest.raises(ValueError, match=r"a\.zarr has 1[67],.* chunks in a plane, of "):
        read_header(path)


def test_what_is_in_the_place_of_a_chunk(tmp_path):
    # a folder is as good as missing to Zarr, a pipe it waits for, and a device has no end
    path = ngff(tmp_path / "a.zarr", 3, chunks=(1, 16, 16))
    planes, chunk = Planes(str(path), 0, 3), path / "0/c/1/0/2"
    before = record([planes])
    content = chunk.read_bytes()
    chunk.unlink()
    # it may be missing, and may be elsewhere
    assert len(record([planes])) == 1
    (tmp_path / "chunk").write_bytes(content)
    chunk.symlink_to(tmp_path / "chunk")
    assert record([planes])[0].checksum == before[0].checksum
    chunk.unlink()
    others = {
        chunk.mkdir: "is no file",
        lambda: os.mkfifo(chunk): "is no file",
        lambda: chunk.symlink_to("/dev/zero"): "is no file",
        lambda: chunk.symlink_to(tmp_path / "none"): "is a link to nothing",
    }
    for make, reason in others.items():
        make()
        with pytest.raises(ValueError, match=rf"a\.zarr cannot be read: .*c/1/0/2 {reason}"):
            record([planes])
        chunk.rmdir() if chunk.is_dir() else chunk.unlink()


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match=r"pipe\.png is neither a file nor a folder"):
        read_header(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match="does not exist"):
        read_header(tmp_path / ("x" * 300))
