"""Write docs/configuration.md: keys, filters, thresholds, clean-up steps and metrics.

    PYTHONPATH=scripts python docs/reference.py

Keys come from workflow/schemas/config.schema.yaml, the rest from the library's registries and the
docstrings of the functions in them.
"""

import inspect
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import yaml

from tilewise.quality import flags
from tilewise.score.formulas import REGISTRY
from tilewise.segment import (
    cleanup,
    filters,
    masks,
    own_function,
    own_model,
    sources,
    vote,
)
from tilewise.segment.global_thresholds import GLOBAL
from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.projections import PROJECTIONS
from tilewise.segment.trained import KINDS

DOCS = Path(__file__).parent
SCHEMA = DOCS.parent / "workflow/schemas/config.schema.yaml"
PAGE = DOCS / "configuration.md"
DATA = ("plane", "pixels", "mask", "masks", "counts", "centers")
"""Parameters of the library's functions that are no settings: what they are applied to."""
ELSEWHERE = {f"quality.thresholds.{name}": value for name, value in flags.DEFAULTS.items()}
"""Defaults that the schema leaves to the library."""
INTRODUCTION = """\
# Configuration

<!-- Written by `make docs` from the schema and from docstrings: change those instead. -->

All keys of the configuration, and what filters, thresholds and clean-up steps can do.
[config/README.md](../config/README.md) shows how to begin; [config.yaml](../config.yaml) is the
demo's configuration, with comments. A key that does not exist is an error.

A dot stands for nesting: `validate.tolerance` is written

```yaml
validate:
  tolerance: 2
```

`NAME` stands for a name of your choice.
"""
STEPS = """\
A step is written as its name, `invert`, as its name with the first setting, `{median: 3}`, or with
named settings, `{gaussian: {sigma: 2}}`. How to add one is in
[CONTRIBUTING.md](../CONTRIBUTING.md#add-a-filter).
"""
COLORS = """\
The first step of a filter may take the colours of an image, whatever `channel` says; the steps
after it get one plane. Integers are colours from 0 to the greatest value of their dtype, floats
from 0 to 1. [colour.md](colour.md) says more.
"""
GLOBALS = """\
One threshold, from the histogram of a tile, a plane or a sample (`methods.NAME.scope`). Thresholds
are written as steps of filters are: `otsu`, `{manual: 79}`.
"""
LOCALS = """\
A threshold for each pixel, from the pixels around it: `{adaptive: {size: 51, offset: -20}}`.
"""
LEARNED = """\
A method may learn from the annotated tiles: `threshold: pixel_classifier`, or `threshold: unet`.
Its masks are scored, overlaid and ranked like all others, always by models that were trained
without the tile. The model that is applied is a result, `results/models/NAME.npz`, with a card
beside it that says what it was trained on.
"""
OWN = """\
A method's `threshold` may be a function of yours: `{python: own.py}`. Its masks are scored,
overlaid and ranked like all others, annotated tiles may choose its parameters (`grid`), and an edit
of the file runs the method again.
"""
NETWORK = """\
A method's `threshold` may be a network of yours, as an ONNX file, which other software trains and
exports: `{onnx: model.onnx}`. It is run on the processor, within the job's threads. Its masks are
scored, overlaid and ranked like all others, and another file runs the method again. None comes with
the workflow, and nothing in the file can run code of its own.
"""
VOTES = """\
A method's `threshold` may count the masks of others: `{vote: [otsu, li, learned]}`, or `{vote:
{methods: [otsu, li, learned], least: 1}}`. It has no filter, clean-up and `grid` of its own.
"""
ELSEWHERE_MADE = """\
A method's `threshold` may be masks or probabilities of another program: of files that a column of
the sample sheet names, `{external: cellpose}`, or of a program that the workflow runs, `{command:
{run: [segment-it, "{input}", "{output}"], version: "3.1"}}`. A filter may begin with them, too, and
any steps and threshold may follow: `[{external: {column: ilastik, channel: 1}}, {gaussian: 1}]`.
[external.md](external.md) says more.
"""
CLEANUP = """\
Steps on the mask, written as those of filters are: `[fill_holes, {remove_small: 20}]`.
"""
MEASURED = {"hd95": "95th percentile of the distances between both surfaces, averaged over tiles."}
"""Metrics that are measured and not computed from counts."""
METRICS_TEXT = """\
Metrics of pixels are always computed; for the others, `validate.metrics` has a word that asks for
them. Those that decide may be `decision.metric`. How to add one is in
[CONTRIBUTING.md](../CONTRIBUTING.md#add-a-metric). [validation.md](validation.md) has the formula
of every metric, when to look at it, and what it is where mask or truth is empty.
"""


