"""What the results were made from, and the record of a run."""

STARTED = datetime.now(UTC)
CODE = SCRIPTS.parent
CODE_FILES = ("Snakefile", "workflow/**/*.smk", "workflow/schemas/*", "scripts/**/*.py")
PAGE_FILES = ("scripts/tilewise/view/page/*",)


def get_all_code():
    """Every file of the workflow that results may depend on, the Snakefile first."""
    patterns = (*CODE_FILES, *PAGE_FILES)
    files = [path for pattern in patterns for path in sorted(CODE.glob(pattern)) if path.is_file()]
    return [local(os.path.relpath(path)) for path in files]


def get_provenance(wildcards):
    """The job, by what was decided on where that is applied."""
    return provenance.provenance(STUDY, get_choice(SEGMENTATION) if STUDY.applied else None)


def record_run(is_ok):
    """Write `results/run.js`, what a run was and took; a run never fails because of it."""
    try:
        benchmarks = [(job.rule.name, job.benchmark) for job in workflow.dag.jobs if job.benchmark]
        record = run_record.record(sys.argv, CODE, STARTED, is_ok, benchmarks)
        if os.path.isdir("results"):
            Path("results/run.js").write_text(record, encoding="utf-8")
    except Exception as error:
        logger.info(f"results/run.js is not written: {error}")


rule provenance:
    """Checksums of configuration, code and input, and versions: the same in every folder, at any time."""
    input:
        sheet=local(os.path.relpath(Path(*FILES[-1:]).parent / config["samples"])),
        images=lambda w: get_provenance(w).images,
        truths=lambda w: get_provenance(w).truths,
        rois=lambda w: get_provenance(w).rois,
        externals=lambda w: get_provenance(w).externals,
        files=lambda w: list(map(local, get_provenance(w).files)),
        requirements=local(os.path.relpath(CODE / "envs/requirements.in")),
        code=lambda w: get_all_code(),
    output:
        provenance="results/provenance.json",
    log:
        "logs/provenance.log",
    params:
        configuration=provenance.configuration(config),
        users=lambda w: get_provenance(w).users,
        programs=lambda w: get_provenance(w).programs,
    conda:
        "../../envs/tilewise.yaml"
    priority: 5
    localrule: True
    script:
        "../../scripts/provenance.py"
