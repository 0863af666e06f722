"""Grids of parameters."""

import math
from pathlib import Path
from types import SimpleNamespace

import networks
import pytest

from tilewise.plan.methods import read_methods

SAMPLE = SimpleNamespace(header=SimpleNamespace(dtype="uint8", height=64, width=64), truth=(1,))
DEFAULTS = {
    "filter": None,
    "scope": "tile",
    "foreground": "bright",
    "min_contrast": 5,
    "min_separability": 0,
    "fallback": "sample",
    "weak": "auto",
    "cleanup": [],
    "samples": None,
    "grid": {},
}


def read(entry, sample=SAMPLE, name="m"):
    config = {"filters": {"flat": ["invert"]}, "methods": {name: DEFAULTS | entry}}
    return read_methods(config, {"s": sample})[name]


def test_without_a_grid():
    method = read({"threshold": "otsu"})
    assert [variant.name for variant in method.variants] == [""]
    assert not method.is_swept


def test_all_combinations_in_order():
    grid = {"offset": [-5, -9], "filter": [None, "flat"]}
    method = read({"threshold": {"adaptive": {"size": 51}}, "grid": grid})
    assert [(variant.name, variant.filter) for variant in method.variants] == [
        ("offset=-5,filter=null", "image"),
        ("offset=-5,filter=flat", "flat"),
        ("offset=-9,filter=null", "image"),
        ("offset=-9,filter=flat", "flat"),
    ]
    assert method.variants[2].segmenter.settings["offset"] == -9
    assert method.variants[2].segmenter.settings["size"] == 51
    assert method.filters == ["image", "flat"]
    assert method.is_swept


def test_a_setting_may_come_from_the_grid_alone():
    method = read({"threshold": "adaptive", "grid": {"size": [31, 51]}})
    assert [variant.segmenter.settings["size"] for variant in method.variants] == [31, 51]
    with pytest.raises(ValueError, match="needs a value for size"):
        read({"threshold": "adaptive", "grid": {"offset": [1]}})


def test_methods_and_clean_up_in_a_grid():
    grid = {"threshold": ["otsu", {"manual": 9}], "cleanup": [[], [{"remove_small": 20}]]}
    method = read({"threshold": "otsu", "grid": grid})
    assert [variant.name for variant in method.variants][1::2] == [
        "threshold=otsu,cleanup=[{remove_small:20}]",
        "threshold={manual:9},cleanup=[{remove_small:20}]",
    ]
    assert method.variants[3].segmenter.threshold == "manual"


def test_a_calibrated_method_is_chosen_too():
    assert read({"threshold": "otsu", "scope": "calibrated"}).is_swept
    bare = SimpleNamespace(header=SAMPLE.header, truth=())
    with pytest.raises(ValueError, match="no sample has truth"):
        read({"threshold": "otsu", "scope": "calibrated"}, bare)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"threshold": "otsu", "grid": {"scop": ["tile"]}}, "did you mean scope"),
        ({"threshold": "otsu", "grid": {"scope": ["tiles"]}}, "scope tiles does not exist"),
        ({"threshold": "otsu", "grid": {"filter": ["flt"]}}, "filter flt is not configured"),
        ({"threshold": {"adaptive": 51}, "scope": "calibrated"}, "no threshold to calibrate"),
        ({"threshold": "adaptive", "grid": {"size": [4]}}, "m, size=4: .*odd whole number"),
        ({"threshold": {"multiotsu": 1}}, "classes is 1: give a whole number of at least 2"),
        (
            {"threshold": {"multiotsu": {"classes": 3, "foreground": [1, 3]}}},
            r"foreground is \[1, 3\]: give a class or a list of classes, from 0",
        ),
        (
            {"threshold": {"adaptive": {"size": 5, "weights": "median"}}},
            "weights is 'median': choose gaussian or mean",
        ),
        ({"threshold": {"sauvola": {"size": 5, "r": 0}}}, "r is 0: give a number of grey levels"),
        (
            {"threshold": {"hysteresis": {"low": "lower", "high": 9}}},
            "low is 'lower': give a number, or a method: otsu",
        ),
        (
            {"threshold": {"hysteresis": {"low": 9, "high": 8}}},
            "low is 9, high is 8: give a low that is not above high",
        ),
        (
            {"threshold": {"hysteresis": {"low": 8, "high": 9}}, "foreground": "dark"},
            "hysteresis finds what is bright: add `invert` to its filter",
        ),
        ({"threshold": "unet", "foreground": "dark"}, "truth says what is foreground: leave"),
        (
            {"threshold": "otsu", "fallback": "empty", "weak": "own"},
            "by fallback: empty it is not asked: leave out one of the two",
        ),
        ({"threshold": "otsu", "samples": ["t"]}, "m: sample t is not in the sheet"),
    ],
)
def test_what_cannot_be(entry, message):
    with pytest.raises(ValueError, match=message):
        read(entry)


