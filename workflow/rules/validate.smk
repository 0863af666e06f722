"""Masks against the truth."""


rule validate:
    """Where a method is right and wrong, and counts in pixels and metrics from -1 or 0 to 1 per annotated tile.

    The confusion map: 0 not annotated, 1 true negative, 2 false positive, 3 false negative, 4 true positive.
    """
    input:
        mask="results/{sample}/image.zarr/labels/{method}/0/c/{block}",
        truth="results/{sample}/image.zarr/labels/truth/0/c/{block}",
        code=get_code("validate"),
    output:
        confusion="results/{sample}/image.zarr/labels/{method}-confusion/0/c/{block}",
        metrics="results/{sample}/{method}/metrics/{block}.tsv",
    log:
        "logs/{sample}/image.zarr/labels/{method}-confusion/0/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/image.zarr/labels/{method}-confusion/0/c/{block}.tsv"
    params:
        scoring=get_scoring,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_method_group
    threads: get_threads()
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/validate.py"


rule structure:
    """Metrics of whole planes, or of the whole stack in 3-D; distances in pixels or micrometers."""
    input:
        mask=lambda wildcards: get_part(
            "results/{sample}/image.zarr/labels/{method}/0/c/{block}", wildcards
        ),
        truth=lambda wildcards: get_part(
            "results/{sample}/image.zarr/labels/truth/0/c/{block}", wildcards
        ),
        code=get_code("structure"),
    output:
        metrics="results/{sample}/{method}/structure/{part}.tsv",
    log:
        "logs/{sample}/{method}/structure/{part}.log",
    benchmark:
        "benchmarks/{sample}/{method}/structure/{part}.tsv"
    params:
        blocks=get_part_blocks,
        extent=SCORING["extent"],
        scoring=lambda wildcards: get_scoring(wildcards) | {"metrics": SCORING["metrics"]},
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    resources:
        mem_mb=get_part_memory,
        runtime=get_runtime_of_part,
        slot=1,
    script:
        "../../scripts/structure.py"


rule errors:
    """Where methods differ: how many are wrong, as a label, and tables of pixels and objects per annotated block.

    The label: 0 not annotated, else 1 + the number of methods that are wrong.
    """
    input:
        confusions=get_confusions_of_block,
        truth="results/{sample}/image.zarr/labels/truth/0/c/{block}",
        code=get_code("errors"),
    output:
        errors="results/{sample}/image.zarr/labels/errors/0/c/{block}",
        strata="results/{sample}/errors/strata/{block}.tsv",
        differences="results/{sample}/errors/differences/{block}.tsv",
    log:
        "logs/{sample}/image.zarr/labels/errors/0/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/image.zarr/labels/errors/0/c/{block}.tsv"
    params:
        methods=lambda wildcards: get_methods_of(wildcards.sample),
        connectivity=SCORING["objects"]["connectivity"],
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        "compare"
    threads: get_threads()
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/errors.py"


rule overlay:
    """One PNG per annotated tile: the confusion map's colours over the image."""
    input:
        picture=get_picture,
        confusion="results/{sample}/image.zarr/labels/{method}-confusion/0/c/{block}",
        code=get_code("overlay"),
    output:
        folder=directory("results/{sample}/{method}/overlay/{block}"),
    log:
        "logs/{sample}/{method}/overlay/{block}.log",
    benchmark:
        "benchmarks/{sample}/{method}/overlay/{block}.tsv"
    params:
        colors={kind: config["overlay"][kind] for kind in ("tp", "fp", "fn", "tn")},
        alpha=config["overlay"]["alpha"],
        tiles=get_overlaid_tiles,
        scale_bar=config["overlay"]["scale_bar"],
        pixel_size=get_pixel_size,
        channels=get_channels,
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_method_group
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/overlay.py"
