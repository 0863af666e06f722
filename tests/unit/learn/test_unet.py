"""A small U-Net: no seams, no truth that is not annotated, and the same again from a seed."""

import dataclasses
import math

import numpy as np
import pytest
from skimage.morphology import skeletonize

torch = pytest.importorskip("torch", reason="PyTorch is not installed: envs/requirements-unet.txt")

from tilewise.labels import NOT_ANNOTATED  # noqa: E402
from tilewise.learn import network, unet, unet_training, windows  # noqa: E402
from tilewise.learn.network import Settings  # noqa: E402
from tilewise.learn.training import merit_of  # noqa: E402
from tilewise.learn.unet import Model  # noqa: E402
from tilewise.learn.windows import Plane  # noqa: E402

TINY = Settings(networks=2, width=4, levels=2, steps=12, batch=2, crop=32)
MERIT = merit_of("f1")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Validations after each four steps."""
    monkeypatch.setattr(unet_training, "EVERY", 4)


@pytest.fixture(scope="module")
def whole():
    random = np.random.default_rng(0)
    truth = np.kron(random.integers(0, 2, (8, 10)), np.ones((12, 12))).astype(np.uint8)
    image = (60 + 90 * truth + random.integers(0, 40, truth.shape)).astype(np.uint8)
    return Plane(image, truth, np.full_like(truth, NOT_ANNOTATED))


@pytest.fixture(scope="module")
def plane(whole):
    return windows.split(whole, 2)


def train(whole, settings=TINY, checkpoint=None, names=()):
    parts = [[windows.split(whole, 2, i, settings.networks)] for i in range(settings.networks)]
    return unet_training.train(parts, settings, "uint8", MERIT, checkpoint, names)


@pytest.fixture(scope="module")
def trained(whole):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unet_training, "EVERY", 4)
        return train(whole)


@pytest.fixture(scope="module")
def colors(whole):
    """A plane of two channels: foreground is where the second is higher than the first."""
    random = np.random.default_rng(1)
    light = random.integers(40, 160, (len(whole.training), 1)).astype(np.int64)
    known = np.stack([light - 20 * whole.training, light + 20 * whole.training])
    noise = random.integers(0, 5, known.shape)
    pixels = np.clip(known + noise, 0, 255).astype(np.uint8)
    return dataclasses.replace(whole, pixels=pixels)


@pytest.fixture(scope="module")
def trained_on_colors(colors):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unet_training, "EVERY", 4)
        return train(colors, names=["red", "green"])


def same(one, other):
    assert one.bound == other.bound
    for layers, known in zip(one.networks, other.networks, strict=True):
        for a, b in zip(layers, known, strict=True):
            np.testing.assert_array_equal(a[0], b[0])
            np.testing.assert_array_equal(a[1], b[1])


@pytest.mark.parametrize("window", [(512, 1024), (20, 30)])
@pytest.mark.parametrize("kind", ["plane", "colors"])
def test_windows_and_cuts_leave_no_seam(request, monkeypatch, window, kind):
    image = request.getfixturevalue(kind).pixels
    of_kind = {"plane": "trained", "colors": "trained_on_colors"}
    model = Model.of(request.getfixturevalue(of_kind[kind]))
    height, width = image.shape[-2:]
    whole = model.odds(image, (3, 5), (0, height, 0, width))
    assert np.ptp(whole) > 0.01
    monkeypatch.setattr("tilewise.learn.unet.PIECE", window)
    for y in range(0, height, 41):
        for x in range(0, width, 37):
            end, right = min(y + 41, height), min(x + 37, width)
            y0, x0 = max(y - model.reach, 0), max(x - model.reach, 0)
            cut = image[..., y0 : end + model.reach, x0 : right + model.reach]
            own = (y - y0, end - y0, x - x0, right - x0)
            known = model.odds(cut, (3 + y0, 5 + x0), own)
            np.testing.assert_allclose(known, whole[y:end, x:right], atol=1e-5)


def test_training_and_masks_see_the_same_pixels(trained, plane):
    own = dataclasses.replace(TINY, intensity=0, noise=0, rotation=0, elastic=0)
    images, _ = unet_training.Crops([plane], own).batch(0, trained.means, trained.deviations)
    levels = (plane.pixels - trained.means[0]) / trained.deviations[0]
    # the inverse of the hyperbolic sine
    seen = np.log(levels + np.sqrt(levels**2 + 1))
    distance = np.abs(np.unique(images)[:, None] - np.unique(seen))
    assert distance.min(axis=1).max() < 1e-5
    tensor = torch.from_numpy(seen.astype(np.float32))[None, None]
    odds = [
        unet.apply(tensor, 2, [tuple(map(torch.from_numpy, layer)) for layer in layers])[0, 0]
        for layers in trained.networks
    ]
    height, width = plane.pixels.shape
    found = Model.of(trained).odds(plane.pixels, (0, 0), (0, height, 0, width))
    # the plane's edges are mirrored, not 0
    reach = network.reach(2)
    inner = np.s_[reach:-reach, reach:-reach]
    expected = (odds[0] + odds[1]).numpy()[inner] / 2
    np.testing.assert_allclose(found[inner], expected, atol=1e-5)


def test_log_odds_are_the_mean_of_all_networks(trained, plane):
    window, image = (0, 30, 0, 40), plane.pixels
    single = [
        Model.of(dataclasses.replace(trained, networks=(layers,))).odds(image, (0, 0), window)
        for layers in trained.networks
    ]
    assert np.ptp(single[0] - single[1]) > 0.01
    found = Model.of(trained).odds(image, (0, 0), window)
    np.testing.assert_allclose(found, (single[0] + single[1]) / 2, atol=1e-5)


def test_probabilities_are_those_of_the_odds(trained, plane):
    model, window = Model.of(trained), (3, 40, 5, 70)
    probability = np.zeros((37, 65), np.uint8)
    mask = model.mask(plane.pixels, (0, 0), window, probability)
    expected = 255 / (1 + np.exp(-model.odds(plane.pixels, (0, 0), window).astype(np.float64)))
    assert np.abs(probability - expected).max() <= 0.501
    np.testing.assert_array_equal(mask, model.mask(plane.pixels, (0, 0), window))


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_nothing_beyond_the_reach_matters(levels):
    torch.manual_seed(0)
    net = unet_training.Network(4, levels).eval()
    for weights in net.parameters():
        # of one sign, no path through the network is closed
        weights.data.abs_()
    side = 2 * 64 + 16
    for at in range(64, 64 + 2**levels):
        image = torch.rand(1, 1, side, side, requires_grad=True)
        net(image)[0, 0, at, at].backward()
        rows = np.flatnonzero(image.grad[0, 0].abs().sum(1).numpy())
        assert 0 < max(at - rows[0], rows[-1] - at) <= network.reach(levels)


@pytest.mark.parametrize(("width", "levels"), [(4, 1), (5, 3)])
def test_weights_are_as_many_as_is_said(width, levels):
    net = unet_training.Network(width, levels)
    found = sum(weights.numel() for weights in net.parameters())
    assert found == network.number_of_weights(width, levels)


def test_normalisation_is_part_of_the_convolutions():
    torch.manual_seed(0)
    net = unet_training.Network(3, 2)
    for _ in range(3):
        net(torch.randn(2, 1, 16, 16))
    net.eval()
    image = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    with torch.no_grad():
        expected = net(torch.from_numpy(image)[None, None])[0, 0].numpy()
    layers = net.folded()
    assert [own.shape[1::-1] for own, _ in layers] == network.channels(3, 2)
    tensors = [tuple(map(torch.from_numpy, layer)) for layer in layers]
    found = unet.apply(torch.from_numpy(image)[None, None], 2, tensors)[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_pixels_without_truth_have_no_part_in_the_loss():
    truth = torch.tensor([1, 0, 255, 255], dtype=torch.uint8)
    odds = torch.zeros(4, requires_grad=True)
    loss = unet_training.loss_of(odds, truth)
    # ln 2, and a Dice of (2 * 0.5 + 1) / (1 + 1 + 1)
    assert loss.item() == pytest.approx(np.log(2) + 1 / 3)
    loss.backward()
    assert odds.grad[2:].tolist() == [0, 0]
    assert (odds.grad[:2] != 0).all()


def test_a_soft_skeleton_runs_along_that_of_scikit_image():
    image = np.zeros((40, 60), np.float32)
    image[10:17, 5:55] = image[17:35, 28:33] = 1
    found = unet_training.soft_skeleton(torch.tensor(image)[None, None])[0, 0].numpy()
    assert set(np.unique(found)) <= {0, 1}
    assert (found <= image).all()
    expected = skeletonize(image > 0)
    # away from the ends, where the soft one has spurs to the corners, and from the junction
    for part in (np.s_[:, 12:24], np.s_[:, 37:48], np.s_[21:30, 20:40]):
        np.testing.assert_array_equal(found[part], expected[part])


def test_centrelines_that_agree_have_a_dice_of_1():
    truth = torch.zeros(1, 1, 30, 40)
    truth[..., 12:17, :] = 1
    thin = torch.zeros_like(truth)
    thin[..., 14, :] = 1
    known = torch.ones_like(truth)
    assert unet_training.soft_cldice(truth, truth > 0, known).item() == 1
    # whose line is thinner, not elsewhere
    assert unet_training.soft_cldice(thin, truth > 0, known).item() == 1
    moved = torch.roll(truth, 10, 2)
    # the 1 that is added to each of 40 px
    assert unet_training.soft_cldice(moved, truth > 0, known).item() == pytest.approx(1 / 41)
    assert unet_training.soft_cldice(moved, truth > 0, 0 * known).item() == 1


def test_the_rate_rises_and_falls():
    settings = Settings(steps=100, rate=0.5)
    rates = [unet_training.rate_at(step, settings) for step in range(101)]
    assert rates[0] == pytest.approx(0.5 / 25)
    assert rates[30] == max(rates) == 0.5
    assert rates[100] == pytest.approx(0)
    assert (np.diff(rates[:31]) > 0).all()
    assert (np.diff(rates[30:]) < 0).all()


def test_weights_move_as_by_pytorch():
    torch.manual_seed(0)
    one, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    other.load_state_dict(one.state_dict())
    own, reference = (
        unet_training.Optimiser(one.parameters()),
        torch.optim.AdamW(other.parameters()),
    )
    for step in range(5):
        given = torch.randn(4, 3)
        for net in (one, other):
            net.zero_grad()
            net(given).square().sum().backward()
        reference.param_groups[0]["lr"] = 0.1 / (step + 1)
        own.move(0.1 / (step + 1))
        reference.step()
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_crops_have_the_truth_of_their_pixels():
    """Of an image that is its truth, whatever is done to a crop is done to both."""
    random = np.random.default_rng(1)
    truth = np.kron(random.integers(0, 2, (6, 6)), np.ones((13, 13))).astype(np.uint8)
    plane = Plane(truth * 200, truth, np.full_like(truth, NOT_ANNOTATED))
    settings = Settings(crop=64, batch=8, noise=0)
    images, truths = unet_training.Crops([plane], settings).batch(3, [0], [200])
    assert images.shape == truths.shape == (8, 1, 64, 64)
    for image, own in zip(images[:, 0], truths[:, 0], strict=True):
        # brightness and contrast differ from crop to crop
        assert np.corrcoef(image.ravel(), own.ravel())[0, 1] > 0.97
        assert set(np.unique(own)) == {0, 1}
    unchanged = dataclasses.replace(settings, rotation=0, elastic=0)
    images, truths = unet_training.Crops([plane], unchanged).batch(3, [0], [200])
    for image, own in zip(images[:, 0], truths[:, 0], strict=True):
        assert np.corrcoef(image.ravel(), own.ravel())[0, 1] == pytest.approx(1)
        rows = [truth[y : y + 64, x : x + 64] for y in range(15) for x in range(15)]
        turned = [np.rot90(own, k)[:, ::flip] for k in range(4) for flip in (1, -1)]
        assert any(np.array_equal(a, b) for a in turned for b in rows)


def test_crops_of_channels_are_changed_alike():
    truth = np.zeros((90, 90), np.uint8)
    truth[40:50] = 1
    pixels = np.random.default_rng(0).integers(0, 255, (2, 90, 90)).astype(np.uint8)
    pixels[1] = pixels[0] // 2
    plane = Plane(pixels, truth, np.full_like(truth, NOT_ANNOTATED))
    settings = Settings(crop=32, batch=4, noise=0)
    images, truths = unet_training.Crops([plane], settings).batch(0, [0, 0], [200, 100])
    assert (images.shape, truths.shape) == ((4, 2, 32, 32), (4, 1, 32, 32))
    np.testing.assert_allclose(images[:, 0], images[:, 1], atol=0.012)


def test_half_of_the_crops_are_of_foreground():
    truth = np.zeros((300, 300), np.uint8)
    truth[150, 150] = 1
    plane = Plane(truth, truth, np.full_like(truth, NOT_ANNOTATED))
    settings = Settings(crop=16, batch=20, rotation=0, elastic=0)
    _, truths = unet_training.Crops([plane], settings).batch(0, [0], [1])
    assert truths[1::2].any(axis=(1, 2, 3)).all()
    assert not truths[::2].any(axis=(1, 2, 3)).all()


def test_the_bound_has_the_highest_merit():
    odds = np.log([0.105 / 0.895, 0.405 / 0.595, 0.605 / 0.395, 0.905 / 0.095]).astype(np.float32)
    bound, f1 = unet_training.best_bound(odds, np.array([0, 1, 0, 1], np.uint8), MERIT)
    # both foreground pixels and one of background: 2 * 2 / (3 + 2)
    assert 0.105 < 1 / (1 + math.exp(-bound)) < 0.405
    assert f1 == pytest.approx(0.8)
    # of those that are alike, the nearest to a half
    bound, f1 = unet_training.best_bound(odds, np.array([0, 0, 1, 1], np.uint8), MERIT)
    assert (round(bound, 9), f1) == (0, 1)
    bound, f1 = unet_training.best_bound(odds, np.zeros(4, np.uint8), MERIT)
    assert (bound, math.isnan(f1)) == (0, True)


def test_what_it_learns_holds_for_what_validates(whole, plane):
    settings = dataclasses.replace(TINY, networks=1, steps=100, crop=64)
    model = Model.of(train(whole, settings))
    height, width = plane.pixels.shape
    mask = model.mask(plane.pixels, (0, 0), (0, height, 0, width))
    known = plane.validation != NOT_ANNOTATED
    assert (mask == plane.validation)[known].mean() > 0.95


def test_it_learns_from_channels(colors):
    trained = train(colors, dataclasses.replace(TINY, networks=1, steps=100, crop=64))
    height, width = colors.training.shape
    mask = Model.of(trained).mask(colors.pixels, (0, 0), (0, height, 0, width))
    validation = windows.split(colors, 2, 0, 1).validation
    known = validation != NOT_ANNOTATED
    assert (mask == validation)[known].mean() > 0.95
    # each channel has its own
    np.testing.assert_allclose(trained.means, colors.pixels.mean(axis=(1, 2)))
    np.testing.assert_allclose(trained.deviations, colors.pixels.std(axis=(1, 2)))


def test_a_model_of_other_channels_is_refused(trained, trained_on_colors, colors, plane):
    for model, pixels in ((trained, colors.pixels), (trained_on_colors, plane.pixels)):
        with pytest.raises(ValueError, match="channels cannot classify"):
            Model.of(model).odds(pixels, (0, 0), (0, 9, 0, 9))


def test_a_network_of_channels_is_read_back(trained_on_colors, tmp_path):
    trained_on_colors.save(tmp_path / "a.npz")
    again = network.Trained.load(tmp_path / "a.npz")
    assert again.channels == ("red", "green")
    same(again, trained_on_colors)


@pytest.mark.parametrize("kind", [0, 1])
def test_truth_of_one_class_gives_that_class(plane, kind):
    own = Plane(plane.pixels, *(np.full_like(plane.training, v) for v in (kind, NOT_ANNOTATED)))
    model = Model.of(train(own))
    assert (model.mask(plane.pixels, (0, 0), (0, 20, 0, 30)) == kind).all()
    nothing = unet_training.train([[], []], TINY, "uint8", MERIT)
    assert not Model.of(nothing).mask(plane.pixels, (0, 0), (0, 20, 0, 30)).any()


def test_a_class_that_validates_alone_is_trained_on(whole):
    """Of two networks one has the only foreground in what validates it."""
    truth = np.zeros_like(whole.training)
    truth[10:20, 10:20] = 1
    none = np.full_like(truth, NOT_ANNOTATED)
    where = np.zeros(truth.shape, bool)
    where[:40, :40] = True
    held = Plane(whole.pixels, np.where(where, none, truth), np.where(where, truth, none))
    kept = Plane(whole.pixels, np.where(where, truth, none), np.where(where, none, truth))
    found = unet_training.train([[held], [kept]], TINY, "uint8", MERIT)
    joined = unet_training.train([[Plane(whole.pixels, truth, none)], [kept]], TINY, "uint8", MERIT)
    same(found, joined)
    assert np.ptp(found.networks[0][-1][0]) > 0


def test_a_seed_gives_the_same_networks(trained, whole):
    same(trained, train(whole))


def test_no_network_of_a_seed_is_that_of_another(plane):
    found = set()
    for seed in (0, 1):
        settings = dataclasses.replace(TINY, steps=4, seed=seed)
        known = unet_training.train([[plane], [plane]], settings, "uint8", MERIT)
        found |= {layers[0][0].tobytes() for layers in known.networks}
    assert len(found) == 4


def test_the_bound_is_that_of_what_validates_each_network(trained, whole):
    odds, truths = [], []
    for number, layers in enumerate(trained.networks):
        part = windows.split(whole, 2, number, 2)
        known = part.validation != NOT_ANNOTATED
        one = Model.of(dataclasses.replace(trained, networks=(layers,)))
        height, width = known.shape
        odds.append(one.odds(part.pixels, (0, 0), (0, height, 0, width))[known])
        truths.append(part.validation[known])
    bound, _ = unet_training.best_bound(np.concatenate(odds), np.concatenate(truths), MERIT)
    assert trained.bound == bound


def test_centrelines_may_count(trained, whole):
    other = train(whole, dataclasses.replace(TINY, cldice=1.0))
    assert not np.array_equal(other.networks[0][0][0], trained.networks[0][0][0])


@pytest.mark.parametrize(("stop", "again"), [(7, 8 + 12), (18, 8)])
def test_an_interrupted_training_goes_on(trained, whole, tmp_path, monkeypatch, stop, again):
    path, batch = tmp_path / "c.npz", unet_training.Crops.batch
    calls = []

    def stops(*arguments):
        calls.append(1)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return batch(*arguments)

    monkeypatch.setattr(unet_training.Crops, "batch", stops)
    with pytest.raises(KeyboardInterrupt):
        train(whole, checkpoint=path)
    same(trained, train(whole, checkpoint=path))
    # at step 6 of a network of 12 it stopped; those after the checkpoint at step 4 come again
    assert len(calls) == stop + again
    assert sorted(tmp_path.iterdir()) == unet_training.checkpoints(path, TINY)


@pytest.mark.parametrize("what", ["settings", "pixels", "damage"])
def test_a_checkpoint_of_something_else_is_not_gone_on_from(whole, tmp_path, what):
    path = tmp_path / "c.npz"
    train(whole, checkpoint=path)
    settings, own = TINY, whole
    if what == "settings":
        settings = dataclasses.replace(TINY, noise=0.2)
    elif what == "pixels":
        own = dataclasses.replace(whole, pixels=whole.pixels + np.uint8(1))
    else:
        for each in unet_training.checkpoints(path, TINY):
            each.write_bytes(each.read_bytes()[:1000])
    same(train(own, settings), train(own, settings, path))


def test_training_ends_early_without_a_better_validation(whole, monkeypatch):
    steps = []
    monkeypatch.setattr(unet_training, "best_bound", lambda *_: (0.0, 0.5))
    real = unet_training.Crops.batch
    monkeypatch.setattr(
        unet_training.Crops,
        "batch",
        lambda self, step, *a: steps.append(step) or real(self, step, *a),
    )
    train(whole, dataclasses.replace(TINY, networks=1, steps=40, patience=2))
    # the first validation is the best, and two more are waited for; but not before the rate has
    # come down to a half: it rises for 12 steps, and falls for 28
    assert len(steps) == 12 + 14


def test_images_of_another_kind_are_refused(trained, plane):
    with pytest.raises(ValueError, match="a model of uint8 images cannot classify uint16 ones"):
        Model.of(trained).mask(plane.pixels.astype(np.uint16), (0, 0), (0, 9, 0, 9))
