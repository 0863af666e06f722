"""All tiles together, and what people look at."""


rule aggregate:
    """Every annotated tile of every sample and method, what they amount to, and what is wrong with them.

    The tables of errors and of differences are empty where `errors` under `validate` is off.
    """
    input:
        metrics=lambda w: report_jobs.aggregate(STUDY).metrics,
        thresholds=lambda w: validate.thresholds(STUDY),
        structures=lambda w: report_jobs.aggregate(STUDY).structures,
        features=lambda w: report_jobs.aggregate(STUDY).features,
        strata=lambda w: report_jobs.aggregate(STUDY).strata,
        differences=lambda w: report_jobs.aggregate(STUDY).differences,
        agreements=lambda w: report_jobs.aggregate(STUDY).agreements,
        annotators=lambda w: report_jobs.aggregate(STUDY).annotators,
        places=lambda w: list(map(ancient, report_jobs.aggregate(STUDY).trained.values())),
        code=get_code("aggregate"),
    output:
        metrics=report("results/metrics.tsv", caption="../report/metrics.rst", category="Scores"),
        summary=report("results/summary.tsv", caption="../report/summary.rst", category="Scores"),
        errors=report("results/errors.tsv", caption="../report/errors.rst", category="Scores"),
        differences=report(
            "results/differences.tsv", caption="../report/differences.rst", category="Scores"
        ),
        agreement="results/agreement.tsv",
        annotators="results/annotators.tsv",
    log:
        "logs/aggregate.log",
    params:
        order=lambda w: report_jobs.aggregate(STUDY).order,
        metadata=lambda w: report_jobs.aggregate(STUDY).metadata,
        tuned=STUDY.tuned,
        trained=lambda w: list(report_jobs.aggregate(STUDY).trained),
        chosen=config["validate"]["metrics"],
        extent=config["validate"]["extent"],
        limits=config["quality"]["thresholds"],
        exclude=config["quality"]["exclude"],
    conda:
        "../../envs/tilewise.yaml"
    priority: 5
    localrule: True
    script:
        "../../scripts/aggregate.py"


rule gather_warnings:
    """What could mislead: code, sample, method, tile, message and remedy."""
    input:
        checks=lambda w: doubts.warnings(STUDY).checks,
        thresholds=lambda w: doubts.warnings(STUDY).thresholds,
        made_from=lambda w: doubts.warnings(STUDY).made_from,
        images=lambda w: doubts.warnings(STUDY).images,
        summary="results/summary.tsv",
        decision=targets.decision_tables(STUDY),
        errors="results/errors.tsv",
        quantities=quantities.tables(STUDY)[:1],
        code=get_code("gather_warnings"),
    output:
        warnings=report(
            "results/warnings.tsv", caption="../report/warnings.rst", category="Overview"
        ),
    log:
        "logs/warnings.log",
    params:
        samples=list(STUDY.samples),
        doubts=lambda w: doubts.warnings(STUDY).doubts,
        has_roi=lambda w: doubts.warnings(STUDY).has_roi,
        traced=lambda w: doubts.warnings(STUDY).traced,
    conda:
        "../../envs/tilewise.yaml"
    priority: 5
    localrule: True
    script:
        "../../scripts/gather_warnings.py"


rule costs:
    """CPU seconds per million pixels, and peak memory in MB, of each method: on this machine, without choosing parameters."""
    input:
        masks=lambda w: get_costs(w).masks,
        filtered=lambda w: get_costs(w).filtered,
        code=get_code("costs"),
    output:
        costs=report("results/costs.tsv", caption="../report/costs.rst", category="Decision"),
    log:
        "logs/costs.log",
    params:
        masks=lambda w: get_costs(w).mask_methods,
        filtered=lambda w: get_costs(w).filtered_methods,
    conda:
        "../../envs/tilewise.yaml"
    priority: 5
    localrule: True
    script:
        "../../scripts/costs.py"


