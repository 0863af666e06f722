"""How viewers show images when they open them."""


rule contrast:
    """Grey levels that are shown black and white, of the image and its colours; NGFF's `window`."""
    input:
        images=lambda w: contrast.contrast(STUDY, **w).images,
        colors=lambda w: contrast.contrast(STUDY, **w).colors,
        rois=lambda w: contrast.contrast(STUDY, **w).rois,
        code=get_code("contrast"),
    output:
        windows="results/{stack}/contrast.json",
    log:
        "logs/{stack}/contrast.log",
    params:
        parts=lambda w: contrast.contrast(STUDY, **w).parts,
        blocks=lambda w: contrast.contrast(STUDY, **w).blocks,
        step=lambda w: contrast.contrast(STUDY, **w).step,
        dtype=lambda w: contrast.contrast(STUDY, **w).dtype,
    conda:
        "../../envs/tilewise.yaml"
    threads: lambda w: contrast.contrast(STUDY, **w).need.threads
    resources:
        **resources.of_attempts(lambda w: contrast.contrast(STUDY, **w).need),
    localrule: True
    script:
        "../../scripts/contrast.py"
