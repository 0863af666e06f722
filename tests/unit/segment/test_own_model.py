"""Masks by networks of the user's own."""

import hashlib
import inspect
from types import SimpleNamespace

import networks
import numpy as np
import pytest
from scipy import ndimage

from tilewise.segment import own_model
from tilewise.segment.filtered import Filtered
from tilewise.segment.segmenters import Segmenter, segment_region
from tilewise.segment.trials import Trial, trial_masks
from tilewise.store.grid import Grid, Region, crop

DEFAULTS = {
    name: parameter.default
    for name, parameter in list(inspect.signature(own_model.onnx).parameters.items())[1:]
}
REST = {
    **{"scope": "tile", "foreground": "bright", "min_contrast": 0, "min_separability": 0},
    **{"fallback": "sample", "weak": "auto", "cleanup": []},
}
IDENTITY = [[[1]]]
"""A kernel that gives each pixel as it is."""


@pytest.fixture
def write(tmp_path):
    def write(data, name="model.onnx"):
        own_model._load.cache_clear()
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    return write


def make_mask(file, plane, **settings):
    plane = np.asarray(plane)
    rows, columns = plane.shape[-2:]
    grid = Grid((1, rows, columns), 64, (1, 128, 128))
    region = Region(0, 1, 0, rows, 0, columns)
    return mask_of(plane, region, region, grid, DEFAULTS | {"file": file} | settings)


def mask_of(pixels, outer, inner, grid, settings):
    return own_model.mask_of(own_model.scores(pixels, outer, inner, grid, settings), settings)


def through(*nodes, shape=("n", 1, "rows", "columns"), taken="float32", returned="float32"):
    """A model of some nodes, from x to y."""
    output = networks.value("y", ("n", "c", "rows", "columns"), returned)
    return networks.network(nodes, [networks.value("x", shape, taken)], output)


@pytest.fixture
def plane():
    return np.random.default_rng(0).integers(0, 256, (70, 90)).astype(np.uint8)


@pytest.mark.parametrize("settings", [{}, {"window": 32}, {"window": 7, "halo": 2, "multiple": 16}])
def test_a_convolution_is_that_of_scipy(write, plane, settings):
    kernel = np.random.default_rng(1).normal(size=(5, 5))
    file = write(networks.convolution([kernel]))
    found = make_mask(file, plane, **settings)
    np.testing.assert_array_equal(
        own_model.onnx(plane, **DEFAULTS | settings | {"file": file}), found
    )
    score = ndimage.correlate(plane / 255, kernel, mode="reflect")
    # the runtime has single precision
    is_clear = np.abs(score) > 1e-5
    assert is_clear.mean() > 0.999
    np.testing.assert_array_equal(found[is_clear], score[is_clear] > 0)
    assert found.dtype == np.uint8
    assert 0.2 < found.mean() < 0.8


def test_an_image_smaller_than_the_halo_is_mirrored_again(write):
    random = np.random.default_rng(1)
    kernel, small = random.normal(size=(15, 15)), random.integers(0, 256, (2, 5)).astype(np.uint8)
    kernel -= kernel.mean()
    found = make_mask(write(networks.convolution([kernel])), small, halo=7)
    score = ndimage.correlate(small / 255, kernel, mode="reflect")
    assert np.abs(score).min() > 1e-4
    np.testing.assert_array_equal(found, score > 0)
    assert 0 < found.mean() < 1


def test_windows_do_not_depend_on_the_region(write, plane):
    # the model looks further than its halo: each window has results of its own
    file = write(networks.convolution([np.random.default_rng(1).normal(size=(9, 9))]))
    settings = DEFAULTS | {"file": file, "halo": 1, "window": 16}
    grid, whole = Grid((1, 70, 90), 32, (1, 96, 96)), Region(0, 1, 0, 70, 0, 90)
    expected = mask_of(plane, whole, whole, grid, settings)
    assert (make_mask(file, plane, halo=1, window=17) != expected).any()
    segmenter = Segmenter("onnx", settings, **REST)
    for inner in (Region(0, 1, 0, 32, 32, 64), Region(0, 1, 32, 64, 0, 90), whole):
        outer = grid.around(inner, segmenter.reach)
        found, _ = segment_region(crop(plane, whole, outer), outer, inner, grid, segmenter)
        np.testing.assert_array_equal(found, crop(expected, whole, inner))
    for y in range(0, 70, 5):
        for x in range(0, 90, 7):
            inner = Region(0, 1, y, min(y + 5, 70), x, min(x + 7, 90))
            outer = grid.around(inner, own_model.reach(settings))
            found = mask_of(crop(plane, whole, outer), outer, inner, grid, settings)
            own, known = crop(found, outer, inner), crop(expected, whole, inner)
            np.testing.assert_array_equal(own, known)


