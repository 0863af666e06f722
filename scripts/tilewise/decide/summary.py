"""From a row per tile to what a method achieves on a sample and on all of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.decide import guarded
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.ranking import finite
from tilewise.decide.resampling import Floats
from tilewise.doubts import Doubt
from tilewise.score.formulas import COUNTS, METRICS, PIXEL_METRICS, evaluate, metrics_of
from tilewise.tables import SLIVER

Row = Mapping[str, Any]

ALL = "all"
"""Stands for all samples together."""
FALSE_POSITIVE_AREA = "false_positive_area"
COLUMNS = (
    *("sample", "method", "metric", "estimate", "extent", "tiles", "excluded", "pooled"),
    *("averaged", "mean", "sd", "median", "q25", "q75"),
    *("slivers", "blank_truth", "blank_mask", "mean_without_blank"),
    *("left_empty", "left_empty_with_truth", "warning"),
)
"""Of the summary."""
WORTH_SAYING = 0.05
"""How far blank tiles move a mean that is 0 to 1 for it to be said."""


def sort_rows(rows: Iterable[Row], samples: Sequence[str], methods: Sequence[str]) -> list[Row]:
    """Rows in the order of sheet and configuration, then plane by plane, row by row of tiles."""
    sample_rank = {name: i for i, name in enumerate(samples)}
    method_rank = {name: i for i, name in enumerate(methods)}
    return sorted(
        rows,
        key=lambda row: (
            sample_rank[row["sample"]],
            method_rank[row["method"]],
            *(int(row[axis]) for axis in "zyx" if axis in row),
            row.get("extent", "tile") != "tile",
        ),
    )


def sort_table(tiles: Any, samples: Sequence[str], methods: Sequence[str]) -> Any:
    """The same of a table as a `pandas.DataFrame`, which has z, y and x."""
    keys = [np.asarray(tiles[axis]) for axis in "xyz"]
    for column, names in (("method", methods), ("sample", samples)):
        rank = {name: i for i, name in enumerate(names)}
        keys.append(np.array([rank[name] for name in tiles[column]], np.int64))
    if "extent" in tiles:
        keys.insert(0, np.asarray(tiles["extent"] != "tile"))
    return tiles.iloc[np.lexsort(keys)]


def summarize(tiles: Any, choices: Collection[str] = ()) -> list[dict[str, Any]]:
    """What the tiles of each sample and method amount to: a row per sample, method and metric.

    Parameters
    ----------
    tiles : pandas.DataFrame
        As from `sort_table`. Rows whose field `excluded` is not empty do not count. `estimate` is
        passed on. `extent`, where it is not `tile`, says that a row is of a plane or a stack. Any
        of these may be missing.
    choices : collection of str
        Metrics of structure that the rows have, of `formulas.CHOICES`.

    Returns
    -------
    list of dict
        Fields of `COLUMNS`. `pooled` is the metric of the counts of all `tiles` together; `mean`,
        `sd`, `median` and quartiles are over those tiles whose truth has foreground and whose
        metric is defined, `averaged` of them. For the metric `false_positive_area`, in pixels, the
        tiles are those whose truth is empty, and `pooled` is their sum. Of several samples, rows
        for the sample `all` come last. Metrics of structure are of the planes or stacks, if rows
        are of those.

        Left out of the mean are `slivers`, and tiles with `blank_truth`: without foreground.
        `blank_mask` tiles have foreground, of which the mask has none: F1 is 0 there, precision is
        not defined. `mean_without_blank` leaves them out too. Of `false_positive_area` all truth
        is blank, and a blank mask is right. `left_empty` is the number of tiles that the guard left
        empty, `left_empty_with_truth` of those whose truth has foreground.
    """

    def groups() -> Iterable[tuple[Any, Any]]:
        grouped: Iterable[tuple[Any, Any]] = tiles.groupby(
            ["sample", "method"], sort=False, observed=True
        )
        return grouped

    counts = {names: _pool(_whole(group)) for names, group in groups()}
    samples = list(dict.fromkeys(sample for sample, _ in counts))
    methods = list(dict.fromkeys(method for _, method in counts))
    suspicions = {sample: suspect(sample, counts) for sample in samples}
    summary = []
    for (sample, method), group in groups():
        summary += _summarize_group(sample, method, group, suspicions[sample], choices)
    if len(samples) > 1:
        for method in methods:
            pooled = tiles[tiles["method"] == method]
            warning = "; ".join(filter(None, suspicions.values()))
            summary += _summarize_group(ALL, method, pooled, warning, choices)
    return summary


def suspect(sample: str, pooled: Mapping[tuple[str, str], Mapping[str, int]]) -> str:
    """Why a sample's truth may be inverted; empty if nothing speaks for it.

    `pooled` are the counts of all tiles by sample and method.
    """
    counts = [own for names, own in pooled.items() if names[0] == sample]
    truth, annotated = counts[0]["tp"] + counts[0]["fn"], sum(counts[0].values())
    reasons = []
    if 2 * truth > annotated:
        reasons.append(f"{truth / annotated:.1%} of its annotated pixels are foreground")
    if all(evaluate("mcc", own) < 0 for own in counts):
        reasons.append("it agrees better with the inverted mask of every method")
    if not reasons:
        return ""
    return (
        f"the truth of {sample} looks inverted: {' and '.join(reasons)}; "
        "check it, or set truth_foreground; or swap bright and dark by invert or foreground"
    )


def doubts_of(summary: Iterable[Row]) -> list[Doubt]:
    """What is suspicious about samples, each once; rows of all samples only repeat it."""
    warnings = {row["sample"]: row["warning"] for row in summary if row["warning"]}
    parts = {sample: warning.partition("; ") for sample, warning in warnings.items()}
    return [
        Doubt("inverted_truth", message, remedy, sample)
        for sample, (message, _, remedy) in parts.items()
        if sample != ALL
    ]


def blank_doubts(summary: Iterable[Row]) -> list[Doubt]:
    """Means over tiles that hang on tiles with foreground of which the mask has none.

    A doubt for each sample and method whose mean F1 is another without them, by more than
    `WORTH_SAYING`; of all samples together, if there is none of a method's samples. Rows are those
    of `summarize`, or of its table, as text. Where all tiles are blank, there is no mean without
    them, and no doubt.
    """
    doubts: list[Doubt] = []
    for row in summary:
        mean, without = row["mean"], row["mean_without_blank"]
        if row["metric"] != "f1" or mean in (None, "") or without in (None, ""):
            continue
        if abs(float(without) - float(mean)) <= WORTH_SAYING:
            continue
        is_all = row["sample"] == ALL
        if is_all and any(doubt.method == row["method"] for doubt in doubts):
            continue
        message = (
            f"{row['method']} finds nothing in {row['blank_mask']} of {row['averaged']} tiles of "
            f"{'all samples' if is_all else row['sample']} that have foreground: its mean F1 over "
            f"tiles is {float(mean):.3f} with them and {float(without):.3f} without, and its mean "
            "precision is without them"
        )
        remedy = "compare pooled scores; the column `note` in thresholds/ says why masks are empty"
        sample = "" if is_all else row["sample"]
        doubts.append(Doubt("blank_tiles", message, remedy, sample, row["method"]))
    return doubts


def _pool(tiles: Any) -> dict[str, int]:
    return {name: int(tiles[name].sum()) for name in COUNTS}


def _whole(rows: Any) -> Any:
    """Those of tiles."""
    return rows[rows["extent"] == "tile"] if "extent" in rows else rows


def _summarize_group(
    sample: str, method: str, rows: Any, warning: str, choices: Collection[str]
) -> list[dict[str, Any]]:
    scored = rows[rows["excluded"] == ""] if "excluded" in rows else rows
    estimate = rows["estimate"].iloc[0] if "estimate" in rows else "fixed"
    names = {
        **{"sample": sample, "method": method, "warning": warning},
        **{"estimate": estimate, "excluded": len(rows) - len(scored)},
    }
    tiles = _whole(scored)
    extents, extent = tiles, "tile"
    if len(tiles) < len(scored):
        extents = scored[scored["extent"] != "tile"]
        extent = extents["extent"].iloc[0]
    counts, columns = _pool(tiles), CountColumns(choices)
    pooled = {name: finite(float(evaluate(name, counts))) for name in PIXEL_METRICS}
    totals = columns.table(extents).sum(axis=0) if choices and len(extents) else None
    for metric in metrics_of(choices):
        total = np.nan if totals is None else float(columns.metric(metric.name)(totals))
        pooled[metric.name] = finite(total)
    summary: list[dict[str, Any]] = []
    of_tiles, of_extents = _Group(tiles), _Group(extents)
    fields: dict[str, Any]
    for name, value in pooled.items():
        own, kind = (of_tiles, "tile") if not METRICS[name].choice else (of_extents, extent)
        fields = {"metric": name, "extent": kind, "tiles": len(own.rows), "pooled": value}
        fields |= own.means(name, own.has_foreground) | own.left_out(own.all)
        summary.append({**names, **fields})
    blank = ~of_tiles.has_foreground
    fields = {"metric": FALSE_POSITIVE_AREA, "extent": "tile", "tiles": int(blank.sum())}
    fields["pooled"] = int(tiles["fp"].to_numpy()[blank].sum())
    fields |= of_tiles.means("fp", blank) | of_tiles.left_out(blank)
    return [*summary, {**names, **fields}]


class _Group:
    """Tiles, or planes or stacks, of a sample and method; fields are (rows,) arrays."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        tp, fp, fn = (rows[name].to_numpy() for name in ("tp", "fp", "fn"))
        self.all = np.ones(len(rows), bool)
        self.has_foreground, self.has_mask = tp + fn > 0, tp + fp > 0
        self.is_sliver = np.asarray(rows["edge"] == SLIVER, bool)
        self.left_empty = guarded.are_left_empty(rows) if "guard" in rows else ~self.all

    def means(self, name: str, chosen: NDArray[np.bool_]) -> dict[str, Any]:
        """`describe` of a column where it is defined, and its mean without empty masks.

        Of chosen rows that are no slivers.
        """
        chosen = chosen & ~self.is_sliver
        values = self.rows[name].to_numpy(np.float64)
        known = chosen & ~np.isnan(values)
        return {
            **describe(values[known]),
            "blank_mask": int((chosen & ~self.has_mask).sum()),
            "mean_without_blank": describe(values[known & self.has_mask])["mean"],
        }

    def left_out(self, chosen: NDArray[np.bool_]) -> dict[str, int]:
        """Slivers, others without foreground in the truth, and tiles that the guard left empty."""
        empty = chosen & self.left_empty
        counted = {
            "slivers": chosen & self.is_sliver,
            "blank_truth": chosen & ~self.is_sliver & ~self.has_foreground,
            "left_empty": empty,
            "left_empty_with_truth": empty & self.has_foreground,
        }
        return {name: int(rows.sum()) for name, rows in counted.items()}


def describe(values: Sequence[float] | Floats) -> dict[str, Any]:
    """Mean and spread of some numbers.

    `averaged` is how many there are, `sd` that with n - 1, None for fewer than two. All but
    `averaged` are None where there is no number.
    """
    names = ("mean", "sd", "median", "q25", "q75")
    if not len(values):
        return {"averaged": 0, **dict.fromkeys(names)}
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    quartiles = map(float, np.percentile(values, (50, 25, 75)))
    described = (float(np.mean(values)), spread, *quartiles)
    return {"averaged": len(values), **dict(zip(names, described, strict=True))}
