"""A browser, pages that lie on the disk, and what they complain of."""

import os
import shutil
from pathlib import Path

import pytest
from report_fixture import fixture, write

sync_api = pytest.importorskip("playwright.sync_api", reason="`make test-browser` installs it")

CHROMIUM = os.environ.get("TILEWISE_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "google-chrome"))), None
)
SIDE = 64
EMBEDDED = 4
"""Packs in the page; the others lie beside it."""


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.skip("there is no chromium: `apt install chromium`, or name it in TILEWISE_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The page of a sample per tile, and its data."""
    return _written(tmp_path_factory.mktemp("small"), *fixture(12, 4, side=SIDE))


@pytest.fixture(scope="session")
def maps(tmp_path_factory):
    """The page of four samples with many tiles each, and its data."""
    return _written(tmp_path_factory.mktemp("maps"), *fixture(120, 2, side=SIDE))


def _written(folder, data, packs):
    embedded = {number: data["packs"]["embedded"][str(number)] for number in range(EMBEDDED)}
    data["packs"]["embedded"] = {str(number): pack for number, pack in embedded.items()}
    path = folder / "report.html"
    write(path, data, packs)
    return path, data


@pytest.fixture
def visit(browser):
    """Open a page at an address; the test fails if the page complains or asks for the network."""
    complaints, contexts = [], []

    def go(path: Path, address="", **settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.on("dialog", lambda dialog: (complaints.append("dialog"), dialog.dismiss()))
        page.on("request", lambda request: _check(complaints, request.url))
        page.goto(path.as_uri() + address)
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def _check(complaints, url):
    if not url.startswith(("file:", "data:", "blob:")):
        complaints.append(f"request: {url}")
