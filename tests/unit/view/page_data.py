"""Data of a report, made by hand: two methods, two tiles, one of them annotated."""

import json
from pathlib import Path

from tilewise.view.columns import table

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/report.schema.json"
COLORS = {"tp": [0, 255, 255], "fp": [255, 0, 255], "fn": [255, 255, 0], "tn": [0, 0, 0]}


def schema():
    """The contract."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def page_data(sample="brain", method="otsu", **changes):
    """Data in which a sample and the best method have some names."""
    ranking = {"metric": "mcc", "guard": "", "relation": "", "low": "0.7", "high": "0.9"}
    place = {"z": 0, "y": 0, "height": 64, "width": 64, "edge": "", "unit": sample}
    data = {
        "format": 1,
        "title": f"{sample} - tilewise",
        "description": "",
        "partial": "",
        "metric": "mcc",
        "metrics": [
            {
                **{"name": "mcc", "label": "MCC", "range": [-1, 1], "higher_is_better": True},
                **{"is_score": True, "explained": "1 is perfect, 0 is chance."},
            }
        ],
        "samples": [
            {
                **{"name": sample, "planes": 1, "height": 64, "width": 128, "tile": [64, 64]},
                **{"pixel_size": None, "is_color": False, "metadata": {}},
            }
        ],
        "methods": [
            {
                **{"name": name, "yaml": "", "estimate": "fixed", "is_tuned": False},
                "definition": {"filter": "", "threshold": "Otsu", "parameters": "", "roi": ""},
                **{"cost": {"cpu_s_per_mpx": 0.0217, "peak_mb": 68}, "citations": []},
            }
            for name in ("li", method)
        ],
        "decision": {
            **{"method": method, "estimate": "fixed"},
            "worst": [
                {"sample": sample, "tile": "z0_y0_x0", "mcc": 0.8, "fp": 1, "fn": 2, "flags": ""}
            ],
        },
        "answer": {"sentences": [f"Use {method}."], "next": ["Annotate more."], "warnings": [1]},
        "warnings": table(
            {
                "code": code,
                "sample": sample,
                "method": "",
                "tile": "",
                "message": code,
                "remedy": "r",
            }
            for code in ("other", "touching")
        ),
        "tables": {
            "ranking": table(
                [
                    {"rank": "1", "method": method, "value": "0.8", "estimate": "fixed", **ranking},
                    {"rank": "2", "method": "li", "value": "0.75", "estimate": "fixed", **ranking},
                ]
            )
        },
        **{"sweeps": {}, "learning_curves": {}},
        "units": table([{"unit": sample, "method": method, "mcc": 0.8}]),
        "tiles": table(
            [
                {"sample": sample, "tile": f"z0_y0_x{i}", "x": 64 * i, **place}
                | {"annotated": 1 - i, "excluded": 0, "flags": "", "pack": None, "reasons": ""}
                for i in (0, 1)
            ]
        ),
        "tiles_total": 2,
        "maps": {},
        "tile_scores": {"methods": {method: {"mcc": [0.8, None]}, "li": {"mcc": [0.75, None]}}},
        "disagreement": [0.01, None],
        "thumbnails": {"image": [None, None], "confusion": {method: [None, None]}},
        "label_colors": {"published": COLORS, "safe": COLORS},
        "alpha": 0.3,
        "glossary": {},
        "methods_text": "",
        "bibtex": "",
        "provenance": {},
        "packs": {"number": 0, "embedded": {}},
    }
    return data | changes
