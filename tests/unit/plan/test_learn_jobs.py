"""Jobs of methods that learn: what is drawn, and which models are trained and applied."""

import numpy as np
import pytest
from PIL import Image
from studies import make_study, write_sample

from tilewise.learn import features, network, trees
from tilewise.learn.drawn import LEAST
from tilewise.learn.model import Model
from tilewise.plan import decide, doubts, learn, metadata, resources, segment, targets
from tilewise.plan.study import Choice

GRID = {"threshold": "pixel_classifier", "grid": {"depth": [2, 3], "pixels": [900, 90]}}
METHODS = {"learned": {"threshold": "pixel_classifier"}, "tried": GRID}


@pytest.fixture
def of_settings(tmp_path):
    """A study of an annotated sample and one without truth, by settings."""
    rows = [write_sample(tmp_path, "s", truth=[0]), write_sample(tmp_path, "t")]
    return lambda **settings: make_study(tmp_path, *rows, **{"methods": METHODS} | settings)


def test_pixels_are_spread_over_annotated_tiles(of_settings):
    study = of_settings()
    _, rows, columns = study.grids["s"].shape
    height, width = study.grids["s"].sides
    tiles = -(-rows // height) * -(-columns // width)
    assert tiles > 1
    block = study.annotated_blocks("s")[0]
    assert learn.draw(study, "s", "learned", "0", block).number == -(-100_000 // tiles)
    # 90 in all are too few of a tile
    assert learn.draw(study, "s", "tried", "1", block).number == max(-(-90 // tiles), LEAST)


def test_sets_of_parameters_share_what_is_drawn_alike(of_settings):
    study = of_settings()
    names = [one.name for one in study.methods["tried"].variants]
    assert names[1:3] == ["depth=2,pixels=90", "depth=3,pixels=900"]
    drawn = [learn.train(study, "tried", str(i), "all").drawn for i in range(4)]
    assert [path[0].split("/drawn/")[1][0] for path in drawn] == ["0", "1", "0", "1"]


def test_what_is_tried_has_models_without_some_tiles(of_settings):
    study = of_settings(decision={"folds": 3})
    block = study.annotated_blocks("s")[0]
    models = segment.threshold(study, "s", "learned", block, Choice("learned")).models
    assert [name for _, name in models.names] == ["all", "0", "1", "2"]
    assert models.assigned == ["results/models/learned/0/places.tsv"]
    applied = segment.threshold(study, "s", "segmentation", block, Choice("learned")).models
    assert (applied.files, applied.assigned) == (["results/models/learned/0/all.npz"], [])
    chosen = Choice("tried", "depth=3,pixels=90")
    applied = segment.threshold(study, "s", "segmentation", block, chosen).models
    assert applied.files == ["results/models/tried/3/all.npz"]


def test_what_is_chosen_for_a_fold_has_models_without_it(of_settings):
    methods = {"tried": {"threshold": {"pixel_classifier": {"nested": True}}}}
    study = of_settings(methods=methods, decision={"folds": 3})
    block = study.annotated_blocks("s")[0]
    models = decide.sweep(study, "s", "tried", block).models
    assert [name for _, name in models.names] == ["all", "0", "1", "2", "0-1", "0-2", "1-2"]
    own = decide.sweep(study, "s", "tried", block).need
    plain = of_settings(methods={"tried": METHODS["learned"]}, decision={"folds": 3})
    assert own.runtime == 5 * decide.sweep(plain, "s", "tried", block).need.runtime
    models = segment.threshold(study, "s", "tried", block, Choice("tried")).models
    assert [name for _, name in models.names] == ["all", "0", "1", "2"]
    # without two folds of two, nothing is left to train on
    study = of_settings(methods=methods, decision={"folds": 2})
    models = decide.sweep(study, "s", "tried", block).models
    assert [name for _, name in models.names] == ["all", "0", "1"]


def test_probabilities_are_arrays_of_masks_that_have_them(of_settings):
    kept = {"threshold": {"pixel_classifier": {"keep_probability": True}}}
    methods = {"learned": METHODS["learned"], "kept": kept}
    for apply, expected in (("best", ["kept"]), ("kept", ["kept", "segmentation"])):
        study = of_settings(methods=methods, apply=apply, pyramid={"levels": 1})
        found = [one for one in metadata.arrays(study) if one.kind == "probability"]
        # t has no truth: it is segmented, and nothing is tried on it
        names = [("s", name) for name in expected] + [("t", name) for name in expected[1:]]
        assert [(one.stack, one.name) for one in found] == names
        assert found[0].blocks == study.annotated_blocks("s")
        assert {*study.with_probability} | {*study.without_probability} == {
            *("segmentation", "learned", "kept")
        }
        block = found[0].blocks[0]
        paths = [f"results/s/probability/kept.zarr/{level}/c/{block}" for level in (0, 1)]
        assert {*paths} <= {*targets.arrays(study)}


def test_without_truth_there_is_nothing_to_learn(tmp_path):
    row = write_sample(tmp_path, "s")
    with pytest.raises(
        ValueError, match=r"methods\.learned: pixel_classifier learns from annotated"
    ):
        make_study(tmp_path, row, methods={"learned": METHODS["learned"]}, apply="learned")


def test_a_model_of_other_images_is_refused(tmp_path):
    scale = features.scale_of("uint16", 0, 9)
    grown = trees.train(np.array([[0, 9]], np.uint8), np.array([0, 1]), trees=1, depth=1)
    Model("uint16", ("intensity",), scale, np.zeros((1, 2)), grown, 0).save(tmp_path / "m.npz")
    row = write_sample(tmp_path, "s")
    methods = {"given": {"threshold": {"pixel_classifier": {"model": str(tmp_path / "m.npz")}}}}
    with pytest.raises(
        ValueError, match=r"m\.npz was trained on uint16 images, and those of s are"
    ):
        make_study(tmp_path, row, methods=methods, apply="given")


def write_model(path, scale=None, names=("intensity",), **fields):
    grown = trees.train(np.array([[0, 9]], np.uint8), np.array([0, 1]), trees=1, depth=1)
    scale = scale or features.scale_of("uint8", 0, 9)
    Model("uint8", names, scale, np.zeros((1, 2)), grown, 0, **fields).save(path)


def test_a_model_of_other_channels_is_refused(tmp_path):
    scales = dict.fromkeys(("red", "a"), features.scale_of("uint8", 0, 9))
    write_model(tmp_path / "m.npz", scales, ["red:intensity"])
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "image.png")
    row = {"sample": "s", "image": "image.png"}
    threshold = {"pixel_classifier": {"model": str(tmp_path / "m.npz")}}
    filters = {"same": [{"channels": ["red", "a"]}], "other": [{"channels": ["a", "red"]}]}
    for filter, given in (("other", "the channels a, red"), (None, "a single plane")):
        method = {"threshold": threshold, "filter": filter}
        words = f"was trained on the channels red, a, and its filter gives {given}: let"
        with pytest.raises(ValueError, match=words):
            make_study(tmp_path, row, filters=filters, methods={"m": method}, apply="m")
    method = {"threshold": threshold, "filter": "same"}
    make_study(tmp_path, row, filters=filters, methods={"m": method}, apply="m")


@pytest.mark.parametrize(
    ("own", "trained", "is_doubted"),
    [
        ("0.5", (None, 0.5, 0.5), False),
        ("2,0.5,0.5", (1.0, 0.502, 0.5), False),
        ("0.5", (None, 0.5, 0.6), True),
        ("", (None, 0.5, 0.6), False),
        ("0.5", None, False),
    ],
)
def test_pixels_of_another_size_than_the_models_are_doubted(tmp_path, own, trained, is_doubted):
    write_model(tmp_path / "m.npz", pixel_sizes=(trained,) if trained else ())
    row = write_sample(tmp_path, "s", pixel_size=own)
    methods = {"given": {"threshold": {"pixel_classifier": {"model": str(tmp_path / "m.npz")}}}}
    found = doubts.warnings(make_study(tmp_path, row, methods=methods, apply="given")).doubts
    codes = [doubt.code for doubt in found if doubt.code != "metadata_columns"]
    assert codes == ["pixel_size_of_model"] * is_doubted
    if is_doubted:
        assert "have 0.5 x 0.5 um" in found[-1].message
        assert "trained on pixels of 0.5 x 0.6 um" in found[-1].message


def test_one_model_is_not_trained_on_images_of_two_kinds(tmp_path):
    rows = [write_sample(tmp_path, "s", truth=[0])]
    pixels = np.zeros((64, 64), np.uint16)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "wide_truth.png")
    rows.append({"sample": "wide", "image": "wide.png", "truth": "wide_truth.png"})
    with pytest.raises(ValueError, match="needs samples of one dtype, these are uint16, uint8"):
        make_study(tmp_path, *rows, methods={"learned": METHODS["learned"]})


NETWORKS = {
    "net": {"threshold": {"unet": {"width": 4, "levels": 1}}},
    "nets": {"threshold": "unet", "grid": {"steps": [100, 200], "filter": ["image", "smooth"]}},
}
SMOOTH = {"smooth": [{"median": 3}]}


def test_networks_are_trained_on_windows(of_settings):
    study = of_settings(methods=NETWORKS | METHODS, filters=SMOOTH, decision={"folds": 2})
    block = study.annotated_blocks("s")[0]
    window = f"results/s/net/windows/0/{block}.npz"
    assert learn.gather(study, "net", "0").drawn == [window]
    job = learn.train_network(study, "net", "0", "all")
    assert job.windows == [window]
    assert (job.dtype, job.settings["width"], job.settings["levels"]) == ("uint8", 4, 1)
    models = segment.threshold(study, "s", "net", block, Choice("net")).models
    assert models.files == [f"results/models/net/0/unet-{name}.npz" for name in ("all", "0", "1")]
    # not those of another kind
    models = segment.threshold(study, "s", "learned", block, Choice("learned")).models
    assert models.files[0] == "results/models/learned/0/all.npz"


def test_nested_networks_are_trained_without_pairs_of_folds(of_settings):
    nested = {"net": {"threshold": {"unet": {"nested": True}}}}
    study = of_settings(methods=nested, decision={"folds": 3})
    files = decide.sweep(study, "s", "net", study.annotated_blocks("s")[0]).models.files
    names = [path.split("/unet-")[1] for path in files]
    assert names == [f"{name}.npz" for name in ("all", "0", "1", "2", "0-1", "0-2", "1-2")]


def test_networks_share_windows_of_a_filter(of_settings):
    study = of_settings(methods=NETWORKS, filters=SMOOTH)
    used = [learn.train_network(study, "nets", str(i), "all").windows[0] for i in range(4)]
    assert [path.split("/windows/")[1][0] for path in used] == ["0", "1", "0", "1"]
    assert learn.chosen_model(study, "nets", "steps=200,filter=image") == (
        "results/models/nets/2/unet-all.npz"
    )


def test_a_network_looks_as_far_as_its_levels(of_settings):
    study = of_settings(methods=NETWORKS, filters=SMOOTH)
    # at full resolution four convolutions of 3 x 3, at half of it two, and the cell's other pixel
    (variant,) = study.methods["net"].variants
    assert variant.segmenter.reach == 4 + 2 * 2 + 1


def test_jobs_of_networks_alone_need_pytorch(of_settings, monkeypatch):
    votes = {"votes": {"threshold": {"vote": ["net", "otsu", "learned"]}}}
    methods = {**NETWORKS, **METHODS, **votes, "otsu": {"threshold": "otsu"}}
    study = of_settings(methods=methods, filters=SMOOTH, apply="best")
    needs = {name: learn.needs_network(study, [name]) for name in [*methods, "segmentation"]}
    assert needs == {
        **{"net": True, "nets": True, "votes": True, "segmentation": True},
        **{"learned": False, "tried": False, "otsu": False},
    }
    assert not learn.needs_network(of_settings(), ["segmentation"])
    monkeypatch.setattr(learn.unet, "is_installed", lambda: False)
    message = r"methods\.net: unet needs PyTorch, .*envs/requirements-unet\.txt"
    with pytest.raises(ValueError, match=message):
        learn.check(study, has_environments=False)
    learn.check(study, has_environments=True)
    learn.check(of_settings(), has_environments=False)
    monkeypatch.setattr(learn.unet, "is_installed", lambda: True)
    learn.check(study, has_environments=False)


def test_a_network_of_other_images_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    network.constant("uint16", network.Settings(), is_foreground=True).save(path)
    row = write_sample(tmp_path, "s")
    given = {"given": {"threshold": {"unet": {"model": str(path)}}}}
    with pytest.raises(
        ValueError, match=r"m\.npz was trained on uint16 images, and those of s are"
    ):
        make_study(tmp_path, row, methods=given, apply="given")
    own = tmp_path / "rgb.npz"
    names = ["red", "green", "blue"]
    network.constant("uint8", network.Settings(), names, is_foreground=True).save(own)
    of_channels = {"given": {"threshold": {"unet": {"model": str(own)}}}}
    message = (
        r"rgb\.npz was trained on the channels red, green, blue, and its filter gives a single"
    )
    with pytest.raises(ValueError, match=message):
        make_study(tmp_path, row, methods=of_channels, apply="given")
    # nor is it one of the other kind
    given = {"given": {"threshold": {"pixel_classifier": {"model": str(path)}}}}
    with pytest.raises(ValueError, match="no model of a pixel classifier"):
        make_study(tmp_path, row, methods=given, apply="given")


def test_networks_take_memory_and_time(of_settings, monkeypatch):
    methods = NETWORKS | {"otsu": {"threshold": "otsu"}}
    study = of_settings(methods=methods, filters=SMOOTH)
    block = study.annotated_blocks("s")[0]
    plain, net = (segment.threshold_need(study, "s", name, block) for name in ("otsu", "net"))
    assert net.memory > plain.memory + 500
    minutes = resources.threshold(study, "s", "net").runtime
    pixels = np.prod(study.stacks["s"].grid.block)
    seconds = 7 * 60 * 1e6 / pixels
    monkeypatch.setattr(resources.unet, "seconds", lambda settings: seconds * 1.001)
    assert resources.threshold(study, "s", "net").runtime == minutes + 7
    long, longer = (learn.train_network(study, "nets", n, "all").need for n in ("0", "2"))
    assert longer.runtime > long.runtime
    assert longer.threads == 1
