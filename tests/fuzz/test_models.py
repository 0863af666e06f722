"""Damaged files of models: they classify, or are refused by name; nothing in them is run."""

import random
import zipfile

import numpy as np
import pytest
from conftest import numbers, outcome
from mutations import damaged

from tilewise.learn import features, trees
from tilewise.learn.model import Model
from tilewise.learn.network import Settings, Trained, constant

NAMES = ("intensity", "gaussian_1", "gradient_4", "hessian_smallest_6.4")
EACH = 300
WORDS = ("", "uint8", "object", "gaussian_1e9", "gaussian_-1", "red:gaussian_1", "é", "x" * 300)
WHOLE = (0, 1, -1, 255, 2**15, 2**31, 2**62)
NUMBERS = (0.0, -1.0, 1e300, float("nan"), float("inf"))


@pytest.fixture(scope="module")
def plane():
    return np.random.default_rng(0).integers(0, 256, (40, 48)).astype(np.uint8)


@pytest.fixture(scope="module")
def models(plane, tmp_path_factory):
    """The files of a pixel classifier and of a U-Net."""
    folder = tmp_path_factory.mktemp("models")
    scale = features.scale_of(plane.dtype, 0, 255)
    values = features.compute(plane, NAMES, scale).reshape(len(NAMES), -1)
    edges = features.edges_of(values)
    truth = (values[1] > values[1].mean()).astype(np.uint8)
    grown = trees.train(features.quantise(values, edges), truth, trees=10, depth=3)
    Model("uint8", NAMES, scale, edges, grown, 7).save(folder / "trees.npz")
    constant("uint8", Settings(width=4, levels=1), is_foreground=True).save(folder / "unet.npz")
    return folder


def edited(path, dice):
    """The arrays of a file, one of them with another value, shape, dtype or name, or without it."""
    with np.load(path) as file:
        arrays = dict(file)
    name = dice.choice(sorted(arrays))
    array, kind = arrays.pop(name), dice.randrange(5)
    if kind == 0 and array.size:
        choices = {"U": WORDS, "f": NUMBERS}.get(array.dtype.kind, WHOLE)
        flat = array.reshape(-1).astype(f"U{300}") if array.dtype.kind == "U" else array.ravel()
        flat[dice.randrange(flat.size)] = np.array(dice.choice(choices)).astype(flat.dtype)
        arrays[name] = flat.reshape(array.shape)
    elif kind == 1:
        arrays[name] = np.concatenate([array, array]) if array.ndim else array.reshape(1)
    elif kind == 2:
        arrays[name] = array[:0] if array.ndim else np.stack([array] * 2)
    elif kind == 3 and array.dtype.kind != "U":
        arrays[name] = array.astype(dice.choice(["int8", "uint64", "float16", "complex64", "bool"]))
    else:
        arrays[dice.choice(["", "other", *arrays])] = array
    return arrays


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["trees.npz", "unet.npz"])
def test_damaged(models, name, plane, tmp_path):
    def use():
        if name == "unet.npz":
            Trained.load(path)
            return
        model = Model.load(path)
        if model.dtype == "uint8" and not model.channels:
            mask = model.mask(plane, (0, 0), (0, 40, 0, 48))
            assert set(np.unique(mask)) <= {0, 1}

    path = tmp_path / f"damaged-{name}"
    refused = 0
    for number in numbers(2 * EACH):
        dice = random.Random(f"{name} {number}")
        if number % 2:
            np.savez(path, **edited(models / name, dice))
        else:
            path.write_bytes(damaged((models / name).read_bytes(), dice))
        reason = outcome(use, f"damage {number} of {name}")
        if reason is not None:
            assert str(path) in reason
            refused += 1
    assert refused


def test_no_code_is_run(models, tmp_path):
    """An array of objects is a pickle, which may run anything."""
    marker = tmp_path / "ran"

    class Attack:
        def __reduce__(self):
            return marker.touch, ()

    for name, load in (("trees.npz", Model.load), ("unet.npz", Trained.load)):
        with np.load(models / name) as file:
            arrays = dict(file)
        for key in arrays:
            path = tmp_path / f"{key}-{name}"
            np.savez(path, **{**arrays, key: np.array([Attack()], object)})
            assert zipfile.is_zipfile(path)
            with pytest.raises(ValueError, match="npz"):
                load(path)
    assert not marker.exists()
