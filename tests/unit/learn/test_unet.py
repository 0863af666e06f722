"""A small U-Net: no seams, no truth that is not annotated, and a file that runs no code."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: envs/requirements-unet.txt")

from tilewise.learn import unet  # noqa: E402

TINY = unet.Settings(width=4, levels=2, steps=12, batch=2, crop=32, every=4)


@pytest.fixture(scope="module")
def plane():
    random = np.random.default_rng(0)
    truth = np.kron(random.integers(0, 2, (8, 10)), np.ones((12, 12))).astype(np.uint8)
    image = 60 + 90 * truth + random.integers(0, 40, truth.shape)
    return image.astype(np.uint8), truth


@pytest.fixture(scope="module")
def model(plane):
    return unet.train([plane], TINY, 0)


def same(one, other):
    assert one.bound == other.bound
    for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_windows_and_cuts_leave_no_seam(model, plane):
    image, _ = plane
    height, width = image.shape
    whole = model.probability(image, (3, 5), (0, height, 0, width))
    assert np.ptp(whole) > 0.01
    for y in range(0, height, 41):
        for x in range(0, width, 37):
            end, right = min(y + 41, height), min(x + 37, width)
            y0, x0 = max(y - model.reach, 0), max(x - model.reach, 0)
            cut = image[y0 : end + model.reach, x0 : right + model.reach]
            own = (y - y0, end - y0, x - x0, right - x0)
            known = model.probability(cut, (3 + y0, 5 + x0), own)
            np.testing.assert_allclose(known, whole[y:end, x:right], atol=1e-5)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_nothing_beyond_the_reach_matters(levels):
    torch.manual_seed(0)
    network = unet.Network(4, levels).eval()
    for weights in network.parameters():
        # of one sign, no path through the network is closed
        weights.data.abs_()
    side = 2 * 64 + 16
    for at in range(64, 64 + 2**levels):
        image = torch.rand(1, 1, side, side, requires_grad=True)
        network(image)[0, 0, at, at].backward()
        rows = np.flatnonzero(image.grad[0, 0].abs().sum(1).numpy())
        assert 0 < max(at - rows[0], rows[-1] - at) <= unet.reach(levels)


def test_pixels_without_truth_have_no_part_in_the_loss():
    truth = torch.tensor([1, 0, 255, 255], dtype=torch.uint8)
    odds = torch.zeros(4, requires_grad=True)
    loss = unet.loss_of(odds, truth)
    # ln 2, and a Dice of (2 * 0.5 + 1) / (1 + 1 + 1)
    assert loss.item() == pytest.approx(np.log(2) + 1 / 3)
    loss.backward()
    assert odds.grad[2:].tolist() == [0, 0]
    assert (odds.grad[:2] != 0).all()


def test_validation_is_apart_from_training():
    truth = np.zeros((40, 80), np.uint8)
    # blocks are 10 x 20: those of rows 1 and 2, of which the third validates, have foreground
    truth[15, ::4] = truth[25, 10::20] = 1
    truth[:, :5] = unet.UNKNOWN
    image = np.zeros_like(truth)
    ((_, training),), ((_, validation),) = unet.split([(image, truth)], 3)
    blocks = [
        (y, x)
        for y in (10, 20)
        for x in (0, 20, 40, 60)
        if (truth[y : y + 10, x : x + 20] == 1).any()
    ]
    y, x = blocks[2]
    expected = np.full_like(truth, unet.UNKNOWN)
    expected[y : y + 10, x : x + 20] = truth[y : y + 10, x : x + 20]
    np.testing.assert_array_equal(validation, expected)
    expected = truth.copy()
    expected[y - 3 : y + 13, x - 3 : x + 23] = unet.UNKNOWN
    np.testing.assert_array_equal(training, expected)


def test_without_validation_the_bound_is_a_half(plane):
    image, truth = plane
    model = unet.train([(image, np.zeros_like(truth))], TINY, 0)
    assert model.bound == 0.5


def test_a_seed_gives_the_same_model(model, plane):
    same(model, unet.train([plane], TINY, 0))


def test_an_interrupted_training_goes_on(model, plane, tmp_path, monkeypatch):
    path, crops = tmp_path / "c.npz", unet.crops
    calls = []

    def stops(*arguments):
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return crops(*arguments)

    monkeypatch.setattr(unet, "crops", stops)
    with pytest.raises(KeyboardInterrupt):
        unet.train([plane], TINY, 0, path)
    same(model, unet.train([plane], TINY, 0, path))
    # 6 steps before it stopped, and the 8 after the checkpoint at step 4
    assert len(calls) == 7 + 8


def test_the_bound_has_the_highest_f1():
    probability = np.array([0.105, 0.405, 0.605, 0.905], np.float32)
    bound, f1 = unet.best_bound(probability, np.array([0, 1, 0, 1], np.uint8))
    # both foreground pixels and one of background: 2 * 2 / (3 + 2)
    assert 0.105 < bound < 0.405
    assert f1 == pytest.approx(0.8)


def test_a_model_is_read_back(model, plane, tmp_path):
    model.save(tmp_path / "a.npz")
    again = unet.Model.load(tmp_path / "a.npz")
    same(model, again)
    whole = (0, 96, 0, 120)
    np.testing.assert_array_equal(
        model.mask(plane[0], (0, 0), whole), again.mask(plane[0], (0, 0), whole)
    )


def test_a_foreign_or_damaged_file_is_refused(model, tmp_path):
    path = tmp_path / "a.npz"
    model.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"a\.npz is damaged"):
        unet.Model.load(path)
    np.savez(path, format=np.int64(1), settings=np.array([{}], object))
    with pytest.raises(ValueError, match=r"a\.npz is damaged"):
        unet.Model.load(path)
    dataclasses.replace(model, deviation=0.0).save(path)
    with pytest.raises(ValueError, match=r"a\.npz is damaged"):
        unet.Model.load(path)
