"""What a pixel looks like at several scales: inputs of a pixel classifier.

All arithmetic up to the derivatives is on whole numbers, so that a feature does not depend on where
a plane is cut. Features of large scales are computed on means of 2 x 2, 4 x 4, ... pixels at fixed
places of the sample, and enlarged, which makes derivatives up to 20 % flatter than at full
resolution.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.learn.pieces import Window

INTENSITY = "intensity"
"""The pixel itself; the one feature without a scale."""
KINDS = (
    *("gaussian", "gradient", "hessian_largest", "hessian_smallest"),
    *("structure_largest", "structure_smallest", "difference"),
)
"""Features that each sigma has: the smoothed intensity, the magnitude of its gradient, the
eigenvalues of its Hessian matrix, those of the structure tensor (products of derivatives, smoothed)
and the difference of gaussians of sigma and `WIDER` sigma."""
HESSIAN, STRUCTURE = KINDS[2:4], KINDS[4:6]
DEFAULT_KINDS = KINDS[:4]
SIGMAS = (1, 2, 4, 8, 16)
TRUNCATE = 4
"""Where a gaussian ends, in standard deviations."""
CHANNEL = ":"
"""Between the name of a channel and that of its feature."""
WIDER = 1.6
FINEST = 1.6
"""On a reduced grid, sigma is this many cells or more."""
STEPS = 2**16 - 1
"""The greatest value of a plane that features are computed on."""
CODES = 2**8 - 1
"""The greatest code."""


@dataclass(frozen=True)
class Scale:
    """How grey levels become whole numbers from 0 to `STEPS`: less `offset`, times `factor`."""

    offset: float
    factor: float

    def steps(self, plane: NDArray) -> NDArray[np.uint16]:
        """Grey levels in steps, rounded; those out of range are the nearest that is in range."""
        # one operation after the other, each of which rounds alike everywhere
        levels = plane.astype(np.float32) - np.float32(self.offset)
        levels *= np.float32(self.factor)
        np.rint(levels, out=levels)
        return np.clip(levels, 0, STEPS, out=levels).astype(np.uint16)


Scales = Scale | Mapping[str, Scale]
"""Of a plane; or of each channel by its name, in their order."""


def scale_of(dtype: np.dtype | str, low: float, high: float) -> Scale:
    """The finest scale that holds grey levels from `low` to `high`, those of the training planes.

    The factor is a power of two, and the range lies in the middle. Planes of uint8 all have the
    same scale. A single level has a factor of 1.
    """
    if np.dtype(dtype) == np.uint8:
        return Scale(0.0, 2.0**8)
    width = float(high) - float(low)
    factor = 2.0 ** math.floor(math.log2(STEPS / width)) if width > 0 else 1.0
    return Scale((float(low) + float(high) - STEPS / factor) / 2, factor)


def scales_of(
    dtype: np.dtype | str, names: Iterable[str], levels: Sequence[tuple[float, float]]
) -> Scales:
    """The scale of each channel that features are of, from their least and greatest levels."""
    scales = [scale_of(dtype, *own) for own in levels]
    channels = channels_of(names)
    return scales[0] if channels == [""] else dict(zip(channels, scales, strict=True))


def feature_names(
    sigmas: Iterable[float] = SIGMAS,
    kinds: Iterable[str] = DEFAULT_KINDS,
    channels: Sequence[str] = (),
) -> list[str]:
    """Names of features: `intensity`, then `KIND_SIGMA`, such as `gradient_1.6`.

    Of several channels, the same of each after its name: `green:gradient_1.6`.

    Raises
    ------
    ValueError
        If a kind is unknown or a sigma is below 0.3.
    """
    pairs = [(kind, sigma) for sigma in sigmas for kind in kinds]
    names = [INTENSITY, *(f"{kind}_{sigma:g}" for kind, sigma in pairs)]
    for name in names:
        _parse(name)
    return [channel + CHANNEL + name for channel in channels for name in names] or names


def channels_of(names: Iterable[str]) -> list[str]:
    """Channels that features are of, each once; `[""]` of a single plane without a name."""
    return list(dict.fromkeys(name.rpartition(CHANNEL)[0] for name in names)) or [""]


def reach(names: Iterable[str]) -> int:
    """How many pixels around a pixel its features depend on."""
    return max((_halo(*_parse(name)) for name in names), default=0)


def compute(
    plane: NDArray,
    names: Sequence[str],
    scales: Scales,
    origin: tuple[int, int] = (0, 0),
    window: Window | None = None,
) -> NDArray[np.float32]:
    """Features of a window of a plane.

    Parameters
    ----------
    plane : (rows, columns) or (channels, rows, columns) array
        uint8, uint16, int16 or finite float32. Beyond its border it is mirrored.
    names : sequence of str
        As from `feature_names`; any of them, in any order.
    scales : Scale, or dict of str to Scale
        Of the grey levels; of several channels that of each by its name, in their order.
    origin : (int, int)
        Row and column of the plane's first pixel in its sample.
    window : (first row, end, first column, end), optional
        Of the plane; the whole plane without it.

    Returns
    -------
    (features, Y, X) float32 ndarray
        In grey levels; of the gradient per pixel, of the Hessian matrix per pixel squared, of the
        structure tensor its square roots per pixel. A constant plane has 0 for all but intensities.
    """
    window = window or (0, plane.shape[-2], 0, plane.shape[-1])
    result = np.empty((len(names), window[1] - window[0], window[3] - window[2]), np.float32)

    def keep(index: int, values: NDArray[np.float32], unit: float, offset: float) -> NDArray:
        return values * np.float32(unit) + np.float32(offset)

    _each_channel(plane, names, scales, origin, window, keep, cv2.INTER_LINEAR, result)
    return result


def compute_codes(
    plane: NDArray,
    names: Sequence[str],
    scales: Scales,
    edges: NDArray[np.float64],
    origin: tuple[int, int] = (0, 0),
    window: Window | None = None,
) -> NDArray[np.uint8]:
    """Features of a window of a plane in 256 equal steps, (features, Y, X).

    They are bit for bit the same wherever a plane is cut, if the window is `reach` pixels away from
    the cut. Those of large scales are coded before they are enlarged, so that a few differ by a
    step or so from the codes of `compute`'s result.

    Parameters
    ----------
    plane, names, scales, origin, window
        As of `compute`.
    edges : (features, 2) array
        As from `edges_of`.
    """
    window = window or (0, plane.shape[-2], 0, plane.shape[-1])
    result = np.empty((len(names), window[1] - window[0], window[3] - window[2]), np.uint8)

    def code(index: int, values: NDArray[np.float32], unit: float, offset: float) -> NDArray:
        slope, intercept = _line(edges[index])
        return _codes(values, slope * unit, intercept + slope * offset)

    _each_channel(plane, names, scales, origin, window, code, cv2.INTER_LINEAR_EXACT, result)
    return result


def edges_of(values: NDArray[np.float32], tail: float = 0.001) -> NDArray[np.float64]:
    """The feature values of the codes 0 and 255: quantiles of training pixels.

    Parameters
    ----------
    values : (features, pixels) array
    tail : float
        Share of pixels below and above.

    Returns
    -------
    (features, 2) float64 ndarray
    """
    return np.quantile(values.astype(np.float64), (tail, 1 - tail), axis=1).T.copy()


def quantise(values: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Codes of features, (features, pixels); of a feature with equal edges they are 0."""
    codes = np.empty(values.shape, np.uint8)
    for own, feature, edge in zip(codes, values, edges, strict=True):
        own[:] = _codes(feature, *_line(edge)).ravel()
    return codes