def test_no_window_is_computed_for_several_rows_of_tiles(write, plane, monkeypatch):
    file = write(networks.convolution(IDENTITY))
    sizes = []
    run = own_model.Model.scores

    def count(model, pixels, settings):
        sizes.append(pixels.shape)
        return run(model, pixels, settings)

    monkeypatch.setattr(own_model.Model, "scores", count)
    settings = DEFAULTS | {"file": file, "halo": 3, "window": 32}
    grid = Grid((1, 70, 90), 32, (1, 96, 96))
    whole, inner = Region(0, 1, 0, 70, 0, 90), Region(0, 1, 32, 64, 0, 90)
    segment_region(plane, whole, inner, grid, Segmenter("onnx", settings, **REST))
    # columns 0 to 31, 32 to 63 and 64 to 89, with 3 around
    assert sizes == [(1, 38, 38), (1, 38, 38), (1, 38, 32)]
    # a clean-up looks into windows around: whole planes then have each of them once
    cleaned = Segmenter("onnx", settings, **REST | {"cleanup": [{"opening": 1}]})
    assert cleaned.reach == float("inf")


def test_trials_of_several_levels_run_the_network_once(write, plane, monkeypatch):
    file = write(networks.convolution(IDENTITY, last=None))
    windows = []
    run = own_model.Model.scores

    def count(model, pixels, settings):
        windows.append(pixels.shape)
        return run(model, pixels, settings)

    monkeypatch.setattr(own_model.Model, "scores", count)
    grid, whole = Grid((1, 70, 90), 32, (1, 96, 96)), Region(0, 1, 0, 70, 0, 90)
    reader = SimpleNamespace(read=lambda region: crop(plane, whole, region))
    levels = (None, 0.25, 0.75)
    settings = [DEFAULTS | {"file": file, "halo": 3, "above": above} for above in levels]
    trials = [Trial(Segmenter("onnx", one, **REST)) for one in settings]
    masks = [mask for _, mask in trial_masks(trials, whole, Filtered(reader, [], grid, "uint8"))]
    for level, mask in zip((0.5, 0.25, 0.75), masks, strict=True):
        np.testing.assert_array_equal(mask, plane / 255 > level)
    assert windows == [(1, 76, 96)]


@pytest.mark.parametrize(
    ("plane", "settings", "expected"),
    [
        # 127 / 255 is below one half
        (np.array([[127, 128]], np.uint8), {}, [0, 1]),
        (np.array([[32767, 32768]], np.uint16), {}, [0, 1]),
        (np.array([[0.5, 0.75]], np.float32), {}, [0, 1]),
        # (75 / 100 - 0.5) / 0.5 is one half
        (np.array([[75, 76]], np.uint8), {"scale": 100, "mean": 0.5, "std": 0.5}, [0, 1]),
        (np.array([[191, 192]], np.uint8), {"above": 0.75}, [0, 1]),
    ],
)
def test_pixels_are_normalized(write, plane, settings, expected):
    file = write(networks.convolution(IDENTITY, last=None))
    assert make_mask(file, plane, **settings).tolist() == [expected]


