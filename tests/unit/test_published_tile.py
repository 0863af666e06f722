"""The folder that TILEWISE_KESM names has the published files, which other tests count on."""

import hashlib
from pathlib import Path

import pytest
import yaml
from published import KESM, needs_kesm

ROOT = Path(__file__).parents[2]
DOWNLOADS = yaml.safe_load((ROOT / "config/kesm.yaml").read_text())["downloads"]


@needs_kesm
@pytest.mark.parametrize("name", DOWNLOADS)
def test_the_published_file_is_there(name):
    path = KESM / name
    assert path.is_file(), f"TILEWISE_KESM names {KESM}, which has no {name}"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == DOWNLOADS[name]["sha256"]
