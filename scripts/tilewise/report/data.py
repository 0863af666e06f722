"""The data of the report, as in `workflow/schemas/report.schema.json`, from tables and pictures."""

import inspect
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tilewise.report import answer, maps
from tilewise.report.limits import MOST_TILES
from tilewise.report.reasons import reason
from tilewise.score.formulas import COUNTS, METRICS, label_of
from tilewise.view.columns import number, table

Row = Mapping[str, str]
Rows = Sequence[Row]
Key = tuple[str, str]
"""The sample and the name of a tile."""

MEASURED = {"hd95": "95th percentile of the distances between both surfaces."}
"""Metrics without a formula."""
EMBEDDED_BYTES = 2_000_000
"""Of packs in the page itself."""
SAFE_COLORS = {"tp": [86, 180, 233], "fp": [213, 94, 0], "fn": [240, 228, 66], "tn": [0, 0, 0]}
"""Those of Okabe and Ito, which people with any kind of colour blindness tell apart."""
QUALITY = (
    *("mean", "sd", "contrast", "saturated", "focus", "gradient", "stripes", "separability"),
    *("contrast_to_noise", "foreground"),
)
TRUST = ("agreement", "drift_z", "drift_plane", "distance", "trust")
"""Columns of the tables of quality and trust that tiles have, too."""
OF_TILES = ("metrics", "quality", "trust", "folds")
"""Tables with a row for each tile: there may be hundreds of thousands."""
PLACE = ("z", "y", "x", "height", "width")
NAMED = 3
"""Samples in the title of a report."""


@dataclass(frozen=True)
class Pictures:
    """What `report_tiles` has made.

    `places` are rows with `sample` and the fields of its place, `image` and `confusion` pictures of
    each in base64, or None; `disagreement` is a share of pixels; `shown` has the numbers of tiles
    with a pack, in order, and the reasons of each.
    """

    places: Sequence[Mapping[str, Any]] = ()
    image: Sequence[str | None] = ()
    confusion: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    disagreement: Sequence[float | None] = ()
    shown: Sequence[tuple[int, Sequence[str]]] = ()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """From `tiles.to_record`."""
        shown = [(index, reasons) for index, *reasons in record["shown"]]
        return cls(**{**record, "shown": shown})


def assemble(
    study: Mapping[str, Any],
    tables: Mapping[str, Any],
    decision: Mapping[str, Any] | None,
    sweeps: Mapping[str, Rows],
    pictures: Pictures,
    glossary: Mapping[str, str],
    *,
    packs: Mapping[str, Any] | None = None,
    number_of_packs: int = 0,
    learning_curves: Mapping[str, Rows] | None = None,
    citations: Mapping[str, Sequence[str]] | None = None,
    text: Mapping[str, str] | None = None,
    provenance: Mapping[str, Any] | None = None,
    partial: str = "",
) -> dict[str, Any]:
    """All data of the page.

    Parameters
    ----------
    study
        What the plan knows: `title`, `description`, `metric`, `metrics`, `samples`, `methods`,
        `colors` and `alpha`.
    tables
        By name, rows of the tables that there are; those of `OF_TILES` are gone through several
        times, and may be `tables.Streamed`; `units` are of units.
    decision
        What `decision.json` holds; None where nothing could be decided.
    sweeps
        By method, rows of what was tried.
    packs, number_of_packs
        Tiles in full that the page holds, as from `embed`, and how many there are.
    learning_curves
        By method that learns, rows of its scores by number of units.
    citations
        By method.
    text
        The methods text: `plain`, `markdown` and `bibtex`.
    provenance
        What `provenance.json` holds.
    partial
        What a report of a run that goes on says of itself.
    """
    metric, doubts = study["metric"], tables.get("warnings", ())
    label = label_of(metric)
    following = tables.get("annotate_next", ())
    places = places_of_tiles(study, tables, pictures)
    own = pick(places, pictures)
    decided = (decision or {"method": ""})["method"]
    listed = list_tiles({key: places[key] for key in own}, tables, pictures, decided)
    numbers = {key: i for i, key in enumerate(places)}
    scores, estimates = _scores(tables.get("metrics", ()), study["metrics"], numbers)
    written = text or {}
    return {
        **{"format": 1, "title": _title(study), "partial": partial},
        "description": study["description"],
        "metric": metric,
        "metrics": [_metric(name, glossary) for name in study["metrics"]],
        "samples": study["samples"],
        "methods": [_method(one, tables, estimates, citations or {}) for one in study["methods"]],
        "decision": _plain(decision),
        "answer": {
            "sentences": answer.sentences(decision, label, has_truth=bool(scores)),
            "next": answer.next_steps(
                decision, label, doubts, following, estimates.get(decided, "")
            ),
            "warnings": answer.touching(decision, doubts),
        },
        "warnings": table(doubts, ("code", "sample", "method", "tile", "message", "remedy")),
        "tables": {name: table(tables[name]) for name in SHOWN_TABLES if tables.get(name)},
        "sweeps": {
            one["name"]: _sweep(sweeps[one["name"]], one["settings"])
            for one in study["methods"]
            # of a threshold that is calibrated alone, no sets of parameters are tried
            if one["name"] in sweeps and one["settings"]
        },
        "learning_curves": {
            name: table(rows) for name, rows in (learning_curves or {}).items() if rows
        },
        "units": table(tables.get("units", ())),
        "tiles": table(listed, _columns(listed)),
        "tiles_total": len(places),
        "maps": {} if len(listed) == len(places) else _maps(study, tables, places, scores),
        "tile_scores": {
            "methods": {
                method: {
                    name: [number(values[numbers[key]]) for key in own]
                    for name, values in by_metric.items()
                }
                for method, by_metric in scores.items()
            }
        },
        **_thumbnails(own, pictures),
        "label_colors": {"published": study["colors"], "safe": SAFE_COLORS},
        "alpha": study["alpha"],
        "glossary": dict(glossary),
        "methods_text": written.get("plain", ""),
        "methods_markdown": written.get("markdown", ""),
        "bibtex": written.get("bibtex", ""),
        "provenance": dict(provenance or {}),
        "packs": {"number": number_of_packs, "embedded": packs or {}},
    }


