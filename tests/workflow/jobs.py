"""All jobs of a study of small samples in this process, with what the plan says of each."""

import contextlib
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from comparison import read
from projects import ROOT
from samples import write_planes
from snakemake.iocontainers import Namedlist
from snakemake.utils import validate as check

from tilewise import job
from tilewise.plan import contrast, ingest, metadata, paths, quality, reads, segment, validate
from tilewise.plan.study import Choice, read_study

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
COLORS = {"tp": (0, 255, 255), "fp": (255, 0, 255), "fn": (255, 255, 0), "tn": (0, 0, 0)}
UNTRAINED = {"models": [], "assigned": []}
METHODS = {
    "tile": {"filter": "denoised", "threshold": "otsu"},
    "sample": {"threshold": "li", "scope": "sample"},
    "local": {"filter": "flat", "threshold": {"adaptive": {"size": 9, "offset": -5}}},
    "external": {"threshold": {"external": "cells"}, "cleanup": [{"opening": 1}]},
}


def carry_out(script, inputs, outputs, params, threads, **wildcards):
    """Run a script as its rule would."""
    listed = [path for paths in outputs.values() for path in np.atleast_1d(paths)]
    for path in listed:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    snakemake = SimpleNamespace(
        input=Namedlist(fromdict=inputs),
        output=Namedlist(fromdict=outputs),
        params=Namedlist(fromdict=params),
        wildcards=Namedlist(fromdict=wildcards),
        threads=threads,
        resources=None,
    )
    runpy.run_path(str(ROOT / f"scripts/{script}.py"), init_globals={"snakemake": snakemake})


