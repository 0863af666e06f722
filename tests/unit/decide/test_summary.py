import pytest

from tilewise.decide.summary import describe, doubts_of, sort_rows, summarize
from tilewise.score import confusion, formulas


def row(sample, method, tile, tp, fp, fn, tn):
    counts = {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
    fields = {"annotated": sum(counts.values()), **counts, "edge": confusion.edge(**counts)}
    formulas.set_metrics([fields], formulas.PIXEL_METRICS)
    place = {"tile": tile, "z": 0, "y": 0, "x": tile}
    text = {key: "" if value is None else str(value) for key, value in fields.items()}
    return {"sample": sample, "method": method, **{k: str(v) for k, v in place.items()}, **text}


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


def test_describe_nothing():
    assert describe([]) == {
        "averaged": 0,
        **dict.fromkeys(("mean", "sd", "median", "q25", "q75")),
    }
    assert describe([0.5])["sd"] is None
