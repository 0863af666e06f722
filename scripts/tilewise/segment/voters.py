"""Masks of several methods, counted pixel by pixel."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.filtered import Filtered, FilteredBlocks
from tilewise.segment.guard import Outcome
from tilewise.segment.learned import MethodModels
from tilewise.segment.outcomes import outcomes_of
from tilewise.segment.segmenters import Segmenter, segment_region, tiles_of_run
from tilewise.segment.thresholds import Threshold
from tilewise.segment.vote import least_of, vote
from tilewise.store.grid import Region, Tile, runs_of
from tilewise.store.parts import Part


@dataclass(frozen=True)
class Voter:
    """A method for one sample."""

    filtered: Filtered
    segmenter: Segmenter
    outcome: Outcome | None
    """With the threshold of the whole sample, where it uses one."""

    @property
    def reach(self) -> float:
        """Pixels around a pixel on which its mask depends, those for its filter included or not."""
        return max(self.filtered.reach, self.segmenter.reach)


def voters_of(
    settings: Sequence[Mapping[str, Any]],
    part: Part,
    pixels: FilteredBlocks,
    known: Mapping[str, Outcome],
    models: Mapping[str, MethodModels],
    threads: int,
) -> list[Voter]:
    """The methods of a vote, for the sample of a part.

    Parameters
    ----------
    settings
        Of each method: `name`, its `filter` with the `steps`, and fields of the `segmenter`.
    known
        Outcomes of samples of several blocks, by method; others are counted here.
    models
        Of methods that learn.
    """
    filters = {one["filter"]: pixels.of(part, one["steps"]) for one in settings}
    counting = [one for one in settings if one["name"] in part.settings["counts"]]
    outcomes = {**known, **outcomes_of(counting, filters, part, threads)}
    voters = []
    for one in settings:
        name, segmenter = one["name"], Segmenter(**one["segmenter"])
        if name in models:
            segmenter = replace(segmenter, models=models[name].of(part.sample))
        voters.append(Voter(filters[one["filter"]], segmenter, outcomes.get(name)))
    return voters


def vote_tiles(
    voters: Sequence[Voter], segmenter: Segmenter, region: Region, chosen: Collection[Tile]
) -> Iterator[tuple[Tile, NDArray[np.uint8], Threshold, int, float]]:
    """Each chosen tile of a region with its mask by a vote, as `segmenters.segment_tiles`."""
    grid = voters[0].filtered.grid
    methods, given = segmenter.settings["methods"], segmenter.settings["least"]
    least = least_of(methods, given)
    threshold = Threshold(note=f"at least {least} of {', '.join(methods)}")
    own = [tile for tile in grid.tiles_in(region) if tile in chosen]
    for run in runs_of(own, grid, max(voter.segmenter.reach for voter in voters)):
        masks = []
        for voter in voters:
            outer = grid.around(run, voter.segmenter.reach)
            read, inside = (voter.filtered.read(outer), outer), voter.filtered.inside(outer)
            mask, _ = segment_region(
                *read, run, grid, voter.segmenter, voter.outcome, inside=inside
            )
            masks.append(mask)
        mask = vote(np.stack(masks), methods, given)
        thresholds = dict.fromkeys(grid.tiles_in(run), threshold)
        inside = voters[0].filtered.inside(run)
        yield from tiles_of_run(mask, thresholds, run, grid, chosen, inside)
