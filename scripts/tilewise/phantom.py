"""A phantom of vessels under a knife-edge microscope: dark tubes in bright, grainy tissue.

It resembles brain stained with India ink: capillaries of 3 to 4 px radius and a few larger vessels,
cut across and along, branching; a bright rim where the knife left relief; uneven light; shot noise;
zones of bright, horizontally drawn grain where the knife chattered.

Any window equals the same window of the whole plane bit for bit: vessels come from cells of a
lattice, each with random numbers of its own, and the texture from periodic fields that are only
moved by whole pixels.
"""

from functools import lru_cache

import cv2
import numpy as np

CELL = 160
"""Side of a lattice cell in pixels and planes; no vessel leaves the cells next to its own."""
VESSELS_PER_CELL = 26
LONGEST = 120
"""Steps of the longest vessel, in pixels."""
HALO = 48
"""Pixels around a window in which vessels are drawn: the largest radius, its rim and the blur."""
SUBPIXEL = 4
"""Binary digits of a disc's centre and radius."""
LEVEL = 212
"""Grey level of tissue."""
FIELD = 2048
"""Period of the fine texture, in pixels."""
SLOW_FIELD = 4096
"""Period of what varies slowly, in pixels."""


def render(shape, seed, z, y0, y1, x0=0, x1=None):
    """A window of one plane.

    Parameters
    ----------
    shape : tuple of int
        Planes, rows and columns of the whole phantom, in pixels.
    seed : int
        Another seed gives other vessels and another place in the texture.
    z : int
        The plane.
    y0, y1, x0, x1 : int
        Rows and columns of the window, half open; to the last column by default.

    Returns
    -------
    image : (rows, columns) uint8 ndarray
    truth : (rows, columns) uint8 ndarray
        0 background, 1 vessel: exactly the sections of the tubes.
    """
    x1 = shape[2] if x1 is None else x1
    if not (0 <= z < shape[0] and 0 <= y0 < y1 <= shape[1] and 0 <= x0 < x1 <= shape[2]):
        raise ValueError(f"plane {z}, rows {y0}:{y1}, columns {x0}:{x1} are outside of {shape}")
    truth, ink, relief = _draw(seed, z, y0, y1, x0, x1)
    relief[truth > 0] = 0
    ink = cv2.GaussianBlur(ink, (7, 7), 1.4)
    relief = cv2.GaussianBlur(relief, (9, 9), 1.8)
    inside = np.s_[HALO:-HALO, HALO:-HALO]
    tissue = _texture(seed, z, y0, y1, x0, x1)
    # saturated arithmetic, as in a camera
    tissue = cv2.add(tissue, np.ascontiguousarray(relief[inside]))
    image = cv2.subtract(tissue, np.ascontiguousarray(ink[inside]))
    return image, np.ascontiguousarray(truth[inside])


def _draw(seed, z, y0, y1, x0, x1):
    """Truth, darkness and brightness of the vessels of a window and a halo around it."""
    shape = y1 - y0 + 2 * HALO, x1 - x0 + 2 * HALO
    truth, ink, relief = (np.zeros(shape, np.uint8) for _ in range(3))
    corner = np.array([x0 - HALO, y0 - HALO], np.float64)
    for cell_z in range(z // CELL - 1, z // CELL + 2):
        for cell_y in range((y0 - HALO) // CELL - 1, (y1 + HALO - 1) // CELL + 2):
            for cell_x in range((x0 - HALO) // CELL - 1, (x1 + HALO - 1) // CELL + 2):
                discs = _sections(seed, cell_z, cell_y, cell_x, z)
                _draw_discs(truth, ink, relief, discs, corner)
    return truth, ink, relief


def _draw_discs(truth, ink, relief, discs, corner):
    positions, radii, levels = discs
    scale = 1 << SUBPIXEL
    centers = np.rint((positions - corner) * scale).astype(int)
    sizes = np.rint(radii * scale).astype(int)
    # the rim lies below a vessel, where the knife leaves it
    rims = centers + np.rint(np.array([[0.2, 0.9]]) * radii[:, np.newaxis] * scale).astype(int)
    margin = HALO * scale
    high = np.array(truth.shape[::-1]) * scale + margin
    near = ((centers > -margin) & (centers < high)).all(axis=1)
    parts = (centers[near], rims[near], sizes[near, np.newaxis], levels[near])
    for x, y, rim_x, rim_y, size, dark, bright in np.hstack(parts).tolist():
        cv2.circle(truth, (x, y), size, 1, cv2.FILLED, cv2.LINE_8, SUBPIXEL)
        cv2.circle(ink, (x, y), size, dark, cv2.FILLED, cv2.LINE_8, SUBPIXEL)
        if bright:
            rim = rim_x, rim_y
            cv2.circle(relief, rim, size * 3 // 4, bright, cv2.FILLED, cv2.LINE_8, SUBPIXEL)


def _sections(seed, cell_z, cell_y, cell_x, z):
    """Discs that a cell's vessels leave in a plane: centres (x, y), radii, two grey levels each."""
    points, radii, levels = _vessels(seed, cell_z, cell_y, cell_x)
    squares = radii**2 - (points[:, 0] - z) ** 2
    # a sphere that is only just touched would leave less than a pixel
    cut = squares > 0.5
    return points[cut][:, [2, 1]], np.sqrt(squares[cut]), levels[cut]


@lru_cache(maxsize=2**13)
def _vessels(seed, cell_z, cell_y, cell_x):
    """Spheres along the vessels that begin in a cell.

    Returns
    -------
    points : (spheres, 3) float32 ndarray
        z, y, x in pixels.
    radii : (spheres,) float32 ndarray
    levels : (spheres, 2) uint8 ndarray
        Darkness of the vessel and brightness of its rim.
    """
    # indices of cells may be negative, seeds not
    cells = [index % 2**32 for index in (cell_z, cell_y, cell_x)]
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *cells])))
    number = random.poisson(VESSELS_PER_CELL)
    starts = np.array([cell_z, cell_y, cell_x]) * CELL + random.uniform(0, CELL, (number, 3))
    lengths = random.integers(30, LONGEST, number)
    radii = np.clip(random.lognormal(1.15, 0.27, number), 1.8, 7)
    large = random.random(number) < 0.012
    radii[large] = random.uniform(8, 15, number)[large]
    darkness = random.normal(74, 24, number) + 9 * np.maximum(radii - 3.5, 0)
    brightness = random.uniform(15, 60, number) * (random.random(number) < 0.55)
    levels = np.clip(np.rint(np.stack([darkness, brightness], -1)), [26, 0], [195, 60])
    stems = _paths(random, starts, lengths)
    # some vessels fork: thinner, shorter ones leave from a point of their stem
    forked = np.flatnonzero(random.random(number) < 0.4)
    forks = stems[forked, random.integers(0, lengths[forked])]
    branch_lengths = random.integers(12, 35, forked.size)
    paths = np.concatenate([stems, _paths(random, forks, branch_lengths)])
    radii = np.concatenate([radii, np.maximum(0.8 * radii[forked], 1.8)])
    levels = np.concatenate([levels, levels[forked]])
    lengths = np.concatenate([lengths, branch_lengths])
    kept = np.arange(LONGEST) < lengths[:, np.newaxis]
    vessel = np.nonzero(kept)[0]
    points = paths[kept].astype(np.float32)
    return points, radii[vessel].astype(np.float32), levels[vessel].astype(np.uint8)


