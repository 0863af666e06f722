"""Write docs/gallery.md and its pictures: reports of real runs, as a browser shows them.

    docs/gallery.py demo=results/report.html kesm=results-kesm/results/report.html

Each argument names a run of `VIEWS`; those of other runs are left out. `make gallery` makes
the runs, and calls this.
"""

import io
import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
CHROMIUM = os.environ.get("TILEWISE_CHROMIUM") or shutil.which("chromium")
DESKTOP, PHONE = (1280, 860), (390, 780)
COLORS = 256
"""Of a picture, so that its file is small."""


class View(NamedTuple):
    """A picture of a report, and what is said of it."""

    name: str
    run: str
    title: str
    text: str
    address: str
    click: str = ""
    size: tuple[int, int] = DESKTOP
    scheme: str = "light"


VIEWS = (
    View(
        *("answer", "demo", "The answer"),
        "Which method to use, how good it is and how sure that is; what could mislead, and what to "
        "do next. The images of the demo are simulated.",
        "#answer",
    ),
    View(
        *("compare", "kesm", "Methods compared"),
        "The methods of `make kesm-methods` on the published tile of mouse brain: their scores, "
        "and lines for what no threshold can exceed. Another metric is one choice away.",
        "#compare",
    ),
    View(
        *("tile", "demo", "A tile"),
        "The worst tile of the method: the image as it is and filtered, the mask, the truth, and "
        "where both differ. Beside it stand its scores and its histogram with the threshold.",
        "#explore",
        "button#worst",
    ),
    View(
        *("published", "kesm", "The published tile"),
        "The tile that the published work shows, with the mask of the best method over it.",
        "#explore?tile=kesm/z0000_y00_x00",
    ),
    View(
        *("check", "demo", "Checks"),
        "Histograms with the threshold of every method, confusion matrices, errors by the calibre "
        "of what was missed. Each plot is saved as SVG or CSV by a click.",
        "#check",
    ),
    View(
        *("phone", "demo", "On a phone, in the dark"),
        "The page is one file and a folder beside it, and needs no network.",
        "#answer",
        size=PHONE,
        scheme="dark",
    ),
)
INTRODUCTION = """# Gallery

What `results/report.html` shows. `make gallery` runs the examples, and makes these
pictures of their reports anew.
"""


def picture(browser, path, view):
    """What a browser shows of a report."""
    width, height = view.size
    viewport = {"width": width, "height": height}
    page = browser.new_page(viewport=viewport, color_scheme=view.scheme)
    page.goto(path.resolve().as_uri() + view.address)
    page.locator("#app h2").first.wait_for()
    if view.click:
        page.locator(view.click).click()
    if view.address.startswith("#explore"):
        page.locator("#tile canvas[data-layer]").first.wait_for()
        page.locator("section#tile").evaluate("(tile) => scrollTo(0, tile.offsetTop - 70)")
    # pictures are drawn as they are read
    page.wait_for_timeout(3000)
    shown = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    return shown.convert("RGB").quantize(
        COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )


def main(runs):
    """Write pictures and text."""
    text = [INTRODUCTION]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for view in (view for view in VIEWS if view.run in runs):
            file = f"gallery-{view.name}.png"
            picture(browser, Path(runs[view.run]), view).save(DOCS / file, optimize=True)
            said, words = textwrap.fill(view.text, 100), view.title.lower()
            text.append(f"## {view.title}\n{said}\n\n![The report: {words}]({file})\n")
        browser.close()
    (DOCS / "gallery.md").write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
