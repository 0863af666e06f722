"""Reports of images that were never made: phantoms, thresholds on them, and tables of the scores.

    PYTHONPATH=scripts python tests/report_fixture.py OUT.html --tiles 1000 --methods 11

writes a page and its packs. Up to `MOST_SMALL` tiles are one to a sample, more are maps of four
samples. Names are hostile on purpose. Only counts of pixels, and what follows from them, are true;
intervals are those of means, and distances are made up.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from tilewise.labels import NOT_ANNOTATED
from tilewise.report import choice, data
from tilewise.score.formulas import COUNTS, METRICS, evaluate
from tilewise.tables import UNKNOWN, WORSE
from tilewise.view import page, tile_packs
from tilewise.view.glossary import TERMS

METRIC = "mcc"
OF_COUNTS = ("accuracy", "precision", "recall", "specificity", "f1", "iou", "balanced_accuracy")
MADE_UP = {"cldice": 0.9, "nsd": 1.1, "object_f1": 0.8}
"""Metrics that are F1 to some power."""
NAMES = (*OF_COUNTS, METRIC, *MADE_UP, "hd95", "assd")
ALERT = "<script>alert(1)</script>"
ELEMENT = "<img src=x onerror=alert(2)>"
SAMPLES = (ALERT, "\"quotes' &amp; gel", "Augenhintergrund ü", "cortex")
METHODS = ("otsu", ELEMENT, "Größe 'ß'", '"li"', *(f"method {i}" for i in range(5, 100)))
KINDS = ("vessels", "gel", "retina", "vessels")
MOST_SMALL = 100
FILTERS = (("none", 1), ("median", 3), ("gauss", 7))
SHOWN = 200
CURVE = [
    {"units": units, "draws": draws, "metric": METRIC, "mean": 0.8 - 0.4 / units}
    | {"lowest": 0.8 - 0.6 / units, "highest": 0.8 - 0.3 / units}
    for units, draws in ((1, 5), (2, 5), (4, 5), (7, 1))
]
COLORS = {"tp": [0, 255, 255], "fp": [255, 0, 255], "fn": [255, 255, 0], "tn": [0, 0, 0]}


def fixture(tiles=1000, methods=11, seed=0, side=96):
    """Data of a page, and all packs in order, as JSON.

    `tiles` of `side` pixels are scored with `methods`; a tenth of them has no truth, and half of
    these no masks. The third method keeps its probability, and has a learning curve.
    """
    rng = np.random.default_rng(seed)
    study, places = _study(tiles, methods, side)
    names = [one["name"] for one in study["methods"]]
    image, confusion, differs, rows, packs = [], {name: [] for name in names}, [], [], []
    for number, place in enumerate(places):
        picture, truth, inside = phantom(place, rng)
        filtered = {name: _smoothed(picture, size) for name, size in FILTERS}
        filter_of = {name: FILTERS[i % len(FILTERS)][0] for i, name in enumerate(names)}
        levels = {
            name: _otsu(filtered[filter_of[name]][inside]) + _offset(i)
            for i, name in enumerate(names)
        }
        masks = {
            name: ((filtered[filter_of[name]] > levels[name]) & inside).astype(np.uint8)
            for name in names
        }
        is_annotated = number % 10 != 9 and inside.any()
        codes = {
            name: tile_packs.label_codes(mask, truth if is_annotated else None, inside)
            for name, mask in masks.items()
            if number % 20 != 19 and inside.any()
        }
        image.append(tile_packs.thumbnail(picture))
        for name in names:
            confusion[name].append(tile_packs.small_codes(codes[name]) if codes else None)
        differs.append(tile_packs.disagreement(list(masks.values())))
        rows += [_row(place, name, own) for name, own in codes.items() if is_annotated]
        packs.append(_pack(place, picture, filtered, filter_of, levels, codes, inside))
    _score(rows, rng)
    merits, quality = _by_tile(rows, names, places), _quality(places, differs, rng)
    following = [i for i, place in enumerate(places) if i % 10 == 9][:20]
    shown = choice.choose(
        merits, np.array(differs, float), following, range(tiles), min(SHOWN, tiles)
    )
    pictures = data.Pictures(places, image, confusion, differs, list(shown.items()))
    tables = _tables(study, places, rows, quality, following)
    decision = _decision(tables, rows)
    texts = [tile_packs.as_json(packs[i]) for i in shown]
    sweeps = {names[0]: _sweep(study["methods"][0]["settings"], tables)}
    known = data.assemble(
        study,
        {name: list(map(_as_text, own)) for name, own in tables.items()},
        decision,
        {name: list(map(_as_text, own)) for name, own in sweeps.items()},
        pictures,
        TERMS,
        packs=data.embed(texts),
        number_of_packs=len(texts),
        learning_curves={name: list(map(_as_text, CURVE)) for name in names[2:3]},
        citations={name: ["otsu1979"] for name in names},
        text={
            "plain": f"Images\n\nThey were segmented with {ALERT} (Otsu 1979).\n\n"
            "References\n\nOtsu N. A threshold selection method. 1979.\n",
            "markdown": f"## Images\n\nThey were segmented with {ALERT} [@otsu1979].\n",
            "bibtex": "@article{otsu1979,\n  author = {Otsu, Nobuyuki}\n}\n",
        },
        provenance={"format": 1, "inputs": {ALERT: "0" * 64}, "versions": {"numpy": "2"}},
    )
    return known, texts


def write(path, known, packs):
    """A page and its packs, which lie beside it."""
    path = Path(path)
    path.write_text(page.render(known), encoding="utf-8")
    folder = path.parent / "report"
    folder.mkdir(exist_ok=True)
    for number, pack in enumerate(packs):
        script = tile_packs.as_script(number, pack)
        (folder / f"pack_{number:04d}.js").write_text(script, encoding="ascii")


def phantom(place, rng):
    """A picture, grey or in colour, its truth, and whether a pixel is in the region of interest."""
    shape = place["height"], place["width"]
    ground, truth = np.zeros(shape, np.float32), np.zeros(shape, np.uint8)
    if place["kind"] == "gel":
        for x in range(8, shape[1] - 8, 24):
            for y in rng.integers(4, shape[0] - 4, 3).tolist():
                cv2.rectangle(truth, (x, y - 2), (x + 15, y + 2), 1, -1)
    else:
        for _ in range(4):
            steps = np.vstack(
                [rng.uniform(0, shape[0], (1, 2)), rng.normal(0, shape[0] / 9, (9, 2))]
            )
            line = [np.cumsum(steps, 0).round().astype(np.int32)]
            cv2.polylines(truth, line, False, 1, int(rng.integers(2, 6)), cv2.LINE_8)
    # shading, noise, and an image that is less sharp than its truth
    contrast = rng.uniform(35, 110)
    ground += contrast * cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 1.2)
    ground += np.linspace(0, rng.uniform(0, 60), shape[1], dtype=np.float32)
    ground += rng.normal(50, rng.uniform(4, 16), shape).astype(np.float32)
    grey = np.clip(ground, 0, 255).astype(np.uint8)
    inside = np.ones(shape, bool)
    if place["kind"] == "gel":
        return 255 - grey, truth, inside
    if place["kind"] == "vessels":
        return grey, truth, inside
    # a round field over the whole sample, and a corner of each tile that nobody has drawn
    y, x = np.ogrid[: shape[0], : shape[1]]
    radius = place["field"] / 2
    inside = np.hypot(y + place["y"] - radius, x + place["x"] - radius) < radius
    truth = truth.copy()
    truth[: shape[0] // 4, : shape[1] // 4] = NOT_ANNOTATED
    color = np.stack([np.full_like(grey, 200), 180 - grey // 2, np.full_like(grey, 40)], -1)
    return color * inside[..., None].astype(np.uint8), truth, inside


def _study(tiles, methods, side):
    """What the plan would know, and the places of all tiles."""
    is_small = tiles <= MOST_SMALL
    samples = tiles if is_small else 4
    each = -(-tiles // samples)
    along = int(np.ceil(np.sqrt(each)))
    names = [*SAMPLES[:samples], *(f"slice {i}" for i in range(5, samples + 1))]
    kinds = [KINDS[i % len(KINDS)] for i in range(samples)]
    places = [
        {
            **{"sample": name, "tile": f"z0000_y{i // along:02d}_x{i % along:02d}", "z": 0},
            **{"y": i // along * side, "x": i % along * side, "height": side, "width": side},
            **{"kind": kind, "field": along * side},
        }
        for name, kind in zip(names, kinds, strict=True)
        for i in range(each)
    ][:tiles]
    return {
        **{"title": "", "description": f"Vessels {ALERT} and gels, drawn at random."},
        "metric": METRIC,
        "metrics": list(NAMES),
        "samples": [
            {
                **{"name": name, "planes": 1, "height": along * side, "width": along * side},
                **{"tile": [side, side], "pixel_size": [1, 0.5, 0.5] if i % 2 else None},
                **{"is_color": kind == "retina", "metadata": {"group": f"{ALERT} {i % 2}"}},
            }
            for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
        ],
        "methods": [_method(i) for i in range(methods)],
        **{"colors": COLORS, "alpha": 0.3},
    }, places


def _method(number):
    name, size = FILTERS[number % len(FILTERS)]
    return {
        "name": METHODS[number],
        "definition": {
            **{"filter": f"{name} of {size} px", "threshold": "Otsu, per tile"},
            **{"parameters": f"offset={_offset(number)}", "roi": "largest bright region"},
        },
        "yaml": f"filter: {name}  # {ALERT}\nthreshold: {{otsu: {{offset: {_offset(number)}}}}}\n",
        "is_tuned": number == 0,
        "settings": {
            f"offset={offset}, size={size}": {"offset": offset, "size": size}
            for offset in range(-30, 31, 10)
            for size in (1, 3, 7)
        },
    }


def _offset(number):
    return (0, -8, 8, -16, 16)[number % 5] + number // 5


def _smoothed(picture, size):
    """Grey, with bright foreground, and smoothed."""
    if picture.ndim == 3:
        grey = picture[..., 1].astype(np.int16)
        grey = np.where(grey > 0, 180 - grey, 0).clip(0, 255).astype(np.uint8)
        return cv2.GaussianBlur(grey, (size, size), 0)
    is_dark = np.median(picture) > 127
    return cv2.GaussianBlur(255 - picture if is_dark else picture, (size, size), 0)


def _otsu(values):
    if not values.size:
        return 0
    return cv2.threshold(values.reshape(1, -1), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0]


def _row(place, name, codes):
    tn, fp, fn, tp = (int(np.count_nonzero(codes == code)) for code in range(4))
    return {
        **{key: place[key] for key in ("sample", "tile", "z", "y", "x", "height", "width")},
        **{"method": name, "tp": tp, "fp": fp, "fn": fn, "tn": tn, "extent": "tile"},
        **{"estimate": "held out" if name == METHODS[0] else "fixed", "excluded": ""},
        **{"edge": "", "flags": "low_contrast" if place["x"] % 5 == 2 else ""},
    }


def _score(rows, rng):
    counts = {name: np.array([row[name] for row in rows], float) for name in COUNTS}
    values = {name: evaluate(name, counts) for name in (*OF_COUNTS, METRIC)}
    noise = rng.normal(0, 0.02, len(rows))
    overlap = np.nan_to_num(values["f1"])
    values |= {name: (overlap**power + noise).clip(0, 1) for name, power in MADE_UP.items()}
    # of empty masks there are no distances
    is_empty = counts["tp"] + counts["fp"] == 0
    values["hd95"] = np.where(is_empty, np.nan, (30 * (1 - overlap)).round(1))
    values["assd"] = values["hd95"] / 7
    for i, row in enumerate(rows):
        row |= {name: _known(values[name][i]) for name in NAMES}


def _known(value):
    return None if not np.isfinite(value) else float(value)


def _as_text(row):
    return {name: "" if value is None else str(value) for name, value in row.items()}


def _pack(place, picture, filtered, filter_of, levels, codes, inside):
    return {
        **{"sample": place["sample"], "tile": place["tile"]},
        "image": tile_packs.image(picture),
        "filtered": {name: tile_packs.image(own) for name, own in filtered.items()}
        if codes
        else {},
        "method_filter": filter_of if codes else {},
        "codes": {name: tile_packs.labels(own) for name, own in codes.items()},
        "probability": {
            name: tile_packs.image(_probable(filtered[filter_of[name]], levels[name], inside))
            for name in list(codes)[2:3]
        },
        "histograms": {name: tile_packs.histogram(own[inside]) for name, own in filtered.items()},
        "thresholds": {name: {"values": [levels[name]], "note": ""} for name in codes},
    }


def _probable(filtered, level, inside):
    """0 to 255 for 0 to 1: half at the threshold."""
    return (255 * inside / (1 + np.exp((level - filtered.astype(float)) / 10))).astype(np.uint8)


def _by_tile(rows, names, places):
    index = {(place["sample"], place["tile"]): i for i, place in enumerate(places)}
    merits = {name: np.full(len(places), np.nan) for name in names}
    for row in rows:
        merits[row["method"]][index[row["sample"], row["tile"]]] = row[METRIC]
    return merits


def _quality(places, differs, rng):
    return [
        {
            **{key: place[key] for key in ("sample", "tile", "z", "y", "x", "height", "width")},
            **{"edge": "", "flags": "low_contrast" if place["x"] % 5 == 2 else ""},
            **{"mean": rng.uniform(40, 90), "focus": rng.uniform(0, 1), "agreement": 1 - share},
            **{"trust": rng.uniform(0.5, 1) * (1 - share)},
        }
        for place, share in zip(places, differs, strict=True)
    ]


def _tables(study, places, rows, quality, following):
    """Tables that the workflow would write, of the scores of tiles."""
    names = [one["name"] for one in study["methods"]]
    unit_of = _units(places)
    units = _of_units(rows, names, unit_of)
    ranking = [row for name in (METRIC, *NAMES) for row in _ranked(units, names, name)]
    # each metric once, that of the decision first
    ranking = list({(row["metric"], row["method"]): row for row in ranking}.values())
    pooled = {(row["metric"], row["method"]): row for row in ranking}
    samples = [one["name"] for one in study["samples"]]
    return {
        **{"metrics": rows, "units": units, "ranking": ranking},
        "quality": quality,
        "trust": quality,
        "folds": [
            {**place, "unit": unit_of[place["sample"], place["tile"]], "patch": ""}
            for place in places
        ],
        "scores": [
            {
                **{"method": row["method"], "estimate": row["estimate"], "variant": ""},
                **{"metric": row["metric"], "micro": row["value"], "micro_low": row["low"]},
                **{"micro_high": row["high"], "macro": row["value"], "macro_low": row["low"]},
                **{"macro_high": row["high"], "units": row["units"], "unit": "sample", "note": ""},
            }
            for row in [
                *ranking,
                pooled[METRIC, names[0]]
                | {"method": "best threshold of each tile", "estimate": "upper bound"}
                | {"value": 0.97, "low": 0.95, "high": 0.98},
                pooled[METRIC, names[0]]
                | {"method": "all foreground", "estimate": "fixed"}
                | {"value": 0, "low": None, "high": None},
            ]
        ],
        "summary": [
            _summary(sample, name, metric, rows)
            for sample in samples[:MOST_SMALL]
            for name in names
            for metric in (METRIC, "f1")
        ],
        "quantities": [
            {
                **{"level": "sample", "name": sample, "method": names[0], "uncorrected": 0.1},
                **{"corrected": 0.11, "low": 0.09, "high": 0.13, "confidence": 0.95, "tiles": 10},
                **{"annotated": 9, "units": 9, "unit": "tile", "corrected_um2": None},
                **{"assumption": "tiles were drawn at random" if i else "", "note": ""},
            }
            for i, sample in enumerate(samples)
        ],
        "quantities_groups": [
            {
                **{"group": f"{ALERT} 0", "other": f"{ALERT} 1", "difference": 0.02, "low": -0.01},
                **{"high": 0.05, "confidence": 0.95, "p": 0.2, "p_adjusted": 0.2, "pairs": None},
                "note": "",
            }
        ],
        "costs": [
            {"method": name, "mpx": 9.2, "cpu_s_per_mpx": 0.02 * (i + 1), "peak_mb": 60 + i}
            for i, name in enumerate(names)
        ],
        "errors": [
            _stratum(sample, name, by) for sample in samples[:4] for name in names for by in BY
        ],
        "differences": [
            {
                **{"sample": sample, "method": name, "annotated": 9000, "all_right": 8000},
                **{"all_wrong_fp": 5, "all_wrong_fn": 20, "only_right_foreground": 3 * i},
                **{"only_right_background": 2 * i, "only_wrong_fp": i, "only_wrong_fn": 7},
            }
            for sample in samples[:4]
            for i, name in enumerate(names)
        ],
        "agreement": [
            {"sample": samples[0], "measure": measure, "annotators": f"1,{ALERT}", "value": 0.87}
            | {"pixels": 9000}
            for measure in ("dice", "kappa")
        ],
        "annotators": [
            {"sample": samples[0], "annotator": who, "estimate": "against the consensus"}
            | {"tp": 400, "fp": 40, "fn": 30, "tn": 8530, "f1": 0.92, "mcc": 0.91}
            for who in ("1", ALERT)
        ],
        "annotate_next": [
            {"rank": rank, **quality[i], "annotated": "", "purpose": "train"}
            for rank, i in enumerate(following, 1)
        ],
        "warnings": [
            {"code": code, "sample": sample, "method": method, "tile": "", "message": message}
            | {"remedy": "annotate further samples"}
            for code, sample, method, message in (
                ("few_units", "", "", "few tiles are independent units"),
                ("left_empty", samples[0], names[-1], f"masks of {ALERT} are empty"),
                ("grid_edge", "", names[0], "the chosen offset lies at the edge of its grid"),
            )
        ],
    }


BY = (("calibre", 0, 3), ("calibre", 3, 5), ("calibre", 5, None), ("distance", 0, 1))
BY += (("distance", 1, 2), ("distance", 2, None), ("quality", 0, 0.5), ("quality", 0.5, 1))


def _stratum(sample, name, by):
    counts = {"tp": 400, "fp": 30, "fn": 60, "tn": 8000} if by[0] != "calibre" else {"tp": 400}
    counts = {"tp": 0, "fp": 0, "fn": 60, "tn": 0} | counts
    return {
        **{"sample": sample, "method": name, "by": by[0], "low": by[1], "high": by[2], **counts},
        **{"recall": counts["tp"] / 460, "precision": None, "f1": None, "mcc": None},
    }


def _units(places):
    """The unit of each tile: its sample; of few samples a row of tiles, so that there are many."""
    is_small = len({place["sample"] for place in places}) > 4 or len(places) <= 4
    return {
        (place["sample"], place["tile"]): place["sample"]
        if is_small
        else f"{place['sample']} row {place['y'] // place['height']}"
        for place in places
    }


def _of_units(rows, names, unit_of):
    units = {}
    for row in rows:
        units.setdefault((unit_of[row["sample"], row["tile"]], row["method"]), []).append(row)
    return [
        {"unit": unit, "method": name, **{metric: _mean(own, metric) for metric in NAMES}}
        for (unit, name), own in sorted(units.items(), key=lambda item: names.index(item[0][1]))
    ]


def _mean(rows, metric):
    values = [row[metric] for row in rows if row[metric] is not None]
    return float(np.mean(values)) if values else None


def _ranked(units, names, metric):
    """Methods by their means over units, with intervals of those."""
    direction = METRICS[metric].direction
    rows = []
    for name in names:
        values = [row[metric] for row in units if row["method"] == name and row[metric] is not None]
        mean = float(np.mean(values)) if values else None
        half = 1.96 * float(np.std(values)) / np.sqrt(len(values)) if len(values) > 4 else None
        rows.append(
            {
                **{"metric": metric, "rank": 0, "method": name, "value": mean},
                "estimate": "held out" if name == names[0] else "fixed",
                **{"low": None if half is None else mean - half},
                **{"high": None if half is None else mean + half},
                **{"units": len(values), "unit": "sample", "guard": ""},
                "note": "" if half is not None else "no interval: at least 5 units are needed",
            }
        )
    rows.sort(key=lambda row: -direction * (row["value"] if row["value"] is not None else -1e9))
    best = rows[0]
    for rank, row in enumerate(rows, 1):
        gap = None if row["value"] is None else abs(best["value"] - row["value"])
        is_apart = rank > 1 and row["high"] is not None and row["high"] < (best["low"] or 0)
        row |= {
            **{"rank": rank, "difference": gap, "difference_low": None, "difference_high": None},
            "relation": "" if rank == 1 else WORSE if is_apart else UNKNOWN,
            **{"p": None if rank == 1 else 0.01 if is_apart else 0.4},
            **{"p_adjusted": None if rank == 1 else 0.03 if is_apart else 0.8, "pairs": ""},
            **{"p_best": 1 / rank, "indistinguishable": "" if is_apart else "yes"},
            "first": 1 / rank,
        }
    return rows


def _summary(sample, name, metric, rows):
    own = [row for row in rows if row["sample"] == sample and row["method"] == name]
    values = [row[metric] for row in own if row[metric] is not None]
    return {
        **{"sample": sample, "method": name, "metric": metric, "estimate": "fixed"},
        **{"extent": "tile", "tiles": len(own), "excluded": 0, "averaged": len(values)},
        **{"pooled": _mean(own, metric), "mean": _mean(own, metric)},
        **{"sd": float(np.std(values)) if values else None, "warning": ""},
    }


def _decision(tables, rows):
    decisive = [row for row in tables["ranking"] if row["metric"] == METRIC]
    first, *others = decisive
    own = [row for row in rows if row["method"] == first["method"] and row[METRIC] is not None]
    worst = sorted(own, key=lambda row: row[METRIC])[:10]
    fields = ("sample", "tile", METRIC, "fp", "fn", "edge", "flags")
    names = [row["method"] for row in decisive]
    return {
        **{"method": first["method"], "variant": "", "metric": METRIC, "highest": first["method"]},
        "opening": [f"Use {first['method']}."],
        "verdict": f"Use {first['method']}.",
        "expected": {"value": first["value"], "low": first["low"], "high": first["high"]}
        | {"chosen": [first["method"]], "what": "choosing among these methods"},
        **{key: first[key] for key in ("estimate", "value", "low", "high", "guard", "note")},
        **{"label": "selected, optimistic", "average": "micro", "confidence": 0.95},
        **{"margin": 0.01, "next": ["Annotate at least 3 more independent units."]},
        "units": {
            "unit": "sample",
            "number": first["units"],
            "independent": first["units"],
            "needed": 5,
        },
        "others": others,
        **{"within": [], "seeds": {}, "planning": None, "left_out": [], "excluded": 0},
        "ranks": {name: [float(i == j) for j in range(len(names))] for i, name in enumerate(names)},
        "metrics": {name: 0.5 for name in NAMES if name != METRIC},
        "learning_curve": [
            {"units": units, "width": round(0.6 / units**0.5, 4)} for units in (5, 6, 9, 12, 18, 24)
        ],
        "worst": [{key: row[key] for key in fields} for row in worst],
        "warnings": tables["warnings"][:2],
    }


def _sweep(settings, tables):
    value = tables["ranking"][0]["value"] or 0
    return [
        {
            **{"method": METHODS[0], "variant": variant, "estimate": "resubstitution"},
            "chosen": "yes" if (own["offset"], own["size"]) == (0, 3) else "",
            "folds": 2,
            METRIC: value - (own["offset"] / 60) ** 2 - 0.01 * own["size"],
            "f1": value - (own["offset"] / 50) ** 2,
        }
        for variant, own in settings.items()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--tiles", type=int, default=1000)
    parser.add_argument("--methods", type=int, default=11)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    made, scripts = fixture(asked.tiles, asked.methods, asked.seed, asked.side)
    write(asked.page, made, scripts)
    print(f"{asked.page}: {asked.page.stat().st_size / 1e6:.1f} MB, {len(scripts)} packs")
