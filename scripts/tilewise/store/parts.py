"""Parts of a job: what it does for each of its samples, and where the sample lies in its stack."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tilewise.store.blocks import Result, at_once, in_order
from tilewise.store.grid import Grid, Region, grid_of


@dataclass(frozen=True)
class Part:
    """A sample's region of one block."""

    sample: str
    grid: Grid
    """Of the sample, in its own coordinates."""
    block: str
    """`z/y/x` in that grid."""
    offset: int
    """Plane of the stack that is the sample's first."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What else the job is to know of the sample."""

    def level(self, level: int) -> "Part":
        """The part of a level of the pyramid."""
        return replace(self, grid=self.grid.level(level))


def parts_of(listed: Iterable[Mapping[str, Any]]) -> list[Part]:
    """The parts that a rule's `params.parts` lists, in order."""
    known = ("sample", "grid", "block", "offset")
    return [
        Part(
            part["sample"],
            grid_of(part["grid"]),
            part["block"],
            part["offset"],
            {name: value for name, value in part.items() if name not in known},
        )
        for part in listed
    ]


def each_part(
    work: Callable[[Part, int], Result], parts: Sequence[Part], threads: int
) -> list[Result]:
    """Do some work for each part, for several at once; results are in the order of the parts.

    The work takes a part and the number of threads that it may use: a single part gets all.

    Raises
    ------
    ValueError
        That of a part, with the name of its sample.
    """
    # some steps hold a whole plane of each
    pixels = max((part.grid.shape[1] * part.grid.shape[2] for part in parts), default=1)
    workers = min(at_once(pixels, threads), len(parts)) or 1
    own = max(threads // max(len(parts), 1), 1)
    tasks = (partial(_named, part, partial(work, part, own)) for part in parts)
    return list(in_order(tasks, workers, own * workers))


def each_strip_of(
    open_part: Callable[[Part], tuple[Callable[[Region], Result], Iterable[Region]]],
    parts: Iterable[Part],
    pixels: int,
    threads: int,
) -> Iterator[Result]:
    """Do some work on each strip of each part; results come in order, and few are in memory.

    `open_part` gives the work of a part, and the regions that it is done on, of up to so many
    `pixels`.

    Raises
    ------
    ValueError
        That of a strip, with the name of its sample.
    """

    def tasks():
        for part in parts:
            work, regions = _named(part, partial(open_part, part))
            for region in regions:
                yield partial(_named, part, partial(work, region))

    workers = at_once(pixels, threads)
    return in_order(tasks(), workers, threads, ahead=2 * workers)


def _named(part: Part, task: Callable[[], Result]) -> Result:
    try:
        return task()
    except ValueError as error:
        raise ValueError(f"sample {part.sample}: {error}") from error
