"""What is known of every tile, from the tables of several steps."""

from collections.abc import Collection, Iterable, Mapping
from statistics import median
from typing import Any

from tilewise.quality import flags, trust
from tilewise.quality.feature_names import FEATURES, PLACE
from tilewise.tables import TRAIN

Row = dict[str, Any]

QUALITY = (*PLACE, *FEATURES, "foreground", "flags", "excluded")
TRUST = (*PLACE, "agreement", "foreground", *trust.COLUMNS, "flags")
NEXT = ("rank", *TRUST, "purpose")
"""Columns of the tables of quality, of trust, and of the tiles most worth annotating."""


def join(
    features: Iterable[dict[str, Any]],
    thresholds: Iterable[Mapping[str, str]],
    agreement: Iterable[Mapping[str, str]],
    annotated: Collection[tuple[str, str]],
) -> dict[str, list[Row]]:
    """Rows of all tiles, apart by sample, in order.

    The features, with `foreground`, the median fraction of the masks that there are, with
    `agreement` and with `annotated`; None where something is not known. A tile may have several
    thresholds, of several methods; `annotated` are sample and name of the tiles with truth.
    """
    fractions: dict[tuple[str, str], list[float]] = {}
    for row in thresholds:
        fractions.setdefault((row["sample"], row["tile"]), []).append(float(row["foreground"]))
    agreements = {(row["sample"], row["tile"]): row["agreement"] for row in agreement}

    def joined(row: Row) -> Row:
        tile = row["sample"], row["tile"]
        return row | {
            "foreground": median(fractions[tile]) if tile in fractions else None,
            "agreement": agreements.get(tile) or None,
            "annotated": tile in annotated,
        }

    samples = flags.by_sample(features)
    return {sample: list(map(joined, rows)) for sample, rows in samples.items()}


def judge(
    rows: list[Row], limits: Mapping[str, float], exclude: Iterable[str], number: int
) -> tuple[list[Row], list[Row]]:
    """Flags and trust of a sample's tiles, and the `number` of them most worth annotating.

    `rows` are all of a sample, as from `join`; `limits` as for `flags.flag`; flags of `exclude`
    exclude a tile. The tiles have the fields of `QUALITY` and of `TRUST`, the most worth those of
    `NEXT`: their purpose is to `train`, since scores on tiles that were picked because they are
    hard are too low.
    """
    flagged = [
        {**row, "flags": own} for row, own in zip(rows, flags.flag(rows, limits), strict=True)
    ]
    marks = {(row["sample"], row["tile"]): ";".join(row["flags"]) for row in flagged}
    excluded = flags.excluded_tiles(marks, exclude)
    trusts = trust.trust(flagged, [row["annotated"] for row in rows])
    chosen = trust.most_worth(flagged, trusts, number) if number else []
    tiles = [
        {
            **{**row, **own},
            "excluded": "yes" if tile in excluded else "",
            "annotated": "yes" if own["annotated"] else "",
            "flags": mark,
        }
        for row, own, (tile, mark) in zip(flagged, trusts, marks.items(), strict=True)
    ]
    return tiles, [{"rank": rank, **tiles[i], "purpose": TRAIN} for rank, i in enumerate(chosen, 1)]
