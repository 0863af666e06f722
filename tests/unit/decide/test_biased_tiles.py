"""Scores by how tiles were picked: a short form of benchmarks/sampling.py."""

import pytest
from sampling import Design, simulate

PLANE = Design(1, (600, 600), 30)
SAMPLES = Design(8, (60, 240), 6)
STUDIES = 60


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_scores_of_the_hardest_tiles_are_too_low(average):
    bias, covered = simulate(PLANE, "hardest", average, STUDIES)
    assert bias < -0.05
    assert covered < 0.5


@pytest.mark.parametrize("average", ["micro", "macro"])
@pytest.mark.parametrize("design", [PLANE, SAMPLES], ids=str)
def test_scores_of_tiles_that_were_drawn_with_pi_are_not(design, average):
    without, _ = simulate(design, "by looks, without pi", average, STUDIES)
    bias, covered = simulate(design, "by looks, with pi", average, STUDIES)
    assert without < -0.01
    # its standard deviation is 0.02 at the most, and 0.003 in the mean of all studies
    assert abs(bias) < 0.009
    # 95 % of 60, less three standard deviations
    assert covered >= 0.86
