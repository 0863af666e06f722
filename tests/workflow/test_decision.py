"""Parameters and methods chosen on annotated tiles, and what is then segmented."""

import json

import numpy as np
import pytest
import yaml
from projects import Project
from samples import blobs, write_planes
from skimage.filters import threshold_otsu
from sklearn.metrics import matthews_corrcoef

NAMES = [f"s{number}" for number in range(6)]
VALUES = (95, 110, 125, 140)


def write_samples(project, names=NAMES):
    """Samples of one plane, each brighter than the one before, and one without truth."""
    images, truths, rows = {}, {}, []
    for number, name in enumerate(names):
        image, truth = blobs(planes=1, rows=64, columns=128, seed=number)
        noise = np.random.default_rng(number).normal(6 * number, 20, image[0].shape)
        images[name] = np.clip(image[0] + noise, 0, 255).astype(np.uint8)
        truths[name] = truth[0]
        write_planes(project.folder, images[name][None], f"{name}.png")
        write_planes(project.folder, truth * 255, f"{name}_truth.png")
        rows.append({"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"})
    image, _ = blobs(planes=2, rows=64, columns=128, seed=99)
    write_planes(project.folder / "volume", image)
    rows.append({"sample": "volume", "image": "volume/*.png"})
    images["volume"] = image
    return images, truths, rows


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("decided") / "project")
    images, truths, rows = write_samples(project)
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


def scores_of(project, method, estimate):
    (row,) = [
        row
        for row in project.rows("scores.tsv")
        if (row["method"], row["estimate"], row["metric"]) == (method, estimate, "mcc")
    ]
    return row


def test_parameters_are_chosen_as_by_brute_force(decided):
    project, images, truths = decided
    values = {value: pooled(truths, {n: images[n] > value for n in NAMES}) for value in VALUES}
    best = max(values, key=values.get)
    sweep = {row["variant"]: row for row in project.rows("sweeps/swept/sweep.tsv")}
    for value in VALUES:
        assert float(sweep[f"value={value}"]["mcc"]) == pytest.approx(values[value])
        assert sweep[f"value={value}"]["chosen"] == ("yes" if value == best else "")
        assert sweep[f"value={value}"]["estimate"] == "resubstitution"
    assert float(scores_of(project, "swept", "resubstitution")["micro"]) == pytest.approx(
        values[best]
    )


def test_held_out_scores_as_by_brute_force(decided):
    project, images, truths = decided
    masks = {}
    for out in NAMES:
        others = [name for name in NAMES if name != out]
        chosen = max(VALUES, key=lambda v: pooled(truths, {n: images[n] > v for n in others}))
        masks[out] = images[out] > chosen
    row = scores_of(project, "swept", "held out")
    assert float(row["micro"]) == pytest.approx(pooled(truths, masks))
    macro = np.mean([score(truths[name], masks[name]) for name in NAMES])
    assert float(row["macro"]) == pytest.approx(macro)
    assert row["units"] == "6"
    assert row["unit"] == "sample"


def test_a_calibrated_threshold_is_scored_on_tiles_that_it_does_not_come_from(decided):
    project, images, truths = decided
    masks = {}
    for out in NAMES:
        others = np.concatenate([images[name].ravel() for name in NAMES if name != out])
        masks[out] = images[out] > threshold_otsu(others)
    row = scores_of(project, "calibrated", "held out")
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
    assert decision["units"] == {"unit": "sample", "number": 6, "independent": 6}
    assert decision["low"] < decision["value"] < decision["high"]
    assert decision["learning_curve"][0]["units"] == 5
    # six samples cannot tell three methods apart: 2 / 64 is adjusted for three pairs
    assert "Cannot tell" in decision["verdict"]
    assert {row["estimate"] for row in ranking} == {"fixed", "held out"}
    text = (project.results / "decision.md").read_text()
    assert decision["verdict"] in text
    assert "What more annotation would buy" in text


def test_oracles_bound_every_global_threshold(decided):
    project, images, truths = decided
    best = max(pooled(truths, {n: images[n] > value for n in NAMES}) for value in range(256))
    oracle = "best mcc given the truth"
    row = scores_of(project, "oracle: one threshold for all, image", oracle)
    assert float(row["micro"]) == pytest.approx(best)
    row = scores_of(project, "oracle: a threshold per tile, image", oracle)
    assert float(row["micro"]) >= best
    assert float(scores_of(project, "all background", "trivial")["micro"]) == 0


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
    _, _, rows = write_samples(project)
    config = yaml.safe_load((decided[0].folder / "my.yaml").read_text())
    project.configure(rows, **config | {"block": {"rows": 1, "columns": 1}}).succeed(cores=1)
    for table in (
        "scores.tsv",
        "ranking.tsv",
        "sweeps/swept/sweep.tsv",
        "decision.json",
        "trust.tsv",
    ):
        assert (project.results / table).read_text() == (decided[0].results / table).read_text()


