import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from studies import imagined_sample, make_study, study_of, with_defaults

from tilewise.plan import decide, learn, metadata, reads, report, segment
from tilewise.plan.methods import read_methods

FILTERS = {"hue": ["hue"], "red": ["red", {"median": 3}], "smooth": [{"median": 3}]}
FILTERS["rgb"] = [{"channels": ["red", "green", "blue"]}, {"median": 3}]
CIRCULAR = {"filter": "hue", "threshold": {"circular": 20}}
CLASSIFIERS = {name: {"filter": name, "threshold": "pixel_classifier"} for name in ("rgb", "red")}
METHODS = {
    "hue": CIRCULAR,
    "red": {"filter": "red", "threshold": "otsu"},
    "swept": {"threshold": "otsu", "grid": {"filter": ["red", "smooth"]}},
}


def write(folder, name, shape):
    pixels = np.zeros(shape, np.uint8)
    Image.fromarray(pixels).save(folder / f"{name}.png")
    Image.fromarray(pixels.reshape(*shape[:2], -1)[..., 0]).save(folder / f"{name}_truth.png")
    return {"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"}


@pytest.fixture
def study(tmp_path):
    row = write(tmp_path, "a", (32, 32, 3))
    return make_study(tmp_path, row, filters=FILTERS, methods=METHODS, keep_filtered=True)


PLACES = [("a", "0/0/0")]
GREY, COLOR = "results/a/image.zarr/0/c/0/0/0", "results/a/color.zarr/0/c/0/0/0/0"


@pytest.mark.parametrize(
    ("filter", "others", "files", "colors"),
    [
        ("image", [], [GREY], []),
        ("red", [], [], [COLOR]),
        ("image", ["red", "smooth"], [GREY], [COLOR]),
    ],
)
def test_filters_read_colours_or_grey(study, filter, others, files, colors):
    pixels = reads.image(study, PLACES, filter, 0, others)
    assert (pixels.files, pixels.colors) == (files, colors)


def test_hues_are_never_written(study):
    pixels = reads.filtered(study, PLACES, "hue", takes_temporary=True)
    assert (pixels.files, pixels.colors, pixels.steps) == ([], [COLOR], ["hue"])
    red = reads.filtered(study, PLACES, "red")
    assert (red.files, red.colors) == (["results/a/filtered/red.zarr/c/0/0/0"], [])
    written = {one.name for one in metadata.arrays(study) if one.kind == "filtered"}
    assert written == {"red", "smooth"}


def test_channels_are_read_and_never_written(tmp_path):
    row = write(tmp_path, "a", (32, 32, 3))
    learned = {"filter": "rgb", "threshold": {"pixel_classifier": {"sigmas": [2]}}}
    methods = {"learned": learned, "one": learned | {"filter": "red"}}
    study = make_study(tmp_path, row, filters=FILTERS, methods=methods, keep_filtered=True)
    pixels = segment.threshold(study, "a", "learned", "0/0/0", segment.Choice("learned")).pixels
    assert (pixels.files, pixels.colors) == ([], [COLOR])
    assert pixels.steps == [{"channels": ["red", "green", "blue"]}, {"median": 3}]
    assert {one.name for one in metadata.arrays(study) if one.kind == "filtered"} == {"red"}
    assert set(decide.decide(study).histograms.filters) == {"red"}
    assert report.costs(study, (segment.Choice("learned"),)).filtered == []
    # each has the features: the pixel, and four of a sigma
    jobs = [learn.draw(study, "a", name, "0", "0/0/0") for name in ("learned", "one")]
    assert [len(job.names) for job in jobs] == [15, 5]
    assert learn.train(study, "learned", "0", "all").names == jobs[0].names


