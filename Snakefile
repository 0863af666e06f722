"""tilewise: segment tiled microscopy, validate it against ground truth, decide on a method."""

from snakemake.utils import min_version

min_version("9.0")

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
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/viewing.smk"


localrules:
    all,
    download,
    sample_threshold,
    consensus,
    calibrate,
    choose,
    decide,
    flag,
    trust,
    aggregate,
    differences,
    figures,
    report,
    describe_image,
    describe_color,
    describe_label,
    describe_filtered,


rule all:
    input:
        get_masks,
        get_confusions,
        get_overlays,
        "results/metrics.tsv",
        "results/summary.tsv",
        get_decision,
        get_differences,
        get_trust,
        "results/report.html",
        get_figures,
        get_kept_filters,
        get_metadata,
        get_pyramids,
