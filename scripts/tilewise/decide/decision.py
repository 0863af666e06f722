"""The decision: methods in order, their scores beside reference scores, and the one to use."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tilewise.decide import evidence, guarded, reference_scores, rivals, unit_doubts, units
from tilewise.decide.choice import choose, cross_validate, repeat
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits
from tilewise.decide.decision_doubts import seed_doubts, tuned_doubts, uneven_doubts
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.folds import Folds
from tilewise.decide.grid_edge import edge_doubts
from tilewise.decide.outlook import (
    expected_widths,
    orders_alike,
    planned,
    shares_of_ranks,
    within_units,
)
from tilewise.decide.places import Histograms
from tilewise.decide.ranking import Row, rank_rows, score_rows, unit_rows
from tilewise.decide.resampling import MetricOfCounts, estimate
from tilewise.decide.selection import Trials
from tilewise.decide.summary import blank_doubts, doubts_of, sort_table, summarize
from tilewise.decide.verdict import advice, opening, verdict, worst_tiles
from tilewise.doubts import Doubt, in_order
from tilewise.score.formulas import COUNTS

CROSS_VALIDATED = "cross-validated selection"
"""Stands in tables for selecting the method too without the units that it is then scored on."""

OPTIMISTIC = "selected, optimistic"
"""Labels the score of the method that was selected for it, on the units that selected it."""

TextRow = Mapping[str, str]


@dataclass(frozen=True)
class Tried:
    """What a method chooses from.

    `trials` are counts by all sets of parameters, `grid` the values of each parameter, `parameters`
    how many are chosen; `is_trained`, whether models were trained on annotated tiles.
    """

    trials: Trials
    parameters: int
    grid: Mapping[str, Sequence[Any]]
    is_trained: bool = False

    def evidence(self, splits: Splits, metric: MetricOfCounts, average: str) -> Evidence:
        """What is known of the method."""
        return evidence.selected(
            *(self.trials, splits, metric, average, self.parameters), is_trained=self.is_trained
        )


@dataclass(frozen=True)
class Decision:
    """Which method to use, and what speaks for it.

    `ranking` and `scores` have the fields of `ranking.RANKING` and `ranking.SCORES`; `record` is
    what `decision.json` holds. `units` are the scores of each independent unit, by `unit` and
    `method`, with a field for each metric; None where one is undefined.
    """

    ranking: list[Row]
    scores: list[Row]
    record: dict[str, Any]
    units: list[Row]


def decide(
    tiles: Mapping[str, Any],
    trials: Mapping[str, Tried],
    settings: Mapping[str, Any],
    *,
    folds: Folds,
    samples: Sequence[str],
    choices: Collection[str],
    histograms: Mapping[str, Histograms],
    annotators: Iterable[TextRow],
    flags: Mapping[tuple[str, str], str],
    left_out: Sequence[str],
    excluded: int,
    known_doubts: Sequence[Doubt] = (),
) -> Decision:
    """Compare the methods on annotated tiles and decide on one.

    Parameters
    ----------
    tiles : dict of str to pandas.DataFrame
        By method, its table of metrics with the column `guard`, without excluded tiles, samples in
        order.
    trials : dict of str to Tried
        Of methods with parameters to choose.
    settings, samples, choices
        The configuration's `decision`; annotated samples, in order; the metrics of structure that
        the rows have, of `formulas.CHOICES`.
    folds
        Of all annotated tiles.
    histograms, annotators
        Of annotated tiles by filter, for reference scores, if any; rows of tables of annotators.
    flags, left_out, excluded
        Flags of quality by sample and tile; methods that are not compared; number of tiles that are
        excluded.
    known_doubts
        What could mislead before anything is scored.
    """
    columns, scoring = CountColumns(choices, folds.is_weighted), folds.scoring
    names = sorted(scoring.fold_of)
    rules, (splits, _) = Rules.of(settings, folds.kind, len(names)), folds.splits()
    by = columns.merit(rules.metric), rules.average
    known = {
        method: trials[method].evidence(splits, *by)
        if method in trials
        else evidence.fixed(rows, folds, columns)
        for method, rows in tiles.items()
    }
    order = [rules.metric, *(name for name in columns.metrics if name != rules.metric)]
    whole = {method: rows[rows["patch"] == ""] for method, rows in tiles.items()}
    guard = {method: _of_guard(rows) for method, rows in whole.items()}
    ranking = [
        row for name in order for row in rank_rows(known, columns, name, rules, splits, guard)
    ]
    decisive = [row for row in ranking if row["metric"] == rules.metric]
    applied = _applied(known, decisive, columns, rules)
    scores = [row for one in known.items() for row in _method_scores(*one, columns, rules, splits)]
    own_rows, cross_validated = _cross_validated(known, splits, columns, rules)
    scores += own_rows
    scores += reference_rows(histograms, scoring, next(iter(known.values())), rules)
    scores += _annotator_rows(annotators, rules)
    summary = summarize(sort_table(pd.concat(whole.values()), samples, list(tiles)), choices)
    doubts = [*doubts_of(summary), *blank_doubts(summary)]
    doubts += [*guarded.empty_doubts(summary), *tuned_doubts(known, decisive)]
    for method, own in trials.items():
        merits = estimate(own.trials.of_all, *by)
        chosen = list(own.trials.variants).index(known[method].variant)
        doubts += edge_doubts(method, own.grid, merits, chosen, rules.metric)
    seeds = repeat(applied, known, splits, by[0], rules) if rules.has_intervals else {}
    doubts += seed_doubts(applied, seeds)
    nearness = scoring.nearness(np.stack([known[row["method"]].counts for row in decisive]), *by)
    doubts += unit_doubts.doubts_of(folds, settings, nearness)
    doubts += uneven_doubts(columns.pixels(known[applied].counts), rules)
    curve = expected_widths(known[applied], columns, rules, splits)
    plan = planned(known, decisive, columns, rules, splits)
    record = {
        **_verdict(decisive, applied, known[applied], cross_validated, rules),
        "next": advice(curve, plan, rules),
        "units": {
            **{"unit": rules.unit, "number": len(names), "independent": rules.units},
            "needed": rules.min_units,
        }
        | (nearness.to_record() if nearness else {}),
        "others": [row for row in decisive if row["method"] != applied],
        "within": within_units(known, decisive, columns, rules, folds.kind),
        "seeds": seeds,
        "ranks": shares_of_ranks(known, columns, rules),
        "metrics": orders_alike(ranking, rules),
        "planning": plan,
        "left_out": left_out,
        "excluded": excluded,
        "learning_curve": curve,
        "worst": worst_tiles(whole[applied], flags, rules.metric),
    }
    of_units = [row for one in known.items() for row in unit_rows(*one, names, columns)]
    doubts += [*rivals.expected_doubts(record), *rivals.metric_doubts(record, ranking, of_units)]
    record["warnings"] = [doubt._asdict() for doubt in (*known_doubts, *in_order(doubts))]
    return Decision(ranking, scores, {"opening": opening(record), **record}, of_units)


def _of_guard(tiles: pd.DataFrame) -> str:
    empty = guarded.are_left_empty(tiles) if "guard" in tiles else ()
    return guarded.describe(int(np.sum(empty)), len(tiles))


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
    if not (splits.can_choose and splits.can_select) or len(known) < 2:
        return [], None
    counts, selected = cross_validate(known, splits, columns.merit(rules.metric), rules)
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
            f"the score of choosing one of these {len(decisive)} methods anew, each time without "
            "the units that are then scored"
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


def reference_rows(
    histograms: Mapping[str, Histograms], scoring: Folds, any_method: Evidence, rules: Rules
) -> list[Row]:
    """Scores of global thresholds that know the truth, and of masks that ignore the image.

    The rows have the fields of `ranking.SCORES`. `scoring` are the places that score; any method's
    evidence will do: the truth is the same.
    """
    unit_of = scoring.unit_of
    columns = CountColumns((), scoring.is_weighted)
    metric = rules.metric if rules.metric in columns.metrics else "mcc"
    piece = "tile" if all(not place.patch for place in unit_of) else "block"
    rows = []
    for source, every in histograms.items():
        own = every.of(unit_of.__contains__)
        each = reference_scores.best_each(own, metric)
        if not each:
            continue
        weight = scoring.sampling.weight if scoring.is_weighted else None
        shared = reference_scores.best_shared(own, metric, weight)
        titles = {"one threshold for all": shared, f"a threshold per {piece}": each}
        for title, known in titles.items():
            method, kind = f"oracle: {title}, {source}", f"best {metric} given the truth"
            pooled, _ = units.pool(
                (
                    ("", *scoring.weighted(place, one.counts, columns))
                    for place, one in known.items()
                ),
                scoring.unit_of,
                len(columns.names),
            )
            thresholds = reference_scores.describe(known.values())
            own_evidence = Evidence("fixed", pooled[""], thresholds)
            rows += score_rows(method, own_evidence, columns, rules, kind=kind)
    matrix = any_method.counts[:, : len(COUNTS)]
    truth = matrix[:, COUNTS.index("tp")] + matrix[:, COUNTS.index("fn")]
    for method, own_counts in reference_scores.trivial(truth, matrix.sum(axis=1)).items():
        counts = own_counts
        if columns.is_weighted:
            counts = np.hstack([own_counts, any_method.counts[:, -1:]])
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
