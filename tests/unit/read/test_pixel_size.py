import json
import struct
import zlib

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from tilewise.read.files import read_header
from tilewise.read.pixel_size import parse_pixel_size
from tilewise.read.stack import open_stack
from tilewise.store import ngff
from tilewise.view.overlay import draw_scale_bar, scale_bar
from tilewise.view.png import write_png

PLANE = np.arange(77, dtype=np.uint8).reshape(7, 11)
STACK = np.stack([PLANE, PLANE + 1])


# what people write


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.6", (None, 0.6, 0.6)),
        (" 0.6 0.7 ", (None, 0.6, 0.7)),
        ("1.0 0.6 0.7", (1.0, 0.6, 0.7)),
        ("1.0,0.6, 0.7", (1.0, 0.6, 0.7)),
        ("2, 1", (None, 2.0, 1.0)),
        (2, (None, 2.0, 2.0)),
        ([0.6], (None, 0.6, 0.6)),
        ([1, 0.6, 0.7], (1.0, 0.6, 0.7)),
    ],
)
def test_parse(value, expected):
    assert parse_pixel_size(value) == expected


@pytest.mark.parametrize(
    "value",
    ["", "0", "-1", "nan", "inf", "0.6 um", "1 2 3 4", "0,6", "1,5", "1,5 0,6", [], [0, 1], None],
)
def test_parse_refuses(value):
    with pytest.raises(ValueError, match=r"pixel_size .* is no size: give micrometres"):
        parse_pixel_size(value)


# TIFF


def size_of(path):
    return read_header(path).pixel_size


@pytest.mark.parametrize(
    ("unit", "factor"),
    [(None, 1), ("µm", 1), ("nm", 1e-3), ("mm", 1e3), ("cm", 1e4), ("m", 1e6), ("Å", 1e-4)],
)
def test_ome_tiff(tmp_path, unit, factor):
    sizes = {"PhysicalSizeX": 0.7, "PhysicalSizeY": 0.6, "PhysicalSizeZ": 2.5}
    units = {} if unit is None else {f"{name}Unit": unit for name in sizes}
    metadata = {"axes": "ZYX", **sizes, **units}
    tifffile.imwrite(tmp_path / "a.tif", STACK, ome=True, metadata=metadata)
    np.testing.assert_allclose(size_of(tmp_path / "a.tif"), np.array([2.5, 0.6, 0.7]) * factor)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"PhysicalSizeX": 0.7, "PhysicalSizeY": 0.6}, (None, 0.6, 0.7)),
        ({"PhysicalSizeX": 0.7, "PhysicalSizeZ": 2}, None),
        ({"PhysicalSizeX": 0.7, "PhysicalSizeY": 0.6, "PhysicalSizeXUnit": "pixel"}, None),
        ({}, None),
    ],
)
def test_ome_tiff_that_says_less(tmp_path, metadata, expected):
    tifffile.imwrite(tmp_path / "a.tif", STACK, ome=True, metadata={"axes": "ZYX"} | metadata)
    assert size_of(tmp_path / "a.tif") == expected


def test_planes_in_time_have_no_distance(tmp_path):
    sizes = {"PhysicalSizeX": 0.7, "PhysicalSizeY": 0.6, "PhysicalSizeZ": 2.5}
    times = np.stack([STACK, STACK, STACK])
    for name, axes in (("time", "TYX"), ("both", "TZYX")):
        path = tmp_path / f"{name}.tif"
        pixels = STACK if axes == "TYX" else times
        tifffile.imwrite(path, pixels, ome=True, metadata={"axes": axes, **sizes})
        assert size_of(path) == (None, 0.6, 0.7)


def test_one_plane_keeps_its_distance_to_the_next_file(tmp_path):
    sizes = {"PhysicalSizeX": 0.7, "PhysicalSizeY": 0.6, "PhysicalSizeZ": 2.5}
    tifffile.imwrite(tmp_path / "a.tif", PLANE, ome=True, metadata={"axes": "YX", **sizes})
    assert size_of(tmp_path / "a.tif") == (2.5, 0.6, 0.7)


@pytest.mark.parametrize("unit", ["um", "micron", "microns", "\\u00B5m"])
def test_imagej(tmp_path, unit):
    metadata = {"axes": "ZYX", "unit": unit, "spacing": 2.5}
    options = {"imagej": True, "resolution": (1 / 0.7, 1 / 0.6), "metadata": metadata}
    tifffile.imwrite(tmp_path / "a.tif", STACK, **options)
    assert size_of(tmp_path / "a.tif") == (2.5, 0.6, 0.7)


