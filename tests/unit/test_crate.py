import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from rocrate.rocrate import ROCrate

from tilewise import crate

CODE = Path(__file__).parents[2]
RUN = {
    "command": "snakemake --cores 2",
    "commit": "c0ffee",
    "started": "2026-01-02T03:04:05+00:00",
    "finished": "2026-01-02T04:04:05+00:00",
}
CONFIG = {"title": "", "description": "", "license": "", "tile": 512}


def provenance(images):
    return {
        "code": "c" * 64,
        "inputs": {"images": images},
        "files": [{"file": "net.onnx", "sha256": "d" * 64, "methods": ["own", "other"]}],
        "versions": {"python": "3.12.1", "snakemake": "9.27.1"},
    }


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    (folder / "figures").mkdir(parents=True)
    for name in ("a b.zarr", "image.zarr"):
        (folder / "liver/probability" / name / "0/c").mkdir(parents=True)
    (folder / "liver/image.zarr").mkdir()
    (folder / "metrics.tsv").write_text("sample\n")
    listed = [
        {"file": "liver.tif", "first": 0, "planes": 1, "crc32c": "0000000a"},
        {"file": "liver.tif", "first": 1, "planes": 3, "crc32c": "0000000b"},
    ]
    inputs = {"files": 1, "planes": 4, "sha256": "e" * 64, "listed": listed}
    (folder / "provenance.json").write_text(json.dumps(provenance(inputs)))
    (tmp_path / "images.csv").write_text("sample,image\n")
    return folder


def write(results, config=CONFIG, stacks=("liver",)):
    crate.write(results, CODE, config, results.parent / "images.csv", stacks, RUN)
    return ROCrate(results)


def references(value):
    """Every `@id` in a property."""
    if isinstance(value, dict):
        yield from [value["@id"]] if set(value) == {"@id"} else references(list(value.values()))
    elif isinstance(value, list):
        for own in value:
            yield from references(own)


def test_it_can_be_read_back_and_what_it_names_is_there(results):
    read = write(results)
    graph = json.loads((results / crate.METADATA).read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    for entity in graph:
        named = {name: own for name, own in entity.items() if name not in {"@id", "conformsTo"}}
        assert all(one in entities or "://" in one for one in references(named)), entity
    parts = [part["@id"] for part in entities["./"]["hasPart"]]
    assert set(parts) == {
        *("workflow/Snakefile", "workflow/config.yaml", "workflow/images.csv", "figures/"),
        *("metrics.tsv", "provenance.json", "liver/image.zarr/"),
        *("liver/probability/a%20b.zarr/", "liver/probability/image.zarr/"),
    }
    for part in parts:
        path = results / unquote(part)
        assert path.is_dir() if part.endswith("/") else path.is_file()
        if not part.endswith("/") and part != "workflow/Snakefile":
            assert int(entities[part]["contentSize"]) == path.stat().st_size
    assert read.mainEntity.id == "workflow/Snakefile"
    assert set(read.mainEntity.type) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert read.mainEntity["programmingLanguage"]["version"] == "9.27.1"


def test_the_run_has_what_was_read_and_what_was_made(results):
    (action,) = (one for one in write(results).get_entities() if one.type == "CreateAction")
    assert action["instrument"].id == "workflow/Snakefile"
    assert (action["startTime"], action["endTime"]) == (RUN["started"], RUN["finished"])
    assert action["description"] == "snakemake --cores 2"
    objects = [
        (one["name"], one.get("identifier") or one.get("sha256")) for one in action["object"]
    ]
    assert objects == [
        ("workflow/config.yaml", None),
        ("workflow/images.csv", None),
        ("liver.tif", "CRC-32C of plane 0: 0000000a"),
        ("liver.tif", "CRC-32C of plane 1 to 3: 0000000b"),
        ("net.onnx", "d" * 64),
    ]
    made = {one.id for one in action["result"]}
    assert made >= {"metrics.tsv", "figures/", "liver/image.zarr/"}
    assert not any(one.startswith("workflow/") for one in made)
    assert yaml.safe_load((results / "workflow/config.yaml").read_text()) == CONFIG
    assert (results / "workflow/Snakefile").read_bytes() == (CODE / "Snakefile").read_bytes()


def test_many_files_and_stacks_are_not_listed(results):
    inputs = {"files": 500, "planes": 900, "sha256": "f" * 64}
    (results / "provenance.json").write_text(json.dumps(provenance(inputs)))
    stacks = [f"s{i}" for i in range(crate.LISTED + 5)]
    for name in stacks:
        (results / name / "image.zarr").mkdir(parents=True)
    read = write(results, stacks=stacks)
    (images,) = (one for one in read.get_entities() if one.type == "Collection")
    assert images["name"] == "900 planes of 500 files: images"
    assert "f" * 64 in images["identifier"]
    number = sum(one.id.endswith("image.zarr/") for one in read.data_entities)
    assert number == crate.LISTED


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("", "#license"),
        ("CC-BY-4.0", "https://spdx.org/licenses/CC-BY-4.0"),
        ("https://example.org/terms", "https://example.org/terms"),
    ],
)
def test_it_says_what_the_configuration_says(results, given, address):
    config = CONFIG | {"title": "Livers", "description": "Forty of them.", "license": given}
    root = write(results, config).root_dataset
    assert (root["name"], root["description"]) == ("Livers", "Forty of them.")
    assert root["license"].id == address
    assert root["datePublished"] == RUN["finished"]


def test_a_second_one_replaces_the_first(results):
    write(results)
    (results / "metrics.tsv").unlink()
    (results.parent / "images.csv").unlink()
    parts = {one.id for one in write(results).data_entities}
    assert not parts & {"metrics.tsv", "workflow/images.csv"}
    assert not (results / "workflow/images.csv").exists()


def test_its_library_is_imported_where_it_is_used():
    code = "import sys; from tilewise import crate; print('rocrate' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CODE / "scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
