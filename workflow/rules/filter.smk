"""Pre-processing, where a filter's result is written; elsewhere the jobs of the masks filter."""


rule filter:
    """The image after a filter's steps, in the dtype of the image; the same for any block size."""
    input:
        image=lambda w: segment.filtered(STUDY, **w).pixels.files,
        rois=lambda w: segment.filtered(STUDY, **w).pixels.rois,
        colors=lambda w: segment.filtered(STUDY, **w).pixels.colors,
        sources=lambda w: segment.filtered(STUDY, **w).pixels.sources,
        own=lambda w: list(map(local, segment.filtered(STUDY, **w).pixels.own_files)),
        code=get_code("filter"),
    output:
        filtered=keep_if(
            STUDY.filtered != "temporary", "results/{stack}/filtered/{filter}.zarr/c/{block}"
        ),
        cost="results/{stack}/filtered/cost/{filter}/{block}.tsv",
    log:
        "logs/{stack}/filtered/{filter}.zarr/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/filtered/{filter}.zarr/c/{block}.tsv"
    params:
        parts=lambda w: segment.filtered(STUDY, **w).parts,
        steps=lambda w: segment.filtered(STUDY, **w).pixels.steps,
        blocks=lambda w: segment.filtered(STUDY, **w).pixels.blocks,
        arrays=lambda w: segment.filtered(STUDY, **w).pixels.arrays,
        codec=lambda w: segment.filtered(STUDY, **w).codec,
        dtype=lambda w: segment.filtered(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: segment.filtered(STUDY, **w).need.group
    priority: 2
    threads: lambda w: segment.filtered(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: segment.filtered(STUDY, **w).need),
    script:
        "../../scripts/filter.py"
