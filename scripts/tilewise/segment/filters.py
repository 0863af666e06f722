"""Filters: chains of steps that prepare a plane for thresholding.

A plane is a 2-D array (y, x) of uint8, uint16, int16 or float32. Every filter keeps its shape and
dtype: integers are rounded to the nearest and saturate, nothing wraps around or is cut to 8 bits.
The border is continued by its mirror image (d c b a | a b c d | d c b a, SciPy's `reflect`). Planes
are never modified.

A new filter is one function, in the module of its kind, and one line of `FILTERS`. The settings
that the configuration may give are its arguments after the plane; `{name: value}` sets the first.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from tilewise.pixels import DTYPES
from tilewise.segment import (
    denoising,
    exposure,
    illumination,
    rank_filters,
    ridges,
    sharpening,
    smoothing,
)
from tilewise.segment.dtypes import band_height
from tilewise.segment.projections import CHANNEL, CHANNELS, PROJECTIONS, channel_names, steps_of
from tilewise.segment.sources import (
    CHECKS,
    DTYPE,
    SOURCES,
    array_of,
    arrays_of,
    is_channel,
    source_of,
)
from tilewise.segment.steps import WHOLE_PLANE, given, parse, takes_inside


@dataclass(frozen=True)
class Filter:
    """A filter and what has to be known of it before it is applied."""

    apply: Callable[..., NDArray]
    """`apply(plane, **settings)` is the filtered plane."""
    reach: Callable[..., float] = lambda dtype, **settings: WHOLE_PLANE
    """`reach(dtype, **settings)`: pixels around a pixel that its result depends on."""
    check: Callable[..., None] = lambda dtype, **settings: None
    """`check(dtype, **settings)` raises ValueError for settings that cannot be applied."""
    bytes: int = 0
    """Per pixel that is filtered at once: memory besides planes of the image's dtype."""
    doubles: int = 0
    """Arrays of double precision of a band, with its surroundings, that are there at once."""
    seconds: Callable[..., float] = lambda **settings: 0.0
    """`seconds(**settings)`: per million pixels on one core, twice as measured; 0 if it is fast."""
    file: str = ""
    """Name of the setting that is a file of the user's, if any."""
    trial: Mapping[str, Any] = field(default_factory=dict)
    """Settings with which `check_chain` tries the filter, instead of those that take long."""


FILTERS = {
    "invert": Filter(exposure.invert, reach=lambda dtype: 0),
    "median": Filter(rank_filters.median, rank_filters.window_reach, rank_filters.check_window),
    "gaussian": Filter(
        smoothing.gaussian, smoothing.gaussian_reach, smoothing.check_gaussian, doubles=3
    ),
    "clahe": Filter(exposure.clahe, check=exposure.check_clahe),
    "equalize": Filter(exposure.equalize),
    "rescale": Filter(exposure.rescale, check=exposure.check_rescale),
    "background": Filter(
        illumination.background,
        illumination.background_reach,
        illumination.check_background,
        doubles=3,
    ),
    "tophat": Filter(rank_filters.tophat, rank_filters.opening_reach, rank_filters.check_tophat),
    "destripe": Filter(illumination.destripe, check=illumination.check_destripe),
    "bilateral": Filter(
        denoising.bilateral,
        denoising.bilateral_reach,
        denoising.check_bilateral,
        doubles=6,
        seconds=denoising.bilateral_seconds,
    ),
    "nlm": Filter(denoising.nlm, check=denoising.check_nlm, seconds=denoising.nlm_seconds),
    "wavelet": Filter(denoising.wavelet, check=denoising.check_wavelet, bytes=52),
    "unsharp": Filter(
        sharpening.unsharp, sharpening.unsharp_reach, sharpening.check_unsharp, doubles=3
    ),
    "deconvolve": Filter(
        sharpening.deconvolve,
        sharpening.deconvolve_reach,
        sharpening.check_deconvolve,
        doubles=5,
        seconds=sharpening.deconvolve_seconds,
        file="psf",
        trial={"iterations": 1},
    ),
    "ridge": Filter(ridges.ridge, ridges.ridge_reach, ridges.check_ridge, doubles=7),
    "dog": Filter(ridges.dog, ridges.dog_reach, ridges.check_dog, doubles=4),
    "matched": Filter(ridges.matched, ridges.matched_reach, ridges.check_matched, doubles=4),
}
"""Every filter by the name that the configuration uses."""


