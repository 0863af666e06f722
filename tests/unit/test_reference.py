"""The reference of the configuration is the one that schema and docstrings give."""

import importlib.util
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference():
    """The script that writes the page, as a module."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def schema():
    return yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def keys_of(schema, path=()):
    """All keys of a schema with their definitions, and whether they have to be given."""
    for name, key in schema.get("properties", {}).items():
        yield (*path, name), key, name in schema.get("required", [])
        yield from keys_of(key, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from keys_of(schema["additionalProperties"], (*path, "NAME"))


def rows_of(page):
    """Cells of the tables' rows by their first one."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row for row in rows}


def test_page_is_current(reference):
    written = (ROOT / "docs/configuration.md").read_text()
    assert written == reference.page(), "run `make docs`"


def test_every_key_is_described(schema):
    described = {path: key.get("description", "") for path, key, _ in keys_of(schema)}
    assert len(described) > 80
    assert [path for path, text in described.items() if not text.endswith(".")] == []


def test_every_key_has_a_default_or_is_required(reference, schema):
    missing = [
        ".".join(path)
        for path, key, is_required in keys_of(schema)
        if "default" not in key and not is_required
    ]
    assert sorted(missing) == sorted(reference.ELSEWHERE)


def test_every_key_is_on_the_page(reference, schema):
    page = reference.page()
    rows = rows_of(page)
    for path, _, is_required in keys_of(schema):
        name = ".".join(path)
        assert name in rows or f"\n## {name}\n" in page, name
        if name in rows and is_required:
            assert rows[name][2] == "required"


def test_words_of_a_row(reference):
    rows = rows_of(reference.page())
    assert rows["tile"][1:3] == ["whole number (16 to 32768)", "`512`"]
    assert rows["pixel_size"][1] == "number (above 0), list of 1 to 3 numbers (above 0) or `null`"
    assert rows["validate.objects.threshold"][1] == "number (at least 0 and below 1)"
    assert rows["overlay.fp"][1:3] == ["list of 3 whole numbers (0 to 255)", "`[255, 0, 255]`"]
    assert rows["keep_filtered"][1] == "`auto`, `true` or `false`"
    assert rows["filters"][1] == "list of steps by name"
    assert rows["quality.thresholds.focus"][2] == "`2.5`"


def test_every_step_and_setting_is_on_the_page(reference):
    page = reference.page()
    for name in ("destripe", "yen", "hysteresis", "sauvola", "fill_holes"):
        assert f"\n### {name}\n" in page
    assert "| `size` | whole number | `101` | Side of the window in pixels" in page
    assert "Source: Otsu (1979)" in page
    empty = [line for line in page.splitlines() if line.startswith("|") and line.endswith("|  |")]
    assert empty == []
