"""The decision: methods in order, their scores beside reference scores, and the one to use."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Any

import numpy as np

from tilewise.decide import evidence, guarded, reference_scores, units
from tilewise.decide.choice import choose
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits, best_of
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.folds import Folds
from tilewise.decide.places import Histograms, Place
from tilewise.decide.ranking import Row, finite, rank_methods, rank_rows, score_rows
from tilewise.decide.resampling import (
    Floats,
    MetricOfCounts,
    bootstrap_weights,
    estimate,
    learning_curve,
)
from tilewise.decide.selection import Trials
from tilewise.decide.significance import set_of_best
from tilewise.decide.summary import blank_doubts, doubts_of, sort_rows, summarize
from tilewise.decide.uncertainty import Uncertainty
from tilewise.decide.verdict import advice, verdict, worst_tiles
from tilewise.doubts import Doubt
from tilewise.score.formulas import COUNTS
from tilewise.score.score_table import whole_tiles

CROSS_VALIDATED = "cross-validated selection"
"""Stands in tables for selecting the method too without the units that it is then scored on."""

OPTIMISTIC = "selected, optimistic"
"""Labels the score of the method that was selected for it, on the units that selected it."""

TextRow = Mapping[str, str]


@dataclass(frozen=True)
class Tried:
    """What a method chooses from: counts by all sets of parameters, and how many they are."""

    trials: Trials
    parameters: int


@dataclass(frozen=True)
class Decision:
    """Which method to use, and what speaks for it.

    `ranking` and `scores` have the fields of `ranking.RANKING` and `ranking.SCORES`; `record` is
    what `decision.json` holds.
    """

    ranking: list[Row]
    scores: list[Row]
    record: dict[str, Any]


def decide(
    tiles: Mapping[str, Sequence[TextRow]],
    trials: Mapping[str, Tried],
    settings: Mapping[str, Any],
    *,
    folds: Folds,
    samples: Sequence[str],
    choices: Collection[str],
    histograms: Histograms,
    annotators: Iterable[TextRow],
    flags: Mapping[tuple[str, str], str],
    left_out: Sequence[str],
    excluded: int,
    known_doubts: Sequence[Doubt] = (),
) -> Decision:
    """Compare the methods on annotated tiles and decide on one.

    Parameters
    ----------
    tiles : dict of str to list of dict of str to str
        By method, its rows of tables of metrics with the column `guard`, without excluded tiles.
    trials : dict of str to Tried
        Of methods with parameters to choose.
    settings, samples, choices
        The configuration's `decision`; annotated samples, in order; the metrics of structure that
        the rows have, of `formulas.CHOICES`.
    folds
        Of all annotated tiles.
    histograms, annotators
        Of annotated tiles, for reference scores, if any; rows of the tables of annotators.
    flags, left_out, excluded
        Flags of quality by sample and tile; methods that are not compared; number of tiles that are
        excluded.
    known_doubts
        What could mislead before anything is scored.
    """
    columns = CountColumns(choices)
    unit_of, names = folds.unit_of, sorted(folds.fold_of)
    rules, (splits, _) = Rules.of(settings, folds.kind, len(names)), folds.splits()
    by = columns.merit(rules.metric), rules.average
    known = {
        method: evidence.selected(trials[method].trials, splits, *by, trials[method].parameters)
        if method in trials
        else evidence.fixed(rows, unit_of, columns)
        for method, rows in tiles.items()
    }
    order = [rules.metric, *(name for name in columns.metrics if name != rules.metric)]
    guard = {method: _of_guard(whole_tiles(rows)) for method, rows in tiles.items()}
    ranking = [
        row for name in order for row in rank_rows(known, columns, name, rules, splits, guard)
    ]
    decisive = [row for row in ranking if row["metric"] == rules.metric]
    applied = _applied(known, decisive, columns, rules)
    scores = [row for one in known.items() for row in _method_scores(*one, columns, rules, splits)]
    own_rows, cross_validated = _cross_validated(known, splits, columns, rules)
    scores += own_rows
    scores += reference_rows(histograms, unit_of, next(iter(known.values())), rules)
    scores += _annotator_rows(annotators, rules)
    rows = sort_rows(chain.from_iterable(tiles.values()), samples, list(tiles))
    summary = summarize(whole_tiles(rows), choices)
    doubts = [*known_doubts, *doubts_of(summary), *blank_doubts(summary)]
    doubts += [*guarded.empty_doubts(summary), *_tuned_doubts(known, decisive)]
    curve = _learning_curve(known[applied], columns, rules, splits)
    record = {
        **_verdict(decisive, applied, known[applied], cross_validated, rules),
        "next": advice(curve, rules),
        "units": {"unit": rules.unit, "number": len(names), "independent": rules.units},
        "others": [row for row in decisive if row["method"] != applied],
        "within": _within(known, decisive, columns, rules),
        "left_out": left_out,
        "excluded": excluded,
        "learning_curve": curve,
        "worst": worst_tiles(whole_tiles(tiles[applied]), flags, rules.metric),
        "warnings": [doubt._asdict() for doubt in doubts],
    }
    return Decision(ranking, scores, record)


def _of_guard(rows: Sequence[TextRow]) -> str:
    return guarded.describe(sum(map(guarded.is_left_empty, rows)), len(rows))


def _applied(
    known: Mapping[str, Evidence], decisive: Sequence[Row], columns: CountColumns, rules: Rules
) -> str:
    """The method to use."""
    methods, in_set = list(known), {row["method"] for row in decisive if row["indistinguishable"]}
    counts = np.stack([own.counts for own in known.values()])
    values = estimate(counts, columns.merit(rules.metric), rules.average)
    is_in_set = np.array([method in in_set for method in methods])
    return methods[
        choose(
            list(known.values()), values, is_in_set if rules.has_intervals else None, rules.margin
        )
    ]


def _tuned_doubts(known: Mapping[str, Evidence], decisive: Sequence[Row]) -> list[Doubt]:
    """Tests of methods that choose from unequally many sets of parameters."""
    tuned = [method for method, own in known.items() if own.is_held_out]
    unequal = any(not known[i].is_as_free_as(known[k]) for i, k in combinations(tuned, 2))
    if not unequal or all(row["indistinguishable"] in ("yes", None) for row in decisive):
        return []
    return [
        Doubt(
            "tuned_methods",
            f"{', '.join(tuned)} choose from different numbers of sets of parameters on the units "
            "that they are compared on: where they are equal, they are told apart in up to 12 % of "
            "studies instead of 5 %",
            "take the order of these methods as a hint, or give their grids as many sets",
        )
    ]


def _method_scores(
    method: str, own: Evidence, columns: CountColumns, rules: Rules, splits: Splits
) -> list[Row]:
    rows = score_rows(method, own, columns, rules, splits)
    if own.resubstitution is not None and own.estimate != "resubstitution":
        chosen = replace(own, estimate="resubstitution", counts=own.resubstitution)
        rows += score_rows(method, chosen, columns, rules)
    return rows


def _cross_validated(
    known: Mapping[str, Evidence], splits: Splits, columns: CountColumns, rules: Rules
) -> tuple[list[Row], dict[str, Any] | None]:
    """Scores of selecting the method too, and what `decision.json` has of them.

    None where no fold leaves units to select on, and of a single method, which is its own
    selection.
    """
    if not splits.can_choose or len(known) < 2:
        return [], None
    counts, selected = cross_validate(known, columns, splits, rules)
    rows = score_rows(CROSS_VALIDATED, Evidence("held out", counts), columns, rules, splits)
    (own,) = (row for row in rows if row["metric"] == rules.metric)
    value, low, high = (own[rules.average + end] for end in ("", "_low", "_high"))
    return rows, {"value": value, "low": low, "high": high, "chosen": selected}


def _verdict(
    decisive: Sequence[Row],
    applied: str,
    own: Evidence,
    cross_validated: dict[str, Any] | None,
    rules: Rules,
) -> dict[str, Any]:
    """What is decided, from the ranking by the metric that decides.

    `expected` is what to expect on new samples, and comes first; the score of the method that was
    selected for it is beside it.
    """
    fields = ("metric", "estimate", "value", "low", "high", "guard", "note")
    (row,) = (row for row in decisive if row["method"] == applied)
    expected = cross_validated or {name: row[name] for name in ("value", "low", "high")}
    if cross_validated:
        what = (
            f"choosing among these {len(decisive)} methods by this rule, scored on units that had "
            "no part in the choice"
        )
    else:
        what = (
            "nothing was chosen on the units that score it"
            if own.estimate == "fixed"
            else ("scored on units that had no part in choosing its parameters")
        )
    return {
        **{"verdict": verdict(decisive, applied, rules), "method": applied},
        **{"variant": own.variant, "expected": expected | {"what": what}},
        **{name: row[name] for name in fields},
        "label": OPTIMISTIC if len(decisive) > 1 else "",
        **{"average": rules.average, "confidence": rules.confidence, "margin": rules.margin},
        "highest": decisive[0]["method"],
    }


def _within(
    known: Mapping[str, Evidence], decisive: Sequence[Row], columns: CountColumns, rules: Rules
) -> list[Row]:
    """How the method with the highest score does beside the others in the parts there are.

    Where these are too few, or too near, to speak of other samples; empty elsewhere.
    """
    best, merit = decisive[0]["method"], columns.merit(rules.metric)
    parts = len(known[best].counts)
    if rules.has_intervals or parts < 2:
        return []
    is_cut = rules.units == 1
    own = replace(rules, units=parts if is_cut else rules.units)
    order = list(known)
    rows = rank_methods([replace(one, estimate="fixed") for one in known.values()], merit, own)
    values = {method: merit(one.counts) for method, one in known.items()}
    return [
        {
            **{"best": best, "method": order[row["index"]], "parts": parts},
            "better": int(np.count_nonzero(values[best] > values[order[row["index"]]])),
            **{"difference": finite(row["difference"])},
            **{"low": row["difference_low"], "high": row["difference_high"]},
            "within": "this tile" if is_cut else "these units",
            "part": "blocks" if is_cut else "units",
        }
        for row in rows
        if order[row["index"]] != best
    ]


def _learning_curve(
    own: Evidence, columns: CountColumns, rules: Rules, splits: Splits
) -> list[Row]:
    """The expected width of a method's interval, by number of units."""
    if not rules.has_intervals:
        return []
    metric = columns.metric(rules.metric)
    weights = bootstrap_weights(len(own.counts), rules.resamples, rules.seed)
    sure = Uncertainty([own], metric, rules.average, weights, splits)
    low, high = sure.interval(0, confidence=rules.confidence)
    if low is None or high is None:
        return []
    drawn, confidence = (rules.seed, rules.resamples), rules.confidence
    given = own.counts, metric, rules.average, *drawn, high - low
    curve = learning_curve(*given, confidence=confidence)
    return [{"units": size, "width": width} for size, width in curve]


