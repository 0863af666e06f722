"""The study: samples, stacks, methods, and what is annotated, compared and applied."""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from math import prod
from pathlib import Path
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan import sheet
from tilewise.plan.methods import (
    APPLY_WORDS,
    NO_FILTER,
    Method,
    Variant,
    external_columns,
    locate_filters,
    read_methods,
    with_sources,
)
from tilewise.plan.pieces import blocks_of
from tilewise.plan.sampling import Drawn
from tilewise.plan.sheet import NamedFiles, Sample
from tilewise.plan.sheet_columns import GROUP
from tilewise.plan.stacks import Stack, read_stacks
from tilewise.read.header import Header, find_channel
from tilewise.score.formulas import CHOICES, METRICS
from tilewise.segment.filters import (
    chain_bytes,
    chain_dtype,
    chain_reach,
    chain_seconds,
    channels_of,
    chosen_channels,
    files_of,
    is_circular,
    is_image,
    takes_colors,
)
from tilewise.segment.sources import (
    ARRAY,
    COMMAND,
    EXTERNAL,
    array_name,
    channel_array,
    given_filter,
    source_of,
)
from tilewise.segment.steps import hint
from tilewise.segment.trained import KINDS
from tilewise.store.grid import Grid, Region
from tilewise.tables import TRAIN

BYTES_PER_GIGABYTE = 2**30


@dataclass(frozen=True)
class Choice:
    """What segments: a method with its parameters, and a threshold from annotated tiles."""

    method: str
    variant: str = ""
    calibration: tuple[tuple[str, str], ...] | None = None
    """A row of a table of calibrations, as pairs of column and text."""


