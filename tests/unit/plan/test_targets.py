"""What a run makes, by what is configured."""

from contextlib import chdir
from pathlib import Path

import pytest
from studies import OTSU, S, collected_study, make_study, write_sample

from tilewise.plan import export, targets


@pytest.fixture
def rows(tmp_path):
    """Two samples of two planes, of which a has truth in the second."""
    return [
        write_sample(tmp_path, "a", (2, 32, 32), truth=(1,)),
        write_sample(tmp_path, "b", (2, 32, 32)),
    ]


def test_overlays_of_annotated_blocks(tmp_path, rows):
    methods = OTSU | {"li": {"threshold": "li", "samples": ["b"]}}
    study = make_study(tmp_path, *rows, methods=methods, block={"planes": 1})
    assert targets.overlays(study) == ["results/a/otsu/overlay/1/0/0"]
    assert not targets.overlays(make_study(tmp_path, *rows, overlay={"format": "zarr-only"}))


def test_figures_of_methods_with_truth(tmp_path, rows):
    methods = OTSU | {"li": {"threshold": "li", "samples": ["b"]}}
    study = make_study(tmp_path, *rows, methods=methods)
    names = ("otsu-tiles", "otsu-histogram", "otsu-confusion", "comparison")
    assert targets.figures(study) == [f"results/figures/{name}.svg" for name in names]
    study = make_study(tmp_path, *rows, figures={"format": "png", "tiles": 1})
    assert targets.figures(study) == [f"results/figures/{name}.png" for name in names]
    assert targets.figures(make_study(tmp_path, *rows, figures={"tiles": 0})) == []
    assert targets.figures(make_study(tmp_path, rows[1])) == []


def test_the_decision_with_what_was_tried(tmp_path, rows):
    methods = OTSU | {"m": {"threshold": "manual", "grid": {"value": [1, 2]}}}
    study = make_study(tmp_path, *rows, methods=methods)
    assert targets.decision(study) == ["results/decision.json", "results/sweeps/m/sweep.tsv"]
    assert targets.decision(make_study(tmp_path, *rows)) == ["results/decision.json"]
    tables = ["decision.json", "ranking.tsv", "scores.tsv"]
    assert targets.decision_tables(study) == [f"results/{name}" for name in tables]
    bare = make_study(tmp_path, rows[1])
    assert targets.decision(bare) == targets.decision_tables(bare) == []


def test_errors_and_trust_where_they_are_wanted(tmp_path, rows):
    study = make_study(tmp_path, *rows)
    assert targets.errors(study) == ["results/errors.tsv", "results/differences.tsv"]
    assert targets.trust(study) == ["results/trust.tsv"]
    assert targets.annotate_next(study) == ["results/annotate_next.tsv"]
    off = {"validate": {"errors": False}, "quality": {"measure": False}}
    study = make_study(tmp_path, *rows, **off)
    assert targets.errors(study) == targets.trust(study) == targets.annotate_next(study) == []
    # nothing to be wrong about
    assert targets.errors(make_study(tmp_path, rows[1])) == []


def test_overlays_of_collected_samples_share_a_folder():
    assert targets.overlays(collected_study()) == [
        f"results/{S}/{name}/0/0" for name in ("otsu/overlay/0", "otsu/overlay/1", "li/overlay/1")
    ]


def test_what_earlier_runs_left_behind(tmp_path, rows):
    study = make_study(tmp_path, *rows, methods=OTSU)
    results = Path("results")
    made = [Path(path) for path in export.files(study)]
    assert made
    with chdir(tmp_path):
        for folder in ("a", "b", "gone"):
            (results / folder / "image.zarr").mkdir(parents=True)
        for path in (*made, *(results / f"masks/old/{name}.png" for name in "dcba")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        assert targets.left_behind(study, results) == [
            "results/gone is of an earlier run, and nothing uses it any more: delete it",
            "4 masks are of an earlier run: delete results/masks/old/a.png, "
            "results/masks/old/b.png, results/masks/old/c.png, ...",
        ]
        assert targets.left_behind(study, Path("elsewhere")) == []
