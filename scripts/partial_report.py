"""Write a report of what a run has made so far, while it goes on: `results/report-partial.html`.

    python scripts/partial_report.py [--configfile my.yaml] [--directory DIR]

It reads what is there and changes nothing else, and takes the configuration as `snakemake` does.
The worst annotated tiles so far are shown with their masks. Files that a job is writing are left
out. No job runs this.
"""

import argparse
import json
import os
from itertools import chain
from pathlib import Path

import numpy as np
import yaml
from snakemake.utils import validate

from tilewise import frames
from tilewise.decide.summary import sort_rows, summarize
from tilewise.plan import configuration, definitions, learn, methods_facts, paths, report
from tilewise.plan import report_tiles as tiles_job
from tilewise.plan.study import Choice, read_study
from tilewise.report import data, tiles
from tilewise.score.formulas import METRICS
from tilewise.score.score_table import ADDED, columns, kinds, whole_tiles
from tilewise.tables import SLIVER, read_rows
from tilewise.view import methods_text, page, tile_packs
from tilewise.view.glossary import TERMS

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
PAGE = "results/report-partial.html"
MOST_TILES = 24
"""With pictures."""
MOST_BYTES = 8_000_000
"""Of their pictures, which the page holds."""


def study_of(configfile):
    """The study of a configuration file, in the folder of the run."""
    config = yaml.safe_load(configfile.read_text(encoding="utf-8"))
    configuration.check(config, yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    validate(config, str(SCHEMA))
    return read_study(config, configfile.parent)


def choice_of(method):
    """What annotated tiles have chosen, if they have."""
    try:
        chosen = json.loads(Path(paths.CHOICE.format(method=method)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    calibration = chosen.get("calibration")
    return Choice(method, chosen["variant"], calibration and tuple(calibration.items()))


def rows_of(path):
    """Rows of a table; none if it is missing, or not written to its end."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        return read_rows(path) if text.endswith("\n") else []
    except (OSError, ValueError):
        return []


def scores_of(study, tables):
    """Rows of tables of scores as `metrics.tsv` has them, as far as they are known."""
    added = {"extent": "tile", "flags": "", "excluded": "", "guard": ""}
    rows = [
        row | added | {"estimate": "resubstitution" if row["method"] in study.tuned else "fixed"}
        for row in whole_tiles(chain.from_iterable(tables))
    ]
    return sort_rows(rows, list(study.samples), list(study.methods))


def table_of(rows, study):
    """The same as columns."""
    names = [*columns(study.tile_metrics), *ADDED]
    return frames.of_rows(rows, names, kinds(study.tile_metrics))


def pictures_of(study, rows):
    """The worst tiles so far, whichever method is wrong on them, and packs of them for the page."""
    metric = study.config["decision"]["metric"]
    merits = {}
    for row in rows:
        if row.get(metric) and row["edge"] != SLIVER:
            merit = float(METRICS[metric].merit(np.array([float(row[metric])]))[0])
            place = row["sample"], row["tile"]
            merits[place] = min(merit, merits.get(place, merit))
    worst = sorted(merits, key=merits.get)[:MOST_TILES]
    job = tiles_job.of_blocks(study, scored_blocks(study))
    files = {kind: getattr(job, kind) for kind in tiles.KINDS}
    wanted = {place: number for number, place in enumerate(worst)}
    found, packs = tiles.readable(tiles.blocks_of(job.blocks, files), list(study.methods), wanted)
    embedded = data.embed(map(tile_packs.as_json, packs), MOST_BYTES)
    record = tiles.to_record(found, {i: ["among the worst so far"] for i in range(len(embedded))})
    return data.Pictures.of(record), embedded


def scored_blocks(study):
    """Blocks with tables of scores, which come after masks, and the choices of these methods."""
    for stack in study.stacks:
        for block in study.annotated_blocks(stack):
            choices = []
            for method in report.cost_methods(study):
                names = {"stack": stack, "method": method, "block": block}
                tables = (paths.METRICS.format(**names), paths.THRESHOLDS.format(**names))
                choice = choice_of(method) if method in study.swept else Choice(method)
                if choice and all(map(rows_of, tables)):
                    choices.append(choice)
            if choices:
                yield stack, block, choices


def partial(study):
    """The data of the page."""
    wanted = report.aggregate(study).metrics
    scored = [rows for rows in map(rows_of, wanted) if rows]
    choices = tuple(filter(None, map(choice_of, study.swept)))
    facts = methods_facts.facts(study, choices)
    rows = scores_of(study, scored)
    tables = {"metrics": rows, "summary": summarize(table_of(rows, study), study.tile_metrics)}
    for name in ("quality", "trust", "annotate_next"):
        tables[name] = rows_of(f"results/{name}.tsv")
    curves = zip(learn.with_learning_curve(study), learn.learning_curves(study), strict=True)
    pictures, packs = pictures_of(study, rows)
    said, decision = progress(len(scored), len(wanted))
    known = data.assemble(
        *(definitions.facts(study, choices), tables, None, {}, pictures, TERMS),
        text=methods_text.write(facts, None, {})._asdict(),
        packs=packs,
        number_of_packs=len(packs),
        learning_curves={method: rows_of(path) for method, path in curves},
        partial=said,
        citations=methods_text.citations(facts),
    )
    known["answer"]["sentences"] = [decision]
    return known


def progress(scored, wanted):
    """How far the run is, and what that means for the decision, in words."""
    if scored < wanted:
        tables = f"{scored} of {wanted} tables of scores are there."
        decision = "Nothing is decided before all methods have been scored."
        return f"This report is of a run that goes on: {tables}", decision
    tables = f"All {wanted} tables of scores are there."
    decision = "The decision is in results/report.html, once the run has ended."
    return f"This report is a part of that of the whole run. {tables}", decision


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--configfile", type=Path, help="as of the run; by default, config.yaml")
    parser.add_argument("--directory", type=Path, default=Path(), help="the folder of the run")
    arguments = parser.parse_args()
    given = arguments.configfile and arguments.configfile.resolve()
    os.chdir(arguments.directory)
    own = Path("config.yaml")
    configfile = Path(os.path.relpath(given or (own if own.exists() else ROOT / own)))
    html = page.render(partial(study_of(configfile)))
    # a browser that has the page open never sees half of it
    Path(f"{PAGE}.new").write_text(html, encoding="utf-8")
    os.replace(f"{PAGE}.new", PAGE)
    print(f"Open {arguments.directory / PAGE}")


if __name__ == "__main__":
    main()
