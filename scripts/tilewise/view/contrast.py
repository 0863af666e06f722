"""How an image is shown: which grey levels are black and white."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CUT = 1e-3
"""Fraction of the pixels that are darker than black, and of those that are brighter than white."""
RARE = 1e-4
"""The same where so few pixels are not the end of a tail, but what the image shows ..."""
FAR = 3
"""... which are so many times as far beyond the others as these are apart."""


def window(values: NDArray[Any], inside: NDArray[np.bool_] | None = None) -> dict[str, float]:
    """The window of an image, as NGFF has it in `omero`, from grey levels of its pixels.

    Parameters
    ----------
    values : (n,) ndarray
        Integers or floats of any range.
    inside : (n,) bool ndarray, optional
        Pixels of the region of interest, which alone count, unless there are none.

    Returns
    -------
    dict
        `start` is shown black and `end` white: grey levels that 0.1 % of the pixels lie below and
        above. Rare pixels that lie far from all others, as stars on a dark sky, are not cut off
        like this: `start` or `end` is then the grey level that 0.01 % lie beyond. `min` and `max`
        are what people may choose between: the range of the dtype for 8 bits, else that of the
        values. What is not finite does not count. Where all values are equal, or there are none,
        the window is the range of the dtype; of floats, it is from the value (or 0) to as much
        above it as it is away from 0, and at least to 1 above it.
    """
    if inside is not None and inside.any():
        values = values[inside]
    is_float = values.dtype.kind == "f"
    known = values[np.isfinite(values)] if is_float else values
    if not known.size or known.min() == known.max():
        low, high = _range_of_one(known) if is_float else _range(values.dtype)
        return {"min": low, "max": high, "start": low, "end": high}
    fractions = (0, RARE, CUT, 1 - CUT, 1 - RARE, 1)
    least, low, start, end, high, most = np.quantile(
        known, fractions, method="inverted_cdf"
    ).tolist()
    distance = FAR * (end - start)
    start, end = (low if start - low > distance else start, high if high - end > distance else end)
    if start == end:
        start, end = least, most
    if values.dtype.itemsize == 1:
        least, most = _range(values.dtype)
    return {"min": least, "max": most, "start": start, "end": end}


def _range(dtype):
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _range_of_one(known):
    value = known[0].item() if known.size else 0.0
    return value, value + max(abs(value), 1.0)
