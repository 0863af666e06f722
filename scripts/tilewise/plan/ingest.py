"""The jobs of rules/ingest.smk: any format in, blocks of tiles out."""

from dataclasses import dataclass
from functools import cache

from tilewise.plan import paths, reads, resources
from tilewise.plan.reads import Part, Pieces
from tilewise.plan.resources import Need
from tilewise.plan.study import Study


@dataclass(frozen=True)
class Image:
    """Planes of image files become a block."""

    parts: list[Part]
    files: list[str]
    first_plane: int
    """Plane of the first file that is the block's first."""
    dtype: str
    channel: str | int
    need: Need


@cache
def image(study: Study, sample: str, block: str) -> Image:
    """The image's pixels of a block, in grey and, if it has any, in colour."""
    known, region = study.samples[sample], study.region(sample, block)
    files, first_plane = known.images_of(region.z0, region.z1)
    return Image(
        parts=[reads.part(study, sample, block)],
        files=files,
        first_plane=first_plane,
        dtype=known.header.dtype,
        channel=known.channel,
        need=resources.ingest(study, sample),
    )


@dataclass(frozen=True)
class Truth:
    """Pieces of truth, within the region of interest, become a block."""

    parts: list[Part]
    truth: Pieces
    roi: Pieces
    has_roi: bool
    foreground: float | None
    need: Need


@cache
def truth(study: Study, sample: str, block: str, annotator: str = "") -> Truth:
    """The truth of a block, or of one of its annotators by number."""
    known = study.samples[sample]
    return Truth(
        parts=[reads.part(study, sample, block)],
        truth=reads.pieces(study, sample, block, int(annotator) if annotator else "truth"),
        roi=reads.pieces(study, sample, block, "roi"),
        has_roi=bool(known.roi),
        foreground=known.truth_foreground,
        need=resources.truth(study, sample),
    )


@dataclass(frozen=True)
class Consensus:
    """What several annotators' votes on a sample come to."""

    parts: list[Part]
    files: list[str]
    """Annotator by annotator, each block by block of `parts`."""
    annotators: int
    need: Need


@cache
def consensus(study: Study, sample: str) -> Consensus:
    """Over all annotated blocks of a sample."""
    blocks = study.annotated_blocks(sample)
    return Consensus(
        parts=[reads.part(study, sample, block) for block in blocks],
        files=annotators(study, sample, blocks),
        annotators=len(study.samples[sample].annotators),
        need=resources.by_strips(study, sample),
    )


@dataclass(frozen=True)
class ConsensusTruth:
    """Several annotators' truths of a block become one."""

    parts: list[Part]
    files: list[str]
    need: Need


@cache
def consensus_truth(study: Study, sample: str, block: str) -> ConsensusTruth:
    """Of one block."""
    return ConsensusTruth(
        parts=[reads.part(study, sample, block)],
        files=annotators(study, sample, [block]),
        need=resources.by_strips(study, sample),
    )


def annotators(study: Study, sample: str, blocks: list[str]) -> list[str]:
    """Blocks of each annotator's truth."""
    return [
        path
        for number in range(1, len(study.samples[sample].annotators) + 1)
        for path in paths.of_blocks(
            paths.LABEL + paths.BLOCK,
            blocks,
            sample=sample,
            label=paths.annotator(number),
            level=0,
        )
    ]
