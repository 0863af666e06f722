"""Tiles with or without truth: what is wrong with them, and how far a mask may be trusted."""


rule quality:
    """Features of every tile of a block; see `features` in scripts/tilewise/quality/features.py for their units."""
    input:
        image="results/{sample}/image.zarr/0/c/{block}",
        code=get_code("quality"),
    output:
        features="results/{sample}/quality/{block}.tsv",
    log:
        "logs/{sample}/quality/{block}.log",
    benchmark:
        "benchmarks/{sample}/quality/{block}.tsv"
    params:
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        get_ingest_group
    threads: get_threads()
    resources:
        mem_mb=get_strip_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/quality.py"


rule flag:
    """What stands out among the tiles of a sample, or is plainly wrong with them."""
    input:
        features=get_features,
        code=get_code("flag"),
    output:
        quality="results/{sample}/quality.tsv",
    log:
        "logs/{sample}/quality.log",
    params:
        thresholds=config["quality"]["thresholds"],
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/flag.py"


rule survey:
    """How far methods agree, from 0 to 1 (mean Dice of all pairs), on a few tiles of a block."""
    input:
        image=get_survey_image,
        thresholds=get_survey_thresholds,
        choices=get_survey_choices,
        code=get_code("survey"),
    output:
        agreement="results/{sample}/survey/{block}.tsv",
    log:
        "logs/{sample}/survey/{block}.log",
    benchmark:
        "benchmarks/{sample}/survey/{block}.tsv"
    params:
        tiles=get_surveyed_of_block,
        variants=get_survey_variants,
        blocks=get_survey_blocks,
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    resources:
        mem_mb=get_survey_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/survey.py"


rule trust:
    """Quality of all tiles, how far their masks may be trusted (0 to 1), and those most worth annotating."""
    input:
        quality=get_quality_tables,
        agreement=get_agreement_tables,
        thresholds=get_fraction_tables,
        metrics=get_all_metrics,
        code=get_code("trust"),
    output:
        quality="results/quality.tsv",
        trust="results/trust.tsv",
        next="results/annotate_next.tsv",
    log:
        "logs/trust.log",
    params:
        samples=list(SAMPLES),
        thresholds=config["quality"]["thresholds"],
        exclude=config["quality"]["exclude"],
        number=config["quality"]["next"],
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/trust.py"