def test_imagej_in_other_units(tmp_path):
    def write(unit, resolution, **more):
        metadata = {"axes": "ZYX", "unit": unit, **more}
        options = {"imagej": True, "resolution": resolution, "metadata": metadata}
        tifffile.imwrite(tmp_path / "a.tif", STACK, **options)
        return size_of(tmp_path / "a.tif")

    # 0.005 pixels per nanometre along y
    assert write("nm", (0.004, 0.005)) == (None, 0.2, 0.25)
    # a pixel of 50 micrometres, said on purpose
    assert write("mm", (20, 20), spacing=0.1) == (100, 50, 50)
    assert write("cm", (5000, 5000)) == (None, 2, 2)
    # what ImageJ makes of other programs' 300 and 72 dpi
    assert write("cm", (118.11, 118.11)) is None
    assert write("inch", (72, 72)) is None
    assert write("pixel", (1, 1)) is None


@pytest.mark.parametrize(
    ("unit", "resolution", "expected"),
    [
        ("CENTIMETER", (1e4 / 0.7, 1e4 / 0.6), (None, 0.6, 0.7)),
        ("MICROMETER", (1 / 0.7, 1 / 0.6), (None, 0.6, 0.7)),
        # 72 and 600 dpi, and what libvips writes when it knows nothing
        ("CENTIMETER", (28.35, 28.35), None),
        ("CENTIMETER", (236.22, 236.22), None),
        ("CENTIMETER", (10, 10), None),
        ("INCH", (72, 72), None),
        ("INCH", (50000, 50000), None),
        ("NONE", (2, 2), None),
    ],
)
def test_plain_tiff(tmp_path, unit, resolution, expected):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PLANE, metadata=None, resolution=resolution, resolutionunit=unit)
    assert size_of(path) == expected


def test_damaged_resolution_is_no_resolution(tmp_path):
    path = tmp_path / "a.tif"
    options = {"resolution": (5000, 5000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(path, PLANE, metadata=None, **options)
    assert size_of(path) == (None, 2, 2)
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].tags["XResolution"].valueoffset
    data = bytearray(path.read_bytes())
    data[place : place + 8] = bytes(8)
    path.write_bytes(data)
    assert size_of(path) is None


# PNG


def with_resolution(path, along_x, along_y, unit=1):
    """A PNG with a chunk pHYs, put there as the specification says."""
    Image.fromarray(PLANE).save(path)
    data = path.read_bytes()
    content = b"pHYs" + struct.pack(">IIB", along_x, along_y, unit)
    chunk = struct.pack(">I", 9) + content + struct.pack(">I", zlib.crc32(content))
    path.write_bytes(data[:33] + chunk + data[33:])


def test_png(tmp_path):
    path = tmp_path / "a.png"
    with_resolution(path, 2_000_000, 1_000_000)
    assert size_of(path) == (None, 1.0, 0.5)
    with_resolution(path, 2_000_000, 1_000_000, unit=0)
    assert size_of(path) is None
    with_resolution(path, 0, 0)
    assert size_of(path) is None


@pytest.mark.parametrize(
    ("pixels_per_meter", "expected"),
    [
        # 10**6 micrometres over the pixels, to 6 digits
        (24_999, None),
        (25_000, None),
        (25_001, 39.9984),
        (393_701, 2.54),
        (1_428_571, 0.7),
        (3_333_333, 0.3),
        (123_456_789, 0.0081),
        (999_999_937, 0.001),
        (2**32 - 1, 0.000232831),
    ],
)
def test_png_of_many_sizes(tmp_path, pixels_per_meter, expected):
    with_resolution(tmp_path / "a.png", pixels_per_meter, 2**31)
    # 10**6 over 2**31 is 0.00046566128...
    assert size_of(tmp_path / "a.png") == (expected and (None, 0.000465661, expected))


@pytest.mark.parametrize("dpi", [72, 96, 150, 300, 600])
def test_png_of_a_printer(tmp_path, dpi):
    Image.fromarray(PLANE).save(tmp_path / "a.png", dpi=(dpi, dpi))
    assert Image.open(tmp_path / "a.png").info["dpi"][0] == pytest.approx(dpi, abs=0.1)
    assert size_of(tmp_path / "a.png") is None


def test_written_png(tmp_path):
    picture = np.dstack([PLANE] * 3)
    write_png(tmp_path / "a.png", picture, (None, 0.6, 0.7))
    write_png(tmp_path / "b.png", picture)
    assert size_of(tmp_path / "a.png") == (None, 0.6, 0.7)
    assert size_of(tmp_path / "b.png") is None
    with Image.open(tmp_path / "a.png") as image:
        # pixels per metre along x and y, as dots per inch
        np.testing.assert_allclose(image.info["dpi"], (25400 / 0.7, 25400 / 0.6), rtol=1e-6)
        np.testing.assert_array_equal(np.asarray(image), picture)


@pytest.mark.parametrize("size", [1e-4, 3e6])
def test_png_without_the_size_that_it_cannot_express(tmp_path, size):
    write_png(tmp_path / "a.png", PLANE, (None, size, size))
    write_png(tmp_path / "b.png", PLANE)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


# OME-Zarr


def write_ome_zarr(path, axes, *scales):
    """An image of version 0.5, with a scale of its first resolution and one of all."""
    group = zarr.open_group(path, mode="w", zarr_format=3)
    group.create_array("0", data=STACK)
    first, *others = [[{"type": "scale", "scale": scale}] for scale in scales] or [None]
    dataset = {"path": "0"} | ({"coordinateTransformations": first} if first else {})
    multiscale = {"axes": axes, "datasets": [dataset]}
    if others:
        multiscale["coordinateTransformations"] = others[0]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}


