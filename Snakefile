"""tilewise: segment tiled microscopy, validate it against ground truth, decide on a method."""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


if not workflow.overwrite_configfiles:

    # of a working directory that has none, the demo's
    DEMO = workflow.current_basedir.join("config.yaml").get_path_or_uri(secret_free=True)

    configfile: "config.yaml" if Path("config.yaml").exists() else DEMO


include: "workflow/rules/common.smk"
include: "workflow/rules/choices.smk"
include: "workflow/rules/files.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/filter.smk"
include: "workflow/rules/command.smk"
include: "workflow/rules/threshold.smk"
include: "workflow/rules/learn.smk"
include: "workflow/rules/validate.smk"
include: "workflow/rules/decide.smk"
include: "workflow/rules/quality.smk"
include: "workflow/rules/quantities.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/contrast.smk"
include: "workflow/rules/metadata.smk"


rule all:
    input:
        lambda w: targets.arrays(STUDY),
        lambda w: metadata.metadata(STUDY).files,
        "results/stacks.tsv",
        lambda w: targets.overlays(STUDY),
        lambda w: export.files(STUDY),
        "results/metrics.tsv",
        "results/summary.tsv",
        "results/warnings.tsv",
        lambda w: targets.errors(STUDY),
        lambda w: targets.decision(STUDY),
        lambda w: targets.trust(STUDY),
        lambda w: targets.models(STUDY),
        lambda w: quantities.tables(STUDY),
        lambda w: targets.figures(STUDY),
        "results/provenance.json",
        "results/report.html",
    localrule: True


onstart:
    runs.end_gracefully(workflow.scheduler)
    lift_rate_limit()
    extend_bars()


onsuccess:
    tell_warnings()
    record_run(True)


onerror:
    record_run(False)
