"""The workflow as a module of another one, which is in another folder."""

import json

import pytest
from projects import Project
from samples import blobs, write_planes

IMPORTING = """\
{configuration}


module tilewise:
    snakefile:
        "../tilewise/{snakefile}"
    config:
        config


{use}


rule count_tiles:
    input:
        "results/metrics.tsv",
    output:
        "counted.txt",
    shell:
        "wc -l < {{input}} > {{output}}"


rule everything:
    default_target: True
    input:
        rules.{name}.input,
        "counted.txt",
"""
FROM_A_FILE = 'configfile: "settings/study.yaml"'
"""The sample sheet is then relative to that file."""
IN_PLACE = """\
import yaml

config = yaml.safe_load(open("settings/study.yaml")) | {"samples": "settings/my.tsv"}"""
"""It is relative to the working directory then."""
METHODS = {
    # annotated tiles choose both its parameters and, by `apply: best`, the method
    "swept": {"threshold": {"manual": 250}, "grid": {"value": [250, 120]}},
    "bad": {"threshold": {"manual": 250}},
}


@pytest.fixture
def importing(tmp_path):
    """Two folders side by side: this workflow, and one that imports it."""
    Project.create(tmp_path / "tilewise")
    project = Project(tmp_path / "importing")
    project.folder.mkdir()
    rows = []
    for number, name in enumerate(("one", "two")):
        image, truth = blobs(planes=1, rows=64, columns=64, seed=number)
        write_planes(project.folder / "settings", image, f"{name}.png")
        write_planes(project.folder / "settings", truth * 255, f"{name}_truth.png")
        rows.append({"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"})
    project.configure(rows, methods=METHODS, apply="best", filters={})
    (project.folder / "my.tsv").rename(project.folder / "settings/my.tsv")
    (project.folder / "my.yaml").rename(project.folder / "settings/study.yaml")
    return project


@pytest.mark.parametrize(
    ("use", "prefix", "configuration", "imported"),
    [
        ("use rule * from tilewise", "", FROM_A_FILE, "Snakefile"),
        ("use rule * from tilewise as tilewise_*", "tilewise_", IN_PLACE, "workflow/Snakefile"),
    ],
    ids=["as they are", "with a prefix"],
)
def test_as_a_module(importing, use, prefix, configuration, imported):
    snakefile = IMPORTING.format(
        use=use, name=f"{prefix}all", configuration=configuration, snakefile=imported
    )
    (importing.folder / "Snakefile").write_text(snakefile)
    run = importing.succeed()
    # local rules stay local under other names
    assert "rules that are not present" not in run.output
    made = {rule.removeprefix(prefix): number for rule, number in run.jobs.items()}
    assert made["choose"] == made["decide"] == made["count_tiles"] == 1
    # both methods on both samples, and the one that was decided on
    assert made["threshold"] == 6
    assert (importing.folder / "counted.txt").read_text().strip() == "5"
    choice = json.loads((importing.results / "choice.json").read_text())
    assert choice == {"method": "swept"}
    chosen = importing.array("one/image.zarr/labels/segmentation/0")
    assert (chosen == importing.array("one/image.zarr/labels/swept/0")).all()
    assert chosen.any()
    assert not importing.array("one/image.zarr/labels/bad/0").any()

    again = importing.succeed()
    assert not again.jobs, again.output
    assert "Nothing to be done" in again.output


def test_a_mistake_in_a_configuration_without_a_file(importing):
    configuration = f"{IN_PLACE}\nconfig['tyle'] = 64"
    snakefile = IMPORTING.format(
        use="use rule * from tilewise",
        name="all",
        configuration=configuration,
        snakefile="Snakefile",
    )
    (importing.folder / "Snakefile").write_text(snakefile)
    run = importing.run("--dry-run")
    assert run.code != 0
    assert "configuration: tyle does not exist; did you mean tile? (known: " in run.output
