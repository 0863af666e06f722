"""What the masks of all tiles say, corrected by the annotated ones."""


rule quantities:
    """The fraction of foreground of samples and groups (0 to 1, of the area in the region of interest), and its differences."""
    input:
        decided=lambda w: quantities.quantities(STUDY).decided,
        thresholds=lambda w: quantities.quantities(STUDY).thresholds,
        metrics=lambda w: quantities.quantities(STUDY).metrics,
        sweeps=lambda w: quantities.quantities(STUDY).sweeps,
        choices=lambda w: quantities.quantities(STUDY).choices,
        tried_folds=lambda w: quantities.quantities(STUDY).tried_folds,
        folds=lambda w: quantities.quantities(STUDY).folds,
        code=get_code("quantities"),
    output:
        quantities=report(
            "results/quantities.tsv", caption="../report/quantities.rst", category="Quantities"
        ),
        groups=report(
            "results/quantities_groups.tsv",
            caption="../report/quantities_groups.rst",
            category="Quantities",
        ),
    log:
        "logs/quantities.log",
    params:
        methods=lambda w: quantities.quantities(STUDY).methods,
        swept=lambda w: quantities.quantities(STUDY).swept,
        label=lambda w: quantities.quantities(STUDY).label,
        samples=lambda w: quantities.quantities(STUDY).samples,
        settings=lambda w: quantities.quantities(STUDY).settings,
    conda:
        "../../envs/tilewise.yaml"
    priority: 5
    localrule: True
    script:
        "../../scripts/quantities.py"
