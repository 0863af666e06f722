"""Files that the workflow brings itself."""

import hashlib

import pytest
from samples import blobs, write_planes


@pytest.fixture
def folder(project, monkeypatch):
    """A folder with a published file, and a configuration that asks for it."""
    image, _ = blobs(planes=1)
    folder = project.folder / "published"
    write_planes(folder, image, "tile.png")
    download = {
        "url": "http://127.0.0.1:9/tile.png",
        "sha256": hashlib.sha256((folder / "tile.png").read_bytes()).hexdigest(),
        "shape": [1, 128, 192],
        "environment": "PUBLISHED",
    }
    rows = [{"sample": "discs", "image": "download:tile.png"}]
    project.configure(rows, downloads={"tile.png": download})
    monkeypatch.delenv("PUBLISHED", raising=False)
    return folder


def test_taken_from_a_folder(project, folder, monkeypatch):
    monkeypatch.setenv("PUBLISHED", str(folder))
    project.succeed()
    assert project.array("discs/image.zarr/0").shape == (1, 128, 192)


def test_another_file_is_refused(project, folder, monkeypatch):
    with (folder / "tile.png").open("ab") as file:
        file.write(b"more")
    monkeypatch.setenv("PUBLISHED", str(folder))
    run = project.run()
    assert run.code
    assert "it is not the published file" in run.output
    assert not (project.results / "sources/download/tile.png").exists()


def test_offline(project, folder):
    run = project.run()
    assert run.code
    assert "cannot be downloaded" in run.output
    assert "set PUBLISHED to a folder that holds tile.png" in run.output
