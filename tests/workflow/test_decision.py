"""Parameters and methods chosen on annotated tiles, and what is then segmented."""

import json

import numpy as np
import pytest
import yaml
from pages import report_data
from projects import Project
from samples import write_planes, write_samples
from skimage.filters import threshold_otsu
from sklearn.metrics import matthews_corrcoef

from tilewise.view.columns import rows_of

NAMES = [f"s{number}" for number in range(6)]
VALUES = (95, 110, 125, 140)


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("decided") / "project")
    images, truths, rows = write_samples(project, NAMES)
    methods = {
        "otsu": {"threshold": "otsu", "min_contrast": 0},
        "swept": {"threshold": "manual", "grid": {"value": list(VALUES)}},
        "calibrated": {"threshold": "otsu", "scope": "calibrated"},
    }
    project.configure(
        rows, methods=methods, apply="best", keep_filtered=False, quality={"survey": 4}
    )
    project.succeed()
    return project, images, truths


def score(truth, mask):
    return matthews_corrcoef(truth.ravel(), mask.ravel())


def pooled(truths, masks):
    """MCC of several samples together."""
    names = list(masks)
    return score(
        np.concatenate([truths[n].ravel() for n in names]),
        np.concatenate([masks[n].ravel() for n in names]),
    )


def test_parameters_are_chosen_as_by_brute_force(decided):
    project, images, truths = decided
    values = {value: pooled(truths, {n: images[n] > value for n in NAMES}) for value in VALUES}
    best = max(values, key=values.get)
    sweep = {row["variant"]: row for row in project.rows("sweeps/swept/sweep.tsv")}
    for value in VALUES:
        assert float(sweep[f"value={value}"]["mcc"]) == pytest.approx(values[value])
        assert sweep[f"value={value}"]["chosen"] == ("yes" if value == best else "")
        assert sweep[f"value={value}"]["estimate"] == "resubstitution"
    assert float(project.scores("swept", "resubstitution")["micro"]) == pytest.approx(values[best])


def test_held_out_scores_as_by_brute_force(decided):
    project, images, truths = decided
    masks = {}
    for out in NAMES:
        others = [name for name in NAMES if name != out]
        chosen = max(VALUES, key=lambda v: pooled(truths, {n: images[n] > v for n in others}))
        masks[out] = images[out] > chosen
    row = project.scores("swept", "held out")
    assert float(row["micro"]) == pytest.approx(pooled(truths, masks))
    macro = np.mean([score(truths[name], masks[name]) for name in NAMES])
    assert float(row["macro"]) == pytest.approx(macro)
    assert row["units"] == "6"
    assert row["unit"] == "sample"


def test_what_was_chosen_without_each_fold_is_kept(decided):
    project, images, truths = decided
    fold_of = {row["sample"]: row["fold"] for row in project.rows("folds.tsv")}
    chosen = {row["fold"]: row["variant"] for row in project.rows("sweeps/swept/folds.tsv")}
    for out in NAMES:
        others = [name for name in NAMES if name != out]
        best = max(VALUES, key=lambda v: pooled(truths, {n: images[n] > v for n in others}))
        assert chosen[fold_of[out]] == f"value={best}"


def test_a_calibrated_threshold_is_scored_on_tiles_that_it_does_not_come_from(decided):
    project, images, truths = decided
    masks = {}
    for out in NAMES:
        others = np.concatenate([images[name].ravel() for name in NAMES if name != out])
        masks[out] = images[out] > threshold_otsu(others)
    row = project.scores("calibrated", "held out")
    assert float(row["micro"]) == pytest.approx(pooled(truths, masks))
    everything = threshold_otsu(np.concatenate([images[name].ravel() for name in NAMES]))
    (own,) = {row["threshold"] for row in project.rows("s3/calibrated/thresholds/0/0/0.tsv")}
    assert float(own) == everything


def test_the_decision(decided):
    project, images, truths = decided
    decision = json.loads((project.results / "decision.json").read_text())
    ranking = [row for row in project.rows("ranking.tsv") if row["metric"] == "mcc"]
    assert [row["rank"] for row in ranking] == ["1", "2", "3"]
    held_out = {row["method"]: float(row["value"]) for row in ranking}
    assert decision["method"] == max(held_out, key=held_out.get)
    assert decision["units"] == {"unit": "sample", "number": 6, "independent": 6, "needed": 5}
    assert decision["low"] < decision["value"] < decision["high"]
    assert decision["learning_curve"][0]["units"] == 5
    # six samples tell the best of three methods apart
    assert decision["verdict"] == f"{decision['method']} is better than every other method."
    assert all(float(row["p_best"]) <= 0.05 for row in ranking[1:])
    assert {row["relation"] for row in ranking[1:]} == {"worse"}
    # what to expect of choosing comes first, and the score of what was chosen has its label
    expected = decision["expected"]
    assert expected["low"] < expected["value"] < expected["high"]
    assert set(expected["chosen"]) <= set(held_out)
    assert decision["label"] == "selected, optimistic"
    # which has its warning, since the two tuned ones choose from different numbers of sets
    assert "tuned_methods" in [row["code"] for row in project.rows("warnings.tsv")]
    assert "tuned_methods" in [row["code"] for row in decision["warnings"]]
    assert {row["estimate"] for row in ranking} == {"fixed", "held out"}
    text = (project.results / "decision.md").read_text()
    assert " ".join(decision["opening"][1:]) in text
    assert decision["verdict"] in decision["opening"]
    assert "Expected width of the interval" in text