def axes_in(*units):
    axes = [{"name": axis, "type": "space"} for axis in "zyx"]
    return [axis | ({"unit": unit} if unit else {}) for axis, unit in zip(axes, units, strict=True)]


@pytest.mark.parametrize(
    ("units", "scales", "expected"),
    [
        (("micrometer",) * 3, [[2.5, 0.6, 0.7]], (2.5, 0.6, 0.7)),
        (("nanometer", "millimeter", "angstrom"), [[250, 0.002, 5000]], (0.25, 2, 0.5)),
        ((None, "micrometer", "micrometer"), [[1, 0.6, 0.7]], (None, 0.6, 0.7)),
        (("micrometer",) * 3, [[1, 2, 3], [2.5, 0.5, 0.25]], (2.5, 1, 0.75)),
        ((None,) * 3, [[1, 0.6, 0.7]], None),
        (("micrometer", None, "micrometer"), [[1, 0.6, 0.7]], None),
        (("micrometer",) * 3, [], None),
        (("parsec",) * 3, [[1, 1, 1]], None),
    ],
)
def test_ome_zarr(tmp_path, units, scales, expected):
    write_ome_zarr(tmp_path / "a.zarr", axes_in(*units), *scales)
    assert size_of(tmp_path / "a.zarr") == expected


def test_ome_zarr_with_axes_that_are_names(tmp_path):
    write_ome_zarr(tmp_path / "a.zarr", ["z", "y", "x"], [1, 0.6, 0.7])
    assert size_of(tmp_path / "a.zarr") is None


# stacks


def test_the_first_plane_counts(tmp_path):
    write_png(tmp_path / "a.png", PLANE, (None, 0.6, 0.7))
    write_png(tmp_path / "b.png", PLANE, (None, 1, 1))
    with open_stack([tmp_path / "a.png", tmp_path / "b.png"]) as stack:
        assert stack.header.planes == 2
        assert stack.header.pixel_size == (None, 0.6, 0.7)


# NGFF


def group_of(kind, pixel_size):
    if kind == "image":
        return ngff.image_group("a", "intensity", 2, ngff.BYTE, pixel_size)
    if kind == "color":
        return ngff.color_group("a", 2, ngff.BYTE, pixel_size)
    return ngff.label_group("a", 2, {1: (1, 2, 3, 255)}, pixel_size)


@pytest.mark.parametrize("kind", ["image", "color", "label"])
@pytest.mark.parametrize("z", [1.5, None])
def test_described_image(kind, z):
    ome = group_of(kind, (z, 0.5, 0.25))["attributes"]["ome"]
    (multiscale,) = ome["multiscales"]
    space = [axis for axis in multiscale["axes"] if axis["type"] == "space"]
    expected = [None if z is None else "micrometer", "micrometer", "micrometer"]
    assert [axis.get("unit") for axis in space] == expected
    assert all("unit" not in axis for axis in multiscale["axes"] if axis["name"] == "c")
    channel = [1] if kind == "color" else []
    found = [
        [part[part["type"]] for part in level["coordinateTransformations"]]
        for level in multiscale["datasets"]
    ]
    depth = z or 1
    # a pixel of level 2 is 4 wide, and its centre 1.5 from that of the first pixel
    assert [scale[len(channel) :] for scale, _ in found] == [
        [depth, 0.5, 0.25],
        [depth, 1, 0.5],
        [depth, 2, 1],
    ]
    assert [shift[len(channel) :] for _, shift in found] == [
        [0, 0, 0],
        [0, 0.25, 0.125],
        [0, 0.75, 0.375],
    ]
    if channel:
        assert all(scale[0] == 1 and shift[0] == 0 for scale, shift in found)


