"""What the viewer asks for of a plane of 17480 x 8026 px, and how long it takes.

    PYTHONPATH=scripts .venv/browser/bin/python benchmarks/viewer.py [--levels N]

A phantom of some planes with a mask, in colours of a confusion map, is written as the pipeline
writes it, served on this machine, and opened in Chromium: all of it, then a part at full
resolution, then the next plane there. `seen` is what has been asked for until all is drawn, and
`in all` includes neighbouring planes, which are got ready afterwards. Without a graphics card the
times are mostly those of drawing.
"""

import argparse
import os
import shutil
import tempfile
import threading
import time
from functools import lru_cache
from pathlib import Path

from playwright.sync_api import sync_playwright

from tilewise.demo.phantom import render
from tilewise.serve.server import Server
from tilewise.store import ngff
from tilewise.store.blocks import each_strip, strips
from tilewise.store.grid import Grid
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part
from tilewise.store.pyramid import LevelsWriter, mean, nearest

CHROMIUM = os.environ.get("TILEWISE_CHROMIUM") or shutil.which("chromium")
ROWS, COLUMNS, TILE = 8026, 17480, 512
COLORS = {0: (0, 0, 0, 170), 1: (0, 0, 0, 0), 2: (255, 0, 255, 255), 3: (255, 255, 0, 255)}
COLORS[4] = (0, 255, 255, 255)
SECONDS_UNTIL_SURE, SECONDS_OF_REST = 4.0, 1.5
BUSY = "document.querySelector('.picture')?.ariaBusy"


def write(results, planes, levels):
    """A folder of results."""
    block = planes, -(-ROWS // TILE) * TILE, -(-COLUMNS // TILE) * TILE
    grid = Grid((planes, ROWS, COLUMNS), TILE, block)
    image = results / "brain/image.zarr"
    # image and truth of a strip are rendered together
    strip_of = lru_cache(None)(lambda z, y0, y1: render(grid.shape, 0, z, y0, y1))

    def at(region, which):
        return strip_of(region.z0, region.y0, region.y1)[which]

    write_levels(image, grid, levels, mean, lambda region: at(region, 0))
    label = image / "labels/otsu-confusion"
    write_levels(label, grid, levels, nearest, lambda region: 3 * at(region, 1) + 1)
    datasets = [{"path": str(level)} for level in range(levels + 1)]
    known = {"node_type": "group", "attributes": {"ome": {"multiscales": [{"datasets": datasets}]}}}
    ngff.write(image / "zarr.json", known)
    ngff.write(image / "labels/zarr.json", ngff.labels_group(["otsu-confusion"]))
    ngff.write(label / "zarr.json", ngff.label_group("otsu-confusion", levels, COLORS))
    columns = ["sample", "stack", "block", "first_plane", "planes", "height", "width"]
    row = ["brain", "brain", "", 0, planes, ROWS, COLUMNS, TILE, TILE]
    lines = [[*columns, "tile_height", "tile_width"], row]
    (results / "stacks.tsv").write_text("".join("\t".join(map(str, one)) + "\n" for one in lines))


def write_levels(folder, grid, levels, halve, pixels):
    part = Part("brain", grid, "0/0/0", 0)
    paths = [folder / str(level) / "c/0/0/0" for level in range(levels + 1)]
    for path in paths:
        path.parent.mkdir(parents=True)
    with LevelsWriter(paths, "0/0/0", layout_of(grid, "uint8"), [part], halve, 2) as writer:
        each_strip(lambda strip: writer.write(part, strip, pixels(strip)), strips(grid, "0/0/0"), 2)
    for level in range(levels + 1):
        reduced = grid.level(level)
        metadata = ngff.array(layout_of(reduced, "uint8"), reduced.shape, "zyx")
        ngff.write(folder / str(level) / "zarr.json", metadata)


class Traffic:
    """Requests of pixels, and their bytes."""

    def __init__(self, page):
        self.sizes = []
        page.on("response", self._count)

    def _count(self, response):
        if "/results/" in response.url and response.ok:
            self.sizes.append(int(response.headers["content-length"]))

    def told(self):
        """Both, as text."""
        return f"{len(self.sizes):4} requests, {sum(self.sizes) / 1e6:6.2f} MB"


def measure(page, traffic, act):
    """Do something: seconds until it is drawn, and what was asked for until then and later."""
    traffic.sizes.clear()
    began = time.perf_counter()
    act()
    rests = drawn = time.perf_counter()
    seen = traffic.told()
    while drawn - rests < SECONDS_UNTIL_SURE:
        page.wait_for_timeout(10)
        drawn = time.perf_counter()
        if page.evaluate(BUSY) != "false":
            rests, seen = drawn, traffic.told()
    seconds = rests - began
    known = -1
    while known != len(traffic.sizes):
        known = len(traffic.sizes)
        page.wait_for_timeout(1000 * SECONDS_OF_REST)
    return seconds, seen, traffic.told()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--levels", type=int, default=6, help="reduced ones; by default 6")
    parser.add_argument("--planes", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        results = Path(folder) / "results"
        results.mkdir()
        write(results, arguments.planes, arguments.levels)
        stored = sum(path.stat().st_size for path in results.rglob("*") if path.is_file())
        print(
            f"{arguments.planes} planes, {arguments.levels} reduced levels, {stored / 1e6:.0f} MB"
        )
        server = Server(results)
        server.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        flags = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*flags, "--enable-unsafe-swiftshader"]
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
        traffic = Traffic(page)
        address = server.address(server.single_token())
        steps = {
            "first view": lambda: page.goto(address),
            "full resolution": lambda: page.keyboard.press("x"),
            "next plane": lambda: page.keyboard.press("PageDown"),
            "the one after": lambda: page.keyboard.press("PageDown"),
            "all of it": lambda: page.keyboard.press("0"),
            "previous plane": lambda: page.keyboard.press("PageUp"),
        }
        for name, act in steps.items():
            seconds, seen, whole = measure(page, traffic, act)
            print(f"{name:16} {seconds:5.2f} s   seen {seen}   in all {whole}", flush=True)
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
