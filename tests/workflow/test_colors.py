"""Methods that look at colours."""

import networks
import numpy as np
import pytest
from projects import Project
from samples import colored_blobs, write_planes
from scipy import ndimage
from skimage import color
from skimage.filters import median, threshold_otsu

METHODS = {
    "grey": {"threshold": "otsu", "min_contrast": 0},
    "circular": {"filter": "hue", "threshold": {"circular": 0}},
    "told": {"filter": "hue", "threshold": "circular", "grid": {"hue": [175, 355]}},
    "smaller": {"filter": "hue", "threshold": "circular", "scope": "sample"},
    "calibrated": {"filter": "hue", "threshold": {"circular": 0}, "scope": "calibrated"},
    "network": {
        "filter": "rgb",
        "threshold": {
            "onnx": {"file": "model.onnx", "output": "logit", "halo": 2, "window": 48}
            | {"mean": [0.5, 0.45, 0.5], "std": [0.5, 1, 2]}
        },
    },
    "swept": {"threshold": "otsu", "min_contrast": 0, "grid": {"filter": ["red", None]}},
}
KERNELS = np.random.default_rng(0).normal([[[2]], [[-2]], [[-1]]], 0.3, (3, 5, 5))
"""Of a network that takes red, green and blue."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A sample of two planes, which are a block each; everything has been run."""
    project = Project.create(tmp_path_factory.mktemp("colors") / "project")
    image, truth = colored_blobs(planes=2)
    write_planes(project.folder / "image", image)
    write_planes(project.folder / "truth", truth)
    model = networks.convolution(KERNELS[None], last=None, shape=(1, 3, "rows", "columns"))
    (project.folder / "model.onnx").write_bytes(model)
    return project.configure(
        [{"sample": "discs", "image": "image/*.png", "truth": "truth/*.png"}],
        filters={
            "hue": ["hue"],
            "red": ["red", {"median": 3}],
            "rgb": [{"channels": ["red", "green", "blue"]}],
        },
        methods=METHODS,
        block={"planes": 1},
        apply="all",
        quality={"measure": True, "survey": 2},
        figures={"tiles": 1},
        overlay={"format": "zarr-only"},
        decision={"unit": "plane"},
    )


@pytest.fixture(scope="module")
def run(finished):
    return finished.succeed()


def mask(project, method):
    return project.array(f"discs/image.zarr/labels/{method}/0")


def dice(a, b):
    return 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))


@pytest.mark.usefixtures("run")
def test_hue_finds_what_grey_cannot(finished):
    _, truth = colored_blobs(planes=2)
    assert dice(mask(finished, "grey"), truth) < 0.3
    for method in ("circular", "told", "smaller", "calibrated"):
        assert dice(mask(finished, method), truth) > 0.99, method


@pytest.mark.usefixtures("run")
def test_truth_tells_which_half_is_foreground(finished):
    rows = {row["variant"]: row for row in finished.rows("sweeps/told/sweep.tsv")}
    assert [name for name, row in rows.items() if row["chosen"] == "yes"] == ["hue=355"]
    # opposite hues are in different halves
    assert float(rows["hue=175"]["mcc"]) < 0


@pytest.mark.usefixtures("run")
def test_the_arc_is_where_the_hues_are(finished):
    image, _ = colored_blobs(planes=2)
    hues = color.rgb2hsv(image)[..., 0] * 360
    row = finished.rows("discs/smaller/thresholds/0/0/0.tsv")[0]
    first, last = map(float, row["threshold"].split(";"))
    assert first > last
    near = np.abs((hues - 355 + 180) % 360 - 180) < 60
    np.testing.assert_array_equal(mask(finished, "smaller"), near)


@pytest.mark.usefixtures("run")
def test_a_channel_is_filtered_and_thresholded_as_grey_is(finished):
    image, _ = colored_blobs(planes=2)
    red = np.stack([median(plane, np.ones((3, 3)), mode="reflect") for plane in image[..., 0]])
    np.testing.assert_array_equal(finished.array("discs/filtered/red.zarr"), red)
    tile = red[0, :64, :64]
    expected = tile > threshold_otsu(tile)
    np.testing.assert_array_equal(mask(finished, "swept")[0, :64, :64], expected)


@pytest.mark.usefixtures("run")
def test_a_network_takes_red_green_and_blue(finished):
    image, truth = colored_blobs(planes=2)
    normal = METHODS["network"]["threshold"]["onnx"]
    scores = sum(
        ndimage.correlate((image[..., i] / 255 - mean) / std, KERNELS[i][None], mode="reflect")
        for i, (mean, std) in enumerate(zip(normal["mean"], normal["std"], strict=True))
    )
    is_clear, found = np.abs(scores) > 1e-3, mask(finished, "network")
    np.testing.assert_array_equal(found[is_clear], scores[is_clear] > 0)
    assert dice(found == 1, truth == 1) > 0.9
    rows = finished.rows("ranking.tsv")
    assert "network" in {row["method"] for row in rows}


def test_channels_that_a_network_does_not_take_are_refused_before_any_job(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    (project.folder / "model.onnx").write_bytes(networks.convolution([[[1]]], shape=(1, 1, 8, 8)))
    run = project.run("--dry-run")
    assert run.code != 0
    assert "methods.network: model.onnx takes 1 channel, and its filter gives 3" in run.output


def test_a_second_run_does_nothing(finished):
    assert not finished.succeed().jobs
