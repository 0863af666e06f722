"""What the Snakemake workflow catalog and Snakedeploy expect of a workflow."""

import pytest
import yaml
from projects import ROOT
from samples import blobs, write_planes

WORKFLOW = "workflow/Snakefile"
IMPORTING = """\
configfile: "my.yaml"


{before}


module tilewise:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from tilewise as tilewise_*
"""
OWN_RULE = """\
rule mine:
    output:
        "mine.txt",
    shell:
        "touch {output}"
"""


@pytest.fixture
def discs(project):
    """One small sample with its truth."""
    image, truth = blobs(planes=1, rows=64, columns=64)
    write_planes(project.folder, image, "discs.png")
    write_planes(project.folder, truth * 255, "discs_truth.png")
    rows = [{"sample": "discs", "image": "discs.png", "truth": "discs_truth.png"}]
    return project.configure(rows)


def jobs_of_dry_run(project, *arguments):
    return project.succeed("--dry-run", *arguments).jobs


def test_both_workflow_files_run_the_same(discs):
    by_name = jobs_of_dry_run(discs, "--snakefile", WORKFLOW)
    top = jobs_of_dry_run(discs)
    assert top["report"] == 1
    assert by_name == top
    # found without its name where there is no other one
    (discs.folder / "Snakefile").rename(discs.folder / "tilewise.smk")
    workflow = discs.folder / WORKFLOW
    workflow.write_text(workflow.read_text().replace("../Snakefile", "../tilewise.smk"))
    assert jobs_of_dry_run(discs) == top


def test_results_are_current_by_either_file(discs):
    discs.succeed("--snakefile", WORKFLOW)
    assert "Nothing to be done" in discs.succeed("--dry-run").output
    # the default profile is found beside both
    (discs.folder / "discs.png").touch()
    assert "Nothing to be done" in discs.succeed("--dry-run", "--snakefile", WORKFLOW).output


@pytest.mark.parametrize(
    ("before", "expected"),
    [("", "tilewise_report"), (OWN_RULE, "mine")],
    ids=["imported alone", "after a rule of its own"],
)
def test_default_target_of_an_importing_workflow(discs, before, expected):
    (discs.folder / "Snakefile").rename(discs.folder / "tilewise.smk")
    workflow = discs.folder / WORKFLOW
    workflow.write_text(workflow.read_text().replace("../Snakefile", "../tilewise.smk"))
    (discs.folder / "Snakefile").write_text(IMPORTING.format(before=before))
    jobs = jobs_of_dry_run(discs)
    assert jobs[expected] == 1
    assert ("mine" in jobs) != ("tilewise_report" in jobs)


def test_catalog_reads_the_settings():
    settings = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert settings["usage"]["software-stack-deployment"]["conda"] is True
    assert settings["usage"]["report"] is True
    assert (ROOT / "config/README.md").read_text().startswith("# Configuration")
