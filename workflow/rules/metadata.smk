"""What makes the blocks an OME-Zarr that viewers open."""


rule metadata:
    """Every `zarr.json` of the run: images, labels with their colours, NGFF 0.5; filtered images, plain Zarr."""
    input:
        contrast=contrast.files(STUDY),
        code=get_code("metadata"),
    output:
        arrays=metadata.metadata(STUDY).files,
        stacks="results/stacks.tsv",
    log:
        "logs/metadata.log",
    params:
        # what is kept with each of many files is a digest; the rest follows from it
        digest=metadata.metadata(STUDY).digest,
        groups=lambda w, output: metadata.metadata(STUDY).groups,
        stacks=lambda w, output: metadata.metadata(STUDY).stacks,
        colors=COLORS,
    conda:
        "../../envs/tilewise.yaml"
    localrule: True
    script:
        "../../scripts/metadata.py"
