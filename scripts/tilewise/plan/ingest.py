"""The jobs of rules/ingest.smk: any format in, blocks of tiles out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tilewise.plan import paths, reads, resources
from tilewise.plan.reads import PartSettings
from tilewise.plan.resources import Need
from tilewise.plan.study import Study
from tilewise.read.header import channel_number
from tilewise.read.sources import Planes, revision_of
from tilewise.segment.sources import CHANNEL


class Reading:
    """A job that reads files of the user's."""

    sources: list[Planes]

    @property
    def files(self) -> list[str]:
        """Of the sources."""
        return [planes.path for planes in self.sources]


@dataclass(frozen=True)
class Image(Reading):
    """Planes of image files become a block.

    Of each part: `files`, the first of `Image.files` that are its own and the one after the last;
    `first_plane`, the plane of the first file that is the part's first; and `channel`.
    """

    parts: list[PartSettings]
    sources: list[Planes]
    record: str
    """Where the job writes what it has read of them."""
    dtype: str
    need: Need


@cache
def image(study: Study, stack: str, block: str) -> Image:
    """The image's pixels of a block, in grey and, if it has any, in colour."""
    chosen = [(place, study.samples[place[0]].channel) for place in study.places(stack, block)]
    return _image(study, stack, block, "image", chosen)


@cache
def channel(study: Study, stack: str, channel: str, block: str) -> Image:
    """The pixels of a block in a channel, by its folder, of samples whose images have it."""
    own = study.channel_arrays[CHANNEL + channel]
    chosen = [
        (place, channel_number(study.samples[place[0]].header, own))
        for place in study.places(stack, block)
        if study.has_channel(place[0], own)
    ]
    return _image(study, stack, block, f"channel-{channel}", chosen)


def _image(
    study: Study,
    stack: str,
    block: str,
    label: str,
    chosen: Sequence[tuple[tuple[str, str], str | int]],
) -> Image:
    """Of places in a block, each with the channel that is read."""
    parts: list[PartSettings] = []
    sources: list[Planes] = []
    for (sample, own), channel in chosen:
        region = study.region(sample, own)
        held = study.samples[sample].images_of(region.z0, region.z1)
        span = [len(sources), len(sources) + len(held)]
        settings = {"files": span, "first_plane": held[0].first, "channel": channel}
        parts.append(reads.part(study, sample, own, **settings))
        sources += held
    record = paths.MADE_FROM.format(stack=stack, label=label, block=block)
    return Image(parts, sources, record, study.dtype(stack), resources.ingest(study, stack))


@dataclass(frozen=True)
class Truth(Reading):
    """Pieces of truth, within the region of interest, become a block.

    Of each part: `truth`, fields of `Piece` with the number of its file; and `foreground`, the
    value of its truth that is foreground, or None.
    """

    parts: list[PartSettings]
    sources: list[Planes]
    rois: list[str]
    """The block of the region of interest, if a sample of the stack has one."""
    record: str
    need: Need


@cache
def truth(study: Study, stack: str, block: str, annotator: str = "") -> Truth:
    """The truth of a block, or of one of its annotators by number."""
    number = int(annotator) if annotator else 0
    places = [
        (sample, own)
        for sample, own in study.annotated_places(stack, block)
        if len(study.samples[sample].annotators) >= number
    ]
    truth = reads.pieces(study, places, number or "truth")
    parts = [
        reads.part(
            study, sample, own, truth=traced, foreground=study.samples[sample].truth_foreground
        )
        for (sample, own), traced in zip(places, truth.places, strict=True)
    ]
    label = paths.annotator(number) if number else "truth"
    record = paths.MADE_FROM.format(stack=stack, label=label, block=block)
    rois = reads.rois(study, stack, [block])
    return Truth(parts, truth.sources, rois, record, resources.truth(study, stack))


@dataclass(frozen=True)
class Roi(Reading):
    """Pieces of regions of interest become a block, or what lies inside of frames does.

    Of each part: `roi`, fields of `Piece` with the number of its file; and whether the sample
    `has_roi` and `is_framed`.
    """

    parts: list[PartSettings]
    sources: list[Planes]
    images: list[str]
    """The block of the image, where a sample is framed."""
    record: str
    dtype: str
    need: Need


