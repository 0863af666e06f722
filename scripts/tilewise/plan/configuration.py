"""Mistakes in a configuration, each as one line: where it is, what is wrong, what to do."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from tilewise.segment.steps import hint

TYPES = {
    "object": "keys with values",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minProperties": "at least {}",
    "minItems": "at least {} long",
    "maxItems": "at most {} long",
    "uniqueItems": "each item once",
    "pattern": "matching {}",
}
# for JSON schema 512.0 is a whole number, for Python's indices and lengths it is none
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
MOST_CHARACTERS = 60
"""Of a wrong value in a message."""
MOST_VALUES = 1_000_000
"""Of a file, with each of its aliases written out."""
MERGED = "tag:yaml.org,2002:merge"
"""What YAML has as the tag of the key `<<`, which may come several times."""


def check_files(paths: Iterable[str | Path]) -> None:
    """Check what is lost when a configuration file is read: of keys that come twice, all but one.

    ValueError names the file, the line and the key; also where aliases (`*name`) stand for more
    values than could be gone through, or for themselves.
    """
    for path in paths:
        try:
            root = yaml.compose(Path(path).read_bytes(), yaml.CSafeLoader)
        except (OSError, yaml.YAMLError):
            # no file here, or JSON with tabs: the engine has read it
            continue
        if root is not None:
            _check_node(root, path, {})


def _check_node(node: yaml.Node, path: str | Path, known: dict[yaml.Node, int | None]) -> int:
    """The values below a node, itself included; None while they are counted."""
    if node in known:
        if (number := known[node]) is None:
            raise ValueError(f"{_line(node, path)}: an alias stands for what it is in: remove it")
        return number
    known[node] = None
    parts = node.value if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        first: dict[tuple[str, str], yaml.Node] = {}
        for key, _ in node.value:
            other = first.setdefault((key.tag, str(key.value)), key)
            if other is not key and key.tag != MERGED:
                raise ValueError(
                    f"{_line(key, path)}: the key {key.value} is there already, in line "
                    f"{other.start_mark.line + 1}: rename one, or remove it"
                )
        parts = [part for pair in node.value for part in pair]
    number = 1 + sum(_check_node(part, path, known) for part in parts)
    if number > MOST_VALUES:
        raise ValueError(f"{_line(node, path)}: {number:,} values with its aliases: write fewer")
    known[node] = number
    return number


def _line(node: yaml.Node, path: str | Path) -> str:
    return f"line {node.start_mark.line + 1} of {path}"


def check(config: dict[str, Any], schema: dict[str, Any]) -> None:
    """Check a configuration, as it was given, against a JSON schema of draft 2020-12.

    ValueError lists all mistakes, a line each, as in `validate.toleranse does not exist; did you
    mean tolerance? (known: ...)` and `tile is "big": give a whole number, at least 16`.
    """
    errors = Validator(schema).iter_errors(config)
    if lines := dict.fromkeys(line for error in errors for line in _explain(error)):
        raise ValueError("\n".join(lines))


def _explain(error: ValidationError) -> list[str]:
    """The lines of an error: one for each key of an object that is unknown or missing."""
    path, value, rule = list(error.absolute_path), error.instance, error.schema
    if error.validator == "additionalProperties":
        known = list(rule["properties"])
        return [
            f"{_place([*path, str(key)])} does not exist{hint(key, known)}"
            for key in value
            if key not in known
        ]
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in value]
        return [f"{_place([*path, key])} is missing: add it" for key in missing]
    if "propertyNames" in error.schema_path:
        return [
            f"{_place([*path, str(value)])} cannot be a name: give "
            + (rule.get("description") or _expected(rule))
        ]
    if error.validator == "enum":
        name, *choices = (_written(word).strip('"') for word in (value, *error.validator_value))
        return [f"{_place(path)}: {name} does not exist{hint(name, choices)}"]
    return [f"{_place(path)} is {_written(value)}: give {_expected(rule)}"]


def _place(path: list[Any]) -> str:
    """Keys with dots between them, and numbers of a list's items from 0."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)[1:]


def _written(value: Any) -> str:
    """A value nearly as YAML has it, cut off where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."


def _expected(rule: dict[str, Any]) -> str:
    """What a schema asks of a value."""
    if "oneOf" in rule:
        return str(rule["description"]).lower().rstrip(".")
    names = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
    kinds = " or ".join(TYPES[name] for name in names if name != "null")
    limits = " and ".join(text.format(rule[key]) for key, text in LIMITS.items() if key in rule)
    return ", ".join(filter(None, [kinds, limits, "or null" if "null" in names else ""]))
