"""What annotated tiles choose: the parameters of a method, and the method."""


rule tile_histograms:
    """Pixels per grey level of a block's annotated tiles after a filter, apart by their truth."""
    input:
        image=get_level_image,
        truth="results/{sample}/image.zarr/labels/truth/0/c/{block}",
        code=get_code("tile_histograms"),
    output:
        levels="results/{sample}/histograms/{source}/truth/{block}.npz",
    log:
        "logs/{sample}/histograms/{source}/truth/{block}.log",
    benchmark:
        "benchmarks/{sample}/histograms/{source}/truth/{block}.tsv"
    params:
        steps=lambda wildcards: config["filters"].get(wildcards.source, []),
        margin=lambda wildcards: get_scoring(wildcards)["margin"],
        blocks=get_level_blocks,
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        "segment"
    threads: get_threads()
    resources:
        mem_mb=get_level_memory,
        runtime=get_runtime,
        slot=1,
    script:
        "../../scripts/tile_histograms.py"


rule calibrate:
    """Thresholds in grey levels of a method's calibrated variants: of all annotated tiles, and without each fold."""
    input:
        levels=get_calibration_levels,
        code=get_code("calibrate"),
    output:
        calibration="results/sweeps/{method}/calibration.tsv",
    log:
        "logs/sweeps/{method}/calibration.log",
    params:
        files=get_calibration_names,
        variants=get_calibrated,
        dtype=lambda wildcards: get_common_dtype(),
        groups=get_groups(),
        decision=config["decision"],
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/calibrate.py"


rule sweep:
    """Counts in pixels and metrics of every set of a method's parameters, a row per annotated tile of a block."""
    input:
        image=get_sweep_image,
        truth="results/{sample}/image.zarr/labels/truth/0/c/{block}",
        histograms=get_sweep_histograms,
        calibration=get_sweep_calibration,
        code=get_code("sweep"),
    output:
        scores="results/{sample}/{method}/sweep/{block}.tsv",
    log:
        "logs/{sample}/{method}/sweep/{block}.log",
    benchmark:
        "benchmarks/{sample}/{method}/sweep/{block}.tsv"
    params:
        variants=get_variants,
        steps=get_variant_steps,
        blocks=get_sweep_blocks,
        counted=lambda wildcards: get_counted_filters(wildcards.sample, wildcards.method),
        parts=lambda wildcards: len(get_blocks(wildcards.sample)),
        tiles=lambda wildcards: get_number_of_tiles(wildcards.sample),
        scoring=get_scoring,
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    group:
        "sweep"
    threads: get_threads()
    resources:
        mem_mb=get_sweep_memory,
        runtime=get_sweep_runtime,
        slot=1,
    script:
        "../../scripts/sweep.py"


checkpoint choose:
    """The parameters that annotated tiles choose, each set's scores, and counts of units that had no part in the choice."""
    input:
        scores=get_sweeps,
        calibration=get_sweep_calibration,
        quality=get_excluding_quality,
        code=get_code("choose"),
    output:
        choice="results/sweeps/{method}/choice.json",
        units="results/sweeps/{method}/units.tsv",
        sweep="results/sweeps/{method}/sweep.tsv",
    log:
        "logs/sweeps/{method}/choice.log",
    params:
        variants=lambda wildcards: [one.name for one in METHODS[wildcards.method].variants],
        groups=get_groups(),
        metrics=get_decision_metrics(),
        exclude=config["quality"]["exclude"],
        decision=config["decision"],
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/choose.py"


checkpoint decide:
    """The methods in order, with intervals and tests over independent units, and the one to use."""
    input:
        metrics=get_all_metrics,
        units=get_unit_tables,
        levels=get_oracle_levels,
        annotators=get_annotator_tables,
        quality=get_annotated_quality,
        code=get_code("decide"),
    output:
        choice="results/choice.json",
        decision="results/decision.json",
        text="results/decision.md",
        ranking="results/ranking.tsv",
        scores="results/scores.tsv",
    log:
        "logs/decide.log",
    params:
        methods=RANKED,
        swept=get_swept(),
        left_out=get_left_out(),
        levels=get_oracle_names,
        groups=get_groups(),
        metrics=get_decision_metrics(),
        exclude=config["quality"]["exclude"],
        decision=config["decision"],
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/decide.py"
