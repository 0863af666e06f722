"""A phantom of a mouse-brain block under Knife-Edge Scanning Microscopy, with exact ground truth.

Every pixel is a function of the seed and of its absolute position, so that any window of any plane
can be rendered alone. The work is done in square cells at fixed places, each always rendered whole:
the values cannot depend on the window, and memory is bounded by it.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

CELL_SIDE = 512
"""Side of a rendered cell, in pixels."""
HALO = 32
"""Pixels around a cell within which vessels cast their blur, highlight and shadow into it."""
SLOW_STEP = 4
"""Slow fields are sampled once per this many pixels."""

BACKGROUND = 210.5
"""Grey level of tissue; this and the amplitudes below are measured on the KESM tile."""
DARKEST_INK = 168
"""How far the ink of the widest vessels is below the background."""
NOISE = 2.5
"""Standard deviation of the noise of smooth tissue."""
FLATNESS = 0.6
"""Steps across planes by steps within: planes are further apart than pixels."""
ROUGHNESS = 0.3
"""Displacement of a vessel's wall by its radius."""
KNIFE_WIDTH = 2400
"""Columns that one pass of the knife images."""

_GOLDEN = 0x9E3779B97F4A7C15
_PERIODS = (768, 640)


@dataclass(frozen=True)
class Vessels:
    """A population of branching vessels: a trunk with branches per cell of a cubic lattice."""

    spacing: int
    """Side of the lattice's cells, in pixels."""
    step: int
    """Length between the nodes of a path, in pixels."""
    arm: int
    """Steps from a trunk's middle to either end."""
    branch: int
    """Steps of a branch."""
    radius: tuple[float, float]
    """Of trunks, in pixels; the smaller ones are more frequent."""
    taper: float
    """A branch's radius by its trunk's."""
    turn: float
    """How fast a path changes its course."""
    wiggle: float
    """How much it zigzags about it."""

    @property
    def reach(self) -> float:
        """Pixels from a trunk's middle that its tree cannot exceed."""
        return (self.arm + self.branch + 1) * self.step + 1.3 * self.radius[1]


POPULATIONS = (
    Vessels(77, 6, 16, 13, (2.6, 4.8), 0.92, 0.6, 2.0),
    Vessels(340, 12, 18, 10, (6.0, 17.0), 0.45, 0.12, 0.15),
)
_BRANCHES = 2