class Jobs:
    """All jobs of a study, of pixels, masks, metrics and pictures."""

    def __init__(self, study, threads):
        self.study, self.threads = study, threads

    def run(self):
        for stack in self.study.stacks:
            for block in self.study.blocks(stack):
                self.block(stack, block)
            for extent in self.extents(stack):
                self.structure(stack, extent)
        self.metadata()

    def block(self, stack, block):
        study = self.study
        names = {"stack": stack, "block": block}
        self.image(names)
        if study.has_roi(stack):
            self.roi(names)
        for array in study.arrays:
            self.external(names | {"array": array})
        for filter in filter_names(study):
            self.filter(names | {"filter": filter})
        self.quality(names)
        if block in study.annotated_blocks(stack):
            self.truth(names)
        for method in study.methods:
            self.threshold(names | {"method": method})
            if block in study.annotated_blocks(stack, method):
                self.validate(names | {"method": method})
        if block in validate.error_blocks(study, stack):
            self.errors(names)

    def levels(self, label, names):
        """Files of a label, or of the image, level by level."""
        pattern = (paths.LABEL if label else paths.IMAGE) + paths.BLOCK
        return [pattern.format(level=level, label=label, **names) for level in self.study.levels]

    def carry_out(self, script, inputs, outputs, record, names, *fields, **params):
        """With some fields of the plan's record as params."""
        named = {name: getattr(record, name) for name in ("parts", *fields)}
        carry_out(script, inputs, outputs, named | params, self.threads, **names)

    def image(self, names):
        planned = ingest.image(self.study, **names)
        outputs = {"image": self.levels("", names), "checks": paths.CHECKS.format(**names)}
        if self.study.is_color(names["stack"]):
            pattern = paths.COLOR + paths.COLOR_BLOCK
            outputs["color"] = [pattern.format(level=level, **names) for level in self.study.levels]
        self.read("ingest", {"images": planned.files}, outputs, planned, names, "dtype")

    def read(self, script, inputs, outputs, planned, names, *fields):
        """Bring files in, which is recorded."""
        params = {"planes": [one[1:] for one in planned.sources], "revision": ""}
        outputs |= {"made_from": planned.record}
        self.carry_out(script, inputs, outputs, planned, names, *fields, **params)

    def roi(self, names):
        planned = ingest.roi(self.study, **names)
        inputs, outputs = {"roi": planned.files, "image": planned.images}, self.levels("roi", names)
        self.read("ingest_roi", inputs, {"roi": outputs}, planned, names, "dtype")

    def external(self, names):
        planned = ingest.external(self.study, **names)
        outputs = {"external": (paths.SOURCE + paths.FILTERED_BLOCK).format(**names)}
        self.read("ingest_external", {"masks": planned.files}, outputs, planned, names, "channel")

    def filter(self, names):
        planned = segment.filtered(self.study, **names)
        path = (paths.FILTERED + paths.FILTERED_BLOCK).format(**names)
        pixels = planned.pixels
        self.carry_out(
            "filter",
            {"image": pixels.files, "rois": pixels.rois}
            | {"colors": pixels.colors, "sources": pixels.sources},
            {"filtered": path, "cost": paths.FILTER_COST.format(**names)},
            planned,
            names,
            "codec",
            "dtype",
            steps=pixels.steps,
            blocks=pixels.blocks,
            arrays=pixels.arrays,
        )

    def quality(self, names):
        places = self.study.places(**names)
        planned = SimpleNamespace(parts=reads.parts(self.study, places))
        rois = reads.rois(self.study, names["stack"], [names["block"]])
        inputs = {"image": self.levels("", names)[:1], "rois": rois}
        outputs = {"features": paths.QUALITY.format(**names)}
        dtype = self.study.dtype(names["stack"])
        self.carry_out("quality", inputs, outputs, planned, names, dtype=dtype)
        if names["block"] not in surveyed(self.study, names["stack"]):
            return
        choices = tuple(map(Choice, quality.survey_methods(self.study, **names)))
        planned = quality.survey(self.study, **names, choices=choices)
        self.carry_out(
            "survey",
            {
                "image": planned.pixels.files,
                "rois": planned.pixels.rois,
                "colors": planned.pixels.colors,
                **UNTRAINED,
                "sources": planned.pixels.sources,
            },
            {"agreement": paths.SURVEY.format(**names)},
            planned,
            names,
            "dtype",
            "variants",
            models=[],
            outcomes={},
            blocks=planned.pixels.blocks,
            arrays=planned.pixels.arrays,
        )

    def truth(self, names):
        if names["stack"] not in self.study.voted:
            self.traced(names, "truth")
            return
        number = ingest.annotators(self.study, **names)
        for annotator in range(1, number + 1):
            self.traced(names, paths.annotator(annotator), annotator=str(annotator))
        extent = reads.extent_of(self.study, **names)
        self.consensus({"stack": names["stack"], "extent": extent})
        planned = ingest.consensus_truth(self.study, **names)
        inputs = {"annotators": planned.files, "tables": planned.table}
        outputs = {"truth": self.levels("truth", names)}
        self.carry_out("consensus_truth", inputs, outputs, planned, names)

    def traced(self, names, label, **annotator):
        planned = ingest.truth(self.study, **names, **annotator)
        inputs = {"truth": planned.files, "roi": planned.rois}
        self.read("ingest_truth", inputs, {"truth": self.levels(label, names)}, planned, names)

    def consensus(self, names):
        planned = ingest.consensus(self.study, **names)
        outputs = {
            "tables": paths.CONSENSUS.format(**names),
            "agreement": paths.AGREEMENT.format(**names),
            "annotators": paths.ANNOTATORS.format(**names),
        }
        self.carry_out(
            "consensus",
            {"annotators": planned.files},
            outputs,
            planned,
            names,
            "blocks",
            settings=self.study.config["truth"],
        )

    def threshold(self, names):
        planned = segment.threshold(self.study, **names, choice=Choice(names["method"]))
        pixels = planned.pixels
        self.carry_out(
            "threshold",
            {
                "pixels": pixels.files,
                "rois": pixels.rois,
                "colors": pixels.colors,
                "sources": pixels.sources,
                **UNTRAINED,
            },
            {
                "mask": self.levels(names["method"], names),
                "thresholds": paths.THRESHOLDS.format(**names),
                "cost": paths.COST.format(**names),
            },
            planned,
            names,
            "dtype",
            "segmenter",
            "calibration",
            "voters",
            models=[],
            outcome=None,
            outcomes={},
            steps=pixels.steps,
            blocks=pixels.blocks,
            arrays=pixels.arrays,
            codec=pixels.codec,
        )

    def validate(self, names):
        planned = validate.validate(self.study, **names)
        mask, truth = (self.levels(label, names)[0] for label in (names["method"], "truth"))
        confusion = self.levels(paths.confusion(names["method"]), names)
        outputs = {"confusion": confusion, "metrics": paths.METRICS.format(**names)}
        self.carry_out(
            "validate", {"mask": mask, "truth": truth}, outputs, planned, names, "scoring"
        )
        planned = validate.overlay(self.study, **names)
        self.carry_out(
            "overlay",
            {"picture": planned.picture, "confusion": confusion[0]},
            {"folder": paths.OVERLAY.format(**names)},
            planned,
            names,
            "channels",
            "dtype",
            colors=COLORS,
            alpha=0.3,
            scale_bar=True,
        )

    def errors(self, names):
        planned = validate.errors(self.study, **names)
        outputs = {
            "errors": self.levels("errors", names),
            "strata": paths.STRATA.format(**names),
            "differences": paths.DIFFERENCES.format(**names),
        }
        inputs = {"confusions": planned.confusions}
        self.carry_out("errors", inputs, outputs, planned, names, "methods", "connectivity")

    def extents(self, stack):
        """What metrics of structure are computed on, with the method of each."""
        tables = validate.structure_tables(self.study)
        for method in self.study.methods:
            for block in self.study.annotated_blocks(stack, method):
                for extent in dict.fromkeys((block.split("/")[0], reads.WHOLE_STACK)):
                    names = {"stack": stack, "method": method, "extent": extent}
                    if paths.STRUCTURE.format(**names) in tables:
                        yield names

    def structure(self, stack, names):
        planned = validate.structure(self.study, **names)
        self.carry_out(
            "structure",
            {"mask": planned.masks, "truth": planned.truths},
            {"metrics": paths.STRUCTURE.format(**names)},
            planned,
            names,
            "blocks",
            "scoring",
            is_plane=self.study.config["validate"]["extent"] == "plane",
        )

    def metadata(self):
        for stack, file in zip(self.study.stacks, contrast.files(self.study), strict=True):
            shown = contrast.contrast(self.study, stack)
            inputs = {"images": shown.images, "colors": shown.colors, "rois": shown.rois}
            names = ("parts", "blocks", "step", "dtype")
            params = {name: getattr(shown, name) for name in names}
            carry_out("contrast", inputs, {"windows": file}, params, self.threads)
        planned = metadata.metadata(self.study)
        inputs = {"contrast": contrast.files(self.study)}
        outputs = {"arrays": planned.files, "stacks": "results/stacks.tsv"}
        params = {"groups": planned.groups, "stacks": planned.stacks, "colors": COLORS}
        carry_out("metadata", inputs, outputs, params, self.threads)


