"""The study, and what touches Snakemake's own objects: checkpoints, storage, deleted intermediates."""

import atexit
import json
import marshal
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

# no job uses more threads than it declares; numpy's library of linear algebra would start one for each
# core at every import, which costs as much as the import itself
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import snakemake.utils
import yaml
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# of the file that is read, not of a workflow that imports this one as a module
SCRIPTS = Path(
    workflow.current_basedir.get_path_or_uri(secret_free=True), "../../scripts"
).resolve()
CODE = SCRIPTS.parent
STARTED = datetime.now(UTC)
sys.path.insert(0, str(SCRIPTS))
if workflow.is_main_process:
    # what Python has compiled: it does not notice if a full disk has cut it, and fails from then on
    for compiled in SCRIPTS.rglob(f"*.{sys.implementation.cache_tag}.pyc"):
        with suppress(OSError):
            try:
                marshal.loads(compiled.read_bytes()[16:])
            except (EOFError, ValueError, TypeError):
                compiled.unlink()

from tilewise import crate, imports, runs, whole
from tilewise.doubts import read
from tilewise.plan import command, configuration, contrast, decide, definitions, doubts, export
from tilewise.plan import file_names, ingest, learn
from tilewise.plan import report as report_jobs  # Snakemake's own report() marks outputs
from tilewise.plan import (
    methods_facts,
    metadata,
    paths,
    provenance,
    quality,
    quantities,
    report_tiles,
)
from tilewise.plan import resources, run_record, segment, targets, validate
from tilewise.labels import SEGMENTATION
from tilewise.plan.methods import NO_FILTER
from tilewise.plan.sample_names import SAMPLE_NAME
from tilewise.plan.study import Choice, read_study
from tilewise.segment.sources import channel_folder
from tilewise.verify import checksums


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


def extend_bars():
    """Show jobs done and the time left, for which the rich logger has no option."""
    for handler in workflow.logger_manager.plugin_handlers:
        if hasattr(handler, "progress"):
            from rich import progress

            left = progress.TimeRemainingColumn(), progress.TextColumn("left")
            handler.progress.columns += (progress.MofNCompleteColumn(), *left)


# jobs of a run parse the workflow, too
if workflow.is_main_process and runs.begin():
    logger.info("The last run in this folder was killed; this one goes on from where it was.")
FILES = list(map(os.path.relpath, workflow.configfiles))
SCHEMA = SCRIPTS / "../workflow/schemas/config.schema.yaml"
try:
    file_names.check_workflow(CODE)
    configuration.check_files(FILES)
    configuration.check(config, yaml.load(SCHEMA.read_text(), yaml.CSafeLoader))
    # which fills in the defaults
    snakemake.utils.validate(config, "../schemas/config.schema.yaml")
    # the sample sheet is relative to the last file
    STUDY = read_study(config, Path(*FILES[-1:]).parent, get_cores())
    SHEET = Path(*FILES[-1:]).parent / config["samples"]
    export.check(STUDY)
    learn.check(STUDY, has_environments=bool(workflow.deployment_settings.deployment_method))
except ValueError as error:
    place = f"{', '.join(FILES) or 'configuration'}: "
    raise WorkflowError(place + str(error).replace("\n", f"\n{place}")) from None

if workflow.is_main_process and STUDY.metadata_columns:
    logger.info(f"Kept as metadata in results/metrics.tsv: {', '.join(STUDY.metadata_columns)}")

COMPARED = report_jobs.cost_methods(STUDY)
FIGURE_METHODS = report_jobs.figure_methods(STUDY)
COLORS = {kind: config["overlay"][kind] for kind in ("tp", "fp", "fn", "tn")}


def get_stack_pattern(names):
    """A pattern of stacks; of many any name, since Snakemake tries each rule on each path."""
    is_every = set(names) == set(STUDY.stacks)
    return f"_?{SAMPLE_NAME.pattern}" if is_every and len(names) > 50 else paths.any_of(names)


GREY = get_stack_pattern([name for name in STUDY.stacks if not STUDY.is_color(name)])
COLOR = get_stack_pattern([name for name in STUDY.stacks if STUDY.is_color(name)])
VOTED = get_stack_pattern(STUDY.voted)
NOT_VOTED = get_stack_pattern([name for name in STUDY.stacks if name not in STUDY.voted])