@cache
def roi(study: Study, stack: str, block: str) -> Roi:
    """Of one block."""
    places = study.places(stack, block)
    samples = [study.samples[sample] for sample, _ in places]
    pieces = reads.pieces(study, places, "roi")
    is_any_framed = any(sample.is_framed for sample in samples)
    image = (paths.IMAGE + paths.BLOCK).format(stack=stack, block=block, level=0)
    return Roi(
        parts=[
            reads.part(study, *place, roi=own, has_roi=sample.has_roi, is_framed=sample.is_framed)
            for place, sample, own in zip(places, samples, pieces.places, strict=True)
        ],
        sources=pieces.sources,
        images=[image] if is_any_framed else [],
        record=paths.MADE_FROM.format(stack=stack, label=paths.ROI, block=block),
        dtype=study.dtype(stack),
        need=resources.region_of_interest(study, stack),
    )


@dataclass(frozen=True)
class External(Reading):
    """Masks made elsewhere become a block.

    Of each part: `pieces`, fields of `Piece` with the number of its file.
    """

    parts: list[PartSettings]
    sources: list[Planes]
    channel: int | None
    """That counts; None where there is one."""
    record: str
    need: Need


@cache
def external(study: Study, stack: str, array: str, block: str) -> External:
    """Of one block, of the samples in it that have such masks."""
    places = [place for place in study.places(stack, block) if study.has_array(place[0], array)]
    known = study.arrays[array]
    pieces = reads.pieces(study, places, known["column"])
    return External(
        parts=[
            reads.part(study, *place, pieces=own)
            for place, own in zip(places, pieces.places, strict=True)
        ],
        sources=pieces.sources,
        channel=known["channel"],
        record=paths.MADE_FROM.format(stack=stack, label=f"external-{array}", block=block),
        need=resources.external(study, stack, array),
    )


def revision(job: Image | Truth | Roi | External) -> str:
    """At which revision a job's sources are, by what was recorded of them; the same all run."""
    return _revision(job.record, tuple(job.sources))


@cache
def _revision(record: str, sources: tuple[Planes, ...]) -> str:
    return revision_of(record, [one for one in sources if "://" not in one.path])


@dataclass(frozen=True)
class Consensus:
    """What several annotators' votes come to, on samples or on a block.

    Of each part: `annotators`, their number.
    """

    parts: list[PartSettings]
    files: list[str]
    """Annotator by annotator, each block by block of `blocks`."""
    blocks: list[str]
    table: str
    """What each pattern of votes means: `consensus` writes it, `consensus_truth` reads it."""
    need: Need


@cache
def consensus(study: Study, stack: str, extent: str) -> Consensus:
    """Of the small samples of a block, or over all annotated blocks of a large sample."""
    return _consensus(study, stack, reads.extent_blocks(study, stack, extent))


@cache
def consensus_truth(study: Study, stack: str, block: str) -> Consensus:
    """Of one block."""
    return _consensus(study, stack, [block])


def _consensus(study: Study, stack: str, blocks: list[str]) -> Consensus:
    extent = reads.extent_of(study, stack, blocks[0])
    labels = map(paths.annotator, range(1, annotators(study, stack, blocks[0]) + 1))
    return Consensus(
        parts=[
            reads.part(study, sample, own, annotators=len(study.samples[sample].annotators))
            for block in blocks
            for sample, own in study.annotated_places(stack, block)
        ],
        files=[path for label in labels for path in paths.of_label(stack, label, blocks)],
        blocks=blocks,
        table=paths.CONSENSUS.format(stack=stack, extent=extent),
        need=resources.by_labels(study, stack),
    )


def consensus_files(study: Study, pattern: str) -> list[str]:
    """Files of all that several annotators have traced."""
    return [
        pattern.format(stack=stack, extent=extent)
        for stack in study.voted
        for extent in dict.fromkeys(
            reads.extent_of(study, stack, block) for block in study.annotated_blocks(stack)
        )
    ]


def annotators(study: Study, stack: str, block: str) -> int:
    """Most annotators of a sample in a block."""
    samples = (study.samples[sample] for sample, _ in study.annotated_places(stack, block))
    return max((len(sample.annotators) for sample in samples), default=0)
