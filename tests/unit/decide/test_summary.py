import pytest
from right_pixels import table_of

from tilewise.decide import guarded
from tilewise.decide import summary as summaries
from tilewise.decide.summary import blank_doubts, describe, doubts_of, sort_rows, sort_table
from tilewise.score import confusion, formulas


def row(sample, method, tile, tp, fp, fn, tn):
    counts = {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
    fields = {"annotated": sum(counts.values()), **counts, "edge": confusion.edge(**counts)}
    formulas.set_metrics([fields], formulas.PIXEL_METRICS)
    place = {"tile": tile, "z": 0, "y": 0, "x": tile}
    text = {key: "" if value is None else str(value) for key, value in fields.items()}
    return {"sample": sample, "method": method, **{k: str(v) for k, v in place.items()}, **text}


def summarize(rows, choices=()):
    return summaries.summarize(table_of(rows), choices)


def pick(summary, sample, method, metric):
    (found,) = [
        row
        for row in summary
        if (row["sample"], row["method"], row["metric"]) == (sample, method, metric)
    ]
    return found


def test_pooled_and_averaged():
    rows = [
        row("a", "otsu", 0, tp=6, fp=2, fn=2, tn=90),
        row("a", "otsu", 1, tp=1, fp=0, fn=3, tn=96),
        row("a", "otsu", 2, tp=0, fp=7, fn=0, tn=93),
    ]
    summary = summarize(rows)
    f1 = pick(summary, "a", "otsu", "f1")
    # 2 * 7 / (2 * 7 + 9 + 5); the tiles have 12 / 16 and 2 / 5, the third has no foreground
    assert f1["pooled"] == 14 / 28
    assert f1["tiles"] == 3
    assert f1["averaged"] == 2
    assert f1["mean"] == pytest.approx(0.575)
    assert f1["median"] == pytest.approx(0.575)
    assert f1["sd"] == pytest.approx(0.35 / 2**0.5)
    area = pick(summary, "a", "otsu", "false_positive_area")
    assert (area["tiles"], area["pooled"], area["mean"]) == (1, 7, 7)
    assert {row["sample"] for row in summary} == {"a"}


SPREAD = ("averaged", "mean", "sd", "median", "q25", "q75", "blank_mask", "mean_without_blank")


def test_slivers_count_in_pooled_scores_alone():
    whole = [
        row("a", "otsu", 0, tp=6, fp=2, fn=2, tn=90),
        row("a", "otsu", 1, tp=0, fp=7, fn=0, tn=93),
    ]
    slivers = [
        row("a", "otsu", 2, tp=0, fp=1, fn=4, tn=5) | {"edge": "sliver"},
        row("a", "otsu", 3, tp=0, fp=0, fn=2, tn=8) | {"edge": "sliver"},
        row("a", "otsu", 4, tp=0, fp=5, fn=0, tn=5) | {"edge": "sliver"},
    ]
    without, summary = summarize(whole), summarize([*whole, *slivers])
    # 2 * 6 / (2 * 6 + 15 + 8)
    f1 = pick(summary, "a", "otsu", "f1")
    assert (f1["pooled"], f1["tiles"], f1["slivers"]) == (12 / 35, 5, 3)
    assert (f1["mean"], f1["averaged"], f1["blank_truth"]) == (0.75, 1, 1)
    area = pick(summary, "a", "otsu", "false_positive_area")
    assert (area["pooled"], area["tiles"], area["mean"], area["slivers"]) == (12, 2, 7, 1)
    for old, new in zip(without, summary, strict=True):
        assert {name: old[name] for name in SPREAD} == {name: new[name] for name in SPREAD}


def test_blank_tiles_are_counted_and_their_part_in_the_mean_is_told():
    rows = [
        row("a", "otsu", 0, tp=6, fp=2, fn=2, tn=90),
        row("a", "otsu", 1, tp=6, fp=4, fn=4, tn=86),
        # an empty mask, twice; no truth, with and without a mask
        row("a", "otsu", 2, tp=0, fp=0, fn=9, tn=91),
        row("a", "otsu", 3, tp=0, fp=0, fn=1, tn=99),
        row("a", "otsu", 4, tp=0, fp=3, fn=0, tn=97),
        row("a", "otsu", 5, tp=0, fp=0, fn=0, tn=100),
        row("a", "otsu", 6, tp=0, fp=0, fn=0, tn=100),
    ]
    summary = summarize(rows)
    f1, precision, area = (
        pick(summary, "a", "otsu", name) for name in ("f1", "precision", "false_positive_area")
    )
    # 12 / 16 and 12 / 20, and twice 0
    assert f1["mean"] == pytest.approx(1.35 / 4)
    assert f1["mean_without_blank"] == pytest.approx(1.35 / 2)
    assert (f1["averaged"], f1["blank_mask"], f1["blank_truth"]) == (4, 2, 3)
    # 6 / 8 and 6 / 10: not defined for empty masks
    assert precision["mean"] == precision["mean_without_blank"] == pytest.approx(1.35 / 2)
    assert (precision["averaged"], precision["blank_mask"]) == (2, 2)
    # of the tiles without truth, one has a mask
    assert (area["mean"], area["mean_without_blank"]) == (1, 3)
    assert (area["blank_mask"], area["blank_truth"]) == (2, 3)
    (doubt,) = blank_doubts(summary)
    assert (doubt.code, doubt.sample, doubt.method) == ("blank_tiles", "a", "otsu")
    assert "in 2 of 4 tiles of a " in doubt.message
    assert "0.338 with them and 0.675 without" in doubt.message
    # as read from the table
    text = [{k: "" if v is None else str(v) for k, v in one.items()} for one in summary]
    assert blank_doubts(text) == [doubt]


def found_in(found):
    """Tiles of a sample `a` with an F1 of 0.5, and one with an empty mask."""
    rows = [row("a", "otsu", i, tp=5, fp=5, fn=5, tn=85) for i in range(found)]
    return rows + [row("a", "otsu", found, tp=0, fp=0, fn=9, tn=91)]


def test_blank_tiles_are_doubted_where_they_move_the_mean():
    # F1 is 0.5 in each: with one of 9 empty 0.444, and 0.5 / 11 = 0.045 from 0.5 with one of 11
    assert [doubt.sample for doubt in blank_doubts(summarize(found_in(8)))] == ["a"]
    assert blank_doubts(summarize(found_in(10))) == []
    # there is no mean without them
    assert blank_doubts(summarize(found_in(0))) == []
    assert blank_doubts(summarize([row("a", "otsu", 0, tp=0, fp=0, fn=0, tn=9)])) == []
    # of samples of one tile, that of all; not if a sample has said so
    twice = [*found_in(2), *(one | {"sample": "b"} for one in found_in(20))]
    assert [doubt.sample for doubt in blank_doubts(summarize(twice))] == ["a"]
    twice = [*found_in(2), *(one | {"sample": "b"} for one in found_in(2))]
    assert [doubt.sample for doubt in blank_doubts(summarize(twice))] == ["a", "b"]
    others = [row("b", "otsu", 0, tp=5, fp=5, fn=5, tn=85)]
    (doubt,) = blank_doubts(summarize([*found_in(0), *others]))
    assert (doubt.sample, doubt.method) == ("", "otsu")
    assert "in 1 of 2 tiles of all samples" in doubt.message


def test_undefined_metric_is_left_out_of_the_mean():
    rows = [
        row("a", "otsu", 0, tp=0, fp=0, fn=4, tn=96),
        row("a", "otsu", 1, tp=4, fp=4, fn=0, tn=92),
    ]
    precision = pick(summarize(rows), "a", "otsu", "precision")
    assert (precision["tiles"], precision["averaged"], precision["mean"]) == (2, 1, 0.5)


def test_all_samples_come_last():
    rows = [
        row("a", "otsu", 0, tp=1, fp=0, fn=0, tn=9),
        row("b", "otsu", 0, tp=1, fp=2, fn=0, tn=7),
    ]
    summary = summarize(rows)
    assert summary[-1]["sample"] == "all"
    assert pick(summary, "all", "otsu", "precision")["pooled"] == 0.5


def test_inverted_truth():
    rows = [
        row("mostly", "otsu", 0, tp=60, fp=5, fn=0, tn=35),
        row("opposite", "otsu", 0, tp=1, fp=30, fn=20, tn=49),
        row("opposite", "li", 0, tp=0, fp=30, fn=21, tn=49),
        row("fine", "otsu", 0, tp=10, fp=30, fn=5, tn=55),
        row("fine", "li", 0, tp=0, fp=30, fn=15, tn=55),
    ]
    summary = summarize(rows)
    assert "60.0% of its annotated" in pick(summary, "mostly", "otsu", "f1")["warning"]
    assert "every method" in pick(summary, "opposite", "li", "f1")["warning"]
    # one method agrees with the truth: it is the other one that is wrong
    assert pick(summary, "fine", "li", "f1")["warning"] == ""
    # of all samples, there are rows with both
    doubts = doubts_of(summary)
    assert [(doubt.code, doubt.sample) for doubt in doubts] == [
        ("inverted_truth", "mostly"),
        ("inverted_truth", "opposite"),
    ]
    assert str(doubts[0]) == pick(summary, "mostly", "otsu", "f1")["warning"]
    assert doubts[0].remedy.startswith("check it")


def test_order_is_that_of_the_sheet():
    rows = [row("a", "otsu", 5, 1, 1, 1, 1), row("b", "li", 0, 1, 1, 1, 1)]
    rows += [row("a", "otsu", 10, 1, 1, 1, 1), row("b", "otsu", 0, 1, 1, 1, 1)]
    ordered = sort_rows(rows[::-1], ["b", "a"], ["otsu", "li"])
    assert [(row["sample"], row["method"], row["x"]) for row in ordered] == [
        ("b", "otsu", "0"),
        ("b", "li", "0"),
        ("a", "otsu", "5"),
        ("a", "otsu", "10"),
    ]
    table = sort_table(table_of(rows[::-1]), ["b", "a"], ["otsu", "li"])
    assert table.to_dict("records") == table_of(ordered).to_dict("records")
    # planes and stacks come after tiles
    rows = [row("a", "otsu", 0, 1, 1, 1, 1) | {"extent": name} for name in ("plane", "tile")]
    assert sort_table(table_of(rows), ["a"], ["otsu"])["extent"].tolist() == ["tile", "plane"]


def test_describe_nothing():
    assert describe([]) == {
        "averaged": 0,
        **dict.fromkeys(("mean", "sd", "median", "q25", "q75")),
    }
    assert describe([0.5])["sd"] is None


def test_metrics_of_planes_are_summed_over_planes_and_those_of_pixels_over_tiles():
    tiles = [row("a", "otsu", i, tp=6, fp=2, fn=2, tn=90) for i in range(2)]
    planes = []
    for found in ((4, 3, 2), (2, 4, 2)):
        objects = dict(zip(formulas.OBJECTS, found, strict=True))
        formulas.set_metrics([objects], [one.name for one in formulas.metrics_of(["objects"])][:4])
        text = {name: str(value) for name, value in objects.items()} | {"area_error": ""}
        one = row("a", "otsu", 0, tp=12, fp=4, fn=4, tn=180)
        planes.append(one | {"extent": "plane"} | text)
    summary = summarize([*(one | {"extent": "tile"} for one in tiles), *planes], ["objects"])
    f1, matched = (pick(summary, "a", "otsu", name) for name in ("f1", "object_f1"))
    assert (f1["extent"], f1["tiles"], f1["pooled"]) == ("tile", 2, 0.75)
    # 4 matched of 6 and 7
    assert (matched["extent"], matched["tiles"]) == ("plane", 2)
    assert matched["pooled"] == pytest.approx(2 * 4 / 13)


def test_half_a_truth_is_not_most_of_it():
    (first, *_) = summarize([row("a", "otsu", 0, tp=50, fp=5, fn=0, tn=45)])
    assert first["warning"] == ""


def test_what_the_guard_cannot_judge_is_told_once_for_each_sample():
    rows = [
        {"sample": sample, "method": method, "tile": tile, "guard": guard}
        for sample, method, tile, guard in (
            ("a", "otsu", "t0", "weak, own"),
            ("a", "otsu", "t1", "weak, own"),
            ("a", "segmentation", "t0", "weak, own"),
            ("b", "otsu", "t0", "weak, own"),
            ("b", "li", "t0", "weak, own"),
            ("b", "li", "t1", "infinite"),
            ("b", "otsu", "t2", "infinite"),
            ("c", "segmentation", "t0", "weak, own"),
            ("c", "otsu", "t0", "weak, empty"),
            ("c", "otsu", "t1", "own"),
            ("c", "otsu", "t5", "infinite"),
        )
    ]
    doubts = guarded.threshold_doubts(rows)
    assert [(one.code, one.sample, one.method, one.tile) for one in doubts] == [
        # the method that makes the segmentation is one of those that are named
        ("weak_contrast", "a", "otsu", ""),
        ("weak_contrast", "b", "", ""),
        ("weak_contrast", "c", "segmentation", ""),
        ("constant_background", "b", "", ""),
        ("constant_background", "c", "", "t5"),
    ]
    assert "objects from noise in b (otsu, li): tiles keep" in doubts[1].message
    assert doubts[3].message.startswith("2 tiles of b, such as t1, have a background of one")
    assert doubts[4].message.startswith("a tile of c, such as t5, has a background of one")
