"""What the methods text is told of the configuration."""

import json

import pytest
from studies import (
    collected_study,
    imagined_sample,
    make_study,
    study_of,
    with_defaults,
    write_sample,
)

from tilewise.plan.methods_facts import facts
from tilewise.plan.study import Choice


def method_of(study, name, *choices):
    (found,) = (one for one in facts(study, choices)["methods"] if one["name"] == name)
    return found


def test_numbers_are_counted():
    found = facts(collected_study())
    assert (found["samples"], found["planes"]) == (6, 9)
    assert found["sizes"] == [[16, 5], [16, 16]]
    # tiles of 16 px: one a plane; a, a plane of c, and d have truth
    assert (found["tiles"], found["annotated"], found["annotated_tiles"]) == (9, 3, 3)
    assert [one["samples"] for one in found["methods"]] == [6, 3]
    assert found["ranked"] == 1


def test_it_is_json_and_as_small_for_any_number_of_samples():
    sizes = []
    for number in (9, 3000):
        samples = [imagined_sample(f"s{i:04}", truth=[0]) for i in range(number)]
        sizes.append(len(json.dumps(facts(study_of(samples, with_defaults({}))))))
    assert abs(sizes[1] - sizes[0]) < 30


def test_a_method_is_its_steps_with_all_settings():
    config = with_defaults(
        {
            "filters": {"lines": [{"median": 3}, {"ridge": {"sigmas": [1, 2], "measure": "sato"}}]},
            "methods": {
                "m": {
                    "filter": "lines",
                    "threshold": {"hysteresis": {"low": "li", "high": 99}},
                    "cleanup": [{"remove_small": 7}],
                    "grid": {"high": [99, 120], "filter": ["lines", None]},
                }
            },
        }
    )
    study = study_of([imagined_sample("a", truth=[0])], config)
    found = method_of(study, "m", Choice("m", "high=120,filter=lines"))
    assert found["filter"][0] == ["median", {"size": 3}]
    assert found["threshold"] == ["hysteresis", {"low": "li", "high": 120}]
    assert found["cleanup"] == [["remove_small", {"size": 7, "connectivity": 8}]]
    assert found["grid"] == {"high": [99, 120], "filter": ["lines", None]}
    assert found["chosen"] == {"high": 120, "filter": "lines"}
    assert found["uses"] == ["median", "ridge", "sato", "hysteresis", "li"]


def test_what_is_not_chosen_yet_is_not_told():
    grid = {"size": [3, 5], "threshold": ["otsu", {"sauvola": {"size": 9}}]}
    methods = {"m": {"threshold": "niblack", "grid": {"size": [3, 5]}}}
    methods["n"] = {"threshold": "otsu", "grid": {"threshold": grid["threshold"]}}
    study = study_of([imagined_sample("a", truth=[0])], with_defaults({"methods": methods}))
    own = method_of(study, "m")
    assert own["threshold"] == ["niblack", {"k": 0.2}]
    assert (own["grid"], own["chosen"]) == ({"size": [3, 5]}, {})
    assert method_of(study, "n")["threshold"] == ["", {}]
    assert method_of(study, "n", Choice("n", "threshold=otsu"))["threshold"] == ["otsu", {}]


@pytest.mark.parametrize("kind", ["external", "command"])
def test_masks_of_others_are_no_filters(tmp_path, kind):
    row = write_sample(tmp_path, "a", truth=(0,))
    run = ["/opt/programs/segment-it", "{input}", "{output}"]
    thresholds = {
        "external": {"external": {"column": "cells", "above": 0.5}},
        "command": {"command": {"run": run, "version": "3.1"}},
    }
    if kind == "external":
        (tmp_path / "cells.png").write_bytes((tmp_path / "a/truth_0.png").read_bytes())
        row["cells"] = "cells.png"
    study = make_study(tmp_path, row, methods={"m": {"threshold": thresholds[kind]}})
    found = method_of(study, "m")
    assert found["filter"] == []
    name, settings = found["threshold"]
    assert name == kind
    if kind == "external":
        assert settings == {"column": "cells", "above": 0.5}
    else:
        assert (settings["program"], settings["version"]) == ("segment-it", "3.1")
        assert "run" not in settings


def test_files_are_told_without_their_folder(tmp_path):
    row = write_sample(tmp_path, "a", truth=(0,))
    (tmp_path / "code").mkdir()
    (tmp_path / "code/own.py").write_text("def segment(plane):\n    return plane > 1\n")
    methods = {"own": {"threshold": {"python": str(tmp_path / "code/own.py")}}}
    found = facts(make_study(tmp_path, row, methods=methods))
    assert found["methods"][0]["threshold"][1]["file"] == "own.py"
    assert "/" not in json.dumps(found)
