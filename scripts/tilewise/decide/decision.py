"""The decision: methods in order, their scores beside reference scores, and the one to use."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.decide import evidence, guarded, reference_scores, unit_doubts, units
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import best_of
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.folds import Folds
from tilewise.decide.places import Histograms, Place
from tilewise.decide.ranking import Row, finite, rank_rows, score_rows
from tilewise.decide.resampling import Floats, estimate, learning_curve
from tilewise.decide.summary import blank_doubts, doubts_of, sort_rows, summarize
from tilewise.decide.verdict import verdict, worst_tiles
from tilewise.doubts import Doubt
from tilewise.score.formulas import COUNTS
from tilewise.score.score_table import whole_tiles

CROSS_VALIDATED = "cross-validated selection"
"""Stands in tables for selecting the method too without the units that it is then scored on."""

TextRow = Mapping[str, str]


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
    selections: Mapping[str, Sequence[TextRow]],
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
    selections : dict of str to list of dict of str to str
        What `selection.Selection.unit_rows` has filled, for methods with parameters to choose.
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
    rules = Rules.of(settings, folds.kind, len(names))
    known = {
        method: evidence.selected(selections[method], columns)
        if method in selections
        else evidence.fixed(rows, folds, columns)
        for method, rows in tiles.items()
    }
    order = [rules.metric, *(name for name in columns.metrics if name != rules.metric)]
    guard = {method: _of_guard(whole_tiles(rows)) for method, rows in tiles.items()}
    ranking = [row for name in order for row in rank_rows(known, columns, name, rules, guard)]
    decisive = [row for row in ranking if row["metric"] == rules.metric]
    scores = [row for one in known.items() for row in _method_scores(*one, columns, rules)]
    own_rows, cross_validated = _cross_validated(known, folds, columns, rules)
    scores += own_rows
    scores += reference_rows(histograms, unit_of, next(iter(known.values())), rules)
    scores += _annotator_rows(annotators, rules)
    best = decisive[0]["method"]
    rows = sort_rows(chain.from_iterable(tiles.values()), samples, list(tiles))
    summary = summarize(whole_tiles(rows), choices)
    doubts = [*known_doubts, *doubts_of(summary), *blank_doubts(summary)]
    doubts += [*guarded.empty_doubts(summary), *_tuned_doubts(decisive)]
    ranked = np.stack([known[row["method"]].counts for row in decisive])
    nearness = folds.nearness(ranked, columns.merit(rules.metric), rules.average)
    doubts += unit_doubts.doubts_of(folds, settings, nearness)
    record = {
        **_verdict(decisive, known[best], rules),
        "units": {"unit": rules.unit, "number": len(names), "independent": rules.units}
        | (nearness.to_record() if nearness else {}),
        "cross_validated": cross_validated,
        "runners_up": [row for row in decisive[1:] if row["indistinguishable"]],
        "left_out": left_out,
        "excluded": excluded,
        "learning_curve": _learning_curve(known[best], columns, rules),
        "worst": worst_tiles(whole_tiles(tiles[best]), flags, rules.metric),
        "warnings": [doubt._asdict() for doubt in doubts],
    }
    return Decision(ranking, scores, record)


def _of_guard(rows: Sequence[TextRow]) -> str:
    return guarded.describe(sum(map(guarded.is_left_empty, rows)), len(rows))


def _tuned_doubts(decisive: Sequence[Row]) -> list[Doubt]:
    """Tests with methods whose parameters were chosen: held-out scores share training units."""
    tuned = [row["method"] for row in decisive if row["estimate"] == "held out"]
    if not tuned or all(row["indistinguishable"] for row in decisive):
        return []
    return [
        Doubt(
            "tuned_methods",
            f"parameters of {', '.join(tuned)} were chosen on the units that they are compared on: "
            "held-out scores share those units, and methods that are equal are told apart more "
            "often than in 5 % of studies, up to 25 %",
            "take the order of these methods as a hint, or compare them on further units",
            method=tuned[0] if len(tuned) == 1 else "",
        )
    ]


def _method_scores(method: str, own: Evidence, columns: CountColumns, rules: Rules) -> list[Row]:
    counts = {own.estimate: own.counts}
    if own.resubstitution is not None:
        counts["resubstitution"] = own.resubstitution
    return [
        row
        for kind, table in counts.items()
        for row in score_rows(method, kind, table, columns, rules, own.variant)
    ]


def _cross_validated(
    known: Mapping[str, Evidence], folds: Folds, columns: CountColumns, rules: Rules
) -> tuple[list[Row], dict[str, Any] | None]:
    """Scores of selecting the method too, their value and the choices; None of a single unit."""
    if len(folds.fold_of) < 2 or len(known) < 2:
        return [], None
    fold_of = np.array([fold for _, fold in sorted(folds.fold_of.items())])
    counts, selected = cross_validate(known, columns, fold_of, rules)
    value = estimate(counts[None], columns.metric(rules.metric), rules.average)[0]
    rows = score_rows(CROSS_VALIDATED, "held out", counts, columns, rules)
    return rows, {"value": finite(value), "chosen": selected}


def _verdict(decisive: Sequence[Row], best: Evidence, rules: Rules) -> dict[str, Any]:
    """What is decided, from the ranking by the metric that decides."""
    fields = ("metric", "estimate", "value", "low", "high", "guard", "note")
    return {
        **{"verdict": verdict(decisive, rules), "method": decisive[0]["method"]},
        **{"variant": best.variant, **{name: decisive[0][name] for name in fields}},
        **{"average": rules.average, "confidence": rules.confidence},
    }


def _learning_curve(best: Evidence, columns: CountColumns, rules: Rules) -> list[Row]:
    """The expected width of the best method's interval, by number of units."""
    if not rules.has_intervals:
        return []
    metric, drawn = columns.metric(rules.metric), (rules.seed, rules.resamples)
    curve = learning_curve(best.counts, metric, rules.average, *drawn, confidence=rules.confidence)
    return [{"units": size, "width": width} for size, width in curve]