def test_a_single_tile_is_cut_into_spatial_blocks(project):
    image, truth = blobs(planes=1, rows=64, columns=64)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth, "truth.png")
    methods = {
        "otsu": {"threshold": "otsu"},
        "swept": {"threshold": "manual", "grid": {"value": [100, 120, 200]}},
    }
    rows = [{"sample": "disc", "image": "image.png", "truth": "truth.png"}]
    project.configure(rows, methods=methods, validate={"margin": 4}).succeed()
    decision = json.loads((project.results / "decision.json").read_text())
    assert decision["units"] == {
        "unit": "spatial blocks of one tile",
        "number": 9,
        "independent": 1,
    }
    assert decision["verdict"].startswith("Cannot tell with this much truth: 1 independent unit")
    row = scores_of(project, "swept", "held out")
    assert row["micro_low"] == ""
    assert "no interval" in row["note"]
    # the whole tile is one row; its blocks are for choosing only
    assert len(project.rows("metrics.tsv")) == 2
    assert {row["estimate"] for row in project.rows("metrics.tsv")} == {"fixed", "resubstitution"}


def test_planes_of_one_stack(project):
    """Near planes are one unit."""
    image, truth = blobs(planes=12, rows=64, columns=64)
    write_planes(project.folder / "image", image)
    for plane in (0, 1, 2, 11):
        write_planes(project.folder / "truth", truth[plane : plane + 1] * 255, first=plane + 1)
    rows = [{"sample": "stack", "image": "image/*.png", "truth": "truth/*.png"}]
    project.configure(rows, decision={"plane_gap": 9}).succeed()
    decision = json.loads((project.results / "decision.json").read_text())
    assert decision["units"] == {"unit": "plane", "number": 2, "independent": 2}
    project.configure(decision={"plane_gap": 1}).succeed()
    decision = json.loads((project.results / "decision.json").read_text())
    assert decision["units"]["number"] == 4


def test_groups_are_units(project):
    _, _, rows = write_samples(project)
    for number, row in enumerate(rows):
        row["group"] = f"animal{number // 2}"
    project.configure(rows).succeed()
    decision = json.loads((project.results / "decision.json").read_text())
    assert decision["units"]["number"] == 3


def test_tiles_are_excluded_only_where_the_configuration_says_so(project):
    image, truth = blobs(planes=1)
    image[0, :64, :64] = np.where(np.arange(64) % 2, 255, image[0, :64, :64])
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth, "truth.png")
    rows = [{"sample": "discs", "image": "image.png", "truth": "truth.png"}]
    project.configure(rows, quality={"survey": 0}).succeed()
    flags = {row["tile"]: row["flags"] for row in project.rows("quality.tsv")}
    assert "saturated" in flags["z0000_y00_x00"].split(";")
    assert {row["excluded"] for row in project.rows("metrics.tsv")} == {""}
    before = scores_of(project, "otsu", "fixed")["micro"]
    project.configure(quality={"survey": 0, "exclude": ["saturated"]}).succeed()
    excluded = {row["tile"]: row["excluded"] for row in project.rows("metrics.tsv")}
    assert [tile for tile, value in excluded.items() if value] == ["z0000_y00_x00"]
    summary = {row["metric"]: row for row in project.rows("summary.tsv")}
    assert (summary["f1"]["tiles"], summary["f1"]["excluded"]) == ("5", "1")
    assert scores_of(project, "otsu", "fixed")["micro"] > before


def test_few_windows_are_all_that_losers_segment(project):
    image, truth = blobs(planes=2)
    write_planes(project.folder / "image", image)
    windows = ["z\ty\tx\tpath"]
    for x in (0, 128):
        write_planes(project.folder, truth[:1, :64, x : x + 64] * 255, f"w{x}.png")
        windows.append(f"0\t0\t{x}\tw{x}.png")
    (project.folder / "windows.tsv").write_text("\n".join(windows) + "\n")
    methods = {
        "otsu": {"threshold": "otsu"},
        "low": {"threshold": {"manual": 80}},
        "cleaned": {"threshold": {"manual": 80}, "cleanup": ["fill_holes"]},
    }
    rows = [{"sample": "discs", "image": "image/*.png", "truth": "windows.tsv"}]
    project.configure(rows, methods=methods, apply="best", keep_filtered=False).succeed()
    for name in ("low", "cleaned"):
        tiles = [row["tile"] for row in project.rows(f"discs/{name}/thresholds/0/0/0.tsv")]
        assert tiles == ["z0000_y00_x00", "z0000_y00_x02"]
    everything = project.rows("discs/segmentation/thresholds/0/0/0.tsv")
    assert len(everything) == 12
    mask = project.array("discs/image.zarr/labels/low/0")
    assert mask[0, :64, :64].any()
    assert not mask[0, 64:].any()
    assert not mask[1].any()


