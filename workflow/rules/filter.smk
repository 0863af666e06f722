"""Pre-processing."""


rule filter:
    """The image after a filter's steps, in the dtype of the image; the same for any block size."""
    input:
        image=get_filter_input,
        code=get_code("filter"),
    output:
        filtered=keep_if(
            config["keep_filtered"], "results/{sample}/filtered/{filter}.zarr/c/{block}"
        ),
    log:
        "logs/{sample}/filtered/{filter}.zarr/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/filtered/{filter}.zarr/c/{block}.tsv"
    params:
        steps=lambda wildcards: config["filters"][wildcards.filter],
        blocks=get_filter_blocks,
        codec=FILTERED_CODEC,
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_filter_group
    priority: 2
    threads: get_threads()
    resources:
        mem_mb=get_filter_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/filter.py"