@pytest.mark.parametrize("name", ["best", "all", "none"])
def test_names_that_apply_could_not_tell_are_refused(name):
    message = f"^methods.{name}: `apply: {name}` has another meaning: choose another name$"
    with pytest.raises(ValueError, match=message):
        read({"threshold": "otsu"}, name=name)
    assert read({"threshold": "otsu"}, name=f"{name}_otsu").name == f"{name}_otsu"


def test_names_of_labels_and_folders_are_refused():
    for name in ("truth", "errors", "segmentation"):
        with pytest.raises(ValueError, match=f"^methods.{name}: the name is taken by the workflow"):
            read({"threshold": "otsu"}, name=name)


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study/own.py").write_text("def segment(image, sigma=1, level=3): ...\n")
    return "own.py"


def test_own_files_are_beside_the_configuration(own_file):
    config = {
        "filters": {},
        "methods": {"m": DEFAULTS | {"threshold": {"python": own_file}}},
    }
    (variant,) = read_methods(config, {"s": SAMPLE}, "study")["m"].variants
    assert variant.own_files == ["study/own.py"]
    assert variant.segmenter.reach == math.inf
    assert variant.segmenter.is_local


@pytest.mark.parametrize(
    ("threshold", "grid"),
    [
        ({"python": "other.py"}, {"file": ["own.py", "other.py"]}),
        ("otsu", {"threshold": [{"python": "own.py"}, {"python": {"file": "other.py"}}]}),
    ],
)
def test_own_files_of_a_grid(own_file, threshold, grid):
    Path("study/other.py").write_text("def segment(image): ...\n")
    entry = DEFAULTS | {"threshold": threshold, "grid": grid}
    config = {"filters": {}, "methods": {"m": entry}}
    variants = read_methods(config, {"s": SAMPLE}, "study")["m"].variants
    assert [one.own_files for one in variants] == [["study/own.py"], ["study/other.py"]]


def test_a_grid_of_a_function_s_own_parameters(own_file):
    threshold = {"python": {"file": f"study/{own_file}", "halo": 4, "params": {"level": 5}}}
    entry = {"threshold": threshold, "grid": {"sigma": [1, 2], "halo": [4, 8]}}
    method = read(entry)
    settings = [variant.segmenter.settings for variant in method.variants]
    assert [one["params"] for one in settings] == [{"level": 5, "sigma": s} for s in (1, 1, 2, 2)]
    assert [variant.segmenter.reach for variant in method.variants] == [4, 8, 4, 8]
    assert method.variants[3].name == "sigma=2,halo=8"
    # a grid may have some by name and others together
    grid = {"sigma": [1, 2], "params": [{"level": 7}]}
    settings = [one.segmenter.settings for one in read({**entry, "grid": grid}).variants]
    assert [one["params"] for one in settings] == [{"level": 7, "sigma": s} for s in (1, 2)]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"grid": {"sgima": [1]}}, "methods.m.grid: sgima .*did you mean sigma"),
        ({"foreground": "dark"}, "the function says what is foreground"),
        ({"scope": "calibrated"}, "no threshold to calibrate"),
    ],
)
def test_what_a_function_cannot_have(own_file, entry, message):
    threshold = {"python": {"file": f"study/{own_file}"}}
    with pytest.raises(ValueError, match=message):
        read({"threshold": threshold} | entry)


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study/model.onnx").write_bytes(networks.convolution([[[1]]]))
    return "model.onnx"


def test_models_are_beside_the_configuration(model):
    entry = DEFAULTS | {"threshold": {"onnx": model}, "grid": {"above": [0.3, 0.7]}}
    config = {"filters": {}, "methods": {"m": entry}}
    variants = read_methods(config, {"s": SAMPLE}, "study")["m"].variants
    assert [one.own_files for one in variants] == [["study/model.onnx"]] * 2
    assert [one.segmenter.settings["above"] for one in variants] == [0.3, 0.7]
    # a window of 512, and 32 around it
    assert [one.segmenter.reach for one in variants] == [543, 543]
    assert variants[0].segmenter.is_local


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"threshold": {"onnx": "other.onnx"}}, "methods.m: .*other.onnx cannot be read: No such"),
        ({"foreground": "dark"}, "methods.m: the model says what is foreground"),
        ({"scope": "calibrated"}, "methods.m: onnx has no threshold to calibrate"),
        ({"grid": {"abvoe": [0.5]}}, "did you mean above"),
        ({"grid": {"above": [2]}}, "m, above=2: .*above is 2: give a number above 0"),
    ],
)
def test_what_a_model_cannot_have(model, entry, message):
    with pytest.raises(ValueError, match=message):
        read({"threshold": {"onnx": f"study/{model}"}} | entry)


