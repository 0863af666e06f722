"""Any format in, blocks of tiles out."""


rule ingest:
    """The image's pixels, in the dtype of its files, and its reduced levels, the means of 2 x 2."""
    input:
        images=lambda w: get_sources(ingest.image(STUDY, **w)),
        code=get_code("ingest"),
    output:
        image=at_levels("results/{stack}/image.zarr/{level}/c/{block}"),
        checks="results/{stack}/checks/{block}.tsv",
        made_from=update("results/{stack}/made_from/image/{block}.json"),
    log:
        "logs/{stack}/image.zarr/0/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/image.zarr/0/c/{block}.tsv"
    params:
        parts=lambda w: ingest.image(STUDY, **w).parts,
        planes=lambda w: [one[1:] for one in ingest.image(STUDY, **w).sources],
        revision=lambda w: ingest.revision(ingest.image(STUDY, **w)),
        dtype=lambda w: ingest.image(STUDY, **w).dtype,
    wildcard_constraints:
        stack=GREY,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: ingest.image(STUDY, **w).need.group
    priority: 1
    threads: lambda w: ingest.image(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: ingest.image(STUDY, **w).need),
    script:
        "../../scripts/ingest.py"


use rule ingest as ingest_color with:
    output:
        image=at_levels("results/{stack}/image.zarr/{level}/c/{block}"),
        color=at_levels("results/{stack}/color.zarr/{level}/c/0/{block}"),
        checks="results/{stack}/checks/{block}.tsv",
        made_from=update("results/{stack}/made_from/image/{block}.json"),
    wildcard_constraints:
        stack=COLOR,


