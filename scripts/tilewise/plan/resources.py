"""What a job takes of a machine or of a scheduler: memory, time, threads, and its submission."""

from dataclasses import dataclass
from math import inf

from tilewise.plan.methods import SEGMENTATION
from tilewise.plan.study import Study, bytes_of
from tilewise.store.blocks import at_once

BASE_MEMORY = 250
"""MB of Python and its libraries."""


@dataclass(frozen=True)
class Need:
    """What a job takes, at its first attempt.

    Parameters
    ----------
    memory : int
        Megabytes.
    runtime : int
        Minutes.
    threads : int
    group : str
        Jobs of a group and of one block are one submission to a scheduler.
    """

    memory: int
    runtime: int
    threads: int = 1
    group: str = ""


def threads(study: Study, methods: int = 1) -> int:
    """Threads of a block's job: several where there are fewer jobs of its kind than cores.

    A start of a process takes one core: several jobs at once are better than one with threads.

    Parameters
    ----------
    methods : int
        Jobs of the kind that a block has.
    """
    if study.cores is None:
        return 1
    jobs = methods * sum(len(study.blocks(sample)) for sample in study.samples)
    return max(1, study.cores // max(jobs, 1))


def method_threads(study: Study, method: str) -> int:
    """Threads of a job of one block and one method."""
    return threads(study, 1 if method == SEGMENTATION else len(study.methods))


def memory(
    study: Study, sample: str, reach: float, bytes_per_pixel: float, workers: int = 1
) -> int:
    """Megabytes of a job that has a strip per thread in memory, or a plane if the reach is one.

    Parameters
    ----------
    bytes_per_pixel : float
        Buffers of the size of the strip, times the bytes of a pixel of the image.
    workers : int
        Threads.
    """
    grid = study.grids[sample]
    rows = min(grid.tile + 2 * reach, grid.shape[1])
    columns = min(grid.block[2] + 2 * reach, grid.shape[2])
    pixels = rows * columns
    pixels *= at_once(pixels, workers)
    size = pixels * bytes_per_pixel * bytes_of(study.samples[sample])
    return BASE_MEMORY + round(size / 2**20)


def runtime(study: Study, sample: str) -> int:
    """Minutes, at 2 Mpx/s: the slowest filters; most are 50 times faster."""
    planes, rows, columns = study.grids[sample].block
    return 5 + planes * rows * columns // (2 * 60 * 10**6)


def by_strips(study: Study, sample: str, group: str = "", workers: int | None = None) -> Need:
    """Of a job that goes through a block strip by strip."""
    workers = threads(study) if workers is None else workers
    size = memory(study, sample, 0, 16, workers)
    return Need(size, runtime(study, sample), workers, group)


def ingest(study: Study, sample: str) -> Need:
    """Compressed files are decoded a plane at a time, in all of their channels."""
    channels = study.samples[sample].header.channels
    size = memory(study, sample, inf, 1 + 2 * channels)
    return Need(size, runtime(study, sample), threads(study), ingest_group(study, sample))


def truth(study: Study, sample: str) -> Need:
    """Compressed truth is decoded a plane at a time: one 8-bit plane, and the one before."""
    size = memory(study, sample, inf, 3 / bytes_of(study.samples[sample]))
    return Need(size, runtime(study, sample), threads(study), "segment")


def filtering(study: Study, sample: str, filter: str) -> Need:
    """Of a filter's own job."""
    reach, workers = study.reach(sample, filter), threads(study)
    size = memory(study, sample, reach, 8 if reach == inf else 16, workers)
    return Need(size, runtime(study, sample), workers, filter_group(study, sample))


def counting(study: Study, sample: str, reach: float, group: str) -> Need:
    """Of a job that filters pixels and counts them."""
    workers = threads(study)
    size = memory(study, sample, reach, 8 if reach == inf else 20, workers)
    return Need(size, runtime(study, sample), workers, group)


def threshold(study: Study, sample: str, method: str) -> Need:
    """Of a mask, by whichever parameters or method annotated tiles come to choose."""
    workers, variants = method_threads(study, method), study.candidates(method)
    size = max(_variant_memory(study, sample, variant, workers) for variant in variants)
    # a block that is all of its sample is gone through before, for its histogram: of floats twice
    counts = len(study.blocks(sample)) == 1 and any(
        study.needs_sample(sample, variant) for variant in variants
    )
    passes = 1 + counts * (2 if study.dtype(sample) == "float32" else 1)
    minutes = runtime(study, sample) * passes
    return Need(size, minutes, workers, method_group(study, method))


def _variant_memory(study, sample, variant, workers):
    # a local method has several planes of doubles, the same for every dtype
    doubles = 32 / bytes_of(study.samples[sample]) if variant.segmenter.is_local else 0
    inline = study.reach(sample, variant.filter) if study.filtered == "inline" else 0
    own = variant.segmenter.reach
    reach = own if inline == inf else own + inline
    pixels = 8 if reach == inf else 16
    size = memory(study, sample, reach, pixels + doubles, workers)
    if inline == inf:
        # the filter's planes, beside the strip or plane of the method
        size += memory(study, sample, inf, 8, workers) - BASE_MEMORY
    return size


def sweep(study: Study, sample: str, method: str) -> Need:
    """Pixels that are filtered once, and what a set of parameters makes of them.

    Minutes are as if all tiles were annotated.
    """
    variants = study.methods[method].variants
    workers = threads(study, len(study.swept))
    size = max(
        memory(
            study,
            sample,
            study.variant_reach(sample, variant),
            20 + (40 / bytes_of(study.samples[sample]) if variant.segmenter.is_local else 0),
            workers,
        )
        for variant in variants
    )
    return Need(size, runtime(study, sample) * len(variants), workers, "sweep")


def structure(study: Study, sample: str, extent: str) -> Need:
    """A plane or a stack, with its distances in 3-D, 40 bytes per pixel."""
    planes, rows, columns = study.grids[sample].shape
    pixels = (planes if extent == "stack" else 1) * rows * columns
    minutes = 5 + planes * rows * columns // (60 * 10**6)
    return Need(300 + pixels * 40 // 2**20, minutes)


# Submissions: a block's chain is one, cut where it waits for other blocks.


def filter_group(study: Study, sample: str) -> str:
    """The image's and the filters' jobs, where they lead straight to masks, or before others."""
    waits = has_histograms(study, sample) or study.is_split(sample)
    return "prepare" if waits else "segment"


def has_histograms(study: Study, sample: str) -> bool:
    """Whether a threshold waits for all blocks of a sample."""
    return len(study.blocks(sample)) > 1 and any(
        study.needs_sample(sample, variant)
        for method in study.methods_of(sample)
        for variant in study.methods[method].variants
    )


def ingest_group(study: Study, sample: str) -> str:
    """The image's own."""
    return "ingest" if study.is_split(sample) else filter_group(study, sample)


def histogram_group(study: Study, sample: str) -> str:
    """A histogram of floats waits for the extents of all blocks."""
    return "count" if study.dtype(sample) == "float32" else filter_group(study, sample)


def method_group(study: Study, method: str) -> str:
    """What waits for annotated tiles to choose parameters, or the method, is another submission."""
    if method == SEGMENTATION:
        return "apply"
    return "chosen" if method in study.swept else "segment"
