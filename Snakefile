"""tilewise: segment tiled microscopy, validate it against ground truth, decide on a method."""

from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/filter.smk"
include: "workflow/rules/threshold.smk"
include: "workflow/rules/validate.smk"
include: "workflow/rules/decide.smk"
include: "workflow/rules/quality.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/metadata.smk"


rule all:
    input:
        lambda w: targets.arrays(STUDY),
        lambda w: metadata.metadata(STUDY).files,
        "results/stacks.tsv",
        lambda w: targets.overlays(STUDY),
        lambda w: targets.masks(STUDY),
        "results/metrics.tsv",
        "results/summary.tsv",
        lambda w: targets.errors(STUDY),
        lambda w: targets.decision(STUDY),
        lambda w: targets.trust(STUDY),
        lambda w: targets.figures(STUDY),
        "results/report.html",
    localrule: True


onstart:
    lift_rate_limit()


onsuccess:
    tell_left_behind()
