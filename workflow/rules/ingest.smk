"""Any format in, blocks of tiles out."""


rule ingest:
    """The image's pixels, in the dtype of its files."""
    input:
        images=get_images,
        code=get_code("ingest"),
    output:
        image="results/{sample}/image.zarr/0/c/{block}",
    log:
        "logs/{sample}/image.zarr/0/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/image.zarr/0/c/{block}.tsv"
    params:
        first_plane=get_first_plane,
        dtype=get_dtype,
        channel=get_channel,
        grid=get_grid,
    wildcard_constraints:
        sample=get_sample_pattern(GREY),
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_ingest_group
    priority: 1
    threads: get_threads()
    resources:
        mem_mb=get_ingest_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/ingest.py"


rule ingest_color:
    """The grey pixels that everything is computed from, and red, green and blue to look at."""
    input:
        images=get_images,
        code=get_code("ingest"),
    output:
        image="results/{sample}/image.zarr/0/c/{block}",
        color="results/{sample}/color.zarr/0/c/0/{block}",
    log:
        "logs/{sample}/image.zarr/0/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/image.zarr/0/c/{block}.tsv"
    params:
        first_plane=get_first_plane,
        dtype=get_dtype,
        channel=get_channel,
        grid=get_grid,
    wildcard_constraints:
        sample=get_sample_pattern(COLOR),
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_ingest_group
    priority: 1
    threads: get_threads()
    resources:
        mem_mb=get_ingest_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/ingest.py"


rule ingest_truth:
    """The truth: 0 background, 1 foreground, 255 not annotated."""
    input:
        truth=get_truth_files,
        roi=get_roi_files,
        code=get_code("ingest_truth"),
    output:
        truth="results/{sample}/image.zarr/labels/truth/0/c/{block}",
    log:
        "logs/{sample}/image.zarr/labels/truth/0/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/image.zarr/labels/truth/0/c/{block}.tsv"
    params:
        truth=lambda wildcards: get_pieces(wildcards, "truth"),
        roi=lambda wildcards: get_pieces(wildcards, "roi"),
        has_roi=has_roi,
        foreground=get_truth_foreground,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        "segment"
    threads: get_threads()
    resources:
        mem_mb=get_plane_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/ingest_truth.py"
