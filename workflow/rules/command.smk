"""Programs that read tiles and write masks."""


rule command:
    """Masks or probabilities of a program, as float32 with the values of its files.

    While methods are tried, of annotated tiles and of those that their masks depend on.
    """
    input:
        pixels=lambda w: command.command(STUDY, **w).pixels.files,
        rois=lambda w: command.command(STUDY, **w).pixels.rois,
        colors=lambda w: command.command(STUDY, **w).pixels.colors,
        sources=lambda w: command.command(STUDY, **w).pixels.sources,
        own=lambda w: list(map(local, command.command(STUDY, **w).pixels.own_files)),
        code=get_code("command"),
    output:
        masks="results/{stack}/external/{array}.zarr/c/{block}",
        cost="results/{stack}/external/cost/{array}/{block}.tsv",
    log:
        "logs/{stack}/external/{array}.zarr/c/{block}.log",
    benchmark:
        "benchmarks/{stack}/external/{array}.zarr/c/{block}.tsv"
    params:
        parts=lambda w: command.command(STUDY, **w).parts,
        steps=lambda w: command.command(STUDY, **w).pixels.steps,
        blocks=lambda w: command.command(STUDY, **w).pixels.blocks,
        arrays=lambda w: command.command(STUDY, **w).pixels.arrays,
        codec=lambda w: command.command(STUDY, **w).pixels.codec,
        dtype=lambda w: command.command(STUDY, **w).dtype,
        run=lambda w: command.command(STUDY, **w).run,
        version=lambda w: command.command(STUDY, **w).version,
        halo=lambda w: command.command(STUDY, **w).halo,
        # what only ends a program runs nothing again
        limits=lambda w, output: command.command(STUDY, **w).limits,
    wildcard_constraints:
        array=paths.any_of(command.names(STUDY)),
    conda:
        "../../envs/tilewise.yaml"
    priority: 2
    threads: lambda w: command.command(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: command.command(STUDY, **w).need),
    script:
        "../../scripts/command.py"