@pytest.mark.parametrize("kind", ["image", "color", "label"])
def test_described_image_of_unknown_size(kind):
    (multiscale,) = group_of(kind, None)["attributes"]["ome"]["multiscales"]
    assert "unit" not in json.dumps(multiscale)
    scale, shift = multiscale["datasets"][2]["coordinateTransformations"]
    assert (scale["scale"][-3:], shift["translation"][-3:]) == ([1, 4, 4], [0, 1.5, 1.5])


@pytest.mark.parametrize("pixel_size", [None, (1.5, 0.5, 0.25), (None, 0.5, 0.25)])
def test_described_image_is_valid_and_read_again(tmp_path, pixel_size):
    from ome_zarr_models.v05.image import Image as NgffImage
    from ome_zarr_models.v05.image_label import ImageLabel

    for kind, model in (("image", NgffImage), ("color", NgffImage), ("label", ImageLabel)):
        shape = (3, *STACK.shape) if kind == "color" else STACK.shape
        names = ["c", "z", "y", "x"][-len(shape) :]
        group = zarr.open_group(tmp_path / kind, mode="w", zarr_format=3)
        for level in "012":
            group.create_array(level, shape=shape, dtype="uint8", dimension_names=names)
        ngff.write(tmp_path / kind / "zarr.json", group_of(kind, pixel_size))
        model.from_zarr(zarr.open_group(tmp_path / kind, mode="r"))
        assert size_of(tmp_path / kind) == pixel_size


# scale bars


@pytest.mark.parametrize(
    ("width", "pixel_size", "pixels", "label"),
    [
        # a fifth is 51.2
        (512, 0.5, 100, "50 um"),
        # 71.68, a factor of 1.40 from 100 and of 1.43 from 50
        (512, 0.7, 100 / 0.7, "100 um"),
        # 61.44
        (512, 0.6, 50 / 0.6, "50 um"),
        (512, 10, 100, "1 mm"),
        (512, 0.004, 125, "500 nm"),
        (100, 0.00005, 20, "1 nm"),
        # 1, and 800
        (10, 0.5, 2, "1 um"),
        (100, 40, 25, "1 mm"),
    ],
)
def test_length_of_a_scale_bar(width, pixel_size, pixels, label):
    found, text = scale_bar(width, pixel_size)
    assert (found, text) == (pytest.approx(pixels), label)


def test_scale_bars_are_about_a_fifth():
    for size in np.geomspace(1e-3, 1e3, 200):
        pixels, _ = scale_bar(512, size)
        assert 0.63 < pixels / (512 / 5) < 1.59


def test_drawn_scale_bar():
    picture = np.full((512, 512, 3), 90, np.uint8)
    drawn = draw_scale_bar(picture, 0.5)
    assert (picture == 90).all()
    # 50 micrometres are 100 pixels: the longest run of white in the lowest white row
    white = (drawn == 255).all(axis=2)
    lowest = np.flatnonzero(white.any(axis=1))[-1]
    places = np.flatnonzero(white[lowest])
    assert places.size == np.ptp(places) + 1 == 100
    # the rim is one pixel, and nothing but the corner has changed
    assert (drawn[lowest, [places[0] - 1, places[-1] + 1]] == 0).all()
    assert (drawn[lowest + 1, places] == 0).all()
    changed = np.argwhere((drawn != 90).any(axis=2))
    assert changed.min(axis=0)[0] > 450
    assert changed.min(axis=0)[1] > 380


def test_picture_too_small_for_a_scale_bar():
    for shape in ((8, 200, 3), (200, 20, 3), (1, 1, 3)):
        picture = np.full(shape, 90, np.uint8)
        np.testing.assert_array_equal(draw_scale_bar(picture, 0.5), picture)


def test_figure_with_scale_bars(tmp_path):
    from tilewise.view import figures

    grey = np.full((64, 64), 90, np.uint8)
    pictures = {"z0000_y00_x00": dict.fromkeys(figures.STEPS, grey) | {"mask": grey * 0}}
    pictures["z0000_y00_x00"]["truth"] = grey * 0
    sizes = {"z0000_y00_x00": 0.8}
    figure = figures.side_by_side(pictures, "a", sizes)
    image, *others = figure.axes
    # a fifth of 64 pixels is 10.24 micrometres
    assert [text.get_text() for text in image.texts] == ["10 \u00b5m"]
    (bar,) = image.patches
    assert bar.get_width() == pytest.approx(10 / 0.8)
    assert image.get_xlim() == (-0.5, 63.5)
    assert not any(axis.patches or axis.texts for axis in others)
    unknown = figures.side_by_side(pictures, "a", dict.fromkeys(sizes))
    assert not any(axis.patches for axis in unknown.axes)
    for name in ("a.svg", "b.svg"):
        figures.save(figures.side_by_side(pictures, "a", sizes), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