def test_several_annotators(project):
    image, truth = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    random = np.random.default_rng(0)
    truths = []
    for number, rate in enumerate((0.0, 0.01, 0.05)):
        drawn = truth[0] ^ (random.random(truth[0].shape) < rate)
        truths.append(drawn)
        write_planes(project.folder, drawn[None].astype(np.uint8) * 255, f"t{number}.png")
    rows = [{"sample": "discs", "image": "image.png", "truth": "t0.png; t1.png; t2.png"}]
    project.configure(rows, truth={"consensus": "majority"}).succeed()
    majority = sum(truths) >= 2
    np.testing.assert_array_equal(project.array("discs/image.zarr/labels/truth/0")[0], majority)
    np.testing.assert_array_equal(
        project.array("discs/image.zarr/labels/annotator-3/0")[0], truths[2]
    )
    rows = project.rows("discs/agreement.tsv")
    kappas = {
        row["annotators"]: float(row["value"]) for row in rows if row["measure"] == "cohen_kappa"
    }
    assert set(kappas) == {"1,2", "1,3", "2,3"}
    assert kappas["1,2"] > kappas["1,3"] > kappas["2,3"]
    row = scores_of(project, "annotator 3, discs", "against the consensus, his own vote included")
    assert float(row["micro"]) == pytest.approx(score(majority, truths[2]))
    project.configure(truth={"consensus": "staple"}).succeed()
    # the best annotator outweighs the two others together
    found = project.array("discs/image.zarr/labels/truth/0")[0]
    assert np.sum(found != truth[0]) <= np.sum(majority != truth[0])


@pytest.mark.parametrize(("extent", "name"), [("plane", "z0001"), ("sample", "stack")])
def test_metrics_of_planes_and_stacks(project, extent, name):
    from tilewise import structure

    image, truth = blobs(planes=3, rows=100, columns=120)
    write_planes(project.folder / "image", image)
    write_planes(project.folder / "truth", truth * 255)
    rows = [
        {"sample": "discs", "image": "image/*.png", "truth": "truth/*.png", "pixel_size": "3 1 1"}
    ]
    settings = {"metrics": ["nsd", "hd95", "objects"], "extent": extent, "unit": "micrometer"}
    project.configure(rows, block={"rows": 1, "planes": 1}, validate=settings).succeed()
    mask = project.array("discs/image.zarr/labels/otsu/0")
    chosen = settings["metrics"]
    if extent == "plane":
        expected = structure.compare(truth[1], mask[1], chosen, (1, 1))
    else:
        expected = structure.compare(truth, mask, chosen, (3, 1, 1))
    rows = project.rows("metrics.tsv")
    (row,) = [row for row in rows if row["tile"] == name]
    assert row["extent"] == extent
    for field in ("surface", "surface_near", "objects_mask", "objects_truth", "objects_matched"):
        assert int(row[field]) == expected[field]
    assert float(row["hd95"]) == pytest.approx(expected["hd95"])
    summary = {row["metric"]: row for row in project.rows("summary.tsv")}
    assert summary["nsd"]["extent"] == extent
    # counts are those of tiles, each once
    assert summary["f1"]["tiles"] == "12"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"apply": "otzu"},
            "apply: otzu is not configured: set it to best, all, none or a method: otsu",
        ),
        ({"decision": {"metric": "object_f1"}}, "add objects to `metrics` under `validate`"),
        (
            {"validate": {"extent": "plane"}, "decision": {"metric": "nsd"}},
            "metric nsd is decided on by tiles",
        ),
        ({"validate": {"unit": "micrometer"}}, "needs the pixel size of sample discs"),
        (
            {"methods": {"m": {"threshold": "otsu", "grid": {"ofset": [1]}}}},
            "ofset is neither a setting of otsu nor a key of a method",
        ),
        (
            {
                "methods": {
                    "m": {"threshold": "manual", "scope": "calibrated", "grid": {"value": [1]}}
                }
            },
            "manual has no threshold to calibrate",
        ),
        ({"methods": {"segmentation": {"threshold": "otsu"}}}, "the name is taken by the workflow"),
    ],
)
def test_settings_that_cannot_be(project, settings, message):
    image, truth = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth, "truth.png")
    rows = [{"sample": "discs", "image": "image.png", "truth": "truth.png"}]
    run = project.configure(rows, **settings).run("--dry-run")
    assert run.code != 0
    assert message in " ".join(run.output.split())


@pytest.mark.parametrize(
    ("methods", "apply", "message"),
    [
        ({"a": {"threshold": "otsu"}, "b": {"threshold": "li"}}, "best", "apply: best needs truth"),
        ({"a": {"threshold": "manual", "grid": {"value": [1, 2]}}}, "all", "no sample has truth"),
        ({"a": {"threshold": "otsu", "scope": "calibrated"}}, "all", "no sample has truth"),
    ],
)
def test_nothing_is_decided_without_truth(project, methods, apply, message):
    image, _ = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    project.configure([{"sample": "discs", "image": "image.png"}], methods=methods, apply=apply)
    run = project.run("--dry-run")
    assert run.code != 0
    assert message in " ".join(run.output.split())


def test_a_single_method_is_applied_without_truth(project):
    image, _ = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    rows = [{"sample": "discs", "image": "image.png"}]
    project.configure(rows, methods={"low": {"threshold": {"manual": 120}}}, apply="best")
    project.succeed()
    mask = project.array("discs/image.zarr/labels/segmentation/0")
    np.testing.assert_array_equal(mask, image > 120)
