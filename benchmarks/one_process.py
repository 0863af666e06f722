"""What a run on small samples computes and writes, in one process: the yardstick of small_samples.

    PYTHONPATH=scripts python benchmarks/one_process.py CONFIG

Called by `small_samples.py`, in the folder of the sheet; CONFIG is JSON with all defaults. Samples
have one tile. Each image is read once and filtered once per filter; what a later step needs stays
in memory. Hot loops call the library. Errors, the choice of parameters, the decision and the tables
are the workflow's own scripts, run in this process on the tables and confusion maps that it wrote.

Written are masks, confusion maps and the label of errors, with their reduced levels; overlays; and
all tables. Not written: images, truths and filtered images, `zarr.json`, figures and the report.
"""

import json
import math
import runpy
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tilewise import job
from tilewise.decide.folds import COLUMNS, Folds
from tilewise.decide.places import Place
from tilewise.labels import SEGMENTATION
from tilewise.plan import decide, doubts, paths, quality, reads, report, validate
from tilewise.plan.methods import NO_FILTER
from tilewise.plan.study import Choice, read_study
from tilewise.quality.feature_names import FEATURES, PLACE
from tilewise.quality.features import features
from tilewise.read.annotation import TruthReader
from tilewise.read.stack import open_stack
from tilewise.score import score_table, scoring
from tilewise.score.agreement import mean_dice
from tilewise.score.confusion import confusion_map
from tilewise.score.patches import patches
from tilewise.segment import segmenters, trials
from tilewise.segment.class_histogram import class_histogram
from tilewise.segment.filters import apply_chain
from tilewise.segment.guard import Outcome
from tilewise.segment.histograms import histogram
from tilewise.store import class_histograms
from tilewise.store.grid import Tile
from tilewise.store.layout import layout_of
from tilewise.store.parts import parts_of
from tilewise.store.pyramid import LevelsWriter, nearest
from tilewise.tables import SAMPLE, write_rows
from tilewise.view.overlay import blend, display
from tilewise.view.png import write_png

ROOT = Path(__file__).parents[1]
TILE = Tile(0, 0, 0)
"""The only one of a sample."""
FOLDS = "results/folds.tsv"