def vote_of(names, others, samples=("s", "t"), **changes):
    entries = {name: DEFAULTS | entry for name, entry in others.items()}
    entries["v"] = DEFAULTS | {"threshold": {"vote": names}} | changes
    config = {"filters": {"flat": ["invert"]}, "methods": entries}
    return read_methods(config, dict.fromkeys(samples, SAMPLE))["v"]


OTHERS = {
    "otsu": {"threshold": "otsu"},
    "li": {"threshold": "li", "filter": "flat"},
    "chosen": {"threshold": "otsu", "grid": {"filter": [None, "flat"]}},
    "calibrated": {"threshold": "otsu", "scope": "calibrated"},
    "some": {"threshold": "otsu", "samples": ["s"]},
    "other": {"threshold": {"vote": ["otsu", "li"]}},
}


def test_a_vote_names_methods():
    method = vote_of(["otsu", "li"], OTHERS)
    assert method.voters == ("otsu", "li")
    assert not method.is_swept
    # a method of fewer samples may vote on those
    assert vote_of(["otsu", "some"], OTHERS, samples=["s"]).voters == ("otsu", "some")


@pytest.mark.parametrize(
    ("names", "changes", "message"),
    [
        (["otsuu", "li"], {}, "vote counts otsuu, which is no method; did you mean otsu"),
        (["otsu", "v"], {}, "counts v, which is a vote itself"),
        (["otsu", "other"], {}, "counts other, which is a vote itself"),
        (["otsu", "chosen"], {}, "counts chosen, whose parameters annotated tiles choose"),
        (["otsu", "calibrated"], {}, "counts calibrated, whose parameters annotated tiles"),
        (["otsu", "some"], {}, "counts some, which is not tried on sample t"),
        (["otsu"], {}, "methods.v: .*give a list of two or more"),
        (["otsu", "li"], {"filter": "flat"}, "methods.v: a vote has no filter"),
        (["otsu", "li"], {"cleanup": [{"remove_small": 3}]}, "a vote has no cleanup"),
        (["otsu", "li"], {"foreground": "dark"}, "a vote has no foreground"),
        (["otsu", "li"], {"grid": {"least": [1, 2]}}, "a vote has no grid"),
        (["otsu", "li"], {"scope": "calibrated"}, "vote has no threshold to calibrate"),
    ],
)
def test_what_a_vote_cannot_have(names, changes, message):
    with pytest.raises(ValueError, match=message):
        vote_of(names, OTHERS, **changes)


@pytest.mark.parametrize("name", ["truth", "roi", "zarr.json", "image.zarr"])
def test_a_method_has_not_the_name_of_other_results(name):
    with pytest.raises(ValueError, match="the name is taken by the workflow"):
        read({"threshold": "otsu"}, name=name)


def test_a_grid_that_takes_for_ever():
    grid = {"size": list(range(3, 303, 2)), "offset": list(range(100))}
    with pytest.raises(ValueError, match="grid has 15,000 combinations.*at most 10,000"):
        read({"threshold": "adaptive", "grid": grid})


@pytest.mark.parametrize(
    "entry",
    [
        {"threshold": {"adaptive": {"size": 1_000_001}}},
        {"threshold": "otsu", "cleanup": [{"opening": 100_000_000}]},
    ],
)
def test_sizes_beyond_any_image(entry):
    with pytest.raises(ValueError, match=r"looks \d+ px around each pixel.*a side of 64 px"):
        read(entry)


def test_a_filter_reaches_as_far_as_images_do():
    def read_filter(side):
        sample = SimpleNamespace(
            header=SimpleNamespace(dtype="uint8", height=10, width=side), truth=()
        )
        config = {"filters": {"flat": [{"gaussian": 500}]}, "methods": {}}
        return read_methods(config, {"s": sample})

    with pytest.raises(ValueError, match=r"filters.flat: gaussian: it looks \d+ px .*up to 1024"):
        read_filter(1000)
    assert read_filter(3000) == {}
