"""Files of models: the same bytes, and nothing else than a model is read."""

import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from tilewise.learn import features, trees
from tilewise.learn.model import ARRAYS, Model

NAMES = ("intensity", "gaussian_1", "gradient_4", "hessian_smallest_6.4")


@pytest.fixture(scope="module")
def plane():
    random = np.random.default_rng(0)
    steps = random.integers(0, 256, (14, 18)).astype(np.uint8)
    return np.kron(steps, np.ones((9, 9), np.uint8)) // 2 + random.integers(
        0, 99, (126, 162)
    ).astype(np.uint8)


@pytest.fixture(scope="module")
def model(plane):
    scale = features.scale_of(plane.dtype, 0, 255)
    values = features.compute(plane, NAMES, scale).reshape(len(NAMES), -1)
    edges = features.edges_of(values)
    truth = (values[1] > values[1].mean()).astype(np.uint8)
    grown = trees.train(features.quantise(values, edges), truth, trees=10, depth=3)
    return Model("uint8", NAMES, scale, edges, grown, 7)


@pytest.fixture(scope="module")
def model_of_channels(plane):
    """Of a plane and its inverse, which is half as large a number."""
    names = features.feature_names([1, 4], ["gaussian", "gradient"], ["b", "a"])
    scales = {"b": features.scale_of("float32", 0, 255), "a": features.scale_of("float32", 0, 128)}
    planes = np.stack([plane, (255 - plane) / 2]).astype(np.float32)
    values = features.compute(planes, names, scales).reshape(len(names), -1)
    edges = features.edges_of(values)
    truth = (values[1] > values[1].mean()) & (values[5] < values[5].mean())
    grown = trees.train(features.quantise(values, edges), truth, trees=10, depth=3)
    return planes, Model("float32", tuple(names), scales, edges, grown, 7)


def same(one, other):
    assert (one.dtype, one.names, one.scale, one.bound) == (
        *(other.dtype, other.names, other.scale, other.bound),
    )
    for name in ("features", "codes", "leaves", "unit", "bias"):
        np.testing.assert_array_equal(getattr(one.trees, name), getattr(other.trees, name))
    np.testing.assert_array_equal(one.edges, other.edges)


def test_a_model_is_read_back_and_has_the_same_bytes(model, tmp_path):
    model.save(tmp_path / "a.npz")
    again = Model.load(tmp_path / "a.npz")
    same(model, again)
    again.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_mask_is_where_scores_reach_the_bound(model, plane):
    whole = (0, plane.shape[0], 0, plane.shape[1])
    codes = features.compute_codes(plane, NAMES, model.scale, model.edges)
    expected = (trees.score(codes, model.trees) >= 7).astype(np.uint8)
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(model.mask(plane, (0, 0), whole), expected)


@pytest.mark.parametrize("window", [(8, 8), (33, 50)])
def test_windows_change_nothing(model, plane, window, monkeypatch):
    whole = (0, plane.shape[0], 0, plane.shape[1])
    expected = model.mask(plane, (0, 0), whole)
    monkeypatch.setattr("tilewise.learn.model.PIECE", window)
    np.testing.assert_array_equal(model.mask(plane, (0, 0), whole), expected)


def test_a_part_of_a_plane_has_the_same_mask(model, plane):
    whole = model.mask(plane, (0, 0), (0, plane.shape[0], 0, plane.shape[1]))
    y, x, reach = 61, 77, model.reach
    top, left = max(y - reach, 0), max(x - reach, 0)
    part = np.ascontiguousarray(plane[top : y + 9 + reach, left : x + 5 + reach])
    found = model.mask(part, (top, left), (y - top, y - top + 9, x - left, x - left + 5))
    np.testing.assert_array_equal(found, whole[y : y + 9, x : x + 5])


def test_pixels_of_another_kind_are_refused(model, plane):
    with pytest.raises(ValueError, match=r"uint8 images cannot classify uint16"):
        model.mask(plane.astype(np.uint16), (0, 0), (0, 9, 0, 9))


