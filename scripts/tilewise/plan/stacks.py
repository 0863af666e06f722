"""Stacks: which samples are stored and worked on together, and where in it each of them lies."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tilewise.plan.sheet import Sample
from tilewise.store.grid import Grid, choose_block, choose_levels

AUTO = "auto"
"""Of `pyramid.levels`: as many as an overview of a plane takes."""
SHARED_SIDES = (1, 4, 8, 16)
"""Chunks along a side of a plane of a shared block: a sample lies in the first it fits."""


@dataclass(frozen=True, eq=False)
class Stack:
    """The planes of one array, which hold one large sample or several small ones."""

    name: str
    """That of its sample, or that of a shared stack, which no sample can have."""
    offsets: dict[str, int]
    """Samples, in the order of the sheet, and the plane of the stack that is the first of each."""
    grid: Grid
    """Of the array, which is as large as its samples need."""
    levels: int
    """Reduced ones of its arrays."""

    @property
    def is_shared(self) -> bool:
        """Whether small samples are collected in it, be it one."""
        return is_shared(self.name)

    @cached_property
    def samples(self) -> list[str]:
        """In the order of the sheet."""
        return list(self.offsets)

    @cached_property
    def blocks(self) -> list[str]:
        """All blocks as `z/y/x`."""
        return self.grid.blocks()

    @cached_property
    def _samples_in(self) -> dict[str, list[str]]:
        samples: dict[str, list[str]] = {block: [] for block in self.blocks}
        for sample in self.offsets:
            samples[self.block(sample, "0/0/0")].append(sample)
        return samples

    def block(self, sample: str, own: str) -> str:
        """The block of the stack that holds a block of one of its samples."""
        return f"{self.offsets[sample] // self.grid.block[0]}/0/0" if self.is_shared else own

    def places(self, block: str) -> list[tuple[str, str]]:
        """Samples in a block, each with its own block there: a small sample has but one."""
        if not self.is_shared:
            return [(sample, block) for sample in self.offsets]
        return [(sample, "0/0/0") for sample in self._samples_in[block]]


def is_shared(name: str) -> bool:
    """Whether a stack of this name is for small samples."""
    return name.startswith("_")


def read_stacks(
    samples: dict[str, Sample], config: dict[str, Any]
) -> tuple[list[Stack], dict[str, Grid]]:
    """The stacks that samples are stored in, by first sample, and the grid of each sample.

    Where a small sample goes depends on itself and on those before it in the sheet, and how it is
    stored on itself alone: another row at the end of the sheet changes nothing for the others.
    The block of a collected sample is that of its stack.
    """
    grids: dict[str, Grid] = {}
    offsets: dict[str, dict[str, int]] = {}
    ends: dict[str, int] = {}
    for name, sample in samples.items():
        tile, edges = config["tile"], config["tile_edges"]
        block = choose_block(sample.shape, tile, **config["block"], edges=edges)
        own = Grid(sample.shape, tile, block, edges)
        side = _side(own, config["collect"])
        if side is None:
            grids[name], offsets[name] = own, {name: 0}
            continue
        planes = _planes(side, config["collect"])
        stack = _shared_name(sample, side)
        first = ends.get(stack, 0)
        # a sample's planes never straddle two blocks
        if first % planes + sample.shape[0] > planes:
            first += -first % planes
        ends[stack] = first + sample.shape[0]
        offsets.setdefault(stack, {})[name] = first
        grids[name] = replace(own, block=(planes, side * tile, side * tile))
    levels = config["pyramid"]["levels"]
    stacks = [_stack(stack, own, grids, levels) for stack, own in offsets.items()]
    most = max(one.levels for one in stacks)
    for one in stacks:
        # a ValueError where it cannot be: jobs write the same levels in all, see `Study.levels`
        one.grid.level(most)
    return stacks, grids


def _side(grid: Grid, collect: dict[str, int]) -> int | None:
    """Chunks along a side of the shared block that a sample fits into, or None."""
    chunks = max(grid.level(0).tiles_along)
    sides = [side for side in SHARED_SIDES if side >= chunks]
    fits = (
        len(grid.blocks()) == 1
        and chunks <= collect["side"]
        and grid.shape[0] <= _planes(sides[0], collect)
    )
    return sides[0] if fits else None


def _planes(side: int, collect: dict[str, int]) -> int:
    """Planes of a shared block: fewer of larger ones, which hold more all the same."""
    return max(collect["planes"] // side, 1)


def _shared_name(sample: Sample, side: int) -> str:
    """What samples of a stack have in common."""
    channels = {1: "", 3: "_rgb"}.get(sample.header.channels, f"_{sample.header.channels}ch")
    roi = "_roi" if sample.has_roi else ""
    voted = "_voted" if sample.annotators else ""
    return f"_small_{sample.header.dtype}{channels}{roi}{voted}_{side}"


def _stack(name: str, offsets: dict[str, int], grids: dict[str, Grid], levels: int | str) -> Stack:
    """An array as large as the samples need."""
    own = [grids[sample] for sample in offsets]
    planes = max(first + grids[sample].shape[0] for sample, first in offsets.items())
    height, width = (max(grid.shape[axis] for grid in own) for axis in (1, 2))
    grid = Grid((planes, height, width), own[0].tile, own[0].block)
    if levels == AUTO:
        # of a shared stack, those of the largest sample that it may come to have
        _, *sides = grid.block if is_shared(name) else grid.shape
        levels = choose_levels(max(sides))
    return Stack(name, offsets, grid, int(levels))
