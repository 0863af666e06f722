"""docs/walkthrough.md shows what its code gives, as far as that can be told without the tile."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "walkthrough.md").read_text(encoding="utf-8")
PICTURES = sorted(DOCS.glob("walkthrough-*.png"))
NUMBER = re.compile(r"(?<![\w.-])-?\d[\d,]*(?:\.\d+)?%?")
PAGE = """# Page

## Quick
```python
width = 6
print(7 * width)
```

```text
43
```

```python
print("new")
```

```python
width += 1
```

```text
gone
```

## Slow
```sh
exit 1
```

## Shell
```sh
echo unseen
```

```sh
echo {1..3} | tr ' ' '\\n'
```

```text
old
```
"""


@pytest.fixture
def walkthrough():
    """The script that runs the page, as a module."""
    spec = importlib.util.spec_from_file_location("walkthrough", DOCS / "walkthrough.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbers(text):
    """Numbers of more than one digit."""
    found = {number.rstrip(",") for number in NUMBER.findall(text)}
    return {number for number in found if len(number.lstrip("-")) > 1}


def test_outputs_are_written_anew(walkthrough, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    monkeypatch.setattr(walkthrough, "PAGE", page)
    monkeypatch.setattr(walkthrough, "SLOW", ("Slow",))
    walkthrough.main(is_quick=True)
    expected = PAGE.replace("43", "42").replace("\n```text\ngone\n```\n", "")
    expected = expected.replace('print("new")\n```\n', 'print("new")\n```\n\n```text\nnew\n```\n')
    assert page.read_text() == expected.replace("old", "1\n2\n3")


def test_command_that_fails_ends_the_run(walkthrough, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    monkeypatch.setattr(walkthrough, "PAGE", page)
    with pytest.raises(SystemExit, match="exit status 1 of\nexit 1"):
        walkthrough.main(is_quick=False)
    assert page.read_text() == PAGE


def test_numbers_of_the_text_are_in_code_or_outputs(walkthrough):
    known = set()
    for title, section in walkthrough.sections(TEXT).items():
        blocks = "\n".join(block[0] for block in walkthrough.BLOCK.finditer(section))
        known |= numbers(blocks)
        said = re.sub(r"\]\([^)]*\)", "", walkthrough.BLOCK.sub("", section))
        assert numbers(said) <= known, f"{title}: {numbers(said) - known}"


def test_sections_left_out_are_on_the_page(walkthrough):
    assert set(walkthrough.SLOW) < set(walkthrough.sections(TEXT))


def test_pictures_are_small_and_shown(walkthrough):
    names = [f"walkthrough-{name}" for name in walkthrough.PICTURE.findall(TEXT)]
    assert sorted(names) == [path.stem for path in PICTURES]
    assert sum(path.stat().st_size for path in PICTURES) < 600_000