def render(
    shape: tuple[int, int, int],
    seed: int,
    z: int,
    y0: int,
    y1: int,
    x0: int = 0,
    x1: int | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Image and truth of rows `y0` to `y1` and columns `x0` to `x1` of plane `z`, ends excluded.

    In the image, vessels are dark; the truth is 1 in their sections, 0 elsewhere. Stacks of
    different seeds, 0 or more, have nothing in common. The shape is planes, rows and columns of the
    stack: it only bounds the window. A window that is empty or leaves it is a ValueError.
    """
    planes, rows, columns = shape
    x1 = columns if x1 is None else x1
    if not (0 <= z < planes and 0 <= y0 < y1 <= rows and 0 <= x0 < x1 <= columns):
        raise ValueError(
            f"plane {z}, rows {y0} to {y1}, columns {x0} to {x1} are empty or not within a stack"
            f" of {planes} x {rows} x {columns}: ask for a window inside it"
        )
    if seed < 0:
        raise ValueError(f"the seed is {seed}: use 0 or more")
    image = np.empty((y1 - y0, x1 - x0), np.uint8)
    truth = np.empty_like(image)
    for top in range(y0 - y0 % CELL_SIDE, y1, CELL_SIDE):
        for left in range(x0 - x0 % CELL_SIDE, x1, CELL_SIDE):
            pixels, sections = _cell(seed, z, top, left)
            low_y, high_y = max(top, y0), min(top + CELL_SIDE, y1)
            low_x, high_x = max(left, x0), min(left + CELL_SIDE, x1)
            here = np.s_[low_y - y0 : high_y - y0, low_x - x0 : high_x - x0]
            inside = np.s_[low_y - top : high_y - top, low_x - left : high_x - left]
            image[here] = pixels[inside]
            truth[here] = sections[inside]
    return image, truth


def _cell(seed, z, top, left):
    """Image and truth of the cell whose upper left pixel is (`top`, `left`)."""
    core = np.s_[HALO:-HALO, HALO:-HALO]
    ink = _ink(seed, z, top, left)
    truth = cv2.threshold(ink[core], 0, 1, cv2.THRESH_BINARY)[1]
    image = _tissue(seed, z, top, left)

    blurred = cv2.GaussianBlur(ink, (9, 9), 1.45)
    here = blurred[core]
    image *= cv2.LUT(here, _visibility())
    image += _highlight(seed, z, top, left, blurred)
    image += BACKGROUND
    return cv2.subtract(image, here, dtype=cv2.CV_8U), truth


@lru_cache(maxsize=1)
def _visibility():
    """What is left of the tissue's texture and noise, by the ink above it."""
    return np.maximum(1 - np.arange(256) / 70, 0.45).astype(np.float32)


# --- vessels ---------------------------------------------------------------------------------


def _ink(seed, z, top, left):
    """Darkness of the vessels' sections, sharp; cell and halo; 0 outside vessels."""
    side = CELL_SIDE + 2 * HALO
    canvas = np.zeros((side, side), np.uint8)
    # Vessels thin out towards regions without any, as ventricles and tracts have
    supply = np.clip(1.25 + _slow(seed, 1, z, top, left, 340, 300), 0, 0.5) * 2
    for number, population in enumerate(POPULATIONS):
        points, radii, contrasts = _sections(population, seed, number, z, top, left)
        row, column = points[:, 1] - (top - HALO), points[:, 2] - (left - HALO)
        near = (np.minimum(row, column) > -radii) & (np.maximum(row, column) < side + radii)
        row, column, depth = row[near], column[near], points[near, 0] - z
        coarse = np.clip(np.stack((row, column)) / SLOW_STEP, 0, side // SLOW_STEP - 1)
        radius = radii[near] * supply[tuple(coarse.astype(np.intp))]
        squared = radius * radius - depth * depth
        cut = (squared > 0.3) & (radius > 1)
        across = np.sqrt(squared[cut])
        # A tube that only grazes the plane shows through tissue, so it is paler
        darkness = contrasts[near][cut] * (0.55 + 0.45 * across / radius[cut])
        order = np.argsort(darkness, kind="stable")
        # Walls are rough; displacements belong to the tube, so that planes agree on them
        rough = _uniform(_hash(*np.rint(points[near][cut] * 64).astype(np.int64).T)) - 0.5
        rough *= ROUGHNESS * radius[cut][:, None]
        x, y = column[cut] + rough[:, 0], row[cut] + rough[:, 1]
        circles = np.stack((x * 16, y * 16, across * 16, darkness), axis=1)
        for x, y, r, dark in np.rint(circles[order]).astype(int).tolist():
            cv2.circle(canvas, (x, y), r, dark, cv2.FILLED, cv2.LINE_8, 4)
    return canvas


def _sections(population, seed, number, z, top, left):
    """Points (z, y, x) along the vessels near a plane and cell, with their radius and darkness."""
    key, middle = _trees(population, seed, number, z, top, left)
    arm, branch, step = population.arm, population.branch, population.step
    trunk = _paths(_hash(key, 10), 2 * arm, population)
    trunk += (middle - trunk[:, arm])[:, None]

    fork = 2 + _uniform(_hash(key[:, None], 11, np.arange(_BRANCHES)))[..., 0] * (2 * arm - 3)
    start = np.take_along_axis(trunk, fork.astype(np.intp)[..., None], axis=1)
    twigs = _paths(_hash(key[:, None], 12, np.arange(_BRANCHES)).ravel(), branch, population)
    twigs += start.reshape(-1, 1, 3) - twigs[:, :1]
    # Twice the first node: the curve then starts in the trunk's middle, not half a step away
    twigs = np.concatenate((twigs[:, :1], twigs), axis=1)

    low, high = population.radius
    chance = _uniform(_hash(key, 13))
    calibre = low + (high - low) * chance[:, 0] * chance[:, 0]
    contrast = np.minimum(21.0 * calibre, DARKEST_INK) * (0.82 + 0.36 * chance[:, 1])
    thin = np.repeat(calibre * population.taper, _BRANCHES)
    pale = np.minimum(np.repeat(contrast, _BRANCHES), 22.0 * thin)

    curves = [
        _curve(path, radius, dark, z, step)
        for path, radius, dark in ((trunk, calibre, contrast), (twigs, thin, pale))
    ]
    return tuple(np.concatenate(both) for both in zip(*curves, strict=True))


def _trees(population, seed, number, z, top, left):
    """Keys and middles (z, y, x) of the trees that may come near a plane and cell."""
    reach, spacing = population.reach, population.spacing
    lower = np.array((z - reach, top - HALO - reach, left - HALO - reach))
    upper = np.array((z + reach, top + CELL_SIDE + HALO + reach, left + CELL_SIDE + HALO + reach))
    first = np.floor(lower / spacing).astype(np.int64)
    last = np.floor(upper / spacing).astype(np.int64)
    axes = [np.arange(a, b + 1) for a, b in zip(first, last, strict=True)]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    key = _hash(seed, number, lattice[:, 0], lattice[:, 1], lattice[:, 2])
    middle = (lattice + _uniform(key)) * spacing
    near = np.all((middle >= lower) & (middle <= upper), axis=1)
    return key[near], middle[near]


def _paths(key, steps, population):
    """Nodes (paths, steps + 1, 3) of smooth random paths from the origin, one per key."""
    chance = _uniform(_hash(key[:, None], np.arange(steps + 1))) - 0.5
    heading = np.cumsum(chance * population.turn, axis=1)
    heading += chance * population.wiggle
    # The first draw, made long, is the course on which the path sets out
    heading += chance[:, :1]
    heading[..., 0] *= FLATNESS
    heading /= np.sqrt(np.sum(heading * heading, axis=2, keepdims=True)) + 1e-9
    heading[:, 0] = 0
    return np.cumsum(heading, axis=1) * population.step


def _curve(nodes, radius, contrast, z, step):
    """Points of quadratic B-splines through the nodes, where they are near plane `z`."""
    triples = np.lib.stride_tricks.sliding_window_view(nodes[:, :, 0], 3, axis=1)
    margin = 1.3 * radius[:, None] + step
    path, knot = np.nonzero(np.abs(triples[:, :, 1] - z) < margin)
    points = max(4, 2 * step // 3)
    t = (np.arange(points) + 0.5) / points
    weights = np.stack(((1 - t) ** 2 / 2, 0.5 + t - t * t, t * t / 2))
    corners = np.stack([nodes[path, knot + k] for k in range(3)])
    curve = sum(weights[k][None, :, None] * corners[k][:, None] for k in range(3))
    # Calibre and ink vary along the course, from the nodes' own positions
    swell = np.stack(
        [_uniform(_hash(*np.rint(corner * 64).astype(np.int64).T)) for corner in corners]
    )
    swell = sum(weights[k][None, :, None] * swell[k][:, None, :2] for k in range(3))
    radii = radius[path, None] * (0.75 + 0.5 * swell[..., 0])
    dark = contrast[path, None] * (0.85 + 0.3 * swell[..., 1])
    return curve.reshape(-1, 3), radii.ravel(), np.minimum(dark, DARKEST_INK).ravel()


# --- tissue ----------------------------------------------------------------------------------


def _tissue(seed, z, top, left):
    """Grey levels of the tissue relative to the background; float32."""
    kind = _slow(seed, 2, z, top, left, 208, 90) + 0.45 * _slow(seed, 3, z, top, left, 72, 40)
    light = 1.6 * _slow(seed, 4, z // 8, top, left, 400, 8)
    bumpy = 0.2 + 1.1 * np.clip(kind * 3.2 + 0.5, 0, 1)
    fibrous = np.clip(kind * 3 - 4.2, 0, 1)
    # Where one kind of tissue borders on another, a bright seam
    seam = np.maximum(1 - np.abs(kind - 1.2) * 8, 0) * 9
    light += seam + 1.0 * bumpy + 3.0 * fibrous

    image = _grown(light)
    image += _periodic("noise", seed, z, top, left)
    image += _grown(bumpy) * _periodic("bumps", seed, z, top, left)
    if fibrous.any():
        image += _grown(fibrous) * _periodic("fibres", seed, z, top, left)
    image += _chatter(seed, z, top, left)
    return image


def _chatter(seed, z, top, left):
    """Marks of the knife: streaks across and along the cut, and the light's profile over it."""
    rows = np.arange(top - 1, top + CELL_SIDE + 1)
    jolt = _uniform(_hash(seed, 20, z, rows))
    across = 2.4 * (jolt[:, 0] - 0.5) + np.where(jolt[:, 1] > 0.985, 3.0, 0.0)
    across = across[:-2] * 0.25 + across[1:-1] * 0.5 + across[2:] * 0.25

    columns = np.arange(left, left + CELL_SIDE)
    nick = _uniform(_hash(seed, 21, columns))
    along = 1.3 * (nick[:, 0] - 0.5)
    # Nicks of the edge: few, and the same columns in every plane
    depth = np.where(nick[:, 1] > 0.992, 7.0 * (nick[:, 2] - 0.35), 0.0)
    offset = (columns % KNIFE_WIDTH) / (KNIFE_WIDTH / 2) - 1
    along -= 7.0 * offset**8

    fade = _slow(seed, 5, z, top, left, 160, 60)[HALO // SLOW_STEP : -HALO // SLOW_STEP, 0]
    fade = np.repeat(np.clip(0.6 + 0.5 * fade, 0, 1.5), SLOW_STEP)
    marks = fade.astype(np.float32)[:, None] * depth.astype(np.float32)
    marks += along.astype(np.float32)
    marks += across.astype(np.float32)[:, None]
    return marks


def _highlight(seed, z, top, left, blurred):
    """Light that the rims of vessels throw below them, and the shadow above wide ones."""
    gain = _grown(np.clip(0.7 * _slow(seed, 6, z, top, left, 20, 12), 0, 1.2))
    below = blurred[HALO - 6 : HALO - 6 + CELL_SIDE, HALO - 1 : HALO - 1 + CELL_SIDE]
    light = cv2.subtract(below, blurred[HALO:-HALO, HALO:-HALO])
    light = cv2.GaussianBlur(cv2.min(light, 60), (5, 5), 1.2)
    gain *= light
    wide = cv2.resize(blurred, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    shadow = cv2.GaussianBlur(cv2.subtract(wide, 40), (5, 5), 1.3)
    shadow = cv2.resize(shadow, None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR)
    above = shadow[HALO + 8 : HALO + 8 + CELL_SIDE, HALO:-HALO]
    return cv2.scaleAdd(above.astype(np.float32), -0.125, gain)


def _slow(seed, stream, z, top, left, spacing, depth):
    """A smooth random field about 0 with unit deviation, halo included, per `SLOW_STEP` pixels.

    Cubic B-splines over a lattice of hashed values, `spacing` pixels and `depth` planes wide.
    """
    offsets = (np.arange((CELL_SIDE + 2 * HALO) // SLOW_STEP) + 0.5) * SLOW_STEP - HALO
    values, weights = [], []
    for positions, width in (
        (np.array([z]), depth),
        (top + offsets, spacing),
        (left + offsets, spacing),
    ):
        scaled = positions / width
        knots = np.arange(int(np.floor(scaled[0])) - 1, int(np.floor(scaled[-1])) + 3)
        distance = np.abs(scaled[:, None] - knots)
        near, far = np.maximum(1 - distance, 0), np.maximum(2 - distance, 0)
        weights.append((far**3 - 4 * near**3) / 6)
        values.append(knots)
    lattice = _hash(seed, 100 + stream, values[0][:, None, None], values[1][:, None], values[2])
    lattice = (_uniform(lattice)[..., 0] - 0.5) / 0.096
    # einsum, as a BLAS would start threads and round as it likes
    flat = np.einsum("k,kij->ij", weights[0][0], lattice)
    field = np.einsum("yi,ix->yx", weights[1], np.einsum("ij,xj->ix", flat, weights[2]))
    return np.round(field * 4096) / 4096


def _grown(field):
    """A field of `_slow` at every pixel of the cell."""
    size = (CELL_SIDE + 2 * HALO,) * 2
    # Of multiples of 1/32, float32 holds every interpolated value and its product with a texture
    # exactly, so that processors which round differently draw the same picture
    steps = (np.round(field * 32) / 32).astype(np.float32)
    full = cv2.resize(steps, size, interpolation=cv2.INTER_LINEAR)
    return full[HALO:-HALO, HALO:-HALO].copy()


def _periodic(name, seed, z, top, left):
    """A texture on the cell: the sum of two that repeat after different distances."""
    total = None
    for number, period in enumerate(_PERIODS):
        draw = _uniform(_hash(seed, 30, z, number, ord(name[0])))[0]
        y = (top + int(draw[0] * period)) % period
        x = (left + int(draw[1] * period)) % period
        view = _texture(name, number)[y : y + CELL_SIDE, x : x + CELL_SIDE]
        total = view if total is None else cv2.add(total, view)
    return total


@lru_cache(maxsize=6)
def _texture(name, number):
    """One period of a texture and a cell more, so that any cell of it is a slice; float32."""
    period = _PERIODS[number]
    generator = np.random.Generator(np.random.Philox(key=[ord(name[0]), number]))

    def smooth(sigma_y, sigma_x):
        noise = generator.standard_normal((period, period))
        border = 4 * int(max(sigma_y, sigma_x) + 1)
        noise = cv2.copyMakeBorder(noise, *[border] * 4, cv2.BORDER_WRAP)
        noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)
        noise = noise[border:-border, border:-border]
        return noise / noise.std()

    if name == "noise":
        field = 0.72 * generator.standard_normal((period, period))
        field += 0.55 * smooth(1.2, 1.6) + 0.35 * smooth(1.5, 12)
        field *= NOISE
    elif name == "bumps":
        relief = smooth(2.2, 2.8)
        lit = relief - np.roll(relief, 5, axis=0)
        lit = np.maximum(lit / lit.std() + 0.2 * smooth(6, 9), -0.3)
        field = 3.0 * (lit + 0.7 * np.maximum(lit, 0) ** 2 - 0.9) + 1.5 * smooth(1.0, 1.5)
    else:
        spots = smooth(1.2, 1.4) + 0.8 * smooth(2.5, 3.5) + 0.7 * smooth(4, 18)
        bright = np.maximum(spots, -0.2)
        field = 7 * bright + 4 * np.maximum(spots, 0) ** 2 - 4 + 3 * smooth(2.0, 40)
    field = np.round(field * (16 / np.sqrt(len(_PERIODS)))) / 16
    return np.pad(field, ((0, CELL_SIDE), (0, CELL_SIDE)), mode="wrap").astype(np.float32)


# --- random numbers --------------------------------------------------------------------------


def _hash(*words):
    """A 64-bit hash of integers, which may be arrays that broadcast; at least 1-dimensional.

    The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) over the words in turn.
    """
    state = np.full(1, _GOLDEN, np.uint64)
    for word in words:
        state = state * np.uint64(5) + np.asarray(word).astype(np.uint64) * np.uint64(_GOLDEN)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


def _uniform(state):
    """Three numbers in [0, 1), on a new last axis, from each 64-bit hash; float64."""
    mask = np.uint64(0x1FFFFF)
    numbers = [(state >> np.uint64(shift)) & mask for shift in (0, 21, 42)]
    return np.stack(numbers, axis=-1) * 2.0**-21