@dataclass(frozen=True, eq=False)
class Study:
    """What a configuration and its sample sheet ask for; nothing in it changes."""

    config: dict[str, Any]
    """Checked against the schema, with all defaults."""
    samples: dict[str, Sample]
    methods: dict[str, Method]
    stacks: dict[str, Stack]
    grids: dict[str, Grid]
    """By sample."""
    cores: int | None = None
    """Of this machine; None where a cluster's scheduler has them."""

    @cached_property
    def levels(self) -> list[int]:
        """Levels that jobs write, the pixels themselves first: the same in every stack.

        A rule's outputs are. Some stacks may need fewer: of those, nothing asks for the others.
        """
        return list(range(max(stack.levels for stack in self.stacks.values()) + 1))

    def levels_of(self, stack: str) -> list[int]:
        """Levels that the arrays of a stack have."""
        return self.levels[: self.stacks[stack].levels + 1]

    @cached_property
    def annotated(self) -> list[str]:
        """Samples with truth."""
        return [name for name, sample in self.samples.items() if sample.truth]

    @cached_property
    def stack_of(self) -> dict[str, Stack]:
        """The stack of each sample."""
        return {sample: stack for stack in self.stacks.values() for sample in stack.samples}

    @cached_property
    def voted(self) -> list[str]:
        """Stacks of samples that several annotators have traced."""
        return [
            name for name, stack in self.stacks.items() if self.samples[stack.samples[0]].annotators
        ]

    def has_roi(self, stack: str) -> bool:
        """Whether a sample of a stack has a region of interest."""
        return stack in self._with_roi

    @cached_property
    def _with_roi(self) -> set[str]:
        return {self.stack_of[name].name for name, one in self.samples.items() if one.has_roi}

    @cached_property
    def swept(self) -> list[str]:
        """Methods whose parameters annotated tiles choose."""
        return [name for name, method in self.methods.items() if method.is_swept]

    @cached_property
    def tuned(self) -> list[str]:
        """Those whose masks of annotated tiles depend on these tiles.

        A single set of parameters that a model is trained with is not one: each annotated tile is
        predicted by a model that was trained without it.
        """
        return [
            name
            for name in self.swept
            if not self.methods[name].is_learned or len(self.methods[name].variants) > 1
        ]

    @cached_property
    def with_probability(self) -> list[str]:
        """Methods whose masks have the probability of foreground beside them.

        That which segments everything does where the configuration names it.
        """
        keeping = [name for name, method in self.methods.items() if method.keeps_probability]
        return [*keeping, SEGMENTATION] if self.apply in keeping else keeping

    @cached_property
    def without_probability(self) -> list[str]:
        """All others."""
        return [name for name in (SEGMENTATION, *self.methods) if name not in self.with_probability]

    @cached_property
    def ranked(self) -> list[str]:
        """Methods that are compared: on the same samples, and fit to be applied to all."""
        compared = set(self.samples if self.apply == "best" else self.annotated)
        return [name for name, method in self.methods.items() if set(method.samples) >= compared]

    @cached_property
    def left_out(self) -> list[str]:
        """Methods that are tried, but not run on all samples that methods are compared by."""
        others = [method for name, method in self.methods.items() if name not in self.ranked]
        return [method.name for method in others if self.annotated_samples(method)]

    @property
    def apply(self) -> str:
        """What segments everything: `best`, `all`, `none` or a method's name."""
        return str(self.config["apply"])

    @cached_property
    def applied(self) -> list[str]:
        """Samples that are segmented with the method that was decided on."""
        if self.apply in ("all", "none"):
            return []
        return list(self.samples if self.apply == "best" else self.methods[self.apply].samples)

    @cached_property
    def runs(self) -> list[tuple[str, str]]:
        """Pairs of sample and method whose own masks are made."""
        return self._pairs(self.samples if self.apply == "all" else self.annotated)

    @cached_property
    def validated(self) -> list[tuple[str, str]]:
        """Pairs of stack and method that are compared with truth."""
        pairs = self._pairs(self.annotated)
        return list(dict.fromkeys((self.stack_of[sample].name, name) for sample, name in pairs))

    def _pairs(self, samples: Iterable[str]) -> list[tuple[str, str]]:
        return [(sample, name) for sample in samples for name in self.methods_of(sample)]

    @cached_property
    def _methods_of(self) -> dict[str, list[str]]:
        methods: dict[str, list[str]] = {sample: [] for sample in self.samples}
        for name, method in self.methods.items():
            for sample in dict.fromkeys(method.samples):
                methods[sample].append(name)
        return methods

    @cached_property
    def groups(self) -> dict[str, str]:
        """What each annotated sample counts as: its group, or itself."""
        return {name: self.samples[name].group or name for name in self.annotated}

    @cached_property
    def drawn_tiles(self) -> dict[str, dict[tuple[int, int, int], Drawn]]:
        """How tiles were picked of which a table of windows says so, by annotated sample."""
        drawn = {}
        for name in self.annotated:
            try:
                drawn[name] = self.samples[name].sampling.of_tiles(self.grids[name])
            except ValueError as error:
                raise ValueError(f"sample {name}: {error}") from error
        return drawn

    @cached_property
    def metadata_columns(self) -> list[str]:
        """Columns of the sheet that are nothing but metadata."""
        columns = dict.fromkeys(
            column for sample in self.samples.values() for column in sample.metadata
        )
        return [column for column in columns if column != GROUP]

    @cached_property
    def is_single_tile(self) -> bool:
        """Whether all truth lies in one tile, which is then cut into spatial blocks."""
        return [
            self.grids[sample].number_of_tiles(piece.region)
            for sample in self.annotated
            for piece in self.samples[sample].truth
        ] == [1]

    @cached_property
    def filtered(self) -> str:
        """What becomes of filtered images: `kept`, `temporary`, or `inline`: none is written.

        `keep_filtered: auto` goes by the bytes of all samples after all filters, not by what
        methods there are, so that another method changes nothing for the others.
        """
        keep = self.config["keep_filtered"]
        if keep != "auto":
            return "kept" if keep else "temporary"
        samples = self.samples.values()
        size = sum(prod(sample.shape) * bytes_of(sample.header.dtype) for sample in samples)
        limit = self.config["keep_filtered_limit"] * BYTES_PER_GIGABYTE
        number = sum(map(is_image, self.config["filters"].values()))
        return "kept" if size * number <= limit else "inline"

    @cached_property
    def decides(self) -> bool:
        """Whether there is anything to decide on, and to decide by."""
        return bool(self.ranked and self.annotated)

    @cached_property
    def tile_metrics(self) -> list[str]:
        """Metrics of structure that are known per tile."""
        validation = self.config["validate"]
        return list(validation["metrics"]) if validation["extent"] == "tile" else []

    def steps(self, filter: str, stack: str) -> list[Any]:
        """Steps of a filter, as jobs know them.

        There are none of the image itself, and no projection of grey images; of a source, the
        first names its array, and of channels their arrays.
        """
        steps = list(self.config["filters"].get(filter, []))
        if array := self.array(filter):
            return [{ARRAY: array}, *steps[1:]]
        if channels := list(map(channel_array, self.stored_channels(filter, stack))):
            return [{ARRAY: channels if channels_of(steps) else channels[0]}, *steps[1:]]
        return steps if self.is_color(stack) or not takes_colors(steps) else steps[1:]

    def stored_channels(self, filter: str, stack: str) -> list[int | str]:
        """Channels that a filter takes of a stack's images, each of which is an array of its own.

        Channels of red, green and blue are none that are given by number: these are stored already.
        """
        if self.channels(stack) == 1:
            return []
        chosen = chosen_channels(self.config["filters"].get(filter, []))
        is_given = self.is_color(stack) and all(one in range(3) for one in chosen)
        return [] if is_given else chosen

    def arrays_of_channels(self, stack: str) -> dict[str, int | str]:
        """Numbers or names of channels of a stack that methods take, by the name of their array."""
        if self.channels(stack) == 1:
            return {}
        return {
            channel_array(channel): channel
            for method in self.methods.values()
            for filter in method.filters
            for name in (filter, self.given_filter(filter))
            for channel in self.stored_channels(name, stack)
        }

    @cached_property
    def channel_arrays(self) -> dict[str, int | str]:
        """The same of all stacks."""
        own = map(self.arrays_of_channels, self.stacks)
        return {array: channel for arrays in own for array, channel in arrays.items()}

    def has_channel(self, sample: str, channel: int | str) -> bool:
        """Whether a sample's image has a channel, by its number or its name."""
        return find_channel(self.samples[sample].header, channel) is not None

    def takes_colors(self, stack: str, filter: str) -> bool:
        """Whether a filter begins with a projection of a stack's colours."""
        return takes_colors(self.steps(filter, stack))

    def filter_bytes(self, stack: str, filter: str, rows: int, columns: int) -> float:
        """Bytes per pixel that the steps of a filter hold besides what all do."""
        return chain_bytes(self.steps(filter, stack), self.dtype(stack), rows, columns)

    def filter_seconds(self, stack: str, filter: str) -> float:
        """Seconds per million pixels that the slow steps of a filter take on one core."""
        return chain_seconds(self.steps(filter, stack))

    def filter_files(self, stack: str, filter: str) -> list[str]:
        """Files of the user's that the steps of a filter read."""
        return files_of(self.steps(filter, stack))

    def is_circular(self, filter: str) -> bool:
        """Whether a filter gives hues."""
        return is_circular(self.config["filters"].get(filter, []))

    def may_be_written(self, filter: str) -> bool:
        """Whether a filter's images may be kept: not of hues, nor of what is stored already.

        Nor of several channels.
        """
        steps = self.config["filters"].get(filter, [])
        is_plane = not is_circular(steps) and not channels_of(steps)
        return filter != NO_FILTER and is_image(steps) and is_plane

    def filtered_codec(self, stack: str) -> str:
        """How filtered images of a stack are compressed.

        With `auto` they are not, unless most of what is stored would be padding of the last tiles.
        Of collected samples that goes by their stack, so that further ones change nothing.
        """
        codec: str = self.config["filtered_codec"]
        if codec != "auto":
            return codec
        grid = self.stacks[stack].grid
        if self.stacks[stack].is_shared:
            # of one tile, samples may be of any size below
            return "zstd" if grid.block[1:] == grid.chunk else "none"
        sides = zip(grid.shape[1:], grid.chunk, strict=True)
        stored = prod(-(-size // chunk) * chunk for size, chunk in sides)
        return "zstd" if stored > 2 * prod(grid.shape[1:]) else "none"

    def is_written(self, filter: str, takes_temporary: bool = False) -> bool:
        """Whether a job reads a filter's images, be they deleted again, or filters itself."""
        is_kept = self.filtered == "kept" or (takes_temporary and self.filtered == "temporary")
        return is_kept and self.may_be_written(filter)

    def filter_channels(self, filter: str) -> list[str]:
        """Names of the channels that a filter gives, if it gives several."""
        return channels_of(self.config["filters"].get(filter, []))

    def source(self, filter: str) -> tuple[str, dict[str, Any]] | None:
        """What a filter begins with in place of the image, and its settings."""
        return source_of(self.config["filters"].get(filter, []))

    def given_filter(self, filter: str) -> str:
        """The filter whose images a program is given that a filter begins with; else `image`."""
        return given_filter(self.config["filters"].get(filter, [])) or NO_FILTER

    def array(self, filter: str) -> str | None:
        """The name of its array."""
        source = self.source(filter)
        if source is None:
            return None
        if source[0] == EXTERNAL:
            return array_name(**source[1])
        return filter if filter.startswith(f"{COMMAND}-") else f"{COMMAND}-filter-{filter}"

    @cached_property
    def arrays(self) -> dict[str, dict[str, Any]]:
        """Masks made elsewhere, by the name of their array: `column` and `channel`."""
        return {array: settings for array, _, settings in self._sources(EXTERNAL)}

    @cached_property
    def commands(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Programs, by the name of their array: the filter that begins with one, and settings."""
        return {array: (name, settings) for array, name, settings in self._sources(COMMAND)}

    def _sources(self, kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for name in self.config["filters"]:
            source, array = self.source(name), self.array(name)
            if source and array and source[0] == kind:
                yield array, name, source[1]

    def has_program(self, method: str) -> bool:
        """Whether a program makes its masks, by any set of parameters."""
        return any(self.array(name) in self.commands for name in self.methods[method].filters)

    def users(self, filter: str) -> list[Method]:
        """Methods with a set of parameters that uses a filter."""
        return [method for method in self.methods.values() if filter in method.filters]

    def has_source(self, sample: str, filter: str) -> bool:
        """Whether a sample has what a filter begins with."""
        array = self.array(filter)
        return array is None or self.has_array(sample, array)

    def has_array(self, sample: str, array: str) -> bool:
        """Whether a sample has masks made elsewhere, or a method with a program, by their array."""
        if array in self.arrays:
            return self.arrays[array]["column"] in self.samples[sample].external
        return any(sample in method.samples for method in self.users(self.commands[array][0]))

    def dtype(self, stack: str) -> str:
        """Of the pixels of a stack."""
        return self._any_sample(stack).header.dtype

    def filtered_dtype(self, stack: str, filter: str) -> str:
        """Of the pixels of a stack after a filter."""
        return chain_dtype(self.steps(filter, stack), self.dtype(stack))

    def channels(self, stack: str) -> int:
        """Of the images of a stack."""
        return self._any_sample(stack).header.channels

    def is_color(self, stack: str) -> bool:
        """Whether its images have red, green and blue."""
        return self.channels(stack) == 3

    def _any_sample(self, stack: str) -> Sample:
        return self.samples[self.stacks[stack].samples[0]]

    def reach(self, stack: str, filter: str) -> float:
        """Pixels around a pixel that a filter's result depends on; `inf` is the whole plane."""
        return chain_reach(self.steps(filter, stack), self.dtype(stack))

    def variant_reach(self, stack: str, variant: Variant) -> float:
        """The same of a mask, from the image on."""
        return variant.segmenter.reach + self.reach(stack, variant.filter)

    def needs_sample(self, sample: str, variant: Variant) -> bool:
        """Whether a mask needs a threshold of the whole sample."""
        grid = self.grids[sample]
        return variant.segmenter.needs_sample(grid.shape[0] * prod(grid.tiles_along))

    def is_tried(self, sample: str, variant: Variant) -> bool:
        """Whether a method's own mask needs no more than annotated tiles, and what is near them."""
        return self.apply != "all" and not self.needs_sample(sample, variant)

    def counts_sample(self, sample: str, variant: Variant) -> bool:
        """Whether the job of a mask takes that threshold itself: it has all of the sample."""
        is_whole = not self.has_several_blocks(self.stack_of[sample].name)
        return is_whole and self.needs_sample(sample, variant)

    def waits_for_sample(self, stack: str, variant: Variant) -> bool:
        """Whether it comes from histograms of the sample's blocks, of which there are several."""
        if not self.has_several_blocks(stack):
            return False
        (sample,) = self.stacks[stack].samples
        return self.needs_sample(sample, variant)

    def has_several_blocks(self, stack: str) -> bool:
        """Whether a sample has several: each of a shared stack has one."""
        return len(self.blocks(stack)) > 1 and not self.stacks[stack].is_shared

    def annotated_samples(self, method: Method) -> list[str]:
        """Samples of a method that have truth."""
        return [sample for sample in self.annotated if method.name in self.methods_of(sample)]

    def methods_of(self, sample: str) -> list[str]:
        """Methods that are tried on a sample."""
        return self._methods_of[sample]

    def has_errors(self, sample: str) -> bool:
        """Whether the errors of a sample's methods are compared."""
        return bool(self.config["validate"]["errors"] and self.methods_of(sample))

    def candidates(self, method: str) -> list[Variant]:
        """Variants that may come to make a mask, whatever is chosen."""
        if method != SEGMENTATION:
            return list(self.methods[method].variants)
        names = self.methods if self.apply == "best" else [self.apply]
        return [variant for name in names for variant in self.methods[name].variants]

    def voters(self, method: str) -> list[tuple[str, Variant]]:
        """Methods whose masks a vote counts, with their parameters; of others none."""
        names = self.methods[method].voters
        return [(name, self.methods[name].variants[0]) for name in names]

    def is_run(self, sample: str, method: str) -> bool:
        """Whether a method's own mask of a sample is made, or what was decided on is applied."""
        if method == SEGMENTATION:
            return sample in self._applied
        is_wanted = self.apply == "all" or bool(self.samples[sample].truth)
        return is_wanted and method in self.methods_of(sample)

    @cached_property
    def _applied(self) -> set[str]:
        return set(self.applied)

    def blocks(self, stack: str) -> list[str]:
        """All blocks of a stack."""
        return self.stacks[stack].blocks

    def places(self, stack: str, block: str) -> list[tuple[str, str]]:
        """Samples in a block of a stack, each with its own block there."""
        return self.stacks[stack].places(block)

    def annotated_places(
        self, stack: str, block: str, method: str | None = None
    ) -> list[tuple[str, str]]:
        """The same, where a piece of truth touches it; and a method is tried on it."""
        return [
            (sample, own)
            for sample, own in self.places(stack, block)
            if own in _own_annotated_blocks(self, sample)
            and (method is None or method in self.methods_of(sample))
        ]

    def mask_places(self, stack: str, block: str, method: str) -> list[tuple[str, str]]:
        """The same, where a mask is made: of a method that is only tried, if it is annotated."""
        is_all = method == SEGMENTATION or self.apply == "all"
        places = (
            self.places(stack, block) if is_all else self.annotated_places(stack, block, method)
        )
        return [(sample, own) for sample, own in places if self.is_run(sample, method)]

    def annotated_blocks(self, stack: str, method: str | None = None) -> list[str]:
        """Blocks of a stack with such places."""
        return _annotated_blocks_of(self, stack, method)

    def mask_blocks(self, stack: str, method: str) -> list[str]:
        """Blocks of a mask."""
        return _mask_blocks_of(self, stack, method)

    def block_of(self, sample: str, own: str) -> str:
        """The block of the stack that holds a sample's own block."""
        return self.stack_of[sample].block(sample, own)

    def region(self, sample: str, own: str) -> Region:
        """Pixels of a sample's own block."""
        return self.grids[sample].region(own)

    def is_split(self, stack: str) -> bool:
        """Whether a plane has several blocks, so that blocks depend on each other."""
        return self.stacks[stack].grid.blocks_along[1:] != (1, 1)


@cache
def _annotated_blocks_of(study: Study, stack: str, method: str | None) -> list[str]:
    return [block for block in study.blocks(stack) if study.annotated_places(stack, block, method)]


@cache
def _mask_blocks_of(study: Study, stack: str, method: str) -> list[str]:
    return [block for block in study.blocks(stack) if study.mask_places(stack, block, method)]


@cache
def _own_annotated_blocks(study: Study, sample: str) -> frozenset[str]:
    return frozenset(blocks_of(study.samples[sample].truth, study.grids[sample]))


def bytes_of(dtype: str) -> int:
    """Bytes of a pixel, of one channel."""
    return int("".join(filter(str.isdigit, dtype))) // 8


def read_study(config: dict[str, Any], folder: str | Path, cores: int | None = None) -> Study:
    """The study of a configuration; headers of its images are read, and nothing else.

    The sample sheet is relative to `folder`, that of the configuration file. ValueError says what
    is wrong, where, and what to do.
    """
    config = with_sources(config, folder)
    samples = sheet.read_samples(
        os.path.relpath(Path(folder, config["samples"])),
        named_files(config),
        config["channel"],
        config["truth_foreground"],
        config["pixel_size"],
        config["roi"],
        external_columns(config),
        config["largest_plane_gb"],
    )
    config = {**config, "filters": locate_filters(config["filters"], folder)}
    stacks, grids = read_stacks(samples, config)
    by_name = {stack.name: stack for stack in stacks}
    methods = read_methods(config, samples, folder)
    study = Study(config, samples, methods, by_name, grids, cores)
    check(study)
    return study


def named_files(config: dict[str, Any]) -> NamedFiles:
    """Files that rules of sources.smk make, and those in object storage, with their headers."""
    named: NamedFiles = {}
    for name, phantom in config["phantoms"].items():
        header = _header(phantom["shape"], 1, "uint8")
        for kind in ("image", "truth"):
            path = f"results/sources/phantom/{name}/{kind}.tif"
            named[f"phantom:{name}/{kind}"] = [(path, header)]
    for file, download in config["downloads"].items():
        header = _header(download["shape"], 1, download["dtype"])
        named[f"download:{file}"] = [(f"results/sources/download/{file}", header)]
    for name, stored in config["stored"].items():
        header = _header(stored["shape"], stored["channels"], stored["dtype"])
        named[f"stored:{name}"] = sheet.number_files(stored["files"], stored["first"], header)
    return named


def _header(shape: list[int], channels: int, dtype: str) -> Header:
    planes, rows, columns = shape
    return Header(planes, rows, columns, channels, dtype)


def check(study: Study) -> None:
    """Check that what is to be applied and decided can be; ValueError says what to change."""
    apply, validation = study.apply, study.config["validate"]
    if apply not in (*APPLY_WORDS, *study.methods):
        known = f"{', '.join(APPLY_WORDS)} or a method: {', '.join(study.methods)}"
        raise ValueError(f"apply: {apply} is not configured: set it to {known}")
    if apply == "best" and not study.annotated and len(study.methods) > 1:
        raise ValueError(
            "apply: best needs truth to decide on a method, and no sample has any: "
            "set `apply` to the name of a method, or to `all`"
        )
    for framed in (sample for sample in study.samples.values() if sample.is_framed):
        if study.is_split(study.stack_of[framed.name].name):
            raise ValueError(
                f"sample {framed.name}: roi: auto needs blocks of whole planes: name a file in the "
                "column `roi`, or leave `block.rows` and `block.columns` out"
            )
    if apply == "best" and not study.ranked:
        raise ValueError(
            "apply: best needs a method that runs on all samples: leave its `samples` out, "
            "or set `apply` to `all` or `none`"
        )
    choosing = [name for name in study.swept if len(study.methods[name].variants) > 1]
    if choosing and not study.annotated:
        raise ValueError(
            f"methods.{choosing[0]}.grid: no sample has truth to choose from it: "
            "leave `grid` out, or give truth"
        )
    for choice in validation["metrics"]:
        if choice not in CHOICES:
            raise ValueError(f"validate.metrics: {choice} does not exist{hint(choice, CHOICES)}")
    metric = study.config["decision"]["metric"]
    deciding = [name for name, one in METRICS.items() if one.decides]
    if metric not in deciding:
        raise ValueError(f"decision.metric: {metric} cannot decide{hint(metric, deciding)}")
    if [study.config["decision"][key] for key in ("test", "average")] == ["wilcoxon", "micro"]:
        raise ValueError(
            "decision.test: wilcoxon ranks the units' own values, which say nothing of a pooled "
            "score: leave it out, or set `average` under `decision` to macro"
        )
    needed = METRICS[metric].choice
    if needed and needed not in validation["metrics"]:
        raise ValueError(
            f"decision.metric: {metric} is not computed: add {needed} to `metrics` under `validate`"
        )
    if needed and validation["extent"] != "tile":
        raise ValueError(
            f"decision.metric: {metric} is decided on by tiles: "
            "set `extent` under `validate` to tile, or decide by a metric of pixels"
        )
    for sample in study.annotated:
        if validation["unit"] == "micrometer" and not study.samples[sample].pixel_size:
            raise ValueError(
                f"validate.unit: micrometer needs the pixel size of sample {sample}, which its "
                "files do not have: give it in the column `pixel_size` of the sheet"
            )
    _check_sampling(study)
    _check_programs(study)
    for name, method in study.methods.items():
        stacks = {study.stack_of[sample].name for sample in study.annotated_samples(method)}
        dtypes = max(
            (
                sorted({study.filtered_dtype(stack, one) for stack in stacks})
                for one in method.filters
            ),
            key=len,
        )
        if method.is_calibrated and len(dtypes) > 1:
            raise ValueError(
                f"methods.{name}: scope calibrated needs samples of one dtype, these are "
                f"{', '.join(dtypes)}: convert them, or use the scope sample"
            )
        _check_classifiers(study, name, method)


def _check_classifiers(study: Study, name: str, method: Method) -> None:
    """Check that images are of the kind that models are, or come to be, trained on."""
    what = f"methods.{name}"
    for variant in method.variants:
        settings = variant.segmenter.settings
        if not variant.segmenter.is_classifier:
            continue
        stacks = dict.fromkeys(study.stack_of[sample].name for sample in method.samples)
        dtypes = {
            stack: chain_dtype(study.steps(variant.filter, stack), study.dtype(stack))
            for stack in stacks
        }
        if variant.is_learned:
            if not study.annotated_samples(method):
                raise ValueError(
                    f"{what}: {variant.segmenter.threshold} learns from annotated tiles, and no "
                    "sample has truth: give truth, or name a trained `model`"
                )
            if len(set(dtypes.values())) > 1:
                raise ValueError(
                    f"{what}: {variant.segmenter.threshold} needs samples of one dtype, these are "
                    f"{', '.join(sorted(set(dtypes.values())))}: convert them, or give each kind "
                    "a method of its own with its `samples`"
                )
            continue
        path = settings["model"]
        model = KINDS[variant.segmenter.threshold].read(path)
        known, trained = model.dtype, model.channels
        given = tuple(study.filter_channels(variant.filter))
        if trained != given:
            raise ValueError(
                f"{what}: {path} was trained on {_written(trained)}, and its filter gives "
                f"{_written(given)}: let the filter give what the model takes"
            )
        for stack, dtype in dtypes.items():
            if dtype != known:
                raise ValueError(
                    f"{what}: {path} was trained on {known} images, and those of "
                    f"{study.stacks[stack].samples[0]} are {dtype}: train a model on such images, "
                    "or convert them"
                )


def _written(channels: tuple[str, ...]) -> str:
    return f"the channels {', '.join(channels)}" if channels else "a single plane"


def _check_programs(study: Study) -> None:
    """Check that programs are there, unless other machines have them; ValueError names one."""
    for filter, settings in study.commands.values():
        name = str(settings["run"][0])
        if study.cores is not None and study.users(filter) and shutil.which(name) is None:
            raise ValueError(
                f"methods.{study.users(filter)[0].name}: command: no program {name} is found: "
                "install it, or give its path"
            )


def _check_sampling(study: Study) -> None:
    """Check how annotated tiles were picked; ValueError says what to change."""
    known: list[Drawn] = []
    for name in study.annotated:
        tiles = study.drawn_tiles[name].values()
        known += tiles or [study.samples[name].sampling.all_tiles]
    if known and all(drawn.purpose == TRAIN for drawn in known):
        raise ValueError(
            "purpose: all annotated tiles are to `train`, and none is left to score methods on: "
            "leave the column `purpose` empty for some"
        )
    has_weights = any(drawn.purpose != TRAIN and drawn.pi is not None for drawn in known)
    if has_weights and study.config["decision"]["test"] == "wilcoxon":
        raise ValueError(
            "decision.test: wilcoxon ranks units without their weights, which `pi` gives them: "
            "leave `test` out, or the columns `pi`"
        )
