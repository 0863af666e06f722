"""The fraction of a population of tiles that is foreground, from all masks and some truths.

The difference estimator takes the masks' fraction of all tiles and adds how far truth and mask are
apart on the tiles that were drawn:

    theta = lambda F / A + sum w_i (Y_i - lambda F_i) / sum w_i A_i

A is the area of all tiles, F that of all masks; A_i, Y_i and F_i are a drawn tile's area, and those
of its truth and its mask; w_i is 1 over its chance of being drawn. It holds for any lambda, since
the terms with lambda cancel on average: with 1 the mask's bias is taken off, with 0 the masks are
ignored, and the mean of the truths is left. The better masks follow truths, the narrower its
interval.

References
----------
Saerndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, chapter 6: the estimator,
with ratios of areas in place of means where tiles differ in size. Angelopoulos, Duchi and Zrnic
(2023), PPI++: Efficient Prediction-Powered Inference, section 6: lambda.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from tilewise.decide.resampling import (
    CHUNK_SIZE,
    LEAST_ERROR,
    Floats,
    bootstrap_weights,
    jackknife,
    studentized_interval,
    studentized_p,
)

LEAST_SPREAD = 1e-12
"""Relative variance of the masks below which they are all alike but for rounding."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn, unit by unit: a tile, or tiles that were drawn together.

    Parameters
    ----------
    areas, truths, masks : (units,) float64 ndarray
        Sums of a unit's tiles, each divided by its chance of being drawn.
    chances : (units,) float64 ndarray
        Of each unit to be drawn, 0 to 1.
    """

    areas: Floats
    truths: Floats
    masks: Floats
    chances: Floats

    @property
    def sums(self) -> Floats:
        """What adds up over units, and gives lambda and the estimate: (units, 8)."""
        scale = self.areas.mean()
        a, y, f = self.areas / scale, self.truths / scale, self.masks / scale
        return np.stack([a, y, f, y * f, y * a, f * a, f * f, a * a], axis=-1)


def fit(sums: Floats, share: float) -> tuple[Floats, Floats]:
    """Lambda, and what is to be added to lambda times the masks' fraction, both (...).

    Lambda is Cov(Y, F) / (Var F (1 + n / N)), kept in [0, 1]; 0 where all masks are alike.
    Covariances are of what a unit has beyond the fraction of all of them, times its area.

    Parameters
    ----------
    sums : (..., 8) ndarray
        As from `Drawn.sums`.
    share : float
        n / N, the share of tiles that was drawn.
    """
    a, y, f, yf, ya, fa, ff, aa = np.moveaxis(sums, -1, 0)
    a = np.where(a > 0, a, 1)
    truth, mask = y / a, f / a
    covariance = yf - mask * ya - truth * fa + truth * mask * aa
    variance = ff - 2 * mask * fa + mask**2 * aa
    is_varied = variance > LEAST_SPREAD * ff
    slope = covariance / np.where(is_varied, variance * (1 + share), 1)
    lambdas: Floats = np.where(is_varied, np.clip(slope, 0, 1), 0)
    return lambdas, truth - lambdas * mask


class Fitted:
    """What some drawn units say of masks: for any population that masks err alike in.

    Lambda is fitted again in each resample, and without each unit. Needs two units.

    Parameters
    ----------
    drawn : Drawn
    share : float
        Of the tiles, those that were drawn.
    resamples, seed : int
        Of the bootstrap.
    """

    def __init__(self, drawn: Drawn, share: float, resamples: int, seed: int) -> None:
        by_unit, units = drawn.sums, len(drawn.areas)
        self._weights = bootstrap_weights(units, resamples, seed)
        self._chances = drawn.chances
        self._whole = fit(by_unit.sum(axis=0), share)
        self._once = fit(by_unit.sum(axis=0) - by_unit, share)
        self._resampled = fit(self._weights @ by_unit, share)
        step = max(CHUNK_SIZE // by_unit.size, 1)
        chunks = [
            # a unit that was not drawn cannot be left out: what it gives means nothing
            fit(np.maximum((weights @ by_unit)[:, None] - by_unit, 0), share)
            for weights in (
                self._weights[start : start + step] for start in range(0, resamples, step)
            )
        ]
        lambdas, rests = zip(*chunks, strict=True)
        self._left_out = np.concatenate(lambdas), np.concatenate(rests)

    def estimate(self, masks: float, *, is_finite: bool = True) -> "Estimate":
        """The fraction of a population of whose area masks have so much.

        Each unit's part of the variance counts 1 less its chance of being drawn (finite-population
        correction), unless it is not this population that was drawn from (`is_finite`).
        """

        def values(fitted: tuple[Floats, Floats]) -> Floats:
            lambdas, rests = fitted
            return lambdas * masks + rests

        once, value = values(self._once), float(values(self._whole))
        units = len(once)
        open_shares = 1 - self._chances if is_finite else np.ones(units)
        spread = float((open_shares * (once - once.mean()) ** 2).sum())
        return Estimate(
            value=value,
            error=math.sqrt((units - 1) / units * spread),
            units=units,
            scale=float(self._whole[0]),
            deviations=values(self._resampled) - value,
            errors=jackknife(values(self._left_out), self._weights),
        )


@dataclass(frozen=True)
class Estimate:
    """A fraction with what its interval needs.

    `error` is its standard error. `deviations` and `errors`, (resamples,), are how far resamples
    are from it, and their own standard errors. Where all is known, `error` is 0 and `units` too.
    """

    value: float
    error: float
    units: int = 0
    scale: float | None = None
    """Lambda."""
    deviations: Floats = field(default_factory=lambda: np.zeros(0))
    errors: Floats = field(default_factory=lambda: np.zeros(0))


def interval(
    first: Estimate, other: Estimate | None = None, confidence: float = 0.95
) -> tuple[float, float]:
    """Confidence interval of a fraction, or of how much greater it is than another's.

    Bootstrap-t, and no narrower than Student's with the same error (for two, Welch's).
    """
    value, error, studentized, freedom = _contrast(first, other)
    if not error > LEAST_ERROR:
        return value, value
    return studentized_interval(value, error, studentized, freedom, confidence)


def p_value(first: Estimate, other: Estimate) -> float | None:
    """Whether two fractions differ, two-sided: where their `interval` touches 0.

    None where both are known without an error.
    """
    value, error, studentized, freedom = _contrast(first, other)
    if not error > LEAST_ERROR:
        return None
    return studentized_p(value / error, studentized, freedom)


def _contrast(first: Estimate, other: Estimate | None) -> tuple[float, float, Floats, float]:
    """A value or a difference, its error, resamples of it in units of theirs, and its freedom."""
    both = [first] if other is None else [first, other]
    drawn = [one for one in both if one.error > LEAST_ERROR]
    value = first.value - (0 if other is None else other.value)
    if not drawn:
        return value, 0.0, np.zeros(0), 1.0
    variances = [one.error**2 for one in drawn]
    signs = [1 if one is first else -1 for one in drawn]
    parts = zip(variances, drawn, strict=True)
    freedom = sum(variances) ** 2 / sum(v**2 / (one.units - 1) for v, one in parts)
    pairs = zip(signs, drawn, strict=True)
    deviations = np.sum([sign * one.deviations for sign, one in pairs], axis=0)
    errors = np.sqrt(np.sum([one.errors**2 for one in drawn], axis=0))
    usable = np.isfinite(deviations) & np.isfinite(errors) & (errors > LEAST_ERROR)
    return value, math.sqrt(sum(variances)), deviations[usable] / errors[usable], freedom