rule ingest_channel:
    """A channel of an image of several, in the dtype of its files; of those that filters begin with."""
    input:
        images=lambda w: get_sources(ingest.channel(STUDY, **w)),
        code=get_code("ingest_channel"),
    output:
        channel="results/{stack}/channels/{channel}.zarr/c/{block}",
        made_from=update("results/{stack}/made_from/channel-{channel}/{block}.json"),
    log:
        "logs/{stack}/channels/{channel}.zarr/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/channels/{channel}.zarr/c/{block}.tsv"
    params:
        parts=lambda w: ingest.channel(STUDY, **w).parts,
        planes=lambda w: [one[1:] for one in ingest.channel(STUDY, **w).sources],
        revision=lambda w: ingest.revision(ingest.channel(STUDY, **w)),
        dtype=lambda w: ingest.channel(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: ingest.channel(STUDY, **w).need.group
    priority: 1
    threads: lambda w: ingest.channel(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: ingest.channel(STUDY, **w).need),
    script:
        "../../scripts/ingest_channel.py"


rule ingest_roi:
    """The region of interest: 1 inside, 0 outside; levels take the upper left of 2 x 2."""
    input:
        roi=lambda w: get_sources(ingest.roi(STUDY, **w)),
        image=lambda w: ingest.roi(STUDY, **w).images,
        code=get_code("ingest_roi"),
    output:
        roi=at_levels("results/{stack}/image.zarr/labels/roi/{level}/c/{block}"),
        made_from=update("results/{stack}/made_from/roi/{block}.json"),
    log:
        "logs/{stack}/image.zarr/labels/roi/0/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/image.zarr/labels/roi/0/c/{block}.tsv"
    params:
        parts=lambda w: ingest.roi(STUDY, **w).parts,
        planes=lambda w: [one[1:] for one in ingest.roi(STUDY, **w).sources],
        revision=lambda w: ingest.revision(ingest.roi(STUDY, **w)),
        dtype=lambda w: ingest.roi(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: ingest.roi(STUDY, **w).need.group
    priority: 2
    threads: lambda w: ingest.roi(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: ingest.roi(STUDY, **w).need),
    script:
        "../../scripts/ingest_roi.py"


rule ingest_truth:
    """The truth: 0 background, 1 foreground, 255 not annotated; levels take the upper left of 2 x 2."""
    input:
        truth=lambda w: get_sources(ingest.truth(STUDY, **w)),
        roi=lambda w: ingest.truth(STUDY, **w).rois,
        code=get_code("ingest_truth"),
    output:
        truth=at_levels("results/{stack}/image.zarr/labels/truth/{level}/c/{block}"),
        made_from=update("results/{stack}/made_from/truth/{block}.json"),
    log:
        "logs/{stack}/image.zarr/labels/truth/0/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/image.zarr/labels/truth/0/c/{block}.tsv"
    params:
        parts=lambda w: ingest.truth(STUDY, **w).parts,
        planes=lambda w: [one[1:] for one in ingest.truth(STUDY, **w).sources],
        revision=lambda w: ingest.revision(ingest.truth(STUDY, **w)),
    wildcard_constraints:
        stack=NOT_VOTED,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: ingest.truth(STUDY, **w).need.group
    threads: lambda w: ingest.truth(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: ingest.truth(STUDY, **w).need),
    script:
        "../../scripts/ingest_truth.py"


use rule ingest_truth as ingest_annotator with:
    output:
        truth=at_levels("results/{stack}/image.zarr/labels/annotator-{annotator}/{level}/c/{block}"),
        made_from=update("results/{stack}/made_from/annotator-{annotator}/{block}.json"),
    log:
        "logs/{stack}/image.zarr/labels/annotator-{annotator}/0/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/image.zarr/labels/annotator-{annotator}/0/c/{block}.tsv"
    wildcard_constraints:
        stack=VOTED,


rule ingest_external:
    """Masks made elsewhere, or probabilities, as float32 with the values of their files."""
    input:
        masks=lambda w: get_sources(ingest.external(STUDY, **w)),
        code=get_code("ingest_external"),
    output:
        external="results/{stack}/external/{array}.zarr/c/{block}",
        made_from=update("results/{stack}/made_from/external-{array}/{block}.json"),
    log:
        "logs/{stack}/external/{array}.zarr/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/external/{array}.zarr/c/{block}.tsv"
    params:
        parts=lambda w: ingest.external(STUDY, **w).parts,
        planes=lambda w: [one[1:] for one in ingest.external(STUDY, **w).sources],
        revision=lambda w: ingest.revision(ingest.external(STUDY, **w)),
        channel=lambda w: ingest.external(STUDY, **w).channel,
    wildcard_constraints:
        array=paths.any_of(STUDY.arrays),
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: ingest.external(STUDY, **w).need.group
    priority: 1
    threads: lambda w: ingest.external(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: ingest.external(STUDY, **w).need),
    script:
        "../../scripts/ingest_external.py"


rule consensus:
    """What each pattern of votes means, and how far the annotators agree with each other and with it."""
    input:
        annotators=lambda w: ingest.consensus(STUDY, **w).files,
        code=get_code("consensus"),
    output:
        tables="results/{stack}/consensus/{extent}.npz",
        agreement="results/{stack}/agreement/{extent}.tsv",
        annotators="results/{stack}/annotators/{extent}.tsv",
    log:
        "logs/{stack}/consensus/{extent}.log",
    params:
        parts=lambda w: ingest.consensus(STUDY, **w).parts,
        blocks=lambda w: ingest.consensus(STUDY, **w).blocks,
        settings=config["truth"],
    wildcard_constraints:
        stack=VOTED,
    conda:
        "../../envs/tilewise.yaml"
    threads: lambda w: ingest.consensus(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: ingest.consensus(STUDY, **w).need),
    script:
        "../../scripts/consensus.py"


rule consensus_truth:
    """The truth that several annotators come to: 0 background, 1 foreground, 255 not annotated."""
    input:
        annotators=lambda w: ingest.consensus_truth(STUDY, **w).files,
        tables=lambda w: ingest.consensus_truth(STUDY, **w).table,
        code=get_code("consensus_truth"),
    output:
        truth=at_levels("results/{stack}/image.zarr/labels/truth/{level}/c/{block}"),
    log:
        "logs/{stack}/image.zarr/labels/truth/0/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/image.zarr/labels/truth/0/c/{block}.tsv"
    params:
        parts=lambda w: ingest.consensus_truth(STUDY, **w).parts,
    wildcard_constraints:
        stack=VOTED,
    conda:
        "../../envs/tilewise.yaml"
    threads: lambda w: ingest.consensus_truth(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: ingest.consensus_truth(STUDY, **w).need),
    script:
        "../../scripts/consensus_truth.py"
