"""Images that nobody has to bring: phantoms are made, published ones are fetched."""


rule phantom:
    """A stack of vessels, 8 bit, and its exact truth, 0 and 1; multi-page TIFF."""
    input:
        code=get_code("phantom"),
    output:
        image="results/sources/phantom/{name}/image.tif",
        truth="results/sources/phantom/{name}/truth.tif",
    log:
        "logs/sources/phantom/{name}.log",
    benchmark:
        "benchmarks/sources/phantom/{name}.tsv"
    params:
        settings=lambda wildcards: config["phantoms"][wildcards.name],
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/phantom.py"


rule download:
    """A file as it was published: its SHA-256 is the configured one."""
    input:
        code=get_code("download"),
    output:
        file="results/sources/download/{name}",
    log:
        "logs/sources/download/{name}.log",
    params:
        settings=lambda wildcards: config["downloads"][wildcards.name],
    conda:
        "../../envs/tilewise.yaml"
    localrule: True
    script:
        "../../scripts/download.py"
