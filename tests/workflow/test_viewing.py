"""The sample's OME-Zarr, read and validated by others."""

import json
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from itertools import product

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


@pytest.fixture(scope="module")
def ask(sample):
    """Start the command of the viewer, and ask it for paths with what a browser would have."""
    project, *_ = sample
    command = [sys.executable, "scripts/view.py", "--no-browser", "--sample", "stained"]
    with subprocess.Popen(
        [*command, "--tile", "z0000_y01_x02", "--method", "otsu"],
        **{"cwd": project.folder, "text": True},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
    ) as process:
        line = process.stdout.readline()
        address = (
            r"http://127\.0\.0\.1:(\d+)(/\?token=\w+)#sample=stained&tile=z0000_y01_x02&method=otsu"
        )
        port, path = re.search(rf" at {address}$", line).groups()
        connection = HTTPConnection("127.0.0.1", int(port), timeout=30)

        def get(path, **headers):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

        status, headers, _ = get(path)
        assert status == 303
        cookie = headers["Set-Cookie"].partition(";")[0]
        yield lambda path, **headers: get(path, Cookie=cookie, **headers)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def served_array(ask, path):
    """An array as zarr-python reads it from what is served."""
    status, _, content = ask(f"/results/{path}/zarr.json")
    assert status == 200
    known = json.loads(content)
    block = known["chunk_grid"]["configuration"]["chunk_shape"]
    along = [range(-(-size // step)) for size, step in zip(known["shape"], block, strict=True)]
    files = {"zarr.json": content}
    for place in product(*along):
        name = "/".join(map(str, ("c", *place)))
        status, _, content = ask(f"/results/{path}/{name}")
        assert status in (200, 404)
        if status == 200:
            files[name] = content
            # the index of a shard is its end
            assert ask(f"/results/{path}/{name}", Range="bytes=-20")[::2] == (206, content[-20:])
    stored = {name: zarr.core.buffer.cpu.Buffer.from_bytes(own) for name, own in files.items()}
    return zarr.open_array(zarr.storage.MemoryStore(stored), mode="r")[:]


def test_layers_of_the_viewer(sample, ask):
    project, image, _, colour = sample
    found = json.loads(ask("/contents.json")[2])
    told = {one["sample"]: one for one in found["samples"]}
    assert list(told) == ["discs", "stained"]
    sizes = ("stack", "first_plane", "planes", "height", "width", "tile")
    assert [told["discs"][name] for name in sizes] == ["discs", 0, 2, 150, 170, [75, 64]]
    assert told["discs"]["plane_names"] == ["plane_1.png", "plane_2.png"]
    assert told["stained"]["plane_names"] == ["colour.png"]
    layers = {one["id"]: one for one in found["stacks"]["stained"]["layers"]}
    assert list(layers) == [
        *("image", "color", "filtered/denoised", "truth", "otsu", "otsu-confusion", "errors")
    ]
    for name in ("discs", "stained"):
        for layer in found["stacks"][name]["layers"]:
            assert layer["levels"] == (1 if layer["role"] == "filtered" else 3)
            for path in layer["arrays"]:
                served = served_array(ask, path)
                assert served.dtype == layer["dtype"]
                np.testing.assert_array_equal(served, project.array(path))
    np.testing.assert_array_equal(served_array(ask, "discs/image.zarr/0"), image)
    np.testing.assert_array_equal(
        served_array(ask, "stained/color.zarr/0")[:, 0], np.moveaxis(colour, -1, 0)
    )
    values = {color["value"] for color in layers["otsu-confusion"]["colors"]}
    assert set(np.unique(served_array(ask, layers["otsu-confusion"]["arrays"][0]))) <= values


def test_tiles_of_the_viewer(sample, ask):
    project, *_ = sample
    scored = project.rows("metrics.tsv")
    assert {row["sample"] for row in scored} == {"discs", "stained"}
    compared = 0
    for name, z in (("discs", 0), ("discs", 1), ("stained", 0)):
        tiles = json.loads(ask(f"/plane.json?sample={name}&plane={z}")[2])["tiles"]
        assert [tile["tile"] for tile in tiles] == [
            f"z{z:04d}_y{row:02d}_x{column:02d}" for row in range(2) for column in range(3)
        ]
        own = {row["tile"]: row for row in scored if (row["sample"], row["z"]) == (name, str(z))}
        for tile in tiles:
            row = own.get(tile["tile"])
            assert tile["scores"].keys() == ({"otsu"} if row else set())
            if row:
                known = [tile["y"], tile["x"], tile["height"], tile["width"]]
                assert known == [int(row[side]) for side in ("y", "x", "height", "width")]
                shown = {metric: row[metric] for metric in tile["scores"]["otsu"]}
                assert {"f1", "mcc", "cldice"} <= shown.keys()
                assert tile["scores"]["otsu"] == {
                    metric: float(value) if value else None for metric, value in shown.items()
                }
                compared += 1
    # of the second plane there is no truth
    assert compared == len(scored) == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is no folder: run the workflow first, `make demo` or"),
        (["."], r"has no stacks\.tsv: name /.*/results$"),
        (["--sample", "x"], "There is no sample x: name one of discs, stained$"),
        (["--method", "x"], "There is no mask by x: name one of otsu$"),
        *(
            (
                ["--tile", name],
                "discs has no tile .*: its tiles are z0000_y00_x00 to z0001_y01_x02$",
            )
            for name in ("z0002_y00_x00", "z0000_y02_x00", "x")
        ),
        (["--port", "80"], "a port is from 1024 to 65535$"),
    ],
)
def test_messages_of_the_viewer(sample, arguments, message):
    project, *_ = sample
    command = [sys.executable, "scripts/view.py", "--no-browser", *arguments]
    done = subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode in (1, 2)
    assert re.search(message, done.stderr.strip().splitlines()[-1])
    assert done.stdout == ""
