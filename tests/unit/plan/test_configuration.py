"""Mistakes in a configuration, each as a line."""

import pytest

from tilewise.plan.configuration import check, check_files

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["samples"],
    "properties": {
        "samples": {"type": "string"},
        "tile": {"type": "integer", "minimum": 16},
        "planes": {"type": ["integer", "null"], "minimum": 1},
        "alpha": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "keep": {"enum": ["auto", True, False]},
        "measure": {"type": "boolean"},
        "color": {
            "type": "array",
            "items": {"type": "integer", "maximum": 255},
            "minItems": 3,
            "maxItems": 3,
        },
        "validate": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "tolerance": {"type": "number"},
                "unit": {"enum": ["pixel", "micrometer"]},
                "metrics": {"type": "array", "uniqueItems": True},
            },
        },
        "filters": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"type": "string", "pattern": "^[a-z]+$"},
            "additionalProperties": {"type": "array", "items": {"$ref": "#/$defs/step"}},
        },
    },
    "$defs": {
        "step": {
            "description": "A name, or a name with its settings.",
            "oneOf": [{"type": "string"}, {"type": "object", "maxProperties": 1}],
        }
    },
}
KNOWN = "known: samples, tile, planes, alpha, keep, measure, color, validate, filters"
MISTAKES = {
    "unknown, nested": (
        {"validate": {"toleranse": 2}},
        "validate.toleranse does not exist; did you mean tolerance? "
        "(known: tolerance, unit, metrics)",
    ),
    "unknown, nothing near": (
        {"validate": {1: 2}},
        "validate.1 does not exist (known: tolerance, unit, metrics)",
    ),
    "unknown number": ({404: {}}, f"404 does not exist ({KNOWN})"),
    "type": ({"tile": "big"}, 'tile is "big": give a whole number, at least 16'),
    "limit": ({"tile": 8}, "tile is 8: give a whole number, at least 16"),
    "limits": ({"alpha": 0}, "alpha is 0: give a number, above 0 and at most 1"),
    "null or a number": ({"planes": 0}, "planes is 0: give a whole number, at least 1, or null"),
    "quoted": ({"measure": "yes"}, 'measure is "yes": give true or false'),
    "choice": (
        {"validate": {"unit": "pixle"}},
        "validate.unit: pixle does not exist; did you mean pixel? (known: pixel, micrometer)",
    ),
    "choice of several types": (
        {"keep": None},
        "keep: null does not exist (known: auto, true, false)",
    ),
    "empty section": ({"validate": None}, "validate is null: give keys with values"),
    "no section": ({"filters": {}}, "filters is {}: give keys with values, at least 1"),
    "item": ({"color": [0, 256, 0]}, "color[1] is 256: give a whole number, at most 255"),
    "length": (
        {"color": [0, 0]},
        "color is [0, 0]: give a list, at least 3 long and at most 3 long",
    ),
    "repeated": (
        {"validate": {"metrics": ["a", "a"]}},
        'validate.metrics is ["a", "a"]: give a list, each item once',
    ),
    "name": (
        {"filters": {"a b": []}},
        "filters.a b cannot be a name: give text, matching ^[a-z]+$",
    ),
    "number as a name": (
        {"filters": {3: []}},
        "filters.3 cannot be a name: give text, matching ^[a-z]+$",
    ),
    "step": (
        {"filters": {"a": ["x", {"y": 1, "z": 2}]}},
        'filters.a[1] is {"y": 1, "z": 2}: give a name, or a name with its settings',
    ),
    "whole number with a point": (
        {"tile": 512.0},
        "tile is 512.0: give a whole number, at least 16",
    ),
    "long value": (
        {"tile": 70 * "x"},
        f'tile is "{59 * "x"}...: give a whole number, at least 16',
    ),
}


def lines(config):
    with pytest.raises(ValueError, match=".") as error:
        check(config, SCHEMA)
    return str(error.value).splitlines()


@pytest.mark.parametrize(("config", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_one_mistake_is_one_line(config, expected):
    assert lines({"samples": "my.tsv"} | config) == [expected]


def test_a_missing_key():
    assert lines({"tile": 16}) == ["samples is missing: add it"]


def test_all_mistakes_at_once():
    config = {"sample": "my.tsv", "tile": 8, "validate": {"unt": "pixel", "tolerence": 1}}
    nested = "(known: tolerance, unit, metrics)"
    assert sorted(lines(config)) == [
        f"sample does not exist; did you mean samples? ({KNOWN})",
        "samples is missing: add it",
        "tile is 8: give a whole number, at least 16",
        f"validate.tolerence does not exist; did you mean tolerance? {nested}",
        f"validate.unt does not exist; did you mean unit? {nested}",
    ]


def test_what_fits_is_left_as_it_is():
    config = {"samples": "my.tsv", "filters": {"a": ["x", {"y": 1}]}, "planes": None}
    given = config | {"filters": {"a": ["x", {"y": 1}]}}
    check(config, SCHEMA)
    assert config == given


LOST = {
    "a: 1\nb: {x: 1, y: 2,\n  x: 1}\n": (3, "the key x is there already, in line 2"),
    "a: 1\nb: 2\na: 1\n": (3, "the key a is there already, in line 1"),
    '{"a": 1,\n "a": 2}': (2, "the key a is there already, in line 1"),
    "a:\n- &x [*x]\n": (2, "an alias stands for what it is in"),
    "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)): (
        # 2 ** 20 - 1 values
        19,
        "1,048,575 values with its aliases: write fewer",
    ),
}


@pytest.mark.parametrize("text", LOST, ids=range(len(LOST)))
def test_what_is_lost_when_a_file_is_read(tmp_path, text):
    line, message = LOST[text]
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^line {line} of {path}: {message}"):
        check_files([path])


def test_keys_and_aliases_that_lose_nothing(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(
        "\ufeffa: &a {x: 1}\nb: &b {x: 2, <<: *a}\nc: {x: *a, y: *a, 1: 2, '1': 3}\n"
        "d: {<<: *a, <<: *b}\n",
        "utf-8",
    )
    check_files([path, tmp_path / "none.yaml"])
    path.write_text("")
    check_files([path])
