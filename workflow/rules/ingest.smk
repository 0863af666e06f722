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
    wildcard_constraints:
        sample=get_sample_pattern([name for name in SAMPLES if name not in SHARED]),
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


use rule ingest_truth as ingest_annotator with:
    input:
        truth=get_annotator_files,
        roi=get_roi_files,
        code=get_code("ingest_truth"),
    output:
        truth="results/{sample}/image.zarr/labels/annotator-{annotator}/0/c/{block}",
    log:
        "logs/{sample}/image.zarr/labels/annotator-{annotator}/0/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/image.zarr/labels/annotator-{annotator}/0/c/{block}.tsv"
    params:
        truth=get_annotator_pieces,
        roi=lambda wildcards: get_pieces(wildcards, "roi"),
        has_roi=has_roi,
        foreground=get_truth_foreground,
        grid=get_grid,
    wildcard_constraints:
        sample=get_sample_pattern(SHARED),


rule votes:
    """Pixels per pattern of the annotators' votes in a block: a base-3 number, 0, 1 and 2 for not annotated."""
    input:
        annotators=get_annotators_of_block,
        code=get_code("votes"),
    output:
        votes="results/{sample}/votes/{block}.npy",
    log:
        "logs/{sample}/votes/{block}.log",
    params:
        grid=get_grid,
    wildcard_constraints:
        sample=get_sample_pattern(SHARED),
    conda:
        "../../envs/tilewise.yaml"
    threads: get_threads()
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/votes.py"


rule consensus:
    """What each pattern of votes means, and how far the annotators agree with each other and with it."""
    input:
        votes=get_votes,
        code=get_code("consensus"),
    output:
        table="results/{sample}/consensus.npy",
        agreement="results/{sample}/agreement.tsv",
        annotators="results/{sample}/annotators.tsv",
    log:
        "logs/{sample}/consensus.log",
    params:
        annotators=lambda wildcards: len(SAMPLES[wildcards.sample].annotators),
        settings=config["truth"],
    wildcard_constraints:
        sample=get_sample_pattern(SHARED),
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/consensus.py"


rule consensus_truth:
    """The truth that several annotators come to: 0 background, 1 foreground, 255 not annotated."""
    input:
        annotators=get_annotators_of_block,
        table="results/{sample}/consensus.npy",
        code=get_code("consensus_truth"),
    output:
        truth="results/{sample}/image.zarr/labels/truth/0/c/{block}",
    log:
        "logs/{sample}/image.zarr/labels/truth/0/c/{block}.log",
    benchmark:
        "benchmarks/{sample}/image.zarr/labels/truth/0/c/{block}.tsv"
    params:
        grid=get_grid,
    wildcard_constraints:
        sample=get_sample_pattern(SHARED),
    conda:
        "../../envs/tilewise.yaml"
    threads: get_threads()
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/consensus_truth.py"
