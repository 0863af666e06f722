"""Which file each plane was read from, by the records of the jobs that read them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from tilewise.serve import layers
from tilewise.serve.files import read_json


def names_of(
    results: Path, samples: Sequence[Mapping[str, Any]]
) -> Iterator[list[str | None] | None]:
    """Of each sample the names of its planes; None where there is no record of any.

    Parameters
    ----------
    results
        The folder of the results, a real path.
    samples
        All of them: each its `stack`, its `first_plane` there, and the number of its `planes`.

    Yields
    ------
    list or None
        Of each plane the name of its file, with the plane's number in it, from 0, where it has
        several; or None.

    Raises
    ------
    ValueError
        If a record is no JSON.
    """
    places: dict[str, list[tuple[str, int] | None]] = {}
    for stack in dict.fromkeys(sample["stack"] for sample in samples):
        places[stack] = _places(results, stack, [one for one in samples if one["stack"] == stack])
    numbers: dict[str, set[int]] = {}
    for file, number in filter(None, chain.from_iterable(places.values())):
        numbers.setdefault(file, set()).add(number)

    def name(place):
        if place is None:
            return None
        file, number = place
        own = Path(file).name
        return own if numbers[file] == {0} else f"{own}, plane {number}"

    for sample in samples:
        first = sample["first_plane"]
        names = list(map(name, places[sample["stack"]][first : first + sample["planes"]]))
        yield names if any(names) else None


def _places(results, stack, samples):
    """Of each plane of a stack, the file and the plane's number in it, or None."""
    bounds = sorted((one["first_plane"], one["first_plane"] + one["planes"]) for one in samples)
    places: list[tuple[str, int] | None] = [None] * bounds[-1][1]
    shape = layers.shape_of(results, f"{stack}/image.zarr/0")
    depth = shape.block[0] if shape else len(places)
    for block in range(-(-len(places) // depth)):
        record = read_json(results, stack, "made_from", "image", str(block), "0", "0.json")
        held = [
            (file, first + i)
            for (file, first, number), *_ in (record["sources"] if record else ())
            for i in range(number)
        ]
        # a block's files are those of its samples, one after the other
        planes = [z for first, end in bounds for z in range(first, end) if z // depth == block]
        if len(held) == len(planes):
            for z, place in zip(planes, held, strict=True):
                places[z] = place
    return places