SHOWN_TABLES = (
    *("ranking", "scores", "summary", "quantities", "quantities_groups", "costs", "errors"),
    *("differences", "agreement", "annotators", "annotate_next"),
)
"""Tables that the page has as they are."""


def places_of_tiles(
    study: Mapping[str, Any], tables: Mapping[str, Any], pictures: Pictures
) -> dict[Key, tuple[int, ...]]:
    """The fields of `PLACE` of all tiles of which anything is known.

    Sample by sample, plane by plane, row by row.
    """
    known: dict[Key, tuple[int, ...]] = {}
    scored = (row for row in tables.get("metrics", ()) if row["extent"] == "tile")
    given = *(tables.get(name, ()) for name in ("quality", "trust")), scored, pictures.places
    for row in chain.from_iterable(given):
        key = row["sample"], row["tile"]
        if key not in known:
            known[key] = tuple(int(row[name]) for name in PLACE)
    order = {sample["name"]: i for i, sample in enumerate(study["samples"])}
    return dict(sorted(known.items(), key=lambda item: (order[item[0][0]], *item[1][:3])))


def pick(keys: Collection[Key], pictures: Pictures) -> list[Key]:
    """The tiles that lists show: all, or those with pictures, and no more than `MOST_TILES`."""
    if len(keys) <= MOST_TILES:
        return list(keys)
    pictured = {(row["sample"], row["tile"]) for row in pictures.places}
    chosen = [key for key in keys if key in pictured]
    return (chosen or list(keys))[:MOST_TILES]


def list_tiles(
    places: Mapping[Key, Sequence[int]],
    tables: Mapping[str, Any],
    pictures: Pictures,
    decided: str = "",
) -> list[dict[str, Any]]:
    """What is known of some tiles, as rows in their order.

    `why` says of annotated ones why the method that was `decided` on scores as it does.
    """
    known: dict[Key, dict[str, Any]] = {}
    for (sample, name), place in places.items():
        tile = {"sample": sample, "tile": name, **dict(zip(PLACE, place, strict=True))}
        tile |= {"edge": "", "annotated": 0, "excluded": 0, "flags": "", "unit": "", "why": ""}
        known[sample, name] = tile

    def own(table):
        for row in tables.get(table, ()):
            tile = known.get((row["sample"], row["tile"]))
            if tile is not None:
                yield row, tile

    for name, columns in (("quality", QUALITY), ("trust", TRUST)):
        for row, tile in own(name):
            tile |= {column: row[column] for column in columns if column in row}
            tile |= {"flags": row["flags"], "edge": row["edge"]}
    for row, tile in own("metrics"):
        if row["extent"] == "tile":
            tile |= {"annotated": 1, "excluded": int(row["excluded"] != ""), "flags": row["flags"]}
            tile["edge"] = row["edge"]
            if row["method"] == decided:
                tile["why"] = reason(row)
    spots = {(tile["sample"], *(tile[axis] for axis in "zyx")): tile for tile in known.values()}
    for row in tables.get("folds", ()):
        spot = row["sample"], *(int(row[axis]) for axis in "zyx")
        if spot in spots and not row["patch"]:
            spots[spot]["unit"] = row["unit"]
    for tile in known.values():
        tile |= {"pack": None, "reasons": ""}
    for pack, (index, reasons) in enumerate(pictures.shown):
        row = pictures.places[index]
        key = row["sample"], row["tile"]
        if key in known:
            known[key] |= {"pack": pack, "reasons": ";".join(reasons)}
    return list(known.values())


