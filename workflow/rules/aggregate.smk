"""All tiles together."""


rule aggregate:
    """Every annotated tile of every sample and method, and per sample and method what they amount to."""
    input:
        metrics=get_all_metrics,
        structures=get_structures,
        quality=get_annotated_quality,
        code=get_code("aggregate"),
    output:
        metrics="results/metrics.tsv",
        summary="results/summary.tsv",
    log:
        "logs/aggregate.log",
    params:
        order=get_order,
        metadata=get_sample_metadata,
        tuned=SWEPT,
        chosen=SCORING["metrics"],
        extent=SCORING["extent"],
        exclude=config["quality"]["exclude"],
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/aggregate.py"


rule differences:
    """Pixels and objects that all methods, or a single one, get wrong; errors by calibre, distance and quality."""
    input:
        strata=lambda wildcards: get_error_tables("strata"),
        differences=lambda wildcards: get_error_tables("differences"),
        metrics="results/metrics.tsv",
        code=get_code("differences"),
    output:
        errors="results/errors.tsv",
        differences="results/differences.tsv",
    log:
        "logs/differences.log",
    params:
        order=get_order,
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/differences.py"


rule figures:
    """A few annotated tiles through every step, their histogram with the threshold, the confusion matrix."""
    input:
        image=get_shown_image,
        truth=lambda wildcards: get_shown(
            "results/{sample}/image.zarr/labels/truth/0/c/{block}", wildcards
        ),
        mask=lambda wildcards: get_shown(
            "results/{sample}/image.zarr/labels/{method}/0/c/{block}", wildcards
        ),
        color=get_shown_color,
        thresholds=lambda wildcards: get_shown(
            "results/{sample}/{method}/thresholds/{block}.tsv", wildcards
        ),
        metrics=get_sample_metrics,
        code=get_code("figures"),
    output:
        tiles=f"results/figures/{{sample}}/{{method}}-tiles.{FIGURE_FORMAT}",
        histogram=f"results/figures/{{sample}}/{{method}}-histogram.{FIGURE_FORMAT}",
        confusion=f"results/figures/{{sample}}/{{method}}-confusion.{FIGURE_FORMAT}",
    log:
        "logs/figures/{sample}/{method}.log",
    params:
        tiles=get_shown_tiles,
        blocks=get_shown_blocks,
        image_blocks=get_shown_image_blocks,
        steps=get_method_steps,
        tuned=lambda wildcards: wildcards.method in SWEPT,
        colors={kind: config["overlay"][kind] for kind in ("tp", "fp", "fn", "tn")},
        alpha=config["overlay"]["alpha"],
        pixel_size=get_pixel_size,
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/figures.py"


rule report:
    """What people would rather read than tables: the decision, the summary and the figures."""
    input:
        summary="results/summary.tsv",
        decision=get_decision_tables,
        next=get_next,
        figures=get_figures,
        code=get_code("report"),
    output:
        report="results/report.html",
    log:
        "logs/report.log",
    params:
        names=get_figure_names,
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/report.py"
