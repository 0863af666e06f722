"""Masks as image files, for other programs."""


rule export:
    """A mask as an image file of its sample's size: 0 and 255; other labels keep their values."""
    input:
        blocks=lambda w: export.single(STUDY, **w).blocks,
        code=get_code("export"),
    output:
        masks=["results/masks/{file}"],
    log:
        "logs/masks/{file}.log",
    params:
        arrays=lambda w: export.single(STUDY, **w).arrays,
    conda:
        "../../envs/tilewise.yaml"
    priority: 4
    resources:
        **resources.of_attempts(lambda w: export.single(STUDY, **w).need),
    script:
        "../../scripts/export.py"


if export.collected(STUDY).masks:

    use rule export as export_collected with:
        input:
            blocks=export.collected(STUDY).blocks,
            code=get_code("export"),
        output:
            masks=export.collected(STUDY).masks,
        log:
            "logs/masks.log",
        params:
            arrays=lambda w: export.collected(STUDY).arrays,
        resources:
            **resources.of_attempts(lambda w: export.collected(STUDY).need),

    # Snakemake tries one output after the other for each file that it looks for
    COLLECTED = workflow.get_rule("export_collected")
    COLLECTED.is_producer = frozenset(file.file for file in COLLECTED.products()).__contains__
