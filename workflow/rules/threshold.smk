"""From filtered pixels to masks. The threshold of a whole sample is map-reduce over its blocks."""


rule extent:
    """Least and greatest pixel of a block, as text; for the histogram of floats."""
    input:
        pixels=get_source_block,
        code=get_code("extent"),
    output:
        extent="results/{sample}/histograms/{source}/extent/{block}.tsv",
    log:
        "logs/{sample}/histograms/{source}/extent/{block}.log",
    params:
        dtype=get_dtype,
        codec=get_source_codec,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_filter_group
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/extent.py"


rule histogram:
    """Pixels per grey level of a block, 64-bit integers: a bin per level of an integer, 256 of a float."""
    input:
        pixels=get_source_block,
        extents=get_extents,
        code=get_code("histogram"),
    output:
        histogram="results/{sample}/histograms/{source}/{block}.npz",
    log:
        "logs/{sample}/histograms/{source}/{block}.log",
    params:
        dtype=get_dtype,
        codec=get_source_codec,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_histogram_group
    threads: get_threads()
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/histogram.py"


rule sample_threshold:
    """A method's threshold for the whole sample, exact, in grey levels."""
    input:
        histograms=get_histograms,
        choices=get_choices,
        code=get_code("sample_threshold"),
    output:
        threshold="results/{sample}/{method}/threshold.tsv",
    log:
        "logs/{sample}/{method}/threshold.log",
    params:
        segmenter=get_segmenter,
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/sample_threshold.py"


rule threshold:
    """The mask, 0 background and 1 foreground, and each tile's threshold in grey levels.

    A method that is only tried segments annotated tiles; `segmentation` is the one that was decided on.
    """
    input:
        pixels=get_threshold_input,
        sample_threshold=get_sample_threshold,
        choices=get_choices,
        code=get_code("threshold"),
    output:
        mask="results/{sample}/image.zarr/labels/{method}/0/c/{block}",
        thresholds="results/{sample}/{method}/thresholds/{block}.tsv",
    log:
        "logs/{sample}/image.zarr/labels/{method}/0/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/image.zarr/labels/{method}/0/c/{block}.tsv"
    params:
        steps=get_inline_steps,
        segmenter=get_segmenter,
        calibration=get_calibration,
        tiles=get_tiles,
        blocks=get_threshold_blocks,
        dtype=get_dtype,
        codec=get_source_codec,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_method_group
    priority: 3
    threads: get_threads()
    resources:
        mem_mb=get_threshold_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/threshold.py"
