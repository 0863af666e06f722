"""What makes the blocks an OME-Zarr that viewers open: its metadata and its reduced levels."""


rule describe_image:
    """Metadata of a sample's image, NGFF 0.5."""
    input:
        code=get_code("describe_image"),
    output:
        group="results/{sample}/image.zarr/zarr.json",
        labels="results/{sample}/image.zarr/labels/zarr.json",
        arrays=expand("results/{{sample}}/image.zarr/{level}/zarr.json", level=[0, *LEVELS]),
    log:
        "logs/{sample}/image.zarr/zarr.log",
    params:
        labels=get_labels,
        dtype=get_dtype,
        pixel_size=get_pixel_size,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/describe_image.py"


rule describe_color:
    """Metadata of a sample's image in colour, NGFF 0.5."""
    input:
        code=get_code("describe_color"),
    output:
        group="results/{sample}/color.zarr/zarr.json",
        arrays=expand("results/{{sample}}/color.zarr/{level}/zarr.json", level=[0, *LEVELS]),
    log:
        "logs/{sample}/color.zarr/zarr.log",
    params:
        dtype=get_dtype,
        pixel_size=get_pixel_size,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/describe_color.py"


rule describe_label:
    """Metadata of the truth, of a mask or of a confusion map, with its colours, NGFF 0.5."""
    input:
        code=get_code("describe_label"),
    output:
        group="results/{sample}/image.zarr/labels/{label}/zarr.json",
        arrays=expand(
            "results/{{sample}}/image.zarr/labels/{{label}}/{level}/zarr.json", level=[0, *LEVELS]
        ),
    log:
        "logs/{sample}/image.zarr/labels/{label}/zarr.log",
    params:
        fill=get_label_fill,
        methods=lambda wildcards: len(get_methods_of(wildcards.sample)),
        colors={kind: config["overlay"][kind] for kind in ("tp", "fp", "fn", "tn")},
        pixel_size=get_pixel_size,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/describe_label.py"


rule describe_filtered:
    """Metadata of a filtered image that is kept: a plain Zarr array."""
    input:
        code=get_code("describe_filtered"),
    output:
        array="results/{sample}/filtered/{filter}.zarr/zarr.json",
    log:
        "logs/{sample}/filtered/{filter}.zarr/zarr.log",
    params:
        codec=FILTERED_CODEC,
        dtype=get_dtype,
        grid=get_grid,
    conda:
        "../../envs/tilewise.yaml"
    script:
        "../../scripts/describe_filtered.py"


if LEVELS:

    rule pyramid:
        """A block of an array, halved again and again: images by the mean of 2 x 2, labels by the upper left."""
        input:
            block="results/{sample}/{array}/0/c/{place}",
            code=get_code("pyramid"),
        output:
            levels=expand("results/{{sample}}/{{array}}/{level}/c/{{place}}", level=LEVELS),
        log:
            "logs/{sample}/{array}/pyramid/{place}.log",
        benchmark:
            "benchmarks/{sample}/{array}/pyramid/{place}.tsv"
        params:
            dtype=get_array_dtype,
            fill=get_fill,
            is_label=is_label,
            channels=get_array_channels,
            grid=get_grid,
        wildcard_constraints:
            # a colour array has its channels before z, y and x
            place=r"(0/)?\d+/\d+/\d+",
        conda:
            "../../envs/tilewise.yaml"
        group:
            get_pyramid_group
        threads: get_threads()
        resources:
            mem_mb=get_strip_memory,
            runtime=get_runtime,
            slot=1,
        script:
            "../../scripts/pyramid.py"