def cross_validate(
    known: Mapping[str, Evidence], columns: CountColumns, splits: Splits, rules: Rules
) -> tuple[Floats, list[str]]:
    """Select the method without each fold, and score it on that fold.

    The rule is that of the decision, on scores that are held out within the units that train for
    the fold. Gives the counts of each unit by the method that is selected without it, (units,
    columns), and the name of that method for each fold.
    """
    methods, merit = list(known), columns.merit(rules.metric)
    counts = np.zeros_like(known[methods[0]].counts)
    selected = []
    for fold in range(splits.number):
        inner = splits.training(fold)
        own = [one.training(fold, splits, merit, rules.average) for one in known.values()]
        values = estimate(np.stack([one.counts for one in own]), merit, rules.average)
        selected.append(methods[_selected(own, values, inner, merit, rules)])
        out = splits.fold_of == fold
        counts[out] = known[selected[-1]].counts[out]
    return counts, selected


def _selected(
    own: Sequence[Evidence], values: Floats, splits: Splits, merit: MetricOfCounts, rules: Rules
) -> int:
    """The method that some units select, by the rule of the decision."""
    is_in_set = None
    if len(splits.fold_of) >= rules.min_units and np.isfinite(values).any():
        is_in_set = np.isfinite(values)
        best = best_of(values)
        known = np.flatnonzero(is_in_set).tolist()
        own_splits = splits if splits.can_choose else None
        p = set_of_best(
            [own[i] for i in known], merit, rules.average, rules.seed, splits=own_splits
        )
        is_in_set[known] = p > rules.alpha
        is_in_set[best] = True
    return choose(own, values, is_in_set, rules.margin)