def _paths(random, starts, lengths):
    """Smooth random paths, (vessels, LONGEST, 3), in steps of a pixel."""
    directions = random.normal(size=(len(lengths), 1, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    # capillaries wind: their direction is a random walk
    directions = directions + np.cumsum(random.normal(0, 0.24, (len(lengths), LONGEST, 3)), axis=1)
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    return starts[:, np.newaxis] + np.cumsum(directions, axis=1)


@lru_cache(maxsize=1)
def _fields():
    """Periodic fields: noise, grain, how much of it, light, and lines along columns."""
    random = np.random.Generator(np.random.Philox(20))

    def smooth(noise, sigma_y, sigma_x):
        reach = 4 * int(np.ceil(max(sigma_y, sigma_x)))
        padded = np.pad(noise, reach, "wrap")
        blurred = cv2.GaussianBlur(padded, (0, 0), sigma_x, sigmaY=sigma_y)
        blurred = blurred[reach:-reach, reach:-reach]
        return (blurred - blurred.mean()) / blurred.std()

    def slow(sigma):
        small = random.normal(size=(SLOW_FIELD // 16,) * 2).astype(np.float32)
        small = np.pad(smooth(small, sigma / 16, sigma / 16), 8, "wrap")
        large = cv2.resize(small, None, fx=16, fy=16, interpolation=cv2.INTER_CUBIC)
        return large[128:-128, 128:-128]

    white = random.normal(size=(2, FIELD, FIELD)).astype(np.float32)
    noise = 0.6 * smooth(white[0], 1.1, 1.1) + 0.8 * white[1]
    fine = np.clip(2.2 * noise, -12, 12)
    spots = smooth(random.normal(size=(FIELD, FIELD)).astype(np.float32), 1.4, 1.8)
    lumps = smooth(random.normal(size=(FIELD, FIELD)).astype(np.float32), 3, 4)
    # light from one side
    relief = 4 * (lumps - np.roll(lumps, (3, 2), (0, 1)))
    bright = np.clip(4 * relief + 42 * np.maximum(spots - 1.1, 0), -25, 80)
    zones = np.clip((slow(110) + 0.1) * 0.6, 0.06, 1)
    light = 4.5 * slow(220)
    lines = np.where(random.random(FIELD) < 0.006, random.normal(0, 3, FIELD), 0)
    return (
        np.rint(fine).astype(np.int16),
        np.rint(bright).astype(np.int16),
        np.rint(zones * 64).astype(np.int16),
        np.rint(light).astype(np.int16),
        np.rint(lines).astype(np.int16),
    )


def _texture(seed, z, y0, y1, x0, x1):
    """Tissue without vessels, uint8."""
    fine, grain, zones, light, lines = _fields()
    # light and zones stay from plane to plane, noise does not, grain moves a little
    place = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed])))
    here = place.integers(0, SLOW_FIELD, 2)
    noise = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 1, z])))
    there = noise.integers(0, FIELD, 2)
    drawn = np.array([3 * z, 5 * z]) + here
    window = y0, y1, x0, x1
    grey = _window(grain, drawn, window)
    grey *= _window(zones, here, window)
    grey >>= 6
    grey += _window(fine, there, window)
    grey += _window(light, here, window)
    grey += LEVEL + np.take(lines, np.arange(x0, x1) + here[1], mode="wrap")
    return np.clip(grey, 0, 255, out=grey).astype(np.uint8)


def _window(field, offset, window):
    """Pixels of a periodic field."""
    y0, y1, x0, x1 = window
    side = field.shape[0]
    rows = np.arange(y0 + offset[0], y1 + offset[0]) % side
    pixels = np.empty((y1 - y0, x1 - x0), field.dtype)
    x = x0
    while x < x1:
        first = (x + offset[1]) % side
        count = min(side - first, x1 - x)
        pixels[:, x - x0 : x - x0 + count] = field[rows, first : first + count]
        x += count
    return pixels
