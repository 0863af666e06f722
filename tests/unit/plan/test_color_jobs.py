import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from studies import imagined_sample, make_study, study_of, with_defaults

from tilewise.plan import decide, ingest, learn, metadata, reads, report, segment
from tilewise.plan.methods import check_colors, read_methods
from tilewise.read.header import Header

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


CHANNELS = {"one": [{"channel": 1}, {"median": 3}], "named": [{"channel": "488"}]}
CHANNELS["two"] = [{"channels": [{"channel": 3}, {"channel": "488"}]}]
CHANNEL_METHODS = {
    "one": {"filter": "one", "threshold": "otsu"},
    "named": {"filter": "named", "threshold": "otsu"},
    "two": {"filter": "two", "threshold": {"pixel_classifier": {"sigmas": [2]}}},
}
OF_488 = "488-" + hashlib.sha256(b"488").hexdigest()[:8]
"""What a channel of that name is called among results, where 488 would be a number."""


def of_channels(channels, names=(), methods=CHANNEL_METHODS):
    """A study of one sample with so many channels."""
    config = with_defaults({"filters": CHANNELS | FILTERS, "methods": methods})
    sample = imagined_sample("a", (1, 64, 64), channels=channels, truth=[0], channel=0)
    sample = replace(sample, header=replace(sample.header, channel_names=tuple(names)))
    return study_of([sample], config)


def test_channels_of_any_number_are_arrays_of_their_own():
    study = of_channels(4, ("405", "488", "561", "640"))
    one, three = "results/a/channels/1.zarr/c/0/0/0", "results/a/channels/3.zarr/c/0/0/0"
    named = f"results/a/channels/{OF_488}.zarr/c/0/0/0"
    pixels = reads.image(study, PLACES, "one", 0)
    assert (pixels.files, pixels.colors, pixels.sources) == ([], [], [one])
    assert pixels.steps == [{"array": "channel:1"}, {"median": 3}]
    pixels = reads.image(study, PLACES, "image", 0, ["one", "two"])
    assert (pixels.files, pixels.sources) == ([GREY], [one, three, named])
    job = ingest.channel(study, "a", OF_488, "0/0/0")
    assert [part["channel"] for part in job.parts] == [1]
    assert job.record == f"results/a/made_from/channel-{OF_488}/0/0/0.json"
    stored = {array.path for array in metadata.arrays(study) if array.kind == "channel"}
    assert stored == {f"results/a/channels/{name}.zarr" for name in ("1", "3", OF_488)}
    # pictures show the first of several
    shown = reads.shown(reads.image(study, PLACES, "two", 0))
    assert (shown.sources, shown.steps) == ([three], [{"array": "channel:3"}])
    assert (study.filtered_dtype("a", "one"), reads.stored_dtype(shown, "uint8")) == ("uint8",) * 2


def test_channels_of_three_by_number_are_colours():
    methods = {"one": CHANNEL_METHODS["one"]}
    study = of_channels(3, methods=methods)
    pixels = reads.image(study, PLACES, "one", 0)
    assert (pixels.colors, pixels.sources) == ([COLOR], [])
    assert pixels.steps == [{"channel": 1}, {"median": 3}]
    assert study.channel_arrays == {}
    # of these, names are looked up
    study = of_channels(3, ("405", "488", "561"), {"named": CHANNEL_METHODS["named"]})
    assert reads.image(study, PLACES, "named", 0).colors == []
    assert study.channel_arrays == {f"channel:{OF_488}": "488"}


def test_colours_beside_channels_have_no_arrays_of_channels():
    config = with_defaults({"filters": CHANNELS, "methods": {"one": CHANNEL_METHODS["one"]}})
    samples = [
        imagined_sample(name, (1, 64, 64), channels=n, channel=0)
        for name, n in (("rgb", 3), ("four", 4))
    ]
    study = study_of(samples, config)
    stored = [array.path for array in metadata.arrays(study) if array.kind == "channel"]
    assert stored == ["results/four/channels/1.zarr"]


def test_a_grey_image_is_its_first_channel():
    filters = {"first": [{"channel": 0}]}
    config = with_defaults(
        {"filters": filters, "methods": {"first": {"filter": "first", "threshold": "otsu"}}}
    )
    study = study_of([imagined_sample("a", (1, 64, 64), truth=[0])], config)
    pixels = reads.image(study, PLACES, "first", 0)
    assert (pixels.files, pixels.sources, pixels.steps) == ([GREY], [], [])


@pytest.mark.parametrize(
    ("channels", "names", "chain", "words"),
    [
        (4, (), [{"channel": 4}], "channel 4 does not exist: the image has 4, from 0 on: leave"),
        (1, (), [{"channel": 1}], "channel 1 does not exist: the image has 1, from 0 on: leave"),
        (2, ("a", "b"), [{"channel": "c"}], "channel c does not exist.*called a, b: leave"),
        (4, (), ["red"], "red takes red, green and blue, and the image has 4 channels"),
        (4, (), [{"channels": [{"channel": 0}, "a"]}], "a takes red, green and blue"),
        (3, ("a", "b", "c"), [{"channels": ["red", {"channel": "b"}]}], "by their numbers"),
    ],
)
def test_channels_that_are_not_there_are_refused(channels, names, chain, words):
    header = Header(1, 64, 64, channels, "uint8", channel_names=names)
    with pytest.raises(ValueError, match=words):
        check_colors(chain, header)


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
