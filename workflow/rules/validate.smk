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
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        "segment"
    threads: get_threads()
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/validate.py"


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
        channels=get_channels,
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        "segment"
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/overlay.py"