wildcard_constraints:
    stack=get_stack_pattern(STUDY.stacks),
    filter=paths.any_of(filter(STUDY.may_be_written, STUDY.config["filters"])),
    source=paths.any_of([NO_FILTER, *STUDY.config["filters"]]),
    channel=paths.any_of(map(channel_folder, STUDY.channel_arrays)),
    array=paths.any_of([*STUDY.arrays, *command.names(STUDY)]),
    method=paths.any_of([SEGMENTATION, *STUDY.methods]),
    block=r"\d+/\d+/\d+",
    annotator=r"\d+",
    file=paths.any_of(export.single_files(STUDY)),
    extent=r"\d+|stack",
    number=r"\d+",
    model=r"\d+(-\d+)?|all",


def get_environment(*methods):
    """What jobs of methods are run in, if Snakemake has environments of its own: U-Nets need PyTorch."""
    name = "unet" if learn.needs_network(STUDY, methods) else "tilewise"
    return f"../../envs/{name}.yaml"


@cache
def get_code(script):
    """A rule's script and the library modules that it imports, directly or not."""
    files = imports.find(SCRIPTS / f"{script}.py", SCRIPTS)
    # the code is where the workflow is, wherever images and results are
    return [local(os.path.relpath(file)) for file in files]


def get_page():
    """The template of the report, and the bundle that draws it."""
    folder = SCRIPTS / "tilewise/view/page"
    return [local(os.path.relpath(file)) for file in sorted(folder.glob("report.*"))]


def get_all_code():
    """Every file of the workflow that results may depend on, the Snakefile first."""
    patterns = ("Snakefile", "workflow/**/*.smk", "workflow/schemas/*", "scripts/**/*.py")
    patterns += ("scripts/tilewise/view/page/*",)
    files = [path for pattern in patterns for path in sorted(CODE.glob(pattern)) if path.is_file()]
    return [local(os.path.relpath(path)) for path in files]


def at_levels(pattern):
    """The blocks of an array, and of its reduced levels."""
    return expand(pattern, level=STUDY.levels, allow_missing=True)


def mark_figures(kind, title):
    """The figures of a kind, under a title in Snakemake's own report."""
    files = report_jobs.figure_files(STUDY, kind)
    return report(files, caption=f"../report/{kind}.rst", category="Figures", subcategory=title)


def tell_warnings():
    """Print, as the last lines of a run, what could mislead in its results on this machine."""
    jobs = [job for job in workflow.dag.finished_jobs if job.rule.name == "gather_warnings"]
    tables = [job.output.warnings for job in jobs if os.path.exists(job.output.warnings)]
    warnings = [doubt for table in tables for doubt in read(table)]
    warnings += targets.left_behind(STUDY, Path("results"))
    lines = "".join(f"Warning: {warning}\n" for warning in warnings)
    # the logger still has lines to write, and owns sys.stderr as long as it draws bars
    atexit.register(print, lines, end="", file=sys.__stderr__, flush=True)


def record_run(is_ok):
    """Write what a run was and took, and checksums of results; no run fails because of it."""
    try:
        benchmarks = [(job.rule.name, job.benchmark) for job in workflow.dag.jobs if job.benchmark]
        record = run_record.record(sys.argv, CODE, STARTED, is_ok, benchmarks)
        # of results in object storage, there is no folder
        if os.path.isdir("results"):
            is_all = any(job.rule.name == "all" for job in workflow.dag.jobs)
            if is_ok:
                whole.sweep(Path("results"), time.time())
                if is_all and not workflow.storage_settings.notemp:
                    whole.remove(targets.left_temporary(STUDY, Path("results")))
            Path("results/run.js").write_text(run_record.script(record), encoding="utf-8")
            checksums.update(Path("results"))
            if is_ok and is_all:
                crate.write(Path("results"), CODE, config, SHEET, STUDY.stacks, record)
    except Exception as error:
        logger.info(
            f"run.js, checksums.tsv or {crate.METADATA} in results/ is not written: {error}"
        )


def keep_if(keep, path):
    """An output that is deleted when no job needs it any more, unless it is kept."""
    return path if keep else temp(path)
