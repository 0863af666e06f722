"""Metadata of images and arrays, by hand from the specification of OME-Zarr 0.5."""

import copy

import pytest

from tilewise.store import ngff
from tilewise.store.layout import Layout, layout_from

PIXEL_SIZE = 3.0, 0.5, 0.25


def multiscale_of(group):
    (multiscale,) = group["attributes"]["ome"]["multiscales"]
    return multiscale


def test_axes_of_an_image_in_colour():
    group = ngff.color_group("a", 1, ngff.BYTE, PIXEL_SIZE)
    space = {"type": "space", "unit": "micrometer"}
    assert multiscale_of(group)["axes"] == [
        {"name": "c", "type": "channel"},
        *({"name": name} | space for name in "zyx"),
    ]
    colors = [one["color"] for one in group["attributes"]["ome"]["omero"]["channels"]]
    assert colors == ["FF0000", "00FF00", "0000FF"]


def test_a_reduced_level_is_shifted_by_half_of_a_pixel():
    levels = multiscale_of(ngff.image_group("a", "grey", 2, ngff.BYTE, PIXEL_SIZE))["datasets"]
    assert [(level["path"], *level["coordinateTransformations"]) for level in levels] == [
        ("0", scale([3, 0.5, 0.25]), shift([0, 0, 0])),
        # the middle of two pixels is half a pixel from that of the first, of four one and a half
        ("1", scale([3, 1, 0.5]), shift([0, 0.25, 0.125])),
        ("2", scale([3, 2, 1]), shift([0, 0.75, 0.375])),
    ]


def scale(steps):
    return {"type": "scale", "scale": steps}


def shift(lengths):
    return {"type": "translation", "translation": lengths}


def test_pixels_without_a_size_have_the_scale_1_and_no_unit():
    multiscale = multiscale_of(ngff.image_group("a", "grey", 0, ngff.BYTE))
    assert multiscale["axes"] == [{"name": name, "type": "space"} for name in "zyx"]
    assert multiscale["datasets"][0]["coordinateTransformations"][0] == scale([1, 1, 1])
    assert "tilewise" not in ngff.image_group("a", "grey", 0, ngff.BYTE)["attributes"]


@pytest.mark.parametrize("codec", ["zstd", "lz4", "none"])
def test_a_layout_is_read_back(codec):
    layout = Layout((2, 32, 48), (1, 16, 16), "uint16", 7, codec)
    metadata = layout.metadata((5, 40, 40))
    assert layout_from(metadata) == layout
    changed = copy.deepcopy(metadata)
    changed["codecs"][0]["configuration"]["codecs"][0]["configuration"]["endian"] = "big"
    for other in (changed, metadata | {"codecs": []}, {}):
        with pytest.raises(ValueError, match="it describes no array of tilewise"):
            layout_from(other)
