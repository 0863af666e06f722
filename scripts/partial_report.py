"""Write a report of what a run has made so far, while it goes on: `results/report-partial.html`.

    python scripts/partial_report.py [--configfile my.yaml] [--directory DIR]

It reads what is there and changes nothing else, and takes the configuration as `snakemake` does.
No job runs this.
"""

import argparse
import json
import os
from pathlib import Path

import yaml
from snakemake.utils import validate

from tilewise.decide.summary import sort_rows, summarize
from tilewise.plan import configuration, definitions, methods_facts, paths, report
from tilewise.plan.study import Choice, read_study
from tilewise.report import data
from tilewise.score.score_table import whole_tiles
from tilewise.tables import read_each, read_rows
from tilewise.view import methods_text, page
from tilewise.view.glossary import TERMS

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
PAGE = "results/report-partial.html"


def study_of(configfile):
    """The study of a configuration file, in the folder of the run."""
    config = yaml.safe_load(configfile.read_text(encoding="utf-8"))
    configuration.check(config, yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    validate(config, str(SCHEMA))
    return read_study(config, configfile.parent)


def choice_of(method):
    """What annotated tiles have chosen, if they have."""
    path = Path(paths.CHOICE.format(method=method))
    if not path.exists():
        return None
    chosen = json.loads(path.read_text(encoding="utf-8"))
    calibration = chosen.get("calibration")
    return Choice(method, chosen["variant"], calibration and tuple(calibration.items()))


def scores_of(study, files):
    """Rows of tables of scores as `metrics.tsv` has them, as far as they are known."""
    added = {"extent": "tile", "flags": "", "excluded": "", "guard": ""}
    rows = [
        row | added | {"estimate": "resubstitution" if row["method"] in study.tuned else "fixed"}
        for row in whole_tiles(read_each(files))
    ]
    return sort_rows(rows, list(study.samples), list(study.methods))


def partial(study):
    """The data of the page."""
    wanted = report.aggregate(study).metrics
    files = [path for path in wanted if Path(path).exists()]
    choices = tuple(filter(None, map(choice_of, study.swept)))
    facts = methods_facts.facts(study, choices)
    rows = scores_of(study, files)
    tables = {"metrics": rows, "summary": summarize(rows, study.tile_metrics)}
    for name in ("quality", "trust", "annotate_next"):
        path = Path(f"results/{name}.tsv")
        tables[name] = read_rows(path) if path.exists() else []
    known = data.assemble(
        *(definitions.facts(study, choices), tables, None, {}, data.Pictures(), TERMS),
        text=methods_text.write(facts, None, {})._asdict(),
        partial=f"This report is of a run that goes on: {len(files)} of {len(wanted)} tables of "
        "scores are there.",
        citations=methods_text.citations(facts),
    )
    known["answer"]["sentences"] = ["Nothing is decided before all methods have been scored."]
    return known


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