def made(path):
    """A path whose folder exists."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return path


class Clock:
    """CPU seconds of this process by step."""

    def __init__(self):
        """What has passed until now are the start and the imports."""
        self.seconds, self._last = {}, 0.0
        self.lap("imports")

    def lap(self, step):
        """All that has passed since the last call is of this step."""
        now = time.process_time()
        self.seconds[step] = self.seconds.get(step, 0) + now - self._last
        self._last = now


class Arithmetic:
    """The steps, on samples that are kept in memory."""

    def __init__(self, study, clock):
        """Nothing is read yet."""
        self.study, self.clock = study, clock
        self.config, self.chosen = study.config, study.tile_metrics
        self.settings = validate.scoring(study) | {"spacing": [1.0, 1.0, 1.0]}
        self.images, self.truths, self.filtered, self.masks = {}, {}, {}, {}
        self.places = [
            (stack, block, parts_of(reads.parts(study, study.places(stack, block))))
            for stack in study.stacks
            for block in study.blocks(stack)
        ]

    def all_parts(self):
        """Every sample."""
        return (part for _, _, parts in self.places for part in parts)

    def read(self):
        """Images and truths."""
        for part in self.all_parts():
            sample = self.study.samples[part.sample]
            ((path, first, _),) = sample.images_of(0, 1)
            with open_stack(path, sample.channel) as planes:
                self.images[part.sample] = planes.rows(first, 0, part.grid.shape[1]).copy()
            pieces = reads.pieces_of_block(self.study, part.sample, part.block, "truth")
            with TruthReader(pieces, sample.truth_foreground) as truth:
                self.truths[part.sample] = truth.read(part.grid.region(part.block))
        self.clock.lap("ingest")

    def filter(self):
        """Each image with each filter."""
        for part in self.all_parts():
            image = self.images[part.sample]
            self.filtered[NO_FILTER, part.sample] = image
            for name, steps in self.config["filters"].items():
                self.filtered[name, part.sample] = apply_chain(image, steps)
        self.clock.lap("filter")

    def outcome(self, part, variant):
        """The threshold of a whole sample, where one is used: that of its tile."""
        if not self.study.needs_sample(part.sample, variant):
            return None
        counted = histogram(self.filtered[variant.filter, part.sample])
        return Outcome(SAMPLE, variant.segmenter.find_threshold(*counted))

    def segmented(self, part, variant, surfaces=None):
        """Mask and threshold of a sample."""
        region = part.grid.region(part.block)
        mask, thresholds = segmenters.segment_region(
            self.filtered[variant.filter, part.sample],
            region,
            region,
            part.grid,
            variant.segmenter,
            self.outcome(part, variant),
            surfaces,
        )
        return mask, thresholds[TILE]

    def writer(self, stack, block, label, parts):
        """Of a label, at all levels."""
        pattern = paths.LABEL + paths.BLOCK
        files = [
            made(pattern.format(stack=stack, label=label, level=level, block=block))
            for level in self.study.levels
        ]
        return LevelsWriter(files, block, layout_of(parts[0].grid, "uint8"), parts, nearest)

    def threshold(self, method, variant, label):
        """Masks of a method, and its table of thresholds; those known already are written again."""
        segmenter = variant.segmenter
        scope = "pixel" if segmenter.is_local else segmenter.scope
        for stack, block, parts in self.places:
            rows = []
            with self.writer(stack, block, label, parts) as writer:
                for part in parts:
                    key = method, part.sample
                    if key not in self.masks:
                        self.masks[key] = self.segmented(part, variant)
                    mask, threshold = self.masks[key]
                    writer.write(part, part.grid.region(part.block), mask)
                    known = {"inside": mask.size, "scope": scope}
                    known["foreground"] = np.count_nonzero(mask) / mask.size
                    names = {"sample": part.sample, "method": label, **part.grid.place(TILE)}
                    rows.append(names | known | threshold.to_row())
            path = paths.THRESHOLDS.format(stack=stack, method=label, block=block)
            write_rows(made(path), segmenters.COLUMNS, rows)
        self.clock.lap("threshold")

    def validate(self, method):
        """Confusion maps, scores and overlays of a method."""
        overlay = self.config["overlay"]
        for stack, block, parts in self.places:
            rows, maps = [], []
            with self.writer(stack, block, paths.confusion(method), parts) as writer:
                for part in parts:
                    truth, (mask, _) = self.truths[part.sample], self.masks[method, part.sample]
                    codes = confusion_map(truth, mask)
                    writer.write(part, part.grid.region(part.block), codes)
                    maps.append(codes)
                    place = {"sample": part.sample, "method": method, **part.grid.place(TILE)}
                    scores = scoring.count_tile(truth, mask, self.settings, codes)
                    rows += [place | fields for fields in scores]
            path = paths.METRICS.format(stack=stack, method=method, block=block)
            score_table.write_scores(made(path), rows, self.chosen)
            self.clock.lap("validate")
            folder = Path(paths.OVERLAY.format(stack=stack, method=method, block=block))
            folder.mkdir(parents=True)
            for part, codes in zip(parts, maps, strict=True):
                picture = display(self.images[part.sample])
                overlaid = blend(picture, codes, overlay, overlay["alpha"])
                write_png(folder / f"{part.sample}_{TILE.name}.png", overlaid)
            self.clock.lap("overlay")

    def sweep(self, method):
        """Scores of all sets of parameters; and the set that they choose."""
        variants = self.study.methods[method].variants
        for stack, block, parts in self.places:
            rows = []
            for part in parts:
                region, truth = part.grid.region(part.block), self.truths[part.sample]
                surfaces = {
                    name: trials.Surfaces(self.filtered[name, part.sample], region)
                    for name in self.study.methods[method].filters
                }
                for variant in variants:
                    mask, _ = self.segmented(part, variant, surfaces[variant.filter])
                    place = {"sample": part.sample, "method": method, **part.grid.place(TILE)}
                    place |= {"variant": variant.name, "fold": ""}
                    scores = scoring.count_tile(truth, mask, self.settings)
                    rows += [place | fields for fields in scores]
            path = paths.SWEEP.format(stack=stack, method=method, block=block)
            score_table.write_scores(made(path), rows, self.chosen, ("variant", "fold"))
        self.clock.lap("sweep")
        job_of, names = decide.choose(self.study, method), {"method": method}
        outputs = {"choice": paths.CHOICE, "units": paths.UNITS, "sweep": paths.TRIED}
        outputs["folds"] = paths.TRIED_FOLDS
        self.script(
            "choose",
            {
                "scores": job_of.scores,
                "calibration": job_of.calibrations,
                "folds": FOLDS,
            },
            {name: pattern.format(**names) for name, pattern in outputs.items()},
            self.deciding() | {"variants": job_of.variants, "samples": self.study.annotated},
            names,
        )
        choice = json.loads(Path(paths.CHOICE.format(**names)).read_text(encoding="utf-8"))
        return choice["variant"]

    def tile_histograms(self):
        """Histograms of annotated tiles after each filter."""
        margin = self.settings["margin"]
        filters = dict.fromkeys(f for method in self.study.methods.values() for f in method.filters)
        for stack, block, parts in self.places:
            for source in filters:
                found = []
                for part in parts:
                    pixels, truth = self.filtered[source, part.sample], self.truths[part.sample]
                    place = part.sample, 0, 0, 0
                    found.append(((*place, -1), class_histogram(pixels, truth)))
                    for number, patch in enumerate(patches(truth.shape, margin) if margin else ()):
                        found.append(
                            ((*place, number), class_histogram(pixels[patch], truth[patch]))
                        )
                path = paths.TILE_HISTOGRAMS.format(stack=stack, source=source, block=block)
                with class_histograms.Writer(made(path)) as file:
                    for where, levels in found:
                        if levels.values.size:
                            file.add(where, levels)
        self.clock.lap("tile_histograms")

    def quality(self):
        """Features of all tiles."""
        for stack, block, parts in self.places:
            rows = [
                {"sample": part.sample, **part.grid.place(TILE)}
                | features(self.images[part.sample])
                for part in parts
            ]
            path = paths.QUALITY.format(stack=stack, block=block)
            write_rows(made(path), (*PLACE, *FEATURES), rows)
        self.clock.lap("quality")

    def survey(self):
        """How far the masks agree."""
        for stack, block, parts in self.places:
            rows = [
                {
                    "sample": part.sample,
                    "tile": TILE.name,
                    "agreement": mean_dice([self.masks[m, part.sample][0] for m in methods]),
                }
                for part in parts
                for methods in [self.study.methods_of(part.sample)]
            ]
            path = paths.SURVEY.format(stack=stack, block=block)
            write_rows(made(path), ("sample", "tile", "agreement"), rows)
        self.clock.lap("survey")

    def errors(self):
        """Where methods differ."""
        for stack in self.study.stacks:
            for block in validate.error_blocks(self.study, stack):
                job_of = validate.errors(self.study, stack, block)
                names, pattern = {"stack": stack, "block": block}, paths.LABEL + paths.BLOCK
                self.script(
                    "errors",
                    {"confusions": job_of.confusions},
                    {
                        "errors": [
                            pattern.format(label="errors", level=level, **names)
                            for level in self.study.levels
                        ],
                        "strata": paths.STRATA.format(**names),
                        "differences": paths.DIFFERENCES.format(**names),
                    },
                    {name: getattr(job_of, name) for name in ("parts", "methods", "connectivity")},
                    names,
                )

    def folds(self):
        """What is held out together."""
        known = (part.sample for part in self.all_parts() if (self.truths[part.sample] < 2).any())
        places = [Place(sample, 0, 0, 0) for sample in known]
        folds = Folds.of(places, self.study.groups, self.config["decision"])
        write_rows(made(FOLDS), COLUMNS, folds.to_rows())
        self.clock.lap("folds")

    def checks(self):
        """What is seen of the images while they are read: here nothing."""
        for stack, block, _ in self.places:
            write_rows(made(paths.CHECKS.format(stack=stack, block=block)), ("sample",), ())

    def deciding(self):
        """Params that several scripts have."""
        known = self.config["quality"]
        return {
            "groups": self.study.groups,
            "metrics": self.study.tile_metrics,
            "decision": self.config["decision"],
            "limits": known["thresholds"],
            "exclude": known["exclude"],
        }

    def decide(self):
        """The method, by its name."""
        job_of, known = decide.decide(self.study), doubts.of_decision(self.study)
        names = {"choice": "choice.json", "decision": "decision.json", "text": "decision.md"}
        names |= {name: f"{name}.tsv" for name in ("ranking", "scores")}
        self.script(
            "decide",
            {name: getattr(job_of, name) for name in ("metrics", "units", "annotators", "features")}
            | {"histograms": job_of.histograms.files, "folds": FOLDS}
            | {"thresholds": validate.thresholds(self.study), "checks": known.checks},
            {name: f"results/{file}" for name, file in names.items()},
            {name: getattr(job_of, name) for name in ("methods", "swept", "left_out")}
            | {"filters": job_of.histograms.filters}
            | {"doubts": known.doubts, "has_roi": known.has_roi}
            | self.deciding(),
        )
        return json.loads(Path(paths.DECIDED).read_text(encoding="utf-8"))["method"]

    def aggregate(self):
        """All rows in one table, and what they amount to."""
        job_of, validation = report.aggregate(self.study), self.config["validate"]
        inputs = ("metrics", "structures", "features", "strata", "differences", "agreements")
        outputs = ("metrics", "summary", "errors", "differences", "agreement", "annotators")
        self.script(
            "aggregate",
            {name: getattr(job_of, name) for name in (*inputs, "annotators")}
            | {"thresholds": validate.thresholds(self.study)},
            {name: f"results/{name}.tsv" for name in outputs},
            self.deciding()
            | {"order": job_of.order, "metadata": job_of.metadata, "tuned": self.study.swept}
            | {"chosen": validation["metrics"], "extent": validation["extent"]},
        )

    def trust(self):
        """What is known of every tile."""
        job_of = quality.trust(self.study)
        self.script(
            "trust",
            vars(job_of),
            {
                "quality": "results/quality.tsv",
                "trust": "results/trust.tsv",
                "next": "results/annotate_next.tsv",
                "random": "results/annotate_random.tsv",
            },
            self.deciding()
            | {"samples": list(self.study.samples), "number": self.config["quality"]["next"]}
            | {"seed": self.config["decision"]["seed"]},
        )

    def script(self, name, given, output, params, wildcards=None):
        """Run one of the workflow's scripts in this process."""
        for path in output.values():
            for one in [path] if isinstance(path, str) else path:
                made(one)
        stand_in = SimpleNamespace(
            input=SimpleNamespace(**given),
            output=SimpleNamespace(**output),
            params=SimpleNamespace(**params),
            wildcards=SimpleNamespace(**(wildcards or {})),
            log=["log.txt"],
            threads=1,
        )
        path = str(ROOT / "scripts" / f"{name}.py")
        runpy.run_path(path, init_globals={"snakemake": stand_in})
        self.clock.lap(name)


def main():
    clock = Clock()
    # as every job starts: messages to a file, one thread, freed memory kept
    job.start(SimpleNamespace(log=["log.txt"], threads=1))
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    study = read_study(config, Path())
    if any(math.prod(study.grids[sample].tiles_along) > 1 for sample in study.samples):
        raise ValueError("samples of one tile are expected")
    clock.lap("plan")
    work = Arithmetic(study, clock)
    work.read()
    work.filter()
    work.checks()
    work.folds()
    variants = {}
    for method in study.methods:
        chosen = Choice(method, work.sweep(method) if method in study.swept else "")
        variants[method] = study.methods[method].variant(chosen.variant)
        work.threshold(method, variants[method], method)
        work.validate(method)
    work.quality()
    work.tile_histograms()
    best = work.decide()
    work.threshold(best, variants[best], SEGMENTATION)
    work.survey()
    work.errors()
    work.aggregate()
    work.trust()
    clock.lap("rest")
    print(json.dumps(clock.seconds))


if __name__ == "__main__":
    main()
