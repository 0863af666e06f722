"""What annotated tiles choose: the parameters of a method, and the method."""


rule tile_histograms:
    """Pixels per grey level of a block's annotated tiles after a filter, apart by their truth."""
    input:
        pixels=lambda w: decide.tile_histograms(STUDY, **w).pixels.files,
        rois=lambda w: decide.tile_histograms(STUDY, **w).pixels.rois,
        colors=lambda w: decide.tile_histograms(STUDY, **w).pixels.colors,
        own=lambda w: list(map(local, decide.tile_histograms(STUDY, **w).pixels.own_files)),
        sources=lambda w: decide.tile_histograms(STUDY, **w).pixels.sources,
        truth="results/{stack}/image.zarr/labels/truth/0/c/{block}",
        code=get_code("tile_histograms"),
    output:
        histograms="results/{stack}/histograms/{source}/truth/{block}.npz",
    log:
        "logs/{stack}/histograms/{source}/truth/{block}.log",
    benchmark:
        "benchmarks/{stack}/histograms/{source}/truth/{block}.tsv"
    params:
        parts=lambda w: decide.tile_histograms(STUDY, **w).parts,
        steps=lambda w: decide.tile_histograms(STUDY, **w).pixels.steps,
        blocks=lambda w: decide.tile_histograms(STUDY, **w).pixels.blocks,
        arrays=lambda w: decide.tile_histograms(STUDY, **w).pixels.arrays,
        codec=lambda w: decide.tile_histograms(STUDY, **w).pixels.codec,
        dtype=lambda w: decide.tile_histograms(STUDY, **w).dtype,
        margin=lambda w: decide.tile_histograms(STUDY, **w).margin,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: decide.tile_histograms(STUDY, **w).need.group
    priority: 3
    threads: lambda w: decide.tile_histograms(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: decide.tile_histograms(STUDY, **w).need),
    script:
        "../../scripts/tile_histograms.py"


rule folds:
    """The unit and the fold of every annotated tile that counts, for all choices and scores."""
    input:
        truths=lambda w: decide.folds(STUDY).truths,
        features=lambda w: decide.folds(STUDY).features,
        code=get_code("folds"),
    output:
        folds="results/folds.tsv",
    log:
        "logs/folds.log",
    params:
        stacks=lambda w: decide.folds(STUDY).stacks,
        margin=lambda w: decide.folds(STUDY).margin,
        sampling=lambda w: decide.folds(STUDY).sampling,
        groups=STUDY.groups,
        # without features there is nothing to flag
        limits=config["quality"]["thresholds"] if config["quality"]["exclude"] else {},
        exclude=config["quality"]["exclude"],
        decision={
            name: config["decision"][name]
            for name in ("unit", "plane_gap", "tile_gap", "cell", "min_units", "folds")
        },
    conda:
        "../../envs/tilewise.yaml"
    priority: 4
    localrule: True
    script:
        "../../scripts/folds.py"


rule calibrate:
    """Thresholds in grey levels of a method's calibrated variants: of all annotated tiles, and without each fold."""
    input:
        histograms=lambda w: decide.calibrate(STUDY, **w).histograms.files,
        folds="results/folds.tsv",
        code=get_code("calibrate"),
    output:
        calibration="results/sweeps/{method}/calibration.tsv",
    log:
        "logs/sweeps/{method}/calibration.log",
    params:
        filters=lambda w: decide.calibrate(STUDY, **w).histograms.filters,
        samples=lambda w: decide.calibrate(STUDY, **w).samples,
        variants=lambda w: decide.calibrate(STUDY, **w).variants,
        dtypes=lambda w: decide.calibrate(STUDY, **w).dtypes,
    conda:
        "../../envs/tilewise.yaml"
    priority: 4
    localrule: True
    script:
        "../../scripts/calibrate.py"


