"""Tiles with or without truth: what is wrong with them, and how far a mask may be trusted."""


rule quality:
    """Features of every tile of a block; see scripts/tilewise/quality/features.py for their units."""
    input:
        image=lambda w: quality.quality(STUDY, **w).pixels.files,
        rois=lambda w: quality.quality(STUDY, **w).pixels.rois,
        code=get_code("quality"),
    output:
        features="results/{stack}/quality/{block}.tsv",
    log:
        "logs/{stack}/quality/{block}.log",
    benchmark:
        "benchmarks/{stack}/quality/{block}.tsv"
    params:
        parts=lambda w: quality.quality(STUDY, **w).parts,
        dtype=lambda w: quality.quality(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    group:
        lambda w: quality.quality(STUDY, **w).need.group
    threads: lambda w: quality.quality(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: quality.quality(STUDY, **w).need),
    script:
        "../../scripts/quality.py"


rule survey:
    """How far methods agree, from 0 to 1 (mean Dice of all pairs), on a few tiles of a block."""
    input:
        image=lambda w: get_survey(w).pixels.files,
        rois=lambda w: get_survey(w).pixels.rois,
        colors=lambda w: get_survey(w).pixels.colors,
        sources=lambda w: get_survey(w).pixels.sources,
        choices=get_survey_choices,
        own=lambda w: list(map(local, get_survey(w).own_files)),
        models=lambda w: get_survey(w).models.files,
        assigned=lambda w: list(map(ancient, get_survey(w).models.assigned)),
        code=get_code("survey"),
    output:
        agreement="results/{stack}/survey/{block}.tsv",
    log:
        "logs/{stack}/survey/{block}.log",
    benchmark:
        "benchmarks/{stack}/survey/{block}.tsv"
    params:
        parts=lambda w: get_survey(w).parts,
        variants=lambda w: get_survey(w).variants,
        outcomes=get_survey_outcomes,
        models=lambda w: get_survey(w).models.names,
        blocks=lambda w: get_survey(w).pixels.blocks,
        arrays=lambda w: get_survey(w).pixels.arrays,
        dtype=lambda w: get_survey(w).dtype,
    conda:
        lambda w: get_environment(*quality.survey_methods(STUDY, **w))
    resources:
        **resources.of_attempts(lambda w: quality.survey_need(STUDY, **w)),
    script:
        "../../scripts/survey.py"


rule trust:
    """Quality of all tiles, how far their masks may be trusted (0 to 1); tiles to annotate, the hardest and random ones."""
    input:
        features=lambda w: quality.trust(STUDY).features,
        agreement=lambda w: quality.trust(STUDY).agreement,
        thresholds=lambda w: quality.trust(STUDY).thresholds,
        metrics=lambda w: quality.trust(STUDY).metrics,
        code=get_code("trust"),
    output:
        quality="results/quality.tsv",
        trust="results/trust.tsv",
        next=report("results/annotate_next.tsv", caption="../report/next.rst", category="Tiles"),
        random="results/annotate_random.tsv",
    log:
        "logs/trust.log",
    params:
        samples=list(STUDY.samples),
        limits=config["quality"]["thresholds"],
        exclude=config["quality"]["exclude"],
        number=config["quality"]["next"],
        seed=config["decision"]["seed"],
    conda:
        "../../envs/tilewise.yaml"
    localrule: True
    script:
        "../../scripts/trust.py"
