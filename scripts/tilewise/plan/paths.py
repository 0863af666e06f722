"""Where results lie, as the rules have it: the paths that jobs read as lists."""

IMAGE = "results/{sample}/image.zarr"
COLOR = "results/{sample}/color.zarr"
FILTERED = "results/{sample}/filtered/{filter}.zarr"
LABEL = IMAGE + "/labels/{label}"
BLOCK = "/{level}/c/{block}"
COLOR_BLOCK = "/{level}/c/0/{block}"
FILTERED_BLOCK = "/c/{block}"
METRICS = "results/{sample}/{method}/metrics/{block}.tsv"
THRESHOLDS = "results/{sample}/{method}/thresholds/{block}.tsv"
OVERLAY = "results/{sample}/{method}/overlay/{block}"
SWEEP = "results/{sample}/{method}/sweep/{block}.tsv"
STRUCTURE = "results/{sample}/{method}/structure/{extent}.tsv"
HISTOGRAM = "results/{sample}/histograms/{source}/{block}.npz"
EXTENT = "results/{sample}/histograms/{source}/extent/{block}.tsv"
LEVELS = "results/{sample}/histograms/{source}/truth/{block}.npz"
QUALITY = "results/{sample}/quality/{block}.tsv"
SURVEY = "results/{sample}/survey/{block}.tsv"
STRATA = "results/{sample}/errors/strata/{block}.tsv"
DIFFERENCES = "results/{sample}/errors/differences/{block}.tsv"
CHOICE = "results/sweeps/{method}/choice.json"
UNITS = "results/sweeps/{method}/units.tsv"
TRIED = "results/sweeps/{method}/sweep.tsv"
CALIBRATION = "results/sweeps/{method}/calibration.tsv"
ANNOTATORS = "results/{sample}/annotators.tsv"
DECIDED = "results/choice.json"
FIGURE = "results/figures/{method}-{kind}.{format}"


def of_blocks(pattern: str, blocks, **names) -> list[str]:
    """The path of each block."""
    return [pattern.format(block=block, **names) for block in blocks]


def confusion(method: str) -> str:
    """The label of a method's confusion maps."""
    return f"{method}-confusion"


def annotator(number: int) -> str:
    """The label of an annotator's truth; numbered from 1 in the order of the sheet."""
    return f"annotator-{number}"