def _line(edges):
    """Slope and intercept from a feature to its code."""
    low, high = edges
    slope = CODES / (high - low) if high > low else 0.0
    return slope, -slope * low


def _codes(values, slope, intercept):
    # separate operations: fused ones round differently at the ends of rows
    scaled = values * np.float32(slope)
    scaled += np.float32(intercept)
    np.maximum(scaled, 0, out=scaled)
    return cv2.convertScaleAbs(scaled)


# --- grids -----------------------------------------------------------------------------------


def _parse(name):
    """Kind and sigma of a name."""
    name = name.rpartition(CHANNEL)[2]
    kind, _, sigma = name.rpartition("_")
    if name == INTENSITY:
        return INTENSITY, 0.0
    if kind not in KINDS:
        raise ValueError(f"{name!r} is no feature: use {INTENSITY} or KIND_SIGMA of {KINDS}")
    try:
        size = float(sigma)
    except ValueError:
        size = math.nan
    if not 0.3 <= size < math.inf:
        raise ValueError(f"{name!r} has no sigma: give a number of pixels, 0.3 or more")
    return kind, size


def _side(sigma):
    """Pixels along a side of a cell of the grid that a sigma is computed on."""
    return 2 ** max(math.floor(math.log2(sigma / FINEST) + 1e-9), 0) if sigma else 1


