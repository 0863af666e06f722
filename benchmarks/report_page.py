"""How long the report of many tiles takes to appear, and to show another metric.

    PYTHONPATH=scripts:tests .venv/browser/bin/python benchmarks/report_page.py

`first view` is from the start of loading to the frame that shows the interactive page; the answer
as plain text is seen before, `first text`. A selection is from the choice of a metric to the frame
that shows it. Medians of several, in milliseconds; beside them, in brackets, what the page's thread
has computed, which does not depend on what else the machine does.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from report_fixture import fixture, write

CHROMIUM = os.environ.get("TILEWISE_CHROMIUM") or shutil.which("chromium")
VIEWS = ("answer", "compare", "explore?view=map", "explore?view=gallery", "check")
METRICS = ("recall", "f1", "hd95", "mcc")
NOTE_FIRST_VIEW = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("#app h2")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.firstView = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""
SELECT = """
(name) => new Promise((resolve) => {
  const start = performance.now();
  const select = document.querySelector("select#metric");
  select.value = name;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  const end = () => setTimeout(() => resolve(performance.now() - start));
  // components draw in one frame, and plots after it
  requestAnimationFrame(() => requestAnimationFrame(end));
})
"""


def measure(browser, address):
    """Milliseconds to the first text, to the first view, and of each selection."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.add_init_script(NOTE_FIRST_VIEW)
    page.goto(address)
    page.wait_for_function("() => window.firstView > 0")
    text, view = page.evaluate(
        """() => [performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
                  window.firstView]"""
    )
    loaded = before = computed(clock)
    selections = []
    for name in METRICS:
        wall = page.evaluate(SELECT, name)
        after = computed(clock)
        selections.append((wall, after - before))
        before = after
    page.close()
    return text, (view, loaded), selections


def computed(clock):
    """Milliseconds that the page's thread has computed so far."""
    found = clock.send("Performance.getMetrics")["metrics"]
    return 1000 * next(one["value"] for one in found if one["name"] == "TaskDuration")


def pair(values):
    """Medians of both, as text."""
    wall, own = (statistics.median(one[i] for one in values) for i in (0, 1))
    return f"{wall:.0f} ({own:.0f})"


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=1000)
    parser.add_argument("--methods", type=int, default=11)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        write(path, *fixture(asked.tiles, asked.methods))
        print(
            f"{asked.tiles} tiles x {asked.methods} methods: {path.stat().st_size / 1e6:.1f} MB\n"
        )
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        print("| view | first text | first view | selection |")
        print("| --- | --- | --- | --- |")
        for view in VIEWS:
            runs = [measure(browser, f"{path.as_uri()}#{view}") for _ in range(asked.repeats)]
            text = statistics.median(run[0] for run in runs)
            first, selections = (
                pair([run[1] for run in runs]),
                pair(sum((run[2] for run in runs), [])),
            )
            print(f"| {view} | {text:.0f} | {first} | {selections} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