def test_channels_take_memory():
    config = with_defaults({"filters": FILTERS, "methods": CLASSIFIERS})
    sample = imagined_sample("a", (1, 4096, 4096), channels=3, truth=[0])
    study = study_of([sample], config)
    assert study.filter_channels("rgb") == ["red", "green", "blue"]
    (block,) = study.blocks("a")
    needs = {name: segment.threshold_need(study, "a", name, block).memory for name in CLASSIFIERS}
    # a strip of 2 channels more, 4 times
    strip = study.grids["a"].strip
    assert needs["rgb"] - needs["red"] >= 2 * 4 * strip * 4096 / 2**20


def test_a_sweep_reads_both(study):
    job = decide.sweep(study, "a", "swept", "0/0/0")
    assert (job.pixels.files, job.pixels.colors) == ([GREY], [COLOR])


def test_a_written_filter_takes_more_memory_of_colours(study):
    need = segment.filtered(study, "a", "red", "0/0/0").need
    grey = segment.filtered(study, "a", "smooth", "0/0/0").need
    assert need.memory >= grey.memory
    assert math.isfinite(study.reach("a", "hue"))


def test_no_reference_is_a_threshold_of_hues(study):
    assert set(decide.decide(study).histograms.filters) == {"red", "smooth"}


def test_costs_have_no_filter_of_hues(study):
    costs = report.costs(study, (segment.Choice("hue"),))
    assert (len(costs.masks), costs.filtered) == (1, [])


def test_grey_images_are_their_own_channels(tmp_path):
    row = write(tmp_path, "a", (32, 32))
    methods = {"red": METHODS["red"]}
    study = make_study(tmp_path, row, filters=FILTERS, methods=methods)
    pixels = reads.image(study, PLACES, "red", 0)
    assert (pixels.files, pixels.colors, pixels.steps) == ([GREY], [], [{"median": 3}])


def refused(tmp_path, words, shape=(32, 32, 3), **settings):
    row = write(tmp_path, "a", shape)
    with pytest.raises(ValueError, match=words):
        make_study(tmp_path, row, filters=FILTERS, **settings)


def test_several_channels_are_for_classifiers(tmp_path):
    words = "methods.m: filter rgb gives several channels, which otsu cannot take"
    refused(tmp_path, words, methods={"m": {"filter": "rgb", "threshold": "otsu"}})
    command = {"run": ["cp", "{input}", "{output}"], "version": "1"}
    words = "filter rgb gives several channels: let a program be given one"
    methods = {"m": {"filter": "rgb", "threshold": {"command": command}}}
    refused(tmp_path, words, methods=methods)
    words = "channels takes colours, and the image is grey"
    refused(tmp_path, words, (32, 32), methods=CLASSIFIERS)


def test_grey_images_have_no_hue(tmp_path):
    words = "methods.m: sample a: filter hue: hue takes colours, and the image is grey: leave the"
    refused(tmp_path, words, (32, 32), methods={"m": CIRCULAR})


def test_four_channels_are_no_colours(study):
    sample = study.samples["a"]
    other = {"a": replace(sample, header=replace(sample.header, channels=4))}
    config = with_defaults({"filters": FILTERS, "methods": {"m": METHODS["red"]}})
    with pytest.raises(ValueError, match="red takes red, green and blue, and the image has 4"):
        read_methods(config, other)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ({"filter": "hue", "threshold": "otsu"}, "hues are a circle, which otsu cuts"),
        ({"filter": "red", "threshold": {"circular": 0}}, "circular takes hues"),
        ({**CIRCULAR, "foreground": "dark"}, "circular has no dark foreground"),
        ({**CIRCULAR, "threshold": {"circular": 360}}, "hue is 360: give degrees"),
        ({**CIRCULAR, "threshold": "circular"}, "which half is smaller may differ from tile"),
        ({"threshold": {"hysteresis": {"low": "circular", "high": "otsu"}}}, "low is 'circular'"),
    ],
)
def test_hues_are_thresholded_as_a_circle(tmp_path, method, words):
    refused(tmp_path, words, methods={"m": method})
