"""What the results were made from."""


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