Step = tuple[str, dict[str, Any]]
"""A name and all settings."""


def parse_chain(steps: Sequence) -> list[Step]:
    """Name and all settings of each step of a chain; see `steps.parse`.

    The first may be a projection, of `projections.PROJECTIONS`, or a source, of `sources.SOURCES`.
    """
    parsed = [parse(step, _functions(), "filter") for step in steps]
    for name, _ in parsed[1:]:
        if name in SOURCES:
            raise ValueError(f"filter {name} has pixels of its own: let it be the first step")
        if name in PROJECTIONS:
            raise ValueError(f"filter {name} takes colours: let it be the first step")
    return parsed


def _functions():
    known = {name: known.apply for name, known in (FILTERS | PROJECTIONS).items()}
    return known | SOURCES


def locate(steps: Sequence, folder: str | Path) -> list[Any]:
    """A chain whose files, given relative to a folder, are named as from the current one."""
    return [_locate(step, folder) for step in steps]


def _locate(step, folder):
    name, settings = given(step, _functions(), "filter")
    setting = FILTERS[name].file if name in FILTERS else ""
    if not isinstance(settings.get(setting), str):
        return step
    return {name: {**settings, setting: os.path.relpath(Path(folder, settings[setting]))}}


def files_of(steps: Sequence) -> list[str]:
    """Files of the user's that the steps of a chain read."""
    _, following = split_chain(steps)
    files = (settings.get(FILTERS[name].file) for name, settings in following)
    return [file for file in files if file is not None]


def split_chain(steps: Sequence) -> tuple[Step | None, list[Step]]:
    """The projection that a chain begins with, if any, and its other steps; as `parse_chain`.

    A source is neither: what follows it is applied to its pixels.
    """
    parsed = parse_chain(steps[1:] if array_of(steps) else steps)
    if parsed and parsed[0][0] in SOURCES:
        return None, parsed[1:]
    if parsed and parsed[0][0] in PROJECTIONS:
        return parsed[0], parsed[1:]
    return None, parsed


def takes_colors(steps: Sequence) -> bool:
    """Whether a chain begins with a projection."""
    return split_chain(steps)[0] is not None


def is_circular(steps: Sequence) -> bool:
    """Whether a chain gives hues, whose values are a circle."""
    projection, _ = split_chain(steps)
    return projection is not None and projection[0] == "hue"


def channels_of(steps: Sequence) -> list[str]:
    """Names of the planes that a chain gives, if it begins with `channels`; else none."""
    projection, _ = split_chain(steps)
    if projection is None or projection[0] != CHANNELS:
        return []
    return channel_names(projection[1]["of"])


def projections_of(steps: Sequence) -> list[Step]:
    """The projection that a chain begins with, or each of its `channels`; none of other chains."""
    projection, _ = split_chain(steps)
    if projection is None:
        return []
    return steps_of(projection[1]["of"]) if projection[0] == CHANNELS else [projection]


def chosen_channels(steps: Sequence) -> list[int | str]:
    """Channels by number or name, if a chain begins with `channel` or with `channels` of such."""
    found = projections_of(steps)
    is_all = all(name == CHANNEL for name, _ in found)
    return [settings["which"] for _, settings in found] if is_all else []


def is_image(steps: Sequence) -> bool:
    """Whether a chain begins with the image, be it with its channels or a projection of colours."""
    return source_of(steps) is None and all(map(is_channel, arrays_of(steps)))


def chain_dtype(steps: Sequence, dtype: DTypeLike) -> str:
    """Name of the dtype of what a chain makes of an image: its own, but int16 of hues.

    Of a chain that begins with a source, it is `sources.DTYPE`.
    """
    if not is_image(steps):
        return DTYPE
    return "int16" if is_circular(steps) else np.dtype(dtype).name


def project(pixels: NDArray, projection: Step | None) -> NDArray:
    """The plane or planes of (3, y, x) colours; without a projection, the pixels themselves."""
    if projection is None:
        return pixels
    name, settings = projection
    return PROJECTIONS[name].apply(pixels, **settings)


