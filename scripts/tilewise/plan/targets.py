"""What a run makes: the files that rule `all` asks for."""

from pathlib import Path

from tilewise.plan import export, learn, metadata, paths, report, validate
from tilewise.plan.study import Study


def arrays(study: Study) -> list[str]:
    """Blocks of all arrays, at all of their levels: whatever is missing is made again."""
    return [
        path
        for array in metadata.arrays(study)
        for level in (study.levels_of(array.stack) if array.kind != "filtered" else [0])
        for path in paths.of_blocks(array.pattern, array.blocks, level=level)
    ]


def overlays(study: Study) -> list[str]:
    """Folders of PNGs."""
    if study.config["overlay"]["format"] == "zarr-only":
        return []
    return paths.of_masks(paths.OVERLAY, study.validated, study.annotated_blocks)


def figures(study: Study) -> list[str]:
    """Of every kind and method, and of all methods."""
    own = [path for kind in report.FIGURES for path in report.figure_files(study, kind)]
    return [*own, *report.comparison_files(study)]


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


def models(study: Study) -> list[str]:
    """Trained models, with their cards, of methods that learn; and their learning curves."""
    trained = learn.applied_models(study)
    cards = [path.replace(".npz", ".json") for path in trained]
    return [*trained, *cards, *learn.learning_curves(study)]


def trust(study: Study) -> list[str]:
    """What every tile is worth, where quality is measured."""
    return ["results/trust.tsv"] if study.config["quality"]["measure"] else []


def decision_tables(study: Study) -> list[str]:
    """Decision, ranking and scores for the report."""
    names = ("decision.json", "ranking.tsv", "scores.tsv")
    return [f"results/{name}" for name in names if study.decides]


def costs(study: Study) -> list[str]:
    """What methods cost that are decided between."""
    return ["results/costs.tsv"] if study.decides else []


def annotate_next(study: Study) -> list[str]:
    """The tiles most worth annotating."""
    return ["results/annotate_next.tsv"] if study.config["quality"]["measure"] else []


def left_temporary(study: Study, results: Path) -> list[Path]:
    """Filtered images that are deleted once their masks are made, and that a killed run has left.

    Snakemake deletes those alone that a job of the same run has needed.
    """
    return sorted(results.glob("*/filtered/*.zarr")) if study.filtered == "temporary" else []


def left_behind(study: Study, results: Path) -> list[str]:
    """What earlier runs have left in a folder of results, and this study does not make.

    A line for each stack whose samples are gone, and one for all masks.
    """
    stacks = sorted(image.parent for image in results.glob("*/image.zarr"))
    lines = [
        f"{stack} is of an earlier run, and nothing uses it any more: delete it"
        for stack in stacks
        if stack.name not in study.stacks
    ]
    files = {*results.glob("masks/**/*.png"), *results.glob("masks/**/*.tif")}
    if others := sorted(files.difference(map(Path, export.files(study)))):
        names = ", ".join(map(str, others[:3])) + (", ..." if len(others) > 3 else "")
        lines.append(f"{len(others)} masks are of an earlier run: delete {names}")
    return lines
