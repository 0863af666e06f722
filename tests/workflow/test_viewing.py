"""The sample's OME-Zarr, read and validated by others."""

import json

import numpy as np
import pytest
import zarr
from PIL import Image
from projects import Project
from samples import blobs, write_planes


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A grey and a colour sample of two planes, three levels, blocks of a tile row."""
    project = Project.create(tmp_path_factory.mktemp("viewing") / "project")
    image, truth = blobs(planes=2, rows=150, columns=170)
    write_planes(project.folder / "image", image)
    write_planes(project.folder / "truth", truth[:1])
    colour = np.stack([image[0], image[0] // 2, 255 - image[0]], -1)
    Image.fromarray(colour).save(project.folder / "colour.png")
    (project.folder / "windows.tsv").write_text("z\ty\tx\tpath\n0\t0\t0\ttruth/plane_1.png\n")
    rows = [
        {"sample": "discs", "image": "image/*.png", "truth": "windows.tsv"},
        {"sample": "stained", "image": "colour.png", "truth": "truth/plane_1.png"},
    ]
    project.configure(rows, pyramid={"levels": 2}, block={"planes": 1, "rows": 1}).succeed()
    return project, image, truth, colour


def test_ome_zarr_reader(sample):
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    project, image, truth, _ = sample
    nodes = list(Reader(parse_url(project.results / "discs/image.zarr", mode="r"))())
    names = [str(node.metadata.get("name")) for node in nodes]
    for name in ("discs", "truth", "otsu", "otsu-confusion"):
        assert any(name in found for found in names)
    levels = nodes[0].data
    assert [level.shape for level in levels] == [(2, 150, 170), (2, 75, 85), (2, 38, 43)]
    np.testing.assert_array_equal(levels[0].compute(), image)
    known = next(node.data for node, name in zip(nodes, names, strict=True) if "truth" in name)
    np.testing.assert_array_equal(known[0].compute(), np.stack([truth[0], truth[0] * 0 + 255]))


def test_napari_reader(sample):
    from napari_ome_zarr._reader import napari_get_reader

    project, image, _, _ = sample
    path = str(project.results / "discs/image.zarr")
    layers = napari_get_reader(path)(path)
    kinds = [kind for _, _, kind in layers]
    assert kinds.count("image") == 1
    names = [settings["name"] for _, settings, kind in layers if kind == "labels"]
    # the plugin names labels by their path
    expected = ["truth", "otsu", "otsu-confusion", "errors"]
    assert [name.rpartition("/")[2] for name in names] == expected
    pixels, settings, _ = layers[0]
    np.testing.assert_array_equal(np.asarray(pixels[0]), image)
    # of 51000 pixels 51 are darker than what is shown black, and 51 brighter than white
    values = np.sort(image.ravel())
    assert settings["contrast_limits"] == [values[50], values[50948]]
    assert settings["name"] == "discs: intensity"


def test_valid_ngff(sample):
    from ome_zarr_models.v05.image import Image as NgffImage
    from ome_zarr_models.v05.image_label import ImageLabel

    project, *_ = sample
    for name in ("discs", "stained"):
        group = NgffImage.from_zarr(
            zarr.open_group(project.results / name / "image.zarr", mode="r")
        )
        assert len(group.attributes.ome.multiscales[0].datasets) == 3
        (channel,) = group.attributes.ome.omero["channels"]
        assert (channel["window"]["min"], channel["window"]["max"]) == (0, 255)
        for label in ("truth", "otsu", "otsu-confusion", "errors"):
            path = project.results / name / "image.zarr/labels" / label
            found = ImageLabel.from_zarr(zarr.open_group(path, mode="r"))
            assert found.attributes.ome.image_label.colors
    colors = NgffImage.from_zarr(zarr.open_group(project.results / "stained/color.zarr", mode="r"))
    channels = colors.attributes.ome.omero["channels"]
    assert [one["color"] for one in channels] == ["FF0000", "00FF00", "0000FF"]


def test_levels(sample):
    project, image, _, colour = sample
    padded = np.pad(image, ((0, 0), (0, 0), (0, 0)), "edge").astype(int)
    means = padded.reshape(2, 75, 2, 85, 2).sum(axis=(2, 4))
    np.testing.assert_array_equal(project.array("discs/image.zarr/1"), (means + 2) // 4)
    mask = project.array("discs/image.zarr/labels/otsu/0")
    np.testing.assert_array_equal(
        project.array("discs/image.zarr/labels/otsu/2"), mask[:, ::4, ::4]
    )
    known = project.array("discs/image.zarr/labels/truth/1")
    assert (known[1] == 255).all()
    assert (known[0] != 255).all()
    reduced = project.array("stained/color.zarr/1")
    assert reduced.shape == (3, 1, 75, 85)
    blue = colour[..., 2].astype(int).reshape(75, 2, 85, 2).sum(axis=(1, 3))
    np.testing.assert_array_equal(reduced[2, 0], (blue + 2) // 4)


def test_a_long_plane_has_an_overview_and_changes_no_other_sample(tmp_path):
    project = Project.create(tmp_path / "project")
    image, _ = blobs(planes=1, rows=150, columns=170)
    write_planes(project.folder / "image", image)
    # 66 columns of tiles in two blocks of 33, which come to 132 px each at the fourth level
    long = np.tile(image[0], (1, 25))[:100, :4200]
    Image.fromarray(long).save(project.folder / "long.png")
    rows = [{"sample": "discs", "image": "image/*.png"}]
    settings = {"pyramid": {"levels": "auto"}, "block": {"columns": 33}}
    project.configure(rows, **settings).succeed()
    rows.append({"sample": "long", "image": "long.png"})
    jobs = project.configure(rows, **settings).succeed().jobs
    assert [jobs[rule] for rule in ("ingest", "threshold", "metadata")] == [2, 2, 1]

    expected, mask = long, project.array("long/image.zarr/labels/otsu/0")
    chunks = (64, 64), (64, 48), (32, 48), (16, 44), (8, 44)
    for level, chunk in enumerate(chunks):
        found = zarr.open_array(project.results / f"long/image.zarr/{level}", mode="r")
        np.testing.assert_array_equal(found[0], expected)
        assert found.chunks == (1, *chunk)
        reduced = project.array(f"long/image.zarr/labels/otsu/{level}")
        np.testing.assert_array_equal(reduced, mask[:, :: 2**level, :: 2**level])
        expected = np.pad(expected, [(0, side % 2) for side in expected.shape], "edge").astype(int)
        rows, columns = (side // 2 for side in expected.shape)
        expected = (expected.reshape(rows, 2, columns, 2).sum(axis=(1, 3)) + 2) // 4
    for sample, levels in (("long", 5), ("discs", 4)):
        group = json.loads((project.results / sample / "image.zarr/zarr.json").read_text())
        datasets = group["attributes"]["ome"]["multiscales"][0]["datasets"]
        assert [one["path"] for one in datasets] == list("01234")[:levels]
    assert not project.succeed().jobs
