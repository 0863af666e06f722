"""Files of the user's that steps of filters read."""

import numpy as np
import pytest
from studies import OTSU, make_study, write_sample

from tilewise.plan import decide, learn, quality, reads, segment
from tilewise.plan.study import Choice

FILTERS = {
    "sharp": [{"deconvolve": {"psf": "own/psf.npy", "iterations": 1}}, {"median": 3}],
    "smooth": [{"median": 3}],
}
METHODS = OTSU | {
    "sharp": {"threshold": "otsu", "filter": "sharp"},
    "swept": {"threshold": "otsu", "grid": {"filter": [None, "sharp"]}},
}
INLINE = {"keep_filtered": "auto", "keep_filtered_limit": 0}


@pytest.fixture
def of_settings(tmp_path, monkeypatch):
    """The study in the folder `study`, of one annotated sample, by settings."""
    (tmp_path / "study/own").mkdir(parents=True)
    np.save(tmp_path / "study/own/psf.npy", np.ones((3, 5)))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "study"
    row = write_sample(folder, "s", truth=[0])
    settings = {"filters": FILTERS, "methods": METHODS}
    return lambda **others: make_study(folder, row, **settings | others)


OWN = ["study/own/psf.npy"]


def test_jobs_that_filter_read_the_file(of_settings):
    study = of_settings(**INLINE)
    own_psf = {"deconvolve": {"psf": OWN[0], "iterations": 1}}
    assert study.steps("sharp", "s") == [own_psf, {"median": 3}]
    # half of 5 px in the one iteration, and of 3 px
    assert study.reach("s", "sharp") == 3
    for job in (
        segment.filtered(study, "s", "sharp", "0/0/0"),
        segment.histogram(study, "s", "sharp", "0/0/0"),
        decide.tile_histograms(study, "s", "sharp", "0/0/0"),
    ):
        assert job.pixels.own_files == OWN
    assert segment.filtered(study, "s", "smooth", "0/0/0").pixels.own_files == []
    assert segment.threshold(study, "s", "sharp", "0/0/0", Choice("sharp")).own_files == OWN
    assert segment.threshold(study, "s", "otsu", "0/0/0", Choice("otsu")).own_files == []
    assert decide.sweep(study, "s", "swept", "0/0/0").own_files == OWN
    choices = Choice("otsu"), Choice("sharp"), Choice("swept", "filter=null")
    assert quality.survey(study, "s", "0/0/0", choices).own_files == OWN


def test_drawn_pixels_are_filtered_too(of_settings):
    methods = {"learned": {"threshold": "pixel_classifier", "filter": "sharp"}}
    study = of_settings(**INLINE, methods=methods)
    assert learn.draw(study, "s", "learned", "0", "0/0/0").pixels.own_files == OWN


def test_jobs_that_read_what_is_filtered_do_not(of_settings):
    study = of_settings(keep_filtered=True)
    assert reads.filtered(study, [("s", "0/0/0")], "sharp").own_files == []
    assert segment.threshold(study, "s", "sharp", "0/0/0", Choice("sharp")).own_files == []
    assert segment.filtered(study, "s", "sharp", "0/0/0").pixels.own_files == OWN
    # sweeps and surveys filter by themselves
    assert decide.sweep(study, "s", "swept", "0/0/0").own_files == OWN


@pytest.mark.parametrize(
    ("psf", "message"),
    [
        ("none.npy", "filters.sharp: deconvolve: psf is 'study/none.npy': No such file"),
        (3, "filters.sharp: deconvolve: psf is 3"),
    ],
)
def test_a_wrong_file_is_told_before_any_work(of_settings, psf, message):
    filters = FILTERS | {"sharp": [{"deconvolve": {"psf": psf}}]}
    with pytest.raises(ValueError, match=message):
        of_settings(filters=filters)


def test_a_wrong_filter_is_told_with_its_name(of_settings):
    with pytest.raises(ValueError, match="filters.sharp: filter sharpen does not exist"):
        of_settings(filters=FILTERS | {"sharp": [{"sharpen": 3}]})