@dataclass(frozen=True)
class Setting:
    """A key of the configuration, or a setting of a step."""

    name: str
    value: str
    """What may be given, in words."""
    default: str
    meaning: str


def page() -> str:
    """The page as it should be."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    hysteresis = {"hysteresis": masks.hysteresis}
    parts = [
        INTRODUCTION,
        *_sections_of_keys(schema),
        f"## Filters\n\n{STEPS}",
        *_steps({name: step.apply for name, step in filters.FILTERS.items()}),
        f"## Colours\n\n{COLORS}",
        *_steps({name: step.apply for name, step in PROJECTIONS.items()}),
        f"## Global thresholds\n\n{GLOBALS}",
        *_steps(GLOBAL | hysteresis),
        f"## Local thresholds\n\n{LOCALS}",
        *_steps({name: method.surface for name, method in LOCAL.items()}),
        f"## Learned from annotated tiles\n\n{LEARNED}",
        *_steps({name: kind.apply for name, kind in KINDS.items()}),
        f"## Functions of your own\n\n{OWN}",
        *_steps({own_function.NAME: own_function.python}),
        f"## Networks of your own\n\n{NETWORK}",
        *_steps({own_model.NAME: own_model.onnx}),
        f"## Votes\n\n{VOTES}",
        *_steps({vote.NAME: vote.vote}),
        f"## Masks made elsewhere\n\n{ELSEWHERE_MADE}",
        *_steps(sources.MASKS),
        f"## Clean-up\n\n{CLEANUP}",
        *_steps({name: step.apply for name, step in cleanup.STEPS.items()}),
        f"## Metrics\n\n{METRICS_TEXT}\n{_metrics()}",
    ]
    return "\n".join(parts)


def _sections_of_keys(schema):
    """The keys at the top, and a section for each key that holds others."""
    holders = {name for name, key in schema["properties"].items() if _children(key)}
    top = {name: key for name, key in schema["properties"].items() if name not in holders}
    yield f"## General\n\n{_table('key', _keys(top, schema, ''))}"
    for name in schema["properties"]:
        if name in holders:
            key = schema["properties"][name]
            children = _keys(_children(key), schema, f"{_path(name, key)}.")
            description = textwrap.fill(key["description"], 100, break_on_hyphens=False)
            yield f"## {name}\n\n{description}\n\n{_table('key', children)}"


def _children(key):
    """Keys that a key holds: its own, or those of each name in it."""
    named = key.get("additionalProperties")
    return key.get("properties") or (named.get("properties") if isinstance(named, dict) else None)


def _path(name, key):
    return name if "properties" in key else f"{name}.NAME"


def _keys(properties, schema, prefix):
    """Keys in the order of the schema, with those that they hold after them."""
    for name, key in properties.items():
        full = prefix + name
        if children := _children(key):
            yield Setting(full, "keys", "", key["description"])
            yield from _keys(children, schema, f"{_path(full, key)}.")
            continue
        definition = _resolved(key, schema)
        default = definition.get("default", ELSEWHERE.get(full, "required"))
        yield Setting(
            full,
            _value(definition, schema),
            default if default == "required" else f"`{_written(default)}`",
            key["description"],
        )


def _resolved(key, schema):
    """A key with what `$ref` refers to."""
    if "$ref" not in key:
        return key
    return schema["$defs"][key["$ref"].rpartition("/")[2]] | key


def _value(key, schema):
    """What may be given for a key, in words."""
    key = _resolved(key, schema)
    if "enum" in key:
        return _choice([f"`{_written(value)}`" for value in key["enum"]])
    if "oneOf" in key:
        return "step"
    kinds = key["type"] if isinstance(key["type"], list) else [key["type"]]
    words = [_kind(kind, key, schema) for kind in kinds if kind != "null"]
    return _choice([*words, *(["`null`"] if "null" in kinds else [])])


def _kind(kind, key, schema):
    if kind == "array":
        return _list(key, schema)
    if kind == "object":
        named = key.get("additionalProperties")
        return f"{_value(named, schema)} by name"
    word = {"integer": "whole number", "string": "text", "boolean": "`true` or `false`"}
    return word.get(kind, kind) + _range(key) * (kind in ("integer", "number"))


def _list(key, schema):
    if "items" not in key:
        return "list"
    least, most = key.get("minItems"), key.get("maxItems")
    number = f"{least} to {most} " if least != most else f"{most} " if most else ""
    return f"list of {number if most else ''}{_plural(_value(key['items'], schema))}"


def _plural(words):
    return re.sub(r"^((?:whole )?number|text|step)\b", r"\1s", words)


def _range(key):
    """Bounds of a number, as words after its kind."""
    low, above = key.get("minimum"), key.get("exclusiveMinimum")
    high, below = key.get("maximum"), key.get("exclusiveMaximum")
    least = f"at least {low}" if low is not None else f"above {above}" if above is not None else ""
    most = f"at most {high}" if high is not None else f"below {below}" if below is not None else ""
    if low is not None and high is not None:
        return f" ({low} to {high})"
    bounds = " and ".join(bound for bound in (least, most) if bound)
    return f" ({bounds})" if bounds else ""


def _choice(words):
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _written(value):
    """A value as the configuration has it."""
    return (
        yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    )


def _steps(functions):
    for name, function in functions.items():
        summary, parameters, source = _described(function)
        settings = list(_settings(function, parameters))
        table = _table("setting", settings) if settings else "It has no settings.\n"
        text = f"{summary} Source: {source}" if source else summary
        yield f"### {name}\n\n{textwrap.fill(text, 100)}\n\n{table}"


def _metrics():
    """A row for each metric of the registry."""
    rows = ["| metric | meaning | best | range | asked for by | decides |", "| --- " * 6 + "|"]
    for metric in REGISTRY:
        formula = metric.formula and inspect.getdoc(metric.formula).partition("\n\n")[0]
        meaning = _in_one_line(formula or MEASURED[metric.name])
        best = {1: "highest", -1: "lowest", 0: "0"}[metric.direction]
        if metric.name == "prevalence":
            best = "of the truth"
        bounds = " to ".join(
            f"{bound:g}".replace("inf", "any") for bound in (metric.low, metric.high)
        )
        asked_for, decides = metric.choice or "always", "yes" if metric.decides else "no"
        cells = f"`{metric.name}`", meaning, best, bounds.replace("-any", "any"), asked_for, decides
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def _described(function):
    """What a docstring says of a function, of each parameter's type and meaning, and its source."""
    sections = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.getdoc(function), flags=re.MULTILINE)
    texts = dict(zip(sections[1::2], sections[2::2], strict=True))
    if "Parameters" not in texts:
        raise ValueError(f"{function.__name__} has no section Parameters: document its settings")
    parameters = {}
    for entry in re.split(r"\n(?=\S)", texts["Parameters"].strip()):
        head, _, description = entry.partition("\n")
        names, _, kind = head.partition(" : ")
        for name in names.split(", "):
            parameters[name] = kind, _in_one_line(description)
    return _in_one_line(sections[0]), parameters, _in_one_line(texts.get("References", ""))


def _in_one_line(text):
    return " ".join(text.split())


def _settings(function, parameters):
    for name, parameter in inspect.signature(function).parameters.items():
        # those that can only be given by name are no settings
        if name in DATA or parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            continue
        kind, meaning = parameters[name]
        is_required = parameter.default is inspect.Parameter.empty
        default = "required" if is_required else f"`{_written(parameter.default)}`"
        yield Setting(name, _type(kind), default, meaning)


def _type(kind):
    """A type of numpydoc, in words."""
    kind = kind.removesuffix(", optional")
    if kind.startswith("{"):
        return _choice([f"`{value}`" for value in kind.strip("{}").replace('"', "").split(", ")])
    words = {
        "int": "whole number",
        "int or str": "whole number or text",
        "float": "number",
        "bool": "`true` or `false`",
        "str": "text",
        "list of str": "list of texts",
        "int or list of int": "whole number or list of whole numbers",
    }
    return words.get(kind, kind)


def _table(first, settings):
    rows = [f"| {first} | value | default | meaning |", "| --- | --- | --- | --- |"]
    for setting in settings:
        cells = f"`{setting.name}`", setting.value, setting.default, setting.meaning
        rows.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