def filter_names(study):
    """Filters whose images are written."""
    return filter(study.may_be_written, study.config["filters"])


def surveyed(study, stack):
    """Blocks with tiles on which methods are compared."""
    return [
        block
        for block in study.blocks(stack)
        if paths.SURVEY.format(stack=stack, block=block) in quality.trust(study).agreement
    ]


def configuration(**settings):
    config = {
        "samples": "my.tsv",
        "tile": 16,
        "pyramid": {"levels": 1},
        "apply": "all",
        "keep_filtered": True,
        "filters": {"denoised": [{"median": 3}], "flat": ["rescale"]},
        "methods": METHODS,
        "quality": {"survey": 2},
    } | settings
    check(config, str(SCHEMA))
    return config


KINDS = {
    "uint8": lambda image: image,
    "uint16": lambda image: image.astype(np.uint16) * 150,
    "float32": lambda image: image.astype(np.float32) / 100 - 0.5,
    "color": lambda image: np.stack([image, 255 - image, image // 2], -1),
}


VALUES = {None: (255, 0), 0: (0, 255), 2: (2, 1)}
"""Of foreground and background, by what the sheet says of the foreground."""


STEPS = (0.5, 1.5, 3)
"""Micrometres of a pixel: what is off by one is within the tolerance of 1, or not."""


def write(folder, name, sample):
    """Image, truths and region of a sample, and its row of the sheet."""
    random = np.random.default_rng(sample["seed"])
    planes, height, width = shape = sample["shape"]
    y, x = np.mgrid[:height, :width]
    radius = random.uniform(1, 1 + min(height, width) / 2)
    truth = (y - height / 2) ** 2 + (x - width / 2) ** 2 < radius**2
    level = random.uniform(30, 90) + random.uniform(30, 100) * truth
    image = np.clip(level + random.normal(0, 20, shape), 0, 255).astype(np.uint8)
    row = {"sample": name, "pixel_size": f"{sample['step']} 0.5 {sample['step']}"}

    def save(kind, pixels):
        if pixels.dtype == np.float32:
            for z, plane in enumerate(pixels, 1):
                tifffile.imwrite(folder / f"{name}_{kind}_{z}.tif", plane)
        else:
            write_planes(folder, pixels, f"{name}_{kind}_{{}}.png")
        return f"{name}_{kind}_*"

    row["image"] = save("image", KINDS[sample["kind"]](image))
    row["cells"] = save("cells", np.where(image > level.mean(), 70000.0, 0).astype(np.float32))
    foreground = sample["foreground"]
    paths = []
    for number in range(sample["annotators"]):
        own = np.broadcast_to(np.roll(truth, number, axis=1), shape)
        values = np.where(own, *VALUES[foreground])
        paths.append(save(f"truth_{number}", values.astype(np.uint8)))
    row["truth"] = "; ".join(paths)
    row["truth_foreground"] = "" if foreground is None else str(foreground)
    if sample["has_roi"]:
        row["roi"] = save("roi", (random.random(shape) < 0.7).astype(np.uint8))
    return row


def write_sheet(folder, rows):
    columns = ("sample", "image", "truth", "roi", "truth_foreground", "pixel_size", "cells")
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    (folder / "my.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))


def results(folder, config, threads=1):
    """What the jobs of a study write."""
    folder.mkdir()
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        # scripts would send their messages to a log
        patch.setattr(job, "start", lambda snakemake: 0.0)
        # of this process, which runs them all
        patch.setattr(job, "limit_memory", lambda snakemake: None)
        Jobs(read_study(config, folder.parent), threads).run()
    return read(folder / "results") | pictures(folder / "results")


def pictures(folder):
    """All overlays with what is written beside their pixels, which the comparison leaves out."""
    found = folder.glob("*/*/overlay/**/*.png")
    return {f"{path.relative_to(folder).parts[1]}/{path.name}": path.read_bytes() for path in found}