def test_oracles_bound_every_global_threshold(decided):
    project, images, truths = decided
    best = max(pooled(truths, {n: images[n] > value for n in NAMES}) for value in range(256))
    oracle = "best mcc given the truth"
    row = project.scores("oracle: one threshold for all, image", oracle)
    assert float(row["micro"]) == pytest.approx(best)
    row = project.scores("oracle: a threshold per tile, image", oracle)
    assert float(row["micro"]) >= best
    assert float(project.scores("all background", "trivial")["micro"]) == 0


def test_only_the_decided_method_segments_what_is_not_annotated(decided):
    project, images, _ = decided
    labels = project.results / "volume/image.zarr/labels"
    assert {path.name for path in labels.iterdir()} == {"segmentation", "zarr.json"}
    method = json.loads((project.results / "choice.json").read_text())["method"]
    (threshold,) = (
        {row["threshold"] for row in project.rows("volume/segmentation/thresholds/0/0/0.tsv")}
        if method != "otsu"
        else {None}
    )
    mask = project.array("volume/image.zarr/labels/segmentation/0")
    if threshold is not None:
        np.testing.assert_array_equal(mask, images["volume"] > float(threshold))
    # annotated samples have it too, and what was tried
    np.testing.assert_array_equal(
        project.array("s0/image.zarr/labels/segmentation/0"),
        project.array(f"s0/image.zarr/labels/{method}/0"),
    )


def test_errors_are_counted_over_methods(decided):
    project, _, truths = decided
    methods = ("otsu", "swept", "calibrated")
    masks = [project.array(f"s2/image.zarr/labels/{name}/0")[0] for name in methods]
    wrong = sum((mask != truths["s2"]).astype(int) for mask in masks)
    np.testing.assert_array_equal(project.array("s2/image.zarr/labels/errors/0")[0], 1 + wrong)
    rows = {row["method"]: row for row in project.rows("differences.tsv") if row["sample"] == "s2"}
    assert int(rows["otsu"]["all_right"]) == np.sum(wrong == 0)
    alone = (masks[0] != truths["s2"]) & (wrong == 1)
    counted = sum(int(rows["otsu"][name]) for name in ("only_wrong_fp", "only_wrong_fn"))
    assert counted == np.sum(alone)


def test_trust_and_quality_cover_every_tile(decided):
    project, *_ = decided
    quality = project.rows("quality.tsv")
    assert len(quality) == 6 * 2 + 2 * 2
    assert all(row["foreground"] for row in quality)
    following = project.rows("annotate_next.tsv")
    assert {row["sample"] for row in following} == {"volume"}
    assert all(row["agreement"] for row in following)


def test_a_second_run_does_nothing(decided, tmp_path):
    project = decided[0].copy(tmp_path / "project")
    run = project.succeed()
    assert not run.jobs
    assert "Nothing to be done" in run.output


def test_another_score_of_the_same_method_segments_nothing_again(decided, tmp_path):
    project = decided[0].copy(tmp_path / "project")
    truth = decided[2]["s1"].copy()
    truth[:2, :2] = 1
    write_planes(project.folder, truth[None] * 255, "s1_truth.png")
    before = (project.results / "scores.tsv").read_text()
    run = project.succeed()
    assert run.jobs["decide"] == 1
    assert run.jobs["threshold"] == 0
    assert (project.results / "scores.tsv").read_text() != before


def test_another_value_in_the_grid_runs_its_method_only(decided, tmp_path):
    project = decided[0].copy(tmp_path / "project")
    config = yaml.safe_load((project.folder / "my.yaml").read_text())
    config["methods"]["swept"]["grid"]["value"].append(200)
    project.configure(**config)
    run = project.succeed()
    assert run.jobs["sweep"] == 6
    assert run.jobs["choose"] == 1
    # 200 is no better, so that no mask changes
    assert run.jobs["threshold"] == 0
    assert "method=calibrated" not in run.output


def test_results_do_not_depend_on_cores(decided, tmp_path):
    project = Project.create(tmp_path / "project")
    _, _, rows = write_samples(project, NAMES)
    config = yaml.safe_load((decided[0].folder / "my.yaml").read_text())
    project.configure(rows, **config | {"block": {"planes": 1}}).succeed(cores=1, is_alike=False)
    for table in (
        "scores.tsv",
        "ranking.tsv",
        "sweeps/swept/sweep.tsv",
        "decision.json",
        "trust.tsv",
    ):
        assert (project.results / table).read_text() == (decided[0].results / table).read_text()


def test_costs_stand_in_a_table_and_in_the_report(decided):
    project, _, _ = decided
    rows = project.rows("costs.tsv")
    assert [row["method"] for row in rows] == ["otsu", "swept", "calibrated"]
    for row in rows:
        # six samples of 64 x 128 px
        assert float(row["mpx"]) == 6 * 64 * 128 / 1e6
        assert float(row["cpu_s_per_mpx"]) > 0
        assert float(row["peak_mb"]) > 0
    costs = {one["name"]: one["cost"] for one in report_data(project)["methods"]}
    for row in rows:
        assert costs[row["method"]] == {
            "cpu_s_per_mpx": pytest.approx(float(row["cpu_s_per_mpx"]), rel=1e-5),
            "peak_mb": float(row["peak_mb"]),
        }


def test_the_page_has_the_scores_of_units_and_what_was_tried(decided):
    project, _, _ = decided
    data = report_data(project)
    units = rows_of(data["units"])
    assert {row["method"] for row in units} == {"otsu", "swept", "calibrated"}
    assert len({row["unit"] for row in units}) == data["decision"]["units"]["number"]
    tried = project.rows("sweeps/swept/sweep.tsv")
    shown = rows_of(data["sweeps"]["swept"])
    assert [row["chosen"] for row in shown] == [int(row["chosen"] == "yes") for row in tried]
    assert [row["mcc"] for row in shown] == pytest.approx(
        [float(row["mcc"]) for row in tried], rel=1e-5
    )