def _cell_sigma(sigma):
    """Sigma in cells, less what the means over cells have smoothed already."""
    side = _side(sigma)
    return math.sqrt((sigma * sigma - (side * side - 1) / 12) / (side * side))


def _radius(sigma):
    return int(TRUNCATE * sigma + 0.5)


def _halo(kind, sigma):
    """Reach of a feature in pixels."""
    if kind == INTENSITY:
        return 0
    side, wider = _side(sigma), WIDER if kind == "difference" else 1
    # a cell for the derivatives, one to enlarge between, and what is left of the pixel's own
    return side * (_radius(wider * _cell_sigma(sigma)) + 2) + side - 1


def _each_channel(planes, names, scales, *arguments):
    """Fill the features of each channel; arguments as of `_compute`."""
    if isinstance(scales, Scale):
        planes, scales = [planes], {"": scales}
    for plane, (channel, scale) in zip(planes, scales.items(), strict=True):
        own = {i: name for i, name in enumerate(names) if channels_of([name]) == [channel]}
        _compute(plane, own, scale, *arguments)


def _compute(plane, names, scale, origin, window, finish, interpolation, result):
    """Fill `result` with what `finish` makes of each feature on its grid, enlarged.

    Features are by their number in the result.
    """
    groups: dict[float, dict[str, list[int]]] = {}
    for index, name in names.items():
        kind, sigma = _parse(name)
        groups.setdefault(sigma, {}).setdefault(kind, []).append(index)
    grids: dict[int, tuple[Any, Window]] = {}
    for side in {_side(sigma) for sigma in groups}:
        own = [(s, kind) for s, kinds in groups.items() if _side(s) == side for kind in kinds]
        halo = max(_halo(kind, sigma) for sigma, kind in own)
        grids[side] = _grid(plane, scale, origin, window, side, halo)
    for sigma, kinds in groups.items():
        side = _side(sigma)
        cells, inside = grids[side]
        inner = np.s_[inside[0] : inside[1], inside[2] : inside[3]]
        for kind, values, unit, offset in _features(cells, sigma, side, scale, kinds):
            for index in kinds[kind]:
                done = finish(index, values, unit, offset).reshape(values.shape)
                if side > 1:
                    size = side * done.shape[1], side * done.shape[0]
                    done = cv2.resize(done, size, interpolation=interpolation)
                result[index] = done[inner]