def embed(packs: Iterable[str], most: int = EMBEDDED_BYTES) -> dict[str, Any]:
    """The first packs, by their numbers, as long as there is space for them; each is JSON."""
    embedded, size = {}, 0
    for i, text in enumerate(packs):
        size += len(text)
        if size > most:
            break
        embedded[str(i)] = json.loads(text)
    return embedded


def _title(study):
    """The project's name, or those of its first samples."""
    names = [sample["name"] for sample in study["samples"]]
    more = len(names) - NAMED
    listed = f"{', '.join(names[:NAMED])}{f' and {more} more' if more > 0 else ''}"
    return study["title"] or f"{listed} - tilewise"


def _columns(rows):
    return list(dict.fromkeys(name for row in rows for name in row))


def _metric(name, glossary):
    known = METRICS[name]
    first = MEASURED.get(name) or inspect.cleandoc(known.formula.__doc__ or "").partition("\n")[0]
    return {
        **{"name": name, "label": label_of(name), "range": [number(known.low), number(known.high)]},
        **{"higher_is_better": known.direction > 0, "is_score": known.decides},
        "explained": glossary.get(name, first),
    }


def _method(one, tables, estimates, cited):
    """A method, with what is known of it after the run."""
    name = one["name"]
    ranked = next((row for row in tables.get("ranking", ()) if row["method"] == name), None)
    cost = next((row for row in tables.get("costs", ()) if row["method"] == name), None)
    return {
        **{key: one[key] for key in ("name", "definition", "yaml", "is_tuned")},
        "estimate": ranked["estimate"] if ranked else estimates.get(name, ""),
        "cost": cost and {key: number(cost[key]) for key in ("cpu_s_per_mpx", "peak_mb")},
        "citations": list(cited.get(name, ())),
    }


def _plain(decision):
    """A decision without numbers that JSON does not have."""
    return None if decision is None else json.loads(json.dumps(decision), parse_constant=_nothing)


def _nothing(_):
    return None


def _sweep(rows, settings):
    """Sets of parameters and their scores."""
    names = [name for name in (rows[0] if rows else ()) if name in METRICS]
    return table(
        {f"p_{key}": value for key, value in settings[row["variant"]].items()}
        | {name: row[name] for name in names}
        | {"chosen": int(row["chosen"] != "")}
        for row in rows
    )


def _scores(rows, metrics, numbers):
    """By method and metric, the value of each tile, nan where there is none; and what scores are.

    `numbers` has the number of each tile. What scores of a method are (`estimate`) is that of its
    first row.
    """
    scores: dict[str, dict[str, NDArray[np.float64]]] = {}
    estimates: dict[str, str] = {}
    for row in rows:
        estimates.setdefault(row["method"], row["estimate"])
        if row["extent"] == "tile":
            by_metric = scores.setdefault(row["method"], {})
            own = numbers[row["sample"], row["tile"]]
            for name in (*metrics, *COUNTS):
                if name in row:
                    if name not in by_metric:
                        by_metric[name] = np.full(len(numbers), np.nan)
                    by_metric[name][own] = _value(row[name])
    # of structure, where it is of planes or samples, no tile has any
    known = {
        method: {name: values for name, values in of.items() if not np.isnan(values).all()}
        for method, of in scores.items()
    }
    return known, estimates


def _value(field):
    found = number(field)
    return np.nan if found is None else found


def _thumbnails(keys, pictures):
    """Pictures of the tiles that are listed, and how far methods differ there."""
    index = {(row["sample"], row["tile"]): i for i, row in enumerate(pictures.places)}
    numbers = [index.get(key) for key in keys]

    def of(values):
        return [None if i is None else values[i] for i in numbers]

    return {
        "disagreement": list(map(number, of(pictures.disagreement))),
        "thumbnails": {
            "image": of(pictures.image),
            "confusion": {method: of(own) for method, own in pictures.confusion.items()},
        },
    }


def _maps(study, tables, places, scores):
    numbers = {key: i for i, key in enumerate(places)}
    of_tiles: dict[str, NDArray[np.float64]] = {}
    for table_name, columns in (("quality", QUALITY), ("trust", TRUST)):
        for row in tables.get(table_name, ()):
            own = numbers[row["sample"], row["tile"]]
            for name in columns:
                if name in row:
                    if name not in of_tiles:
                        of_tiles[name] = np.full(len(places), np.nan)
                    of_tiles[name][own] = _value(row[name])
    values = {name: of_tiles[name] for name in (*QUALITY, *TRUST) if name in of_tiles}
    corners = np.array(list(places.values()), np.int64)
    place = {"sample": np.array([sample for sample, _ in places])}
    place |= {axis: corners[:, PLACE.index(axis)] for axis in "yx"}
    return maps.binned(study["samples"], place, {"tiles": values, **scores})
