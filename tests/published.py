"""The published tile. Where TILEWISE_KESM is set its tests are run: without the files they fail."""

import os
from pathlib import Path

import pytest

KESM = Path(os.environ.get("TILEWISE_KESM", ""))
needs_kesm = pytest.mark.skipif(
    not os.environ.get("TILEWISE_KESM"),
    reason="TILEWISE_KESM does not name the folder of the published tile",
)