def check_chain(steps: Sequence, dtype: DTypeLike, most_reach: float = WHOLE_PLANE) -> None:
    """Make sure that a chain can be applied to planes of a dtype.

    No step may reach further than `most_reach` pixels, unless it needs whole planes.

    The ValueError says which step cannot be applied, why, and what to do.
    """
    dtype = np.dtype(dtype if is_image(steps) else DTYPE)
    if dtype.name not in DTYPES:
        raise ValueError(
            f"{dtype} images cannot be filtered: convert to one of {', '.join(DTYPES)}"
        )
    plane = np.arange(64).reshape(8, 8).astype(dtype)
    projection, following = split_chain(steps)
    if source := source_of(steps):
        name, settings = source
        CHECKS[name](**settings)
    if projection is not None:
        name, settings = projection
        try:
            PROJECTIONS[name].check(dtype, **settings)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if name == "hue" and following:
            raise ValueError(f"hue: it is a circle, and {following[0][0]} may not follow it")
    for name, settings in following:
        try:
            FILTERS[name].check(dtype, **settings)
            reach = FILTERS[name].reach(dtype, **settings)
            if most_reach < reach < WHOLE_PLANE:
                raise ValueError(
                    f"it looks {reach:.0f} px around each pixel, further than the images reach: "
                    f"give smaller sizes, up to {most_reach} px"
                )
            filtered = FILTERS[name].apply(plane, **{**settings, **FILTERS[name].trial})
        except (ValueError, TypeError, cv2.error) as error:
            raise ValueError(f"{name}: {error}") from error
        if filtered.dtype != dtype or filtered.shape != plane.shape:
            raise ValueError(
                f"{name}: its function makes {filtered.dtype} {filtered.shape} of {dtype} "
                f"{plane.shape}: it must keep both"
            )


def chain_reach(steps: Sequence, dtype: DTypeLike) -> float:
    """How far from a pixel its result depends on the plane, in pixels.

    A region that is filtered with so many pixels around it (fewer at the plane's border) has the
    values of the filtered plane, bit for bit. `WHOLE_PLANE` if any step needs all of it.
    """
    dtype, (_, following) = np.dtype(chain_dtype(steps, dtype)), split_chain(steps)
    return sum(FILTERS[name].reach(dtype, **settings) for name, settings in following)


def chain_bytes(steps: Sequence, dtype: DTypeLike, rows: int, columns: int) -> float:
    """Bytes per pixel that the steps of a chain hold besides planes of the image's dtype.

    So many rows and columns are filtered at once.
    """
    dtype, (_, following) = np.dtype(chain_dtype(steps, dtype)), split_chain(steps)
    return max(
        (_bytes(FILTERS[name], dtype, settings, rows, columns) for name, settings in following),
        default=0,
    )


def _bytes(known, dtype, settings, rows, columns):
    reach = known.reach(dtype, **settings) if known.doubles else 0
    # what needs whole planes has bands for what is near
    reach = 0 if reach == WHOLE_PLANE else int(reach)
    height = min(band_height(columns, reach), rows)
    band = (height + 2 * reach) * (columns + 2 * reach)
    return known.bytes + 8 * known.doubles * band / (rows * columns)


def chain_seconds(steps: Sequence) -> float:
    """Seconds per million pixels that the slow steps of a chain take on one core."""
    _, following = split_chain(steps)
    return sum(FILTERS[name].seconds(**settings) for name, settings in following)


def apply_chain(plane: NDArray, steps: Sequence, inside: NDArray[np.bool] | None = None) -> NDArray:
    """Apply the steps of a chain to a plane, in order; the plane itself if there are none.

    Steps that go by grey levels of the whole plane count only the pixels `inside`, if it is given.
    Of a chain that begins with a projection, the plane is (3, y, x) colours. Where it gives several
    planes, each is filtered by itself.
    """
    projection, following = split_chain(steps)
    plane = project(plane, projection)
    if plane.ndim == 3:
        return np.stack([apply_chain(own, following, inside) for own in plane])
    for name, settings in following:
        apply = FILTERS[name].apply
        within = {"inside": inside} if inside is not None and takes_inside(apply) else {}
        plane = apply(plane, **settings, **within)
    return plane
