"""Masks against the truth."""


rule validate:
    """Where a method is right and wrong, and counts in pixels and metrics from -1 or 0 to 1 per annotated tile.

    The confusion map: 0 not annotated, 1 true negative, 2 false positive, 3 false negative, 4 true positive.
    """
    input:
        mask="results/{stack}/image.zarr/labels/{method}/0/c/{block}",
        truth="results/{stack}/image.zarr/labels/truth/0/c/{block}",
        code=get_code("validate"),
    output:
        confusion=at_levels(
            "results/{stack}/image.zarr/labels/{method}-confusion/{level}/c/{block}"
        ),
        metrics="results/{stack}/{method}/metrics/{block}.tsv",
    log:
        "logs/{stack}/image.zarr/labels/{method}-confusion/0/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/image.zarr/labels/{method}-confusion/0/c/{block}.tsv"
    params:
        parts=lambda w: validate.validate(STUDY, **w).parts,
        scoring=lambda w: validate.validate(STUDY, **w).scoring,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: validate.validate(STUDY, **w).need.group
    priority: 4
    threads: lambda w: validate.validate(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: validate.validate(STUDY, **w).need),
    script:
        "../../scripts/validate.py"


rule structure:
    """Metrics of whole planes, or of all planes of a sample in 3-D; distances in pixels or micrometers."""
    input:
        mask=lambda w: validate.structure(STUDY, **w).masks,
        truth=lambda w: validate.structure(STUDY, **w).truths,
        code=get_code("structure"),
    output:
        metrics="results/{stack}/{method}/structure/{extent}.tsv",
    log:
        "logs/{stack}/{method}/structure/{extent}.log",
    benchmark:
        "benchmarks/{stack}/{method}/structure/{extent}.tsv"
    params:
        parts=lambda w: validate.structure(STUDY, **w).parts,
        blocks=lambda w: validate.structure(STUDY, **w).blocks,
        scoring=lambda w: validate.structure(STUDY, **w).scoring,
        is_plane=config["validate"]["extent"] == "plane",
    conda:
        "../../envs/tilewise.yaml"
    resources:
        **resources.of_attempts(lambda w: validate.structure(STUDY, **w).need),
    script:
        "../../scripts/structure.py"


rule errors:
    """Where methods differ: how many are wrong, as a label, and tables of pixels and objects per annotated block.

    The label: 0 not annotated, else 1 + the number of methods that are wrong.
    """
    input:
        confusions=lambda w: validate.errors(STUDY, **w).confusions,
        code=get_code("errors"),
    output:
        errors=at_levels("results/{stack}/image.zarr/labels/errors/{level}/c/{block}"),
        strata="results/{stack}/errors/strata/{block}.tsv",
        differences="results/{stack}/errors/differences/{block}.tsv",
    log:
        "logs/{stack}/image.zarr/labels/errors/0/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/image.zarr/labels/errors/0/c/{block}.tsv"
    params:
        parts=lambda w: validate.errors(STUDY, **w).parts,
        methods=lambda w: validate.errors(STUDY, **w).methods,
        connectivity=lambda w: validate.errors(STUDY, **w).connectivity,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: validate.errors(STUDY, **w).need.group
    threads: lambda w: validate.errors(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: validate.errors(STUDY, **w).need),
    script:
        "../../scripts/errors.py"


rule overlay:
    """One PNG per annotated tile, `{sample}_{tile}.png`: the confusion map's colours over the image."""
    input:
        picture=lambda w: validate.overlay(STUDY, **w).picture,
        confusion="results/{stack}/image.zarr/labels/{method}-confusion/0/c/{block}",
        code=get_code("overlay"),
    output:
        folder=directory("results/{stack}/{method}/overlay/{block}"),
    log:
        "logs/{stack}/{method}/overlay/{block}.log",
    benchmark:
        "benchmarks/{stack}/{method}/overlay/{block}.tsv"
    params:
        parts=lambda w: validate.overlay(STUDY, **w).parts,
        colors=COLORS,
        alpha=config["overlay"]["alpha"],
        scale_bar=config["overlay"]["scale_bar"],
        channels=lambda w: validate.overlay(STUDY, **w).channels,
        dtype=lambda w: validate.overlay(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: validate.overlay(STUDY, **w).need.group
    threads: lambda w: validate.overlay(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: validate.overlay(STUDY, **w).need),
    script:
        "../../scripts/overlay.py"