def test_a_logit_is_compared_before_the_sigmoid(write):
    file = write(networks.convolution(IDENTITY, last=None))
    plane = np.array([[-0.1, 0.1, 2.1, 2.3]], np.float32)
    assert make_mask(file, plane, output="logit").tolist() == [[0, 1, 1, 1]]
    # the sigmoid is 0.9 at log 9 = 2.197
    assert make_mask(file, plane, output="logit", above=0.9).tolist() == [[0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("foreground", "expected"), [(None, [0, 1, 1]), (2, [0, 0, 1]), ([0, 2], [1, 0, 1])]
)
def test_the_class_with_the_highest_score_counts(write, foreground, expected):
    # scores 0, x - 1 and 2 x - 5: the second is highest from 1 on, the third from 4 on
    data = networks.convolution([[[0]], [[1]], [[2]]], bias=[0, -1, -5], last=None)
    plane = np.array([[0, 2, 6]], np.float32)
    found = make_mask(write(data), plane, output="classes", foreground=foreground)
    assert found.tolist() == [expected]


def test_what_is_not_zero_in_a_mask_is_foreground(write):
    nodes = [
        networks.node("Concat", ["x", "x", "x"], "h", axis=1),
        networks.node("Cast", "h", "i", to=networks.INT64),
        networks.node("ReduceMax", "i", "y", axes=[1], keepdims=0),
    ]
    found = make_mask(
        write(through(*nodes, returned="int64")), [[0.0, 3.0, -2.0]], output="mask", halo=0
    )
    assert found.tolist() == [[0, 1, 1]]


def test_a_model_of_integers_is_given_the_pixels(write):
    node = networks.node("Cast", "x", "y", to=networks.FLOAT)
    file = write(through(node, taken="uint8"))
    plane = np.array([[0, 1, 255]], np.uint8)
    assert make_mask(file, plane).tolist() == [[0, 1, 1]]
    with pytest.raises(ValueError, match="model.onnx takes uint8, .* the image is uint16: leave"):
        make_mask(file, plane.astype(np.uint16))
    with pytest.raises(ValueError, match="leave out `scale`"):
        make_mask(file, plane, scale=255)


CHANNELS = {"mean": [0.1, 0.2, 0.3], "std": [0.5, 1, 2], "halo": 2}
"""How three channels are normalised."""


@pytest.fixture
def colors():
    return np.random.default_rng(2).integers(0, 256, (3, 70, 90)).astype(np.uint8)


@pytest.fixture
def kernels():
    """Of three channels, and what they make of colours that are normalised as `CHANNELS` says."""
    kernels = np.random.default_rng(1).normal(size=(3, 5, 5))

    def score(colors):
        return sum(
            ndimage.correlate((own / 255 - mean) / std, kernel, mode="reflect")
            for own, mean, std, kernel in zip(
                colors, CHANNELS["mean"], CHANNELS["std"], kernels, strict=True
            )
        )

    return kernels, score


def of_channels_last(kernels, **settings):
    """The convolution of a network whose axes are images, rows, columns and channels."""
    nodes = [
        networks.node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        networks.node("Conv", "tk", "c", pads=[2, 2, 2, 2]),
        networks.node("Transpose", "c", "y", perm=[0, 2, 3, 1]),
    ]
    constants = [networks.constant("k", kernels[None].astype(np.float32))]
    output = networks.value("y", ("n", "r", "c", 1))
    return networks.network(nodes, [networks.value("x", ("n", "r", "c", 3))], output, constants)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("window", [512, 23])
def test_channels_are_normalized_each_and_have_no_seams(write, colors, kernels, layout, window):
    own, score = kernels
    data = of_channels_last(own) if layout == "NHWC" else networks.convolution(own[None], last=None)
    file = write(data)
    settings = CHANNELS | {"output": "logit", "layout": layout, "window": window}
    own_model.check_channels(DEFAULTS | settings | {"file": file}, 3)
    found, expected = make_mask(file, colors, **settings), score(colors)
    is_clear = np.abs(expected) > 1e-4
    assert is_clear.mean() > 0.999
    assert 0.2 < found.mean() < 0.8
    np.testing.assert_array_equal(found[is_clear], expected[is_clear] > 0)
    whole = own_model.onnx(colors, **DEFAULTS | settings | {"file": file})
    np.testing.assert_array_equal(whole, found)


def test_windows_of_channels_do_not_depend_on_the_region(write, colors, kernels):
    file = write(networks.convolution(kernels[0][None], last=None))
    settings = DEFAULTS | CHANNELS | {"file": file, "output": "logit", "window": 16}
    segmenter = Segmenter("onnx", settings, **REST)
    grid, whole = Grid((1, 70, 90), 32, (1, 96, 96)), Region(0, 1, 0, 70, 0, 90)
    expected = mask_of(colors, whole, whole, grid, settings)
    assert 0.2 < expected.mean() < 0.8
    for inner in (Region(0, 1, 0, 32, 32, 64), Region(0, 1, 32, 64, 0, 90), whole):
        outer = grid.around(inner, segmenter.reach)
        found, _ = segment_region(crop(colors, whole, outer), outer, inner, grid, segmenter)
        np.testing.assert_array_equal(found, crop(expected, whole, inner))


@pytest.mark.parametrize(
    ("shape", "settings", "channels", "message"),
    [
        (
            (1, 3, "r", "c"),
            {},
            1,
            r"takes 3 channels, and its filter gives 1: .* \[red, green, blue",
        ),
        ((1, 1, "r", "c"), {}, 3, "takes 1 channel, and its filter gives 3: let the filter"),
        (("n", 64, 64, 3), {}, 3, "takes 64 channels, and its filter gives 3: give `layout: NHWC`"),
        (("n", "c", "r", "c"), {"layout": "NHWC"}, 3, None),
        (("n", 3, 64, 64), {"layout": "NHWC"}, 3, "takes 64 channels"),
        ((4, 3, "r", "c"), {}, 3, r"shape \(4, 3, any, any\): let it take \(1, channels"),
        (("n", "r", "c"), {}, 3, r"shape \(any, any, any\)"),
        ((1, 3, "r", "c"), {"mean": [0, 1]}, 3, "mean has 2 numbers, and .* gives 3 channels"),
        ((1, 1, "r", "c"), {"std": [1, 1]}, 1, "std has 2 numbers, and .* gives 1 channel: give"),
        ((1, 3, "r", "c"), CHANNELS, 3, None),
    ],
)
def test_channels_are_checked_before_the_model_is_loaded(
    write, monkeypatch, shape, settings, channels, message
):
    monkeypatch.setattr(own_model, "load", None)
    data = networks.convolution(np.zeros((1, 3, 1, 1)), shape=shape)
    settings = DEFAULTS | {"file": write(data)} | settings
    if message is None:
        own_model.check_channels(settings, channels)
        return
    with pytest.raises(ValueError, match=message):
        own_model.check_channels(settings, channels)


def test_what_a_file_takes_is_what_the_runtime_says(write):
    for shape in [(1, 1, "r", 7), ("n", 2**40, 3, -1 % 2**64), (1, 128, 300, 4, "x")]:
        file = write(networks.convolution(IDENTITY, shape=shape))
        expected = tuple(n if isinstance(n, int) and n < 2**63 else None for n in shape)
        assert own_model.inputs_of(file) == [expected]


def test_weights_that_are_named_as_inputs_are_none(write):
    # as older versions of ONNX write them
    inputs = [networks.value("k", (1, 1, 1, 1)), networks.value("x", (1, 1, "r", "c"))]
    kernel = networks.constant("k", np.ones((1, 1, 1, 1), np.float32))
    output = networks.value("y", ("n", 1, "r", "c"))
    data = networks.network([networks.node("Conv", "xk", "y")], inputs, output, [kernel])
    file = write(data)
    own_model.check_channels(DEFAULTS | {"file": file}, 1)
    assert make_mask(file, np.array([[0, 255]], np.uint8)).tolist() == [[0, 1]]


def test_a_model_of_two_images_is_refused(write):
    inputs = [networks.value(name, (1, 1, "r", "c")) for name in "xz"]
    data = networks.network([networks.node("Add", "xz", "y")], inputs, inputs[0])
    with pytest.raises(ValueError, match=r"model.onnx takes 2 arrays: let it take one"):
        own_model.check_channels(DEFAULTS | {"file": write(data)}, 1)


def test_sides_are_multiples(write, plane):
    nodes = [
        networks.node("SpaceToDepth", "x", "h", blocksize=4),
        networks.node("DepthToSpace", "h", "y", blocksize=4),
    ]
    file = write(through(*nodes))
    np.testing.assert_array_equal(make_mask(file, plane, halo=3, multiple=4), plane > 127)
    with pytest.raises(ValueError, match="model.onnx fails on 76 x 95 pixels: give a `multiple`"):
        make_mask(file, plane[:, :-1], halo=3)


def test_a_model_of_one_size(write, plane):
    kernel = np.random.default_rng(1).normal(size=(5, 5))
    file = write(networks.convolution([kernel], shape=(1, 1, 16, 18)))
    found = make_mask(file, plane, window=12, halo=2)
    score = ndimage.correlate(plane / 255, kernel, mode="reflect")
    is_clear = np.abs(score) > 1e-5
    np.testing.assert_array_equal(found[is_clear], score[is_clear] > 0)
    message = "takes 16 x 18 pixels, and windows have 20 x 20 .* add up to 16"
    with pytest.raises(ValueError, match=message):
        make_mask(file, plane, window=16, halo=2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            networks.convolution(IDENTITY, shape=(1, 3, "r", "c")),
            "takes 3 channels, .* gives 1: let",
        ),
        (
            networks.convolution(IDENTITY, shape=(2, 1, "r", "c")),
            r"shape \(2, 1, any, any\): .* an image",
        ),
        (networks.convolution(IDENTITY, is_elsewhere=True), "is no ONNX model .* its weights in"),
        (through(networks.node("Identity", "x", "y"), taken="int64", returned="int64"), "int64"),
        (through(networks.node("Nothing", "x", "y")), r"can be run: .* \(.*Nothing"),
        (through(networks.node("Flatten", "x", "y")), r"returns an array of shape \(1, 4225\)"),
        (networks.convolution([[[1]], [[1]]]), "returns 2 channels, and a probability has one"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(write, data, message):
    with pytest.raises(ValueError, match=f"model.onnx.*{message}"):
        make_mask(write(data), [[1.0]])


def test_classes_that_a_model_does_not_have_are_refused(write):
    file = write(networks.convolution([[[1]], [[1]]]))
    with pytest.raises(ValueError, match="returns 2 channels, a score of each class"):
        make_mask(file, [[1.0]], output="classes", foreground=2)
    with pytest.raises(ValueError, match="returns 1 channel, a score"):
        make_mask(write(networks.convolution(IDENTITY)), [[1.0]], output="classes", foreground=0)


def test_weights_are_not_read_from_another_file(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(np.float32(1).tobytes(), "weights.bin")
    file = write(networks.convolution(IDENTITY, is_elsewhere=True))
    with pytest.raises(ValueError, match="is no ONNX model that can be run"):
        make_mask(file, [[1.0]])


def test_every_damaged_file_is_refused(write):
    data = networks.convolution(IDENTITY)
    own_model.inputs_of(write(data))
    # what comes last says which version of ONNX it is
    end_of_network = len(data) - 6
    for length in range(len(data)):
        file = write(data[:length])
        check = own_model.load if length == end_of_network else own_model.inputs_of
        with pytest.raises(ValueError, match="model.onnx is no ONNX model"):
            check(file)


@pytest.mark.parametrize(
    "data", [b"<html></html>", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"\0" * 99]
)
def test_foreign_files_are_refused(write, data):
    with pytest.raises(ValueError, match="model.onnx is no ONNX model"):
        own_model.inputs_of(write(data))


def test_memory_by_hand(write):
    file = write(bytes(2**20))
    # at full size 448 + 2 * 24 + 16 px a side, in 256 channels of 4 bytes; the weights twice
    settings = {"file": file, "window": 448, "halo": 24, "multiple": 16}
    assert own_model.memory(settings) == 256 * 4 * 512**2 / 2**20 + 2


def test_what_made_a_mask_has_the_checksum(write):
    data = networks.convolution(IDENTITY)
    file = write(data)
    expected = hashlib.sha256(data).hexdigest()[:16]
    assert own_model.note({"file": file}) == f"a mask by {file}, SHA-256 {expected}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"file": 3}, "file is 3"),
        ({"file": "nowhere.onnx"}, "nowhere.onnx cannot be read: No such file"),
        ({"output": "probabilities"}, "output is 'probabilities': choose one of probability, "),
        ({"above": 1}, "above is 1: give a number above 0 and below 1"),
        ({"above": 0.5, "output": "classes"}, "above is for probabilities"),
        ({"above": 0.5, "output": "mask"}, "above is for probabilities"),
        ({"halo": -1}, "halo is -1"),
        ({"window": 0}, "window is 0"),
        ({"multiple": 1.5}, "multiple is 1.5"),
        ({"scale": 0}, "scale is 0"),
        ({"mean": "a"}, "mean is 'a'"),
        ({"std": 0}, "std is 0"),
        ({"mean": []}, r"mean is \[\]: give a number, or a list with one per channel"),
        ({"std": [1, 0]}, "std is 0"),
        ({"layout": "CHW"}, "layout is 'CHW': choose one of NCHW, NHWC"),
        ({"foreground": 1}, "foreground is 1: .* with `output: classes`"),
        ({"foreground": [], "output": "classes"}, r"foreground is \[\]"),
        ({"foreground": -1, "output": "classes"}, "foreground is -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(write, settings, message):
    known = DEFAULTS | {"file": write(networks.convolution(IDENTITY))}
    own_model.check(**known)
    with pytest.raises(ValueError, match=message):
        own_model.check(**known | settings)
