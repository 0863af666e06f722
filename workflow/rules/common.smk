"""The study, and what touches Snakemake's own objects: checkpoints, storage, deleted intermediates."""

import json
import os
import re
import sys
from functools import cache
from pathlib import Path

# no job uses more threads than it declares; numpy's library of linear algebra would start one for each
# core at every import, which costs as much as the import itself
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import snakemake.utils
from snakemake.exceptions import WorkflowError

# of the file that is read, not of a workflow that imports this one as a module
SCRIPTS = Path(
    workflow.current_basedir.get_path_or_uri(secret_free=True), "../../scripts"
).resolve()
sys.path.insert(0, str(SCRIPTS))

from tilewise import imports
from tilewise.plan import decide, export, ingest, metadata, quality, report, resources
from tilewise.plan import segment, targets, validate
from tilewise.plan.methods import NO_FILTER, SEGMENTATION
from tilewise.plan.sheet import SAMPLE_NAME
from tilewise.plan.study import Choice, read_study

snakemake.utils.validate(config, "../schemas/config.schema.yaml")


def get_cores():
    """Cores of this machine, or none where a cluster's scheduler has them."""
    try:
        return workflow.cores
    except WorkflowError:
        return None


def lift_rate_limit():
    """Start jobs at any rate where no scheduler of a cluster has to bear it.

    Snakemake's limit costs a look at all waiting jobs every second, as many times as jobs have ended.
    """
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


def get_folder():
    """Where the configuration is, to which the sample sheet is relative."""
    files = workflow.configfiles
    return Path(files[-1]).absolute().parent if files else Path()


try:
    STUDY = read_study(config, get_folder(), get_cores())
    export.check(STUDY)
except ValueError as error:
    raise WorkflowError(str(error)) from None

LEVELS = STUDY.levels
FIGURE_METHODS = report.figure_methods(STUDY)
COLORS = {kind: config["overlay"][kind] for kind in ("tp", "fp", "fn", "tn")}


def get_pattern(names):
    """A regular expression of the names and nothing else."""
    return "|".join(map(re.escape, names)) or r"(?!)"


def get_stack_pattern(names):
    """The same; of many stacks any name, since Snakemake tries each rule on each path."""
    is_every = set(names) == set(STUDY.stacks)
    return f"_?{SAMPLE_NAME.pattern}" if is_every and len(names) > 50 else get_pattern(names)


GREY = get_stack_pattern([name for name in STUDY.stacks if not STUDY.is_color(name)])
COLOR = get_stack_pattern([name for name in STUDY.stacks if STUDY.is_color(name)])
VOTED = get_stack_pattern(STUDY.voted)
NOT_VOTED = get_stack_pattern([name for name in STUDY.stacks if name not in STUDY.voted])


wildcard_constraints:
    stack=get_stack_pattern(STUDY.stacks),
    filter=get_pattern(config["filters"]),
    source=get_pattern([NO_FILTER, *config["filters"]]),
    method=get_pattern([SEGMENTATION, *STUDY.methods]),
    block=r"\d+/\d+/\d+",
    annotator=r"\d+",
    file=get_pattern(export.single_files(STUDY)),
    extent=r"\d+|stack",


@cache
def get_code(script):
    """A rule's script and the library modules that it imports, directly or not."""
    found = imports.find(SCRIPTS / f"{script}.py", SCRIPTS)
    # the code is where the workflow is, wherever images and results are
    return [local(os.path.relpath(path)) for path in found]


def get_file(name):
    """A file that the sheet names: on this machine, in object storage, or made by a rule."""
    if "://" in name:
        return storage(name)
    return name if name.startswith("results/sources/") else local(name)


def get_files(names):
    """Several of them."""
    return list(map(get_file, names))


def tell_left_behind():
    """Name what earlier runs have left that is not of this study: stacks without samples, masks."""
    for image in sorted(Path("results").glob("*/image.zarr")):
        if image.parent.name not in STUDY.stacks:
            print(
                f"{image.parent} holds results of an earlier run that nothing uses any more: delete it",
                file=sys.stderr,
            )
    files = {*Path("results/masks").rglob("*.png"), *Path("results/masks").rglob("*.tif")}
    if others := sorted(files.difference(map(Path, export.files(STUDY)))):
        names = ", ".join(map(str, others[:3])) + (", ..." if len(others) > 3 else "")
        print(f"{len(others)} masks are of an earlier run: delete {names}", file=sys.stderr)


def keep_if(keep, path):
    """An output that is deleted when no job needs it any more, unless it is kept."""
    return path if keep else temp(path)


@cache
def read_choice(file):
    """What a checkpoint chose; kept, since the copy of a file in object storage goes again."""
    with file.open() as text:
        return json.load(text)


def get_method(method):
    """The method itself, or the one that was decided on."""
    if method != SEGMENTATION:
        return method
    if STUDY.apply != "best":
        return STUDY.apply
    if len(STUDY.methods) == 1:
        return next(iter(STUDY.methods))
    return read_choice(checkpoints.decide.get().output.choice)["method"]


def get_choice(method):
    """What segments, once annotated tiles have chosen it."""
    name = get_method(method)
    if name not in STUDY.swept:
        return Choice(name)
    chosen = read_choice(checkpoints.choose.get(method=name).output.choice)
    calibration = chosen.get("calibration")
    return Choice(name, chosen["variant"], calibration and tuple(calibration.items()))


def get_choice_files(method):
    """Files of the checkpoints that a mask waits for.

    Only what they choose makes it new, not their time; which is safe for outputs of checkpoints.
    """
    return list(map(ancient, segment.choice_files(STUDY, method, get_choice(method))))


def get_threshold(wildcards):
    """The job of a mask, by what was chosen."""
    return segment.threshold(STUDY, **wildcards, choice=get_choice(wildcards.method))


def get_survey(wildcards):
    """The job of a survey, by what was chosen for each method."""
    methods = quality.survey_methods(STUDY, **wildcards)
    return quality.survey(STUDY, **wildcards, choices=tuple(map(get_choice, methods)))


def get_survey_choices(wildcards):
    """Files of the checkpoints that a survey waits for."""
    methods = quality.survey_methods(STUDY, **wildcards)
    return [file for method in methods for file in get_choice_files(method)]


def get_figures(wildcards):
    """The job of the figures, by what was chosen for each method."""
    return report.figures(STUDY, tuple(map(get_choice, FIGURE_METHODS)))
