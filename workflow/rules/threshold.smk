"""From pixels to masks. The threshold of a sample of several blocks is map-reduce over them."""


rule extent:
    """Least and greatest pixel of a block, as text; for the histogram of floats of several blocks."""
    input:
        pixels=lambda w: segment.histogram(STUDY, **w).pixels.files,
        rois=lambda w: segment.histogram(STUDY, **w).pixels.rois,
        colors=lambda w: segment.histogram(STUDY, **w).pixels.colors,
        own=lambda w: list(map(local, segment.histogram(STUDY, **w).pixels.own_files)),
        sources=lambda w: segment.histogram(STUDY, **w).pixels.sources,
        code=get_code("extent"),
    output:
        extent="results/{stack}/histograms/{source}/extent/{block}.tsv",
    log:
        "logs/{stack}/histograms/{source}/extent/{block}.log",
    params:
        parts=lambda w: segment.histogram(STUDY, **w).parts,
        steps=lambda w: segment.histogram(STUDY, **w).pixels.steps,
        blocks=lambda w: segment.histogram(STUDY, **w).pixels.blocks,
        arrays=lambda w: segment.histogram(STUDY, **w).pixels.arrays,
        codec=lambda w: segment.histogram(STUDY, **w).pixels.codec,
        dtype=lambda w: segment.histogram(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: resources.filter_group(STUDY, w.stack)
    threads: lambda w: segment.histogram(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: segment.histogram(STUDY, **w).need),
    script:
        "../../scripts/extent.py"


rule histogram:
    """Pixels per grey level of a block, 64-bit integers: a bin per level of an integer, 256 of a float.

    With it: Otsu's classes of each tile, means and deviations in grey levels."""
    input:
        pixels=lambda w: segment.histogram(STUDY, **w).pixels.files,
        rois=lambda w: segment.histogram(STUDY, **w).pixels.rois,
        colors=lambda w: segment.histogram(STUDY, **w).pixels.colors,
        own=lambda w: list(map(local, segment.histogram(STUDY, **w).pixels.own_files)),
        sources=lambda w: segment.histogram(STUDY, **w).pixels.sources,
        extents=lambda w: segment.histogram(STUDY, **w).extents,
        code=get_code("histogram"),
    output:
        histogram="results/{stack}/histograms/{source}/{block}.npz",
    log:
        "logs/{stack}/histograms/{source}/{block}.log",
    params:
        parts=lambda w: segment.histogram(STUDY, **w).parts,
        steps=lambda w: segment.histogram(STUDY, **w).pixels.steps,
        blocks=lambda w: segment.histogram(STUDY, **w).pixels.blocks,
        arrays=lambda w: segment.histogram(STUDY, **w).pixels.arrays,
        codec=lambda w: segment.histogram(STUDY, **w).pixels.codec,
        dtype=lambda w: segment.histogram(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: segment.histogram(STUDY, **w).need.group
    threads: lambda w: segment.histogram(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: segment.histogram(STUDY, **w).need),
    script:
        "../../scripts/histogram.py"


checkpoint guard:
    """What tiles get by a method that have no clear threshold of their own, of a sample of several blocks.

    Of each set of parameters: the outcome, and the blocks with such tiles. Masks depend on that alone.
    """
    input:
        histograms=lambda w: segment.guard(STUDY, **w).histograms,
        code=get_code("guard"),
    output:
        outcomes="results/{stack}/{method}/guard.json",
    log:
        "logs/{stack}/{method}/guard.log",
    params:
        filters=lambda w: segment.guard(STUDY, **w).filters,
        blocks=lambda w: segment.guard(STUDY, **w).blocks,
        variants=lambda w: segment.guard(STUDY, **w).variants,
    conda:
        "../../envs/tilewise.yaml"
    priority: 3
    localrule: True
    script:
        "../../scripts/guard.py"


rule threshold:
    """The mask, 0 background and 1 foreground, and each tile's threshold in grey levels.

    A method that is only tried segments annotated tiles; `segmentation` is the one that was decided on.
    """
    input:
        pixels=lambda w: get_threshold(w).pixels.files,
        rois=lambda w: get_threshold(w).pixels.rois,
        colors=lambda w: get_threshold(w).pixels.colors,
        sources=lambda w: get_threshold(w).pixels.sources,
        guard=lambda w: get_mask_guard(w),
        choices=lambda w: get_choice_files(w.method),
        own=lambda w: list(map(local, get_threshold(w).own_files)),
        models=lambda w: get_threshold(w).models.files,
        assigned=lambda w: list(map(ancient, get_threshold(w).models.assigned)),
        code=get_code("threshold"),
    output:
        mask=at_levels("results/{stack}/image.zarr/labels/{method}/{level}/c/{block}"),
        thresholds="results/{stack}/{method}/thresholds/{block}.tsv",
        cost="results/{stack}/{method}/cost/{block}.tsv",
    log:
        "logs/{stack}/image.zarr/labels/{method}/0/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/image.zarr/labels/{method}/0/c/{block}.tsv"
    params:
        parts=lambda w: get_threshold(w).parts,
        steps=lambda w: get_threshold(w).pixels.steps,
        blocks=lambda w: get_threshold(w).pixels.blocks,
        arrays=lambda w: get_threshold(w).pixels.arrays,
        codec=lambda w: get_threshold(w).pixels.codec,
        dtype=lambda w: get_threshold(w).dtype,
        segmenter=lambda w: get_threshold(w).segmenter,
        calibration=lambda w: get_threshold(w).calibration,
        models=lambda w: get_threshold(w).models.names,
        outcome=lambda w: get_mask_outcome(w),
        voters=lambda w: get_threshold(w).voters,
        outcomes=lambda w: get_vote_outcomes(w),
    wildcard_constraints:
        method=paths.any_of(STUDY.without_probability),
    conda:
        lambda w: get_environment(w.method)
    group:
        lambda w: segment.threshold_need(STUDY, **w).group
    priority: 3
    threads: lambda w: segment.threshold_need(STUDY, **w).threads
    resources:
        **resources.of_attempts(lambda w: segment.threshold_need(STUDY, **w)),
    script:
        "../../scripts/threshold.py"


use rule threshold as threshold_probability with:
    output:
        mask=at_levels("results/{stack}/image.zarr/labels/{method}/{level}/c/{block}"),
        probability=at_levels("results/{stack}/probability/{method}.zarr/{level}/c/{block}"),
        thresholds="results/{stack}/{method}/thresholds/{block}.tsv",
        cost="results/{stack}/{method}/cost/{block}.tsv",
    wildcard_constraints:
        method=paths.any_of(STUDY.with_probability),