def test_channels_have_the_features_of_each(model_of_channels, tmp_path):
    planes, model = model_of_channels
    each = [
        features.compute(own, features.feature_names([1, 4], ["gaussian", "gradient"]), scale)
        for own, scale in zip(planes, model.scale.values(), strict=True)
    ]
    found = features.compute(planes, model.names, model.scale)
    np.testing.assert_array_equal(found, np.concatenate(each))
    model = replace(model, pixel_sizes=((None, 0.5, 0.25), (2.0, 1.0, 1.0)))
    model.save(tmp_path / "a.npz")
    again = Model.load(tmp_path / "a.npz")
    same(model, again)
    assert again.channels == ("b", "a")
    assert again.pixel_sizes == model.pixel_sizes
    # and are cut into regions as a plane is
    whole = model.mask(planes, (0, 0), (0, planes.shape[1], 0, planes.shape[2]))
    assert 0 < whole.mean() < 1
    found = again.mask(planes[:, 8:, 16:], (8, 16), (70, 90, 80, 110))
    np.testing.assert_array_equal(found, whole[78:98, 96:126])


def test_other_channels_are_refused(model, model_of_channels, plane):
    planes, of_two = model_of_channels
    with pytest.raises(ValueError, match="cannot classify 1"):
        of_two.mask(planes[:1], (0, 0), (0, 9, 0, 9))
    with pytest.raises(ValueError, match="cannot classify 2"):
        model.mask(planes.astype(np.uint8), (0, 0), (0, 9, 0, 9))


def test_damage_is_refused(model, tmp_path):
    path = tmp_path / "a.npz"
    model.save(path)
    known = path.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for end in random.integers(0, len(known), 20):
        path.write_bytes(known[:end])
        with pytest.raises(ValueError, match=r"a\.npz is damaged"):
            Model.load(path)
    for place in random.integers(0, len(known), 200):
        damaged = bytearray(known)
        damaged[place] ^= 1 << random.integers(0, 8)
        path.write_bytes(damaged)
        try:
            # names of members and times may change without harm
            same(model, Model.load(path))
        except ValueError as error:
            refused += 1
            assert "a.npz" in str(error)  # noqa: PT017
    assert refused > 100


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, other=np.zeros(3))
    with pytest.raises(ValueError, match="no model of a pixel classifier"):
        Model.load(path)
    with pytest.raises(ValueError, match="cannot be read"):
        Model.load(tmp_path / "none.npz")


class Evil:
    ran = False

    def __reduce__(self):
        return setattr, (Evil, "ran", True)


def test_nothing_is_run(model, tmp_path):
    path = tmp_path / "a.npz"
    model.save(path)
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    np.save(tmp_path / "evil.npy", np.array([Evil()], object), allow_pickle=True)
    for name in ARRAYS:
        for evil in ((tmp_path / "evil.npy").read_bytes(), pickle.dumps(Evil())):
            with zipfile.ZipFile(path, "w") as file:
                for own, content in {**members, f"{name}.npy": evil}.items():
                    file.writestr(own, content)
            with pytest.raises(ValueError, match="damaged, or no model"):
                Model.load(path)
    assert not Evil.ran


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": np.int64(2)}, "another version"),
        ({"edges": np.zeros((3, 2))}, "do not fit"),
        ({"leaves": np.zeros((10, 4), np.int16)}, "do not fit"),
        ({"codes": np.zeros((10, 3), np.int8)}, "other kinds"),
        ({"bound": np.float64(1)}, "other kinds"),
        ({"features": np.zeros((10, 3), np.uint64)}, "other kinds"),
        ({"features": np.full((10, 3), 4, np.uint16)}, "features that it has not"),
        ({"leaves": np.full((10, 8), 9999, np.int16)}, "too large"),
        ({"leaves": np.full((10, 8), -32768, np.int16)}, "too large"),
        ({"edges": np.full((4, 2), np.nan)}, "not finite"),
        ({"scale": np.array([[0.0, 0.0]])}, "not above 0"),
        ({"channels": np.array(["a", "b"])}, "do not fit"),
        ({"channels": np.array(["a"])}, "channels that it has not"),
        ({"pixel_sizes": np.zeros((1, 2))}, "do not fit"),
        ({"names": np.array(["intensity", "gaussian_1", "what_4", "gradient_1"])}, "no feature"),
    ],
)
def test_arrays_that_make_no_sense_are_refused(model, tmp_path, changed, message):
    model.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as known:
        arrays = dict(known) | changed
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(ValueError, match=f"b.npz is no model that can be used: .*{message}"):
        Model.load(tmp_path / "b.npz")