def cross_validate(
    known: Mapping[str, Evidence], columns: CountColumns, fold_of: NDArray[np.int64], rules: Rules
) -> tuple[Floats, list[str]]:
    """Select the method without each fold, and score it on that fold.

    `fold_of` numbers the fold of each unit, from 0. Gives the counts of each unit by the method
    that is best on the other folds, (units, columns), and the name of that method for each fold.
    """
    methods, merit = list(known), columns.merit(rules.metric)
    counts = np.zeros_like(known[methods[0]].counts)
    selected = []
    for fold in range(fold_of.max() + 1):
        out = fold_of == fold
        training = [
            own.training[fold] if own.training else np.where(out[:, None], 0, own.counts)
            for own in known.values()
        ]
        values = estimate(np.stack(training)[:, ~out], merit, rules.average)
        selected.append(methods[best_of(values)])
        counts[out] = known[selected[-1]].counts[out]
    return counts, selected


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
            rows += score_rows(method, kind, pooled[""], columns, rules)
    matrix = any_method.counts[:, : len(COUNTS)]
    truth = matrix[:, COUNTS.index("tp")] + matrix[:, COUNTS.index("fn")]
    for method, counts in reference_scores.trivial(truth, matrix.sum(axis=1)).items():
        rows += score_rows(method, "trivial", counts, columns, rules)
    return rows


def _annotator_rows(annotators: Iterable[TextRow], rules: Rules) -> list[Row]:
    one_sample = replace(rules, units=1, unit="sample")
    return [
        score
        for row in annotators
        for score in score_rows(
            f"annotator {row['annotator']}, {row['sample']}",
            row["estimate"],
            np.array([[float(row[name]) for name in COUNTS]]),
            CountColumns(()),
            one_sample,
        )
    ]