def reference_rows(
    histograms: Histograms, unit_of: Mapping[Place, str], any_method: Evidence, rules: Rules
) -> list[Row]:
    """Scores of global thresholds that know the truth, and of masks that ignore the image.

    The rows have the fields of `ranking.SCORES`. Any method's evidence will do: the truth is the
    same.
    """
    columns = CountColumns(())
    metric = rules.metric if rules.metric in columns.metrics else "mcc"
    piece = "tile" if all(not place.patch for place in unit_of) else "block"
    rows = []
    for source, every in histograms.items():
        own = {place: histogram for place, histogram in every.items() if place in unit_of}
        if not own:
            continue
        each = {place: reference_scores.best(histogram, metric) for place, histogram in own.items()}
        shared = reference_scores.best_shared(own, metric)
        titles = {"one threshold for all": shared, f"a threshold per {piece}": each}
        for title, known in titles.items():
            method, kind = f"oracle: {title}, {source}", f"best {metric} given the truth"
            located = (("", place, counts) for place, counts in known.items())
            pooled, _ = units.pool(located, unit_of, len(COUNTS))
            rows += score_rows(method, Evidence("fixed", pooled[""]), columns, rules, kind=kind)
    matrix = any_method.counts[:, : len(COUNTS)]
    truth = matrix[:, COUNTS.index("tp")] + matrix[:, COUNTS.index("fn")]
    for method, counts in reference_scores.trivial(truth, matrix.sum(axis=1)).items():
        rows += score_rows(method, Evidence("trivial", counts), columns, rules)
    return rows


def _annotator_rows(annotators: Iterable[TextRow], rules: Rules) -> list[Row]:
    one_sample = replace(rules, units=1, unit="sample")
    return [
        score
        for row in annotators
        for score in score_rows(
            f"annotator {row['annotator']}, {row['sample']}",
            Evidence(row["estimate"], np.array([[float(row[name]) for name in COUNTS]])),
            CountColumns(()),
            one_sample,
        )
    ]