rule sweep:
    """Counts in pixels and metrics of every set of a method's parameters, a row per annotated tile of a block."""
    input:
        image=lambda w: decide.sweep(STUDY, **w).pixels.files,
        rois=lambda w: decide.sweep(STUDY, **w).pixels.rois,
        colors=lambda w: decide.sweep(STUDY, **w).pixels.colors,
        sources=lambda w: decide.sweep(STUDY, **w).pixels.sources,
        truth="results/{stack}/image.zarr/labels/truth/0/c/{block}",
        guard=lambda w: get_guard_files(w.stack, w.method, STUDY.methods[w.method].variants),
        calibration=lambda w: decide.sweep(STUDY, **w).calibrations,
        own=lambda w: list(map(local, decide.sweep(STUDY, **w).own_files)),
        models=lambda w: decide.sweep(STUDY, **w).models.files,
        assigned=lambda w: list(map(ancient, decide.sweep(STUDY, **w).models.assigned)),
        code=get_code("sweep"),
    output:
        scores="results/{stack}/{method}/sweep/{block}.tsv",
    log:
        "logs/{stack}/{method}/sweep/{block}.log",
    benchmark:
        "benchmarks/{stack}/{method}/sweep/{block}.tsv"
    params:
        parts=lambda w: decide.sweep(STUDY, **w).parts,
        variants=lambda w: decide.sweep(STUDY, **w).variants,
        steps=lambda w: decide.sweep(STUDY, **w).steps,
        models=lambda w: decide.sweep(STUDY, **w).models.names,
        blocks=lambda w: decide.sweep(STUDY, **w).pixels.blocks,
        arrays=lambda w: decide.sweep(STUDY, **w).pixels.arrays,
        scoring=lambda w: decide.sweep(STUDY, **w).scoring,
        outcomes=lambda w: get_outcomes(**w, variants=STUDY.methods[w.method].variants),
        dtype=lambda w: decide.sweep(STUDY, **w).dtype,
    conda:
        lambda w: get_environment(w.method)
    group:
        lambda w: decide.sweep(STUDY, **w).need.group
    priority: 3
    threads: lambda w: decide.sweep(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: decide.sweep(STUDY, **w).need),
    script:
        "../../scripts/sweep.py"


checkpoint choose:
    """The parameters that annotated tiles choose, each set's scores, and counts of units by each set."""
    input:
        scores=lambda w: decide.choose(STUDY, **w).scores,
        calibration=lambda w: decide.choose(STUDY, **w).calibrations,
        folds="results/folds.tsv",
        code=get_code("choose"),
    output:
        choice="results/sweeps/{method}/choice.json",
        units="results/sweeps/{method}/units.tsv",
        folds="results/sweeps/{method}/folds.tsv",
        sweep="results/sweeps/{method}/sweep.tsv",
    log:
        "logs/sweeps/{method}/choice.log",
    params:
        variants=lambda w: decide.choose(STUDY, **w).variants,
        is_trained=lambda w: decide.choose(STUDY, **w).is_trained,
        samples=STUDY.annotated,
        metrics=STUDY.tile_metrics,
        decision=config["decision"],
    conda:
        "../../envs/tilewise.yaml"
    priority: 4
    localrule: True
    script:
        "../../scripts/choose.py"


checkpoint decide:
    """The methods in order, with intervals and tests over independent units, and the one to use."""
    input:
        metrics=lambda w: decide.decide(STUDY).metrics,
        thresholds=lambda w: validate.thresholds(STUDY),
        units=lambda w: decide.decide(STUDY).units,
        folds="results/folds.tsv",
        histograms=lambda w: decide.decide(STUDY).histograms.files,
        annotators=lambda w: decide.decide(STUDY).annotators,
        features=lambda w: decide.decide(STUDY).features,
        checks=lambda w: doubts.of_decision(STUDY).checks,
        code=get_code("decide"),
    output:
        choice="results/choice.json",
        decision="results/decision.json",
        text=report("results/decision.md", caption="../report/decision.rst", category="Decision"),
        ranking=report("results/ranking.tsv", caption="../report/ranking.rst", category="Decision"),
        scores=report("results/scores.tsv", caption="../report/scores.rst", category="Decision"),
        units="results/units.tsv",
    log:
        "logs/decide.log",
    params:
        methods=lambda w: decide.decide(STUDY).methods,
        swept=lambda w: decide.decide(STUDY).swept,
        left_out=lambda w: decide.decide(STUDY).left_out,
        filters=lambda w: decide.decide(STUDY).histograms.filters,
        doubts=lambda w: doubts.of_decision(STUDY).doubts,
        has_roi=lambda w: doubts.of_decision(STUDY).has_roi,
        groups=STUDY.groups,
        metrics=STUDY.tile_metrics,
        limits=config["quality"]["thresholds"],
        exclude=config["quality"]["exclude"],
        decision=config["decision"],
    conda:
        "../../envs/tilewise.yaml"
    priority: 5
    localrule: True
    script:
        "../../scripts/decide.py"