if FIGURE_METHODS:

    rule figures:
        """A few annotated tiles through every method's steps, histograms with thresholds, confusion matrices, all scores."""
        input:
            images=lambda w: get_figures(w).images,
            filtered=lambda w: get_figures(w).filtered,
            rois=lambda w: get_figures(w).rois,
            masks=lambda w: get_figures(w).masks,
            truths=lambda w: get_figures(w).truths,
            colors=lambda w: get_figures(w).colors,
            thresholds=lambda w: get_figures(w).thresholds,
            metrics="results/metrics.tsv",
            ranking=targets.decision_tables(STUDY)[1:2],
            scores=targets.decision_tables(STUDY)[2:],
            code=get_code("figures"),
        output:
            tiles=mark_figures("tiles", "Tiles"),
            histogram=mark_figures("histogram", "Histograms"),
            confusion=mark_figures("confusion", "Confusion matrices"),
            comparison=report(
                report_jobs.comparison_files(STUDY),
                caption="../report/comparison.rst",
                category="Figures",
            ),
        log:
            "logs/figures.log",
        params:
            methods=FIGURE_METHODS,
            tuned=STUDY.tuned,
            shown=lambda w: get_figures(w).shown,
            metric=config["decision"]["metric"],
            colors=COLORS,
            alpha=config["overlay"]["alpha"],
        conda:
            "../../envs/tilewise.yaml"
        priority: 5
        localrule: True
        script:
            "../../scripts/figures.py"


if report_tiles.is_wanted(STUDY):

    rule report_tiles:
        """Pictures of tiles for the report: up to 2,000 small ones, and up to `report.tiles` in full, in order of interest."""
        input:
            images=lambda w: get_report_tiles(w).images,
            colors=lambda w: get_report_tiles(w).colors,
            rois=lambda w: get_report_tiles(w).rois,
            truths=lambda w: get_report_tiles(w).truths,
            masks=lambda w: get_report_tiles(w).masks,
            thresholds=lambda w: get_report_tiles(w).thresholds,
            probabilities=lambda w: get_report_tiles(w).probabilities,
            filtered=lambda w: get_report_tiles(w).filtered,
            filtered_rois=lambda w: get_report_tiles(w).filtered_rois,
            own=lambda w: list(map(local, get_report_tiles(w).own_files)),
            metrics="results/metrics.tsv",
            next=targets.annotate_next(STUDY),
            code=get_code("report_tiles"),
        output:
            tiles=report_tiles.TILES,
            packs=report_tiles.packs(STUDY),
        log:
            "logs/report_tiles.log",
        params:
            blocks=lambda w: get_report_tiles(w).blocks,
            methods=list(STUDY.methods),
            are_few=report_tiles.are_few(STUDY),
            metric=config["decision"]["metric"],
            seed=config["decision"]["seed"],
        conda:
            "../../envs/tilewise.yaml"
        priority: 5
        resources:
            **resources.of_attempts(lambda w: report_tiles.need(STUDY)),
        localrule: report_tiles.is_small(STUDY)
        script:
            "../../scripts/report_tiles.py"


rule report:
    """What people would rather look at than tables: the answer, the methods, and their tiles, on one page."""
    input:
        **report_jobs.report_tables(STUDY),
        sweeps=lambda w: report_jobs.sweeps(STUDY),
        curves=learn.learning_curves(STUDY),
        choices=get_compared_choices,
        tiles=report_tiles.tables(STUDY),
        provenance="results/provenance.json",
        packs=report_tiles.packs(STUDY),
        page=get_page(),
        code=get_code("report"),
    output:
        report=report("results/report.html", caption="../report/page.rst", category="Overview"),
    log:
        "logs/report.log",
    params:
        study=get_facts,
        facts=get_methods_facts,
        swept=STUDY.swept,
        learning=learn.with_learning_curve(STUDY),
    conda:
        "../../envs/tilewise.yaml"
    priority: 6
    localrule: True
    script:
        "../../scripts/report.py"
