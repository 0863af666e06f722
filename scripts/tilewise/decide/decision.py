"""The decision: methods in order, their scores beside reference scores, and the one to use."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.decide import evidence, reference_scores, units
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import assign_folds, best_of
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.places import Histograms, Place, place_of
from tilewise.decide.ranking import Row, finite, rank_rows, score_rows
from tilewise.decide.resampling import Floats, estimate, learning_curve
from tilewise.decide.verdict import verdict, worst_tiles
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
    groups: Mapping[str, str],
    choices: Collection[str],
    histograms: Histograms,
    annotators: Iterable[TextRow],
    flags: Mapping[tuple[str, str], str],
    left_out: Sequence[str],
    excluded: int,
) -> Decision:
    """Compare the methods on annotated tiles and decide on one.

    Parameters
    ----------
    tiles : dict of str to list of dict of str to str
        By method, its rows of tables of metrics, without excluded tiles.
    selections : dict of str to list of dict of str to str
        What `selection.Selection.unit_rows` has filled, for methods with parameters to choose.
    settings : dict
        The configuration's `decision`.
    groups : dict of str to str
        Group of each sample.
    choices : collection of str
        Metrics of structure that the rows have, of `formulas.CHOICES`.
    histograms : dict
        Of annotated tiles; empty without reference scores from them.
    annotators : iterable of dict of str to str
        Rows of the tables of annotators.
    flags : dict of (str, str) to str
        Flags of quality by sample and tile.
    left_out : sequence of str
        Methods that are not compared.
    excluded : int
        Number of excluded tiles.
    """
    columns = CountColumns(choices)
    places = dict.fromkeys(place_of(row) for rows in tiles.values() for row in rows)
    kind, unit_of = units.assign(places, groups, settings["unit"], settings["plane_gap"])
    names = sorted(set(unit_of.values()))
    rules = Rules.of(settings, kind, len(names))
    known = {
        method: evidence.selected(selections[method], columns)
        if method in selections
        else evidence.fixed(rows, unit_of, names, columns)
        for method, rows in tiles.items()
    }
    order = [rules.metric, *(name for name in columns.metrics if name != rules.metric)]
    ranking = [row for name in order for row in rank_rows(known, columns, name, rules)]
    decisive = [row for row in ranking if row["metric"] == rules.metric]
    scores = [row for method in known for row in _method_scores(method, known, columns, rules)]
    cross_validated = None
    if len(names) > 1 and len(known) > 1:
        fold_of = assign_folds(names, rules.folds)
        counts, selected = cross_validate(known, columns, fold_of, rules)
        scores += score_rows(CROSS_VALIDATED, "held out", counts, columns, rules)
        value = estimate(counts[None], columns.metric(rules.metric), rules.average)[0]
        cross_validated = {"value": finite(value), "chosen": selected}
    scores += reference_rows(histograms, unit_of, next(iter(known.values())), rules)
    scores += _annotator_rows(annotators, rules)
    best = decisive[0]["method"]
    record = {
        **_verdict(decisive, known[best], rules),
        "units": {"unit": rules.unit, "number": len(names), "independent": rules.units},
        "cross_validated": cross_validated,
        "runners_up": [row for row in decisive[1:] if row["indistinguishable"]],
        "left_out": left_out,
        "excluded": excluded,
        "learning_curve": _learning_curve(known[best], columns, rules),
        "worst": worst_tiles(whole_tiles(tiles[best]), flags, rules.metric),
    }
    return Decision(ranking, scores, record)


def _method_scores(
    method: str, known: Mapping[str, Evidence], columns: CountColumns, rules: Rules
) -> list[Row]:
    own = known[method]
    rows = score_rows(method, own.estimate, own.counts, columns, rules, own.variant)
    if own.estimate == "held out" and own.resubstitution is not None:
        kind, counts = "resubstitution", own.resubstitution
        rows += score_rows(method, kind, counts, columns, rules, own.variant)
    return rows


def _verdict(decisive: Sequence[Row], best: Evidence, rules: Rules) -> dict[str, Any]:
    """What is decided, from the ranking by the metric that decides."""
    first = decisive[0]
    return {
        **{"verdict": verdict(decisive, rules), "method": first["method"], "variant": best.variant},
        **{key: first[key] for key in ("metric", "estimate", "value", "low", "high", "note")},
        **{"average": rules.average, "confidence": rules.confidence},
    }


def _learning_curve(best: Evidence, columns: CountColumns, rules: Rules) -> list[Row]:
    """The expected width of the best method's interval, by number of units."""
    if not rules.has_intervals:
        return []
    curve = learning_curve(
        best.counts,
        columns.metric(rules.metric),
        rules.average,
        rules.seed,
        rules.resamples,
        confidence=rules.confidence,
    )
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
    names = sorted(set(unit_of.values()))
    piece = "tile" if all(not place.patch for place in unit_of) else "block"
    rows = []
    for source, every in histograms.items():
        own = {place: histogram for place, histogram in every.items() if place in unit_of}
        if not own:
            continue
        each = [(place, reference_scores.best(own[place], metric)) for place in own]
        pooled, _ = units.pool([("", *one) for one in each], unit_of, len(COUNTS))
        shared = reference_scores.best_shared(own, unit_of, names, metric)
        for title, counts in (
            ("one threshold for all", shared),
            (f"a threshold per {piece}", pooled[""]),
        ):
            method, kind = f"oracle: {title}, {source}", f"best {metric} given the truth"
            rows += score_rows(method, kind, counts, columns, rules)
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
