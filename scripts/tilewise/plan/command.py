"""The job of rules/command.smk: masks that a program makes."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from tilewise.plan import paths, reads, resources
from tilewise.plan.methods import NO_FILTER
from tilewise.plan.reads import PixelJob
from tilewise.plan.study import Study


@dataclass(frozen=True)
class Command(PixelJob):
    """A program segments tiles of a block.

    Of each part: `tiles`, plane, tile row and tile column of those that it is given, or None for
    all of them.
    """

    run: list[str]
    version: str
    halo: int
    limits: dict[str, Any]
    """`timeout` in seconds, and `memory` in megabytes or None: no other masks come of them."""


@cache
def command(study: Study, stack: str, array: str, block: str) -> Command:
    """Of one block: all tiles, or those that methods are tried on."""
    own = array.removesuffix(paths.NEAR_TRUTH)
    _, settings = study.commands[own]
    places = [place for place in study.places(stack, block) if study.has_array(place[0], own)]
    parts = [reads.part(study, *place, tiles=None) for place in places]
    if array != own:
        tiles = [reads.tried_tiles(study, *place, own) for place in places]
        parts = [part | {"tiles": tried} for part, tried in zip(parts, tiles, strict=True)]
    filter, halo = settings["filter"] or NO_FILTER, settings["halo"]
    return Command(
        parts=parts,
        pixels=reads.filtered(study, places, filter, halo, takes_temporary=True),
        dtype=study.dtype(stack),
        run=list(map(str, settings["run"])),
        version=str(settings["version"]),
        halo=halo,
        limits={name: settings[name] for name in ("timeout", "memory")},
        need=resources.command(study, stack, own),
    )


def names(study: Study) -> list[str]:
    """Arrays that programs make."""
    return [name + end for name in study.commands for end in ("", paths.NEAR_TRUTH)]