def _grid(plane, scale, origin, window, side, halo):
    """Means over cells around a window, and the window in their pixels; uint16."""
    spans, pads, inside = [], [], []
    for axis in (0, 1):
        size, start = plane.shape[axis], origin[axis]
        low, high = window[2 * axis], window[2 * axis + 1]
        # borders of cells in the sample, or the ends of the plane, with the rest of their cell
        first = max((start + low - halo) // side * side - start, 0)
        last = min(-(-(start + high + halo) // side) * side - start, size)
        before = (start + first) % side
        spans.append(slice(first, last))
        pads += [before, -(start + last) % side]
        inside += [low - first + before, high - first + before]
    steps = scale.steps(plane[tuple(spans)])
    if side == 1:
        return steps, tuple(inside)
    whole = cv2.copyMakeBorder(steps, *pads, cv2.BORDER_REFLECT)
    size = whole.shape[1] // side, whole.shape[0] // side
    return cv2.resize(whole, size, interpolation=cv2.INTER_AREA), tuple(inside)


# --- features on a grid ----------------------------------------------------------------------


def _features(cells, sigma, side, scale, kinds):
    """Kind, values (float32), unit and offset: a feature is values * unit + offset.

    Sums of steps are whole numbers below 2 ** 24, which float32 holds exactly.
    """
    unit, families = 1 / scale.factor, {kind.partition("_")[0] for kind in kinds}
    if INTENSITY in families:
        yield INTENSITY, cells.astype(np.float32), unit, scale.offset
        return
    size = _cell_sigma(sigma)
    if "structure" in families:
        for kind, values in zip(STRUCTURE, _structure(cells, size), strict=True):
            if kind in kinds:
                yield kind, values, unit / (2 * side), 0.0
    if families == {"structure"}:
        return
    smooth = _blurred(cells, size)
    if "gaussian" in families:
        yield "gaussian", smooth, unit, scale.offset
    if "difference" in families:
        yield "difference", smooth - _blurred(cells, WIDER * size), unit, 0.0
    around = cv2.copyMakeBorder(smooth, 1, 1, 1, 1, cv2.BORDER_REFLECT)
    if "gradient" in families:
        yield "gradient", np.sqrt(_sum_of_squares(*_slopes(around))), unit / (2 * side), 0.0
    if "hessian" in families:
        for kind, values in zip(HESSIAN, _hessian(smooth, around), strict=True):
            if kind in kinds:
                yield kind, values, unit / (side * side), 0.0


def _blurred(cells, sigma):
    """Whole numbers as float32; OpenCV smooths 16 bits in fixed point."""
    size = 2 * _radius(sigma) + 1
    smooth = cv2.GaussianBlur(cells, (size, size), sigma, borderType=cv2.BORDER_REFLECT)
    return smooth.astype(np.float32)


def _slopes(around):
    """Twice the derivatives along rows and columns, without the border."""
    return around[2:, 1:-1] - around[:-2, 1:-1], around[1:-1, 2:] - around[1:-1, :-2]


def _hessian(smooth, around):
    """Eigenvalues of the Hessian matrix, the larger first; `around` is `smooth` with a border."""
    twice = smooth + smooth
    yy = around[2:, 1:-1] + around[:-2, 1:-1]
    yy -= twice
    xx = around[1:-1, 2:] + around[1:-1, :-2]
    xx -= twice
    xy = around[2:, 2:] - around[:-2, 2:]
    xy -= around[2:, :-2]
    xy += around[:-2, :-2]
    xy *= np.float32(0.25)
    return _eigenvalues(yy, xx, xy)


def _structure(cells, sigma):
    """Roots of the eigenvalues of the structure tensor of twice the derivatives, larger first."""
    dy, dx = _slopes(cv2.copyMakeBorder(cells, 1, 1, 1, 1, cv2.BORDER_REFLECT).astype(np.float32))
    weights = cv2.getGaussianKernel(2 * _radius(sigma) + 1, sigma)
    # double precision, as single precision rounds differently at the ends of rows
    smooth = [
        cv2.sepFilter2D(one * other, cv2.CV_64F, weights, weights, borderType=cv2.BORDER_REFLECT)
        for one, other in ((dy, dy), (dx, dx), (dy, dx))
    ]
    both = _eigenvalues(*(one.astype(np.float32) for one in smooth))
    return tuple(np.sqrt(np.maximum(one, 0)) for one in both)


def _eigenvalues(yy, xx, xy):
    """Eigenvalues of symmetric matrices of 2 x 2, the larger first."""
    half = np.float32(0.5)
    root = yy - xx
    root *= half
    root = np.sqrt(_sum_of_squares(root, xy))
    middle = yy + xx
    middle *= half
    return middle + root, middle - root


def _sum_of_squares(one, other):
    total = one * one
    total += other * other
    return total
