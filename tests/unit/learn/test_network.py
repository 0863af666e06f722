"""What a U-Net is made of, and its file, which runs no code; without PyTorch."""

import dataclasses

import numpy as np
import pytest

from tilewise.learn import network
from tilewise.learn.network import Settings, Trained

SETTINGS = Settings(networks=2, width=2, levels=1)


@pytest.fixture
def trained():
    known = network.constant("uint8", SETTINGS, is_foreground=True)
    random = np.random.default_rng(0)
    networks = tuple(
        tuple(
            tuple(random.normal(size=own.shape).astype(np.float32) for own in layer)
            for layer in layers
        )
        for layers in known.networks
    )
    return dataclasses.replace(
        known,
        means=(90.5,),
        deviations=(30.25,),
        bound=-0.5,
        networks=networks,
        pixel_sizes=((None, 0.5, 0.7),),
    )


def test_convolutions_of_one_level():
    # two at full resolution, two of half of it, two of both together, and the last
    assert network.channels(2, 1) == [(1, 2), (2, 2), (2, 4), (4, 4), (6, 2), (2, 2), (2, 1)]
    # 9 of each pair of channels, 2 of each channel that is normalised, the last with its constant
    pairs = 9 * (2 + 4 + 8 + 16 + 12 + 4)
    assert network.number_of_weights(2, 1) == pairs + 2 * (2 + 2 + 4 + 4 + 2 + 2) + 2 + 1


def test_channels_that_are_taken_go_into_the_first_convolution():
    assert network.channels(2, 1, 3) == [(3, 2), *network.channels(2, 1)[1:]]
    assert network.number_of_weights(2, 1, 3) == network.number_of_weights(2, 1) + 9 * 2 * 2
    known = network.constant("uint8", SETTINGS, ["a", "b", "c"], is_foreground=True)
    assert known.networks[0][0][0].shape == (2, 3, 3, 3)
    assert known.channels == ("a", "b", "c")


def test_a_network_is_read_back(trained, tmp_path):
    trained.save(tmp_path / "a.npz")
    again = Trained.load(tmp_path / "a.npz")
    for field in dataclasses.fields(Trained):
        if field.name != "networks":
            assert getattr(again, field.name) == getattr(trained, field.name)
    assert len(again.networks) == 2
    for one, other in zip(trained.networks, again.networks, strict=True):
        for layer, known in zip(one, other, strict=True):
            for a, b in zip(layer, known, strict=True):
                np.testing.assert_array_equal(a, b)
    again.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_damaged_file_is_refused(trained, tmp_path):
    path = tmp_path / "a.npz"
    trained.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"a\.npz is damaged"):
        Trained.load(path)
    with pytest.raises(ValueError, match=r"none\.npz cannot be read"):
        Trained.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "changed",
    [
        {"deviations": (0.0,)},
        {"means": (90.5, 90.5)},
        {"channels": ("red", "green")},
        {"bound": np.nan},
        {"settings": Settings(width=3, levels=1)},
        {"settings": Settings(width=2, levels=9)},
        {"settings": Settings(networks=3, width=2, levels=1)},
        {"settings": Settings(networks=0, width=2, levels=1)},
        {"networks": (((np.zeros((2, 1, 3, 3)), np.zeros(2)),),) * 2},
    ],
)
def test_what_cannot_be_applied_is_refused(trained, tmp_path, changed):
    dataclasses.replace(trained, **changed).save(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"a\.npz is damaged, or no U-Net"):
        Trained.load(tmp_path / "a.npz")


def test_nothing_in_a_file_is_run(tmp_path):
    line = np.zeros(3)
    for settings in (np.array([{}], object), np.str_("[]"), np.str_("no JSON")):
        np.savez(tmp_path / "a.npz", format=1, settings=settings, dtype="uint8", line=line)
        with pytest.raises(ValueError, match=r"a\.npz is damaged, or no U-Net"):
            Trained.load(tmp_path / "a.npz")
