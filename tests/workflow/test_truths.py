"""Single tiles, stacks, windows, groups and several annotators: what is scored, and on what."""

import json

import numpy as np
import pytest
from samples import blobs, write_planes, write_samples
from sklearn.metrics import matthews_corrcoef

NAMES = [f"s{number}" for number in range(6)]


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
        "needed": 5,
    }
    assert decision["verdict"].startswith("Cannot tell with this much truth: 1 independent unit")
    row = project.scores("swept", "held out")
    assert row["micro_low"] == ""
    assert "no interval" in row["note"]
    # the whole tile is one row; its blocks are for choosing only
    assert len(project.rows("metrics.tsv")) == 2
    assert {row["estimate"] for row in project.rows("metrics.tsv")} == {"fixed", "resubstitution"}


def test_truth_that_annotates_nothing(project):
    image, truth = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth, "truth.png")
    write_planes(project.folder, 0 * truth, "roi.png")
    rows = [{"sample": "disc", "image": "image.png", "truth": "truth.png", "roi": "roi.png"}]
    project.configure(rows).succeed()
    decision = json.loads((project.results / "decision.json").read_text())
    assert decision["value"] is None
    assert decision["units"]["independent"] == 0
    swept = {"threshold": "manual", "grid": {"value": [100, 120]}}
    run = project.configure(methods={"swept": swept}).run()
    assert run.code != 0
    assert "method swept: no annotated tile is left to choose its parameters on" in run.output


def test_planes_of_one_stack(project):
    """Near planes are one unit."""
    image, truth = blobs(planes=12, rows=64, columns=64)
    write_planes(project.folder / "image", image)
    for plane in (0, 1, 2, 11):
        write_planes(project.folder / "truth", truth[plane : plane + 1] * 255, first=plane + 1)
    rows = [{"sample": "stack", "image": "image/*.png", "truth": "truth/*.png"}]
    project.configure(rows, decision={"plane_gap": 9}).succeed()
    decision = json.loads((project.results / "decision.json").read_text())
    assert decision["units"] == {"unit": "plane", "number": 2, "independent": 2, "needed": 5}
    project.configure(decision={"plane_gap": 1}).succeed()
    decision = json.loads((project.results / "decision.json").read_text())
    assert decision["units"]["number"] == 4


def test_groups_are_units(project):
    _, _, rows = write_samples(project, NAMES)
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
    before = project.scores("otsu", "fixed")["micro"]
    project.configure(quality={"survey": 0, "exclude": ["saturated"]}).succeed()
    excluded = {row["tile"]: row["excluded"] for row in project.rows("metrics.tsv")}
    assert [tile for tile, value in excluded.items() if value] == ["z0000_y00_x00"]
    summary = {row["metric"]: row for row in project.rows("summary.tsv")}
    assert (summary["f1"]["tiles"], summary["f1"]["excluded"]) == ("5", "1")
    assert project.scores("otsu", "fixed")["micro"] > before


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
    rows = project.rows("agreement.tsv")
    kappas = {
        row["annotators"]: float(row["value"]) for row in rows if row["measure"] == "cohen_kappa"
    }
    assert set(kappas) == {"1,2", "1,3", "2,3"}
    assert kappas["1,2"] > kappas["1,3"] > kappas["2,3"]
    row = project.scores("annotator 3, discs", "against the consensus of all annotators")
    assert float(row["micro"]) == pytest.approx(
        matthews_corrcoef(majority.ravel(), truths[2].ravel())
    )
    project.configure(truth={"consensus": "staple"}).succeed()
    # the best annotator outweighs the two others together
    found = project.array("discs/image.zarr/labels/truth/0")[0]
    assert np.sum(found != truth[0]) <= np.sum(majority != truth[0])


@pytest.mark.parametrize(("extent", "name"), [("plane", "z0001"), ("sample", "sample")])
def test_metrics_of_planes_and_stacks(project, extent, name):
    from tilewise.score import structure

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
            "decision.metric: nsd is decided on by tiles",
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
