"""Maps of samples with too many tiles to list: means over squares of tiles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.view.columns import number

MOST_NUMBERS = 400_000
"""In all maps together."""
MOST_BINS = 40
"""Along a side."""


def binned(
    samples: Sequence[Mapping[str, Any]],
    place: Mapping[str, NDArray[Any]],
    values: Mapping[str, Mapping[str, NDArray[np.float64]]],
) -> dict[str, Any]:
    """Maps of samples, all planes of one together, by its name.

    Parameters
    ----------
    samples
        Each with `name`, `height` and `width` in pixels, `tile`, height and width of its tiles, and
        `planes`.
    place
        `sample`, `y` and `x` of each tile, its upper left pixel.
    values
        By method and metric, of each tile; nan where there is none.

    Returns
    -------
    dict
        By sample: `rows`, `columns`, `planes`, and `values` as they are given, as means of the
        tiles in each bin, row by row; None where a bin has none.
    """
    number_of_values = sum(map(len, values.values())) * max(len(samples), 1)
    side = int(np.sqrt(MOST_NUMBERS / max(number_of_values, 1)))
    side = min(max(side, 1), MOST_BINS)
    maps = {}
    for sample in samples:
        own = place["sample"] == sample["name"]
        height, width = sample["tile"]
        along = -(-sample["height"] // height), -(-sample["width"] // width)
        rows, columns = (min(tiles, side) for tiles in along)
        row = place["y"][own] // height * rows // along[0]
        column = place["x"][own] // width * columns // along[1]
        bins = (row * columns + column).astype(int)
        maps[sample["name"]] = {
            **{"rows": rows, "columns": columns, "planes": sample["planes"]},
            "values": {
                method: {name: _means(one[own], bins, rows * columns) for name, one in of.items()}
                for method, of in values.items()
            },
        }
    return maps


def _means(values, bins, length):
    known = ~np.isnan(values)
    sums = np.bincount(bins[known], values[known], minlength=length)
    counts = np.bincount(bins[known], minlength=length)
    with np.errstate(invalid="ignore"):
        return [number(one) for one in (sums / counts).tolist()]
