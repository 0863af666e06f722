"""Settings of a U-Net, without PyTorch."""

import pytest

from tilewise.learn import network
from tilewise.learn.network import Settings
from tilewise.plan.methods import check_threshold, parse_threshold
from tilewise.segment import steps, unet


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"networks": 0}, "networks is 0: give a whole number of at least 1"),
        ({"networks": 65}, "networks is 65: give up to 64"),
        ({"width": 0}, "width is 0: give a whole number of at least 1"),
        ({"width": 999}, "width is 999: give up to 256"),
        ({"levels": 7}, "levels is 7: give up to 6"),
        ({"steps": 1.5}, r"steps is 1\.5: give a whole number"),
        ({"folds": 1}, "folds is 1: give a whole number of at least 2"),
        ({"seed": -1}, "seed is -1"),
        ({"crop": 100}, "crop is 100: give a multiple of 8"),
        ({"rate": 0}, "rate is 0: give a number above 0"),
        ({"noise": -1}, "noise is -1: give a number of at least 0"),
        ({"cldice": "yes"}, "cldice is 'yes': give a number"),
        ({"nested": True, "folds": 2}, "nested needs 3 folds or more"),
        ({"keep_probability": 1}, "keep_probability is 1: give true or false"),
        ({"model": 3}, "model is 3: give the path of a model"),
        ({"model": "none.npz"}, r"none\.npz cannot be read"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(changed, message):
    with pytest.raises(ValueError, match=f"threshold method unet: .*{message}"):
        check_threshold("unet", changed)


def test_settings_at_their_limits_can_be_used():
    for changed in ({"rate": 1}, {"nested": True, "folds": 3}, {"networks": 64}, {"levels": 6}):
        check_threshold("unet", changed)
    check_threshold("pixel_classifier", {"keep": 1})
    check_threshold("pixel_classifier", {"nested": True})
    check_threshold("pixel_classifier", {"folds": 2})


def test_defaults_are_those_of_the_network():
    name, settings = parse_threshold("unet")
    check_threshold(name, settings)
    assert unet.settings_of(settings) == Settings()
    assert {*steps.settings_of(unet.unet)} == {
        *vars(Settings()),
        *("folds", "nested", "keep_probability", "model"),
    }


def test_a_given_model_has_its_own_settings(tmp_path):
    path = str(tmp_path / "a.npz")
    own = Settings(networks=2, width=3, levels=2)
    network.constant("uint8", own, is_foreground=True).save(path)
    _, settings = parse_threshold({"unet": {"model": path}})
    assert unet.reach(settings) == network.reach(2)
    assert unet.parameters(settings) == 2 * network.number_of_weights(3, 2)


def test_without_a_model_there_is_nothing_to_apply():
    with pytest.raises(ValueError, match="give its `model`"):
        unet.unet(None)
