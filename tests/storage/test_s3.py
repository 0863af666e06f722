"""Images, truth and results in object storage: a real S3 server, on this machine."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

boto3 = pytest.importorskip("boto3", reason="`make test-storage` installs the client of S3")
server = pytest.importorskip("moto.server", reason="`make test-storage` installs a server of S3")
pytest.importorskip("snakemake_storage_plugin_s3")

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from pages import data_in  # noqa: E402
from projects import Project  # noqa: E402

SHAPE = 3, 130, 200
PREFIX = "runs/first/"


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket, and where its server listens."""
    for name in ("AWS_ACCESS_KEY_ID", "SNAKEMAKE_STORAGE_S3_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")
    for name in ("AWS_SECRET_ACCESS_KEY", "SNAKEMAKE_STORAGE_S3_SECRET_KEY"):
        monkeypatch.setenv(name, "nothing")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    address = "http://{}:{}".format(*running.get_host_and_port())
    storage = boto3.resource("s3", endpoint_url=address, region_name="us-east-1")
    made = storage.create_bucket(Bucket="microscope")
    yield made, address
    running.stop()


def make_planes(folder):
    """Planes of noise with bright squares, a file each, and their truth in one file."""
    random = np.random.default_rng(4)
    truth = np.zeros(SHAPE, np.uint8)
    truth[:, 20:60, 30:90] = truth[:, 80:110, 120:180] = 1
    images = (random.integers(0, 60, SHAPE) + 120 * truth).astype(np.uint8)
    for z, plane in enumerate(images):
        tifffile.imwrite(folder / f"plane_{z + 7:04d}.tif", plane)
    tifffile.imwrite(folder / "truth.tif", truth, photometric="minisblack")
    for number, width in ((1, 190), (2, 131)):
        tifffile.imwrite(folder / f"small_{number}.tif", images[0, :, :width])
        tifffile.imwrite(folder / f"small_{number}_truth.tif", truth[0, :, :width])


def without_costs(page):
    """The data of a report, without what jobs have cost, and what it was made from."""
    data = data_in(page.decode())
    assert data["tables"].pop("costs")
    del data["provenance"]
    return data | {"methods": [method | {"cost": None} for method in data["methods"]]}


def checksums(provenance):
    """Of what was read, by its kind."""
    inputs = json.loads(provenance)["inputs"]
    found = {kind: [one["crc32c"] for one in known["listed"]] for kind, known in inputs.items()}
    assert all(found.values())
    return found


def results_in(folder):
    # the record of a run stays where the run was
    of_a_run = {"run.js", "checksums.tsv", "ro-crate-metadata.json", "workflow"}
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        str(name): path.read_bytes()
        for name, path in files.items()
        if of_a_run.isdisjoint(name.parts)
    }


def test_results_in_storage_are_the_local_ones(tmp_path, bucket):
    bucket, address = bucket
    settings = {"block": {"planes": 1}, "pyramid": {"levels": 1}, "figures": {"tiles": 1}}
    settings["methods"] = {
        "otsu": {"filter": "denoised", "threshold": "otsu"},
        "swept": {"threshold": "manual", "grid": {"value": [60, 110]}},
        "calibrated": {"threshold": "otsu", "scope": "calibrated"},
    }
    settings |= {"apply": "best", "quality": {"survey": 2}, "collect": {"side": 8}}

    local = Project.create(tmp_path / "local")
    make_planes(local.folder)
    rows = [
        {"sample": "a", "image": "plane_*.tif", "truth": "truth.tif"},
        {"sample": "b", "image": "small_1.tif", "truth": "small_1_truth.tif"},
        {"sample": "c", "image": "small_2.tif", "truth": "small_2_truth.tif"},
    ]
    local.configure(rows, **settings).succeed()

    for path in local.folder.glob("*.tif"):
        bucket.upload_file(str(path), f"raw/{path.name}")
    raw, shape = f"s3://{bucket.name}/raw", list(SHAPE)
    stored = {
        "planes": {"files": raw + "/plane_{:04d}.tif", "first": 7, "shape": shape},
        "truth": {"files": raw + "/truth.tif", "shape": shape},
    }
    rows = [{"sample": "a", "image": "stored:planes", "truth": "stored:truth"}]
    for name, number, width in (("b", 1, 190), ("c", 2, 131)):
        files = {"image": f"small_{number}", "truth": f"small_{number}_truth"}
        for kind, file in files.items():
            stored[f"{name}-{kind}"] = {"files": f"{raw}/{file}.tif", "shape": [1, SHAPE[1], width]}
        rows.append({"sample": name} | {kind: f"stored:{name}-{kind}" for kind in files})
    remote = Project.create(tmp_path / "remote")
    remote.configure(rows, stored=stored, **settings)
    options = [
        *("--default-storage-provider", "s3"),
        *("--default-storage-prefix", f"s3://{bucket.name}/{PREFIX.rstrip('/')}"),
        *("--storage-s3-endpoint-url", address),
    ]
    remote.succeed(*options)

    expected = results_in(local.results)
    found = {
        entry.key.removeprefix(PREFIX + "results/"): entry.get()["Body"].read()
        for entry in bucket.objects.filter(Prefix=PREFIX + "results/")
    }
    found = {key: content for key, content in found.items() if key in expected or content}
    assert sorted(found) == sorted(expected)
    # which say where and when files were read
    records = {key for key in expected if "/made_from/" in key}
    assert records
    # and what jobs have cost
    costs = {key for key in expected if "/cost/" in key} | {"costs.tsv"}
    assert len(costs) > 1
    page = "report.html"
    assert without_costs(found[page]) == without_costs(expected[page])
    # the sheets differ, and not what was read
    made_from = "provenance.json"
    assert checksums(found[made_from]) == checksums(expected[made_from])
    for key in expected.keys() - records - costs - {page, made_from}:
        assert found[key] == expected[key], key
    assert not remote.results.exists()
    assert "Nothing to be done" in remote.succeed(*options).output
