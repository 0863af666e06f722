"""What results were made from, and the record of a run."""

import json
from urllib.parse import unquote

from projects import Project
from rocrate.rocrate import ROCrate
from samples import blobs, write_planes


def discs(folder):
    """A study whose configuration is the same in every folder."""
    project = Project.create(folder)
    image, truth = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth * 255, "truth.png")
    return project.configure([{"sample": "discs", "image": "image.png", "truth": "truth.png"}])


def record_of(project):
    """The record of the last run."""
    text = (project.results / "run.js").read_text()
    return json.loads(text.removeprefix("tilewise_run(").removesuffix(");\n"))


def test_provenance_is_the_same_in_two_folders(tmp_path):
    projects = [discs(tmp_path / name) for name in ("one", "two/deeper")]
    projects[0].succeed(cores=1)
    projects[1].succeed("--directory", ".", "results/provenance.json")
    texts = [(project.results / "provenance.json").read_bytes() for project in projects]
    assert texts[0] == texts[1]
    assert str(tmp_path).encode() not in texts[0]
    found = json.loads(texts[0])
    assert {kind: own["files"] for kind, own in found["inputs"].items()} == {
        "images": 1,
        "truths": 1,
    }

    # what is not a result of the study is in the record of the run
    record = record_of(projects[0])
    assert record["ok"] is True
    assert record["command"].endswith("--workflow-profile plain")
    rules = dict(zip(record["rules"]["rule"]["values"], record["rules"]["jobs"], strict=True))
    assert rules["ingest"] == rules["threshold"] == 1

    # so is the crate, which other programs read
    crate = ROCrate(projects[0].results)
    parts = [unquote(part.id) for part in crate.data_entities]
    assert {"metrics.tsv", "report.html", "checksums.tsv", "discs/image.zarr/"} <= set(parts)
    assert all((projects[0].results / part).exists() for part in parts)
    run = crate.dereference("#run")
    assert run["instrument"] == crate.mainEntity
    assert (run["startTime"], run["endTime"]) == (record["started"], record["finished"])
    assert {"image.png", "truth.png"} <= {one["name"] for one in run["object"]}
    # of results that were asked for by name there is none
    assert not (projects[1].results / "ro-crate-metadata.json").exists()

    # another method is another configuration, and nothing else
    projects[0].configure(methods={"otsu": {"threshold": "manual"}})
    failed = projects[0].run()
    assert failed.code != 0
    assert record_of(projects[0]) == record
    projects[0].configure(methods={"li": {"threshold": "li"}}).succeed()
    other = json.loads((projects[0].results / "provenance.json").read_text())
    assert {key for key in found if found[key] != other[key]} == {"configuration"}


def test_a_failed_run_has_a_record(project):
    image, _ = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    methods = {"own": {"threshold": {"python": "own.py"}}}
    (project.folder / "own.py").write_text("def segment(plane):\n    return 1 / 0\n")
    project.configure([{"sample": "discs", "image": "image.png"}], methods=methods, apply="own")
    assert project.run().code != 0
    assert record_of(project)["ok"] is False
