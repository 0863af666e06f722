"""What a run makes: the files that rule `all` asks for."""

from tilewise.plan import export, metadata, paths, report, validate
from tilewise.plan.study import Study


def arrays(study: Study) -> list[str]:
    """Blocks of all arrays, at all of their levels: whatever is missing is made again."""
    return [
        path
        for array in metadata.arrays(study)
        for level in (study.levels if array.kind != "filtered" else [0])
        for path in paths.of_blocks(array.pattern, array.blocks, level=level)
    ]


def overlays(study: Study) -> list[str]:
    """Folders of PNGs."""
    if study.config["overlay"]["format"] == "zarr-only":
        return []
    return [
        path
        for stack, method in study.validated
        for path in paths.of_blocks(
            paths.OVERLAY, study.annotated_blocks(stack, method), stack=stack, method=method
        )
    ]


def figures(study: Study) -> list[str]:
    """Of every kind and method."""
    return [path for kind in report.FIGURES for path in report.figure_files(study, kind)]


def decision(study: Study) -> list[str]:
    """What annotated tiles decide, where there are any."""
    if not study.decides:
        return []
    tables = [paths.TRIED.format(method=method) for method in study.swept]
    return ["results/decision.json", *tables]


def errors(study: Study) -> list[str]:
    """Where methods differ, where that is compared."""
    has_any = bool(validate.error_tables(study, paths.STRATA))
    return ["results/errors.tsv", "results/differences.tsv"] if has_any else []


def trust(study: Study) -> list[str]:
    """What every tile is worth, where quality is measured."""
    return ["results/trust.tsv"] if study.config["quality"]["measure"] else []


def decision_tables(study: Study) -> list[str]:
    """Decision, ranking and scores for the report."""
    names = ("decision.json", "ranking.tsv", "scores.tsv")
    return [f"results/{name}" for name in names if study.decides]


def annotate_next(study: Study) -> list[str]:
    """The tiles most worth annotating."""
    return ["results/annotate_next.tsv"] if study.config["quality"]["measure"] else []


def masks(study: Study) -> list[str]:
    """Image files of labels."""
    return export.files(study)
