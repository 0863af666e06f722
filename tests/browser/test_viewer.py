"""The viewer in a browser, on arrays of known values that zarr-python writes."""

import json
import re
import shutil
import struct
import threading
import time
import urllib.parse

import cv2
import numpy as np
import pytest
import zarr
from conftest import CHROMIUM
from zarr.codecs import Crc32cCodec, ZstdCodec

from tilewise.serve import server as served
from tilewise.serve.server import Server
from tilewise.store import ngff
from tilewise.store.blocks import BlockWriter
from tilewise.store.grid import Grid
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="`make test-browser` installs it"
)
expect = pytest.importorskip("playwright.sync_api").expect
expect.set_options(timeout=30_000)

CHUNK, SHARD = 128, 512
WIDE = {"width": 900, "height": 560}
CONFUSION = {
    **{0: (0, 0, 0, 170), 1: (0, 0, 0, 0), 2: (255, 0, 255, 255), 3: (255, 255, 0, 255)},
    4: (0, 255, 255, 255),
}
ERRORS = {1: (0, 0, 0, 0), 2: (255, 237, 111, 255), 3: (200, 40, 80, 255), 4: (84, 15, 109, 255)}
MASK = {1: (255, 255, 255, 255)}
CODECS = ("zstd", "lz4", "none")
HOSTILE = """<img src=x onerror="alert('a')">&amp;'"""
HOSTILE_METHOD = "o<b>#%41 ü?"


def halved(levels):
    """Levels, each the upper left of each 2 x 2 pixels of the one before."""
    return lambda values: [values[..., :: 2**level, :: 2**level] for level in range(levels)]


def shifted(levels):
    """Levels of an image, each a bit darker than the one before, so that they can be told apart."""
    return lambda values: [
        values[..., :: 2**level, :: 2**level] // (level + 1) for level in range(levels)
    ]


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_group(path, levels, **ome):
    ome["multiscales"] = [{"datasets": [{"path": str(level)} for level in range(len(levels))]}]
    group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}
    for level, values in enumerate(levels):
        write_array(path / str(level), values)
    write_json(path / "zarr.json", group)


def write_array(path, values, fill=0, planes=2):
    channels = values.shape[:-3]
    array = zarr.create_array(
        store=path,
        shape=values.shape,
        dtype=values.dtype,
        chunks=(*(1 for _ in channels), 1, CHUNK, CHUNK),
        shards=(*channels, planes, SHARD, SHARD),
        compressors=[ZstdCodec(level=1), Crc32cCodec()],
        fill_value=fill,
        # an array without a chunk for what is not stored
        config={"write_empty_chunks": False},
    )
    array[:] = values


def write_block(path, values, codec):
    """An array of one block, as jobs write it."""
    grid = Grid(values.shape, CHUNK, (len(values), SHARD, SHARD))
    layout = layout_of(grid, str(values.dtype), codec=codec)
    part, shard = Part("", grid, "0/0/0", 0), path / "c/0/0/0"
    shard.parent.mkdir(parents=True)
    with BlockWriter(shard, "0/0/0", layout) as writer:
        for tile in grid.tiles("0/0/0"):
            region = grid.tile_region(tile)
            pixels = values[region.z0, region.y0 : region.y1, region.x0 : region.x1]
            writer.write(part, region, pixels)
    ngff.write(path / "zarr.json", ngff.array(layout, values.shape, "zyx"))


def write_labels(image, labels):
    """Labels of an image: of each its levels, and the colours of its values."""
    write_json(image / "labels/zarr.json", {"attributes": {"ome": {"labels": list(labels)}}})
    for name, (levels, colors) in labels.items():
        listed = [{"label-value": value, "rgba": rgba} for value, rgba in colors.items()]
        write_group(image / "labels" / name, levels, **{"image-label": {"colors": listed}})


def omero(end, start=0):
    return {"omero": {"channels": [{"window": {"start": start, "end": end}}]}}


def squares(shape, side, values, seed):
    """Squares of these values, at random."""
    planes, rows, columns = shape
    size = planes, -(-rows // side), -(-columns // side)
    small = np.random.default_rng(seed).choice(np.array(values, np.uint8), size)
    return np.kron(small, np.ones((1, side, side), np.uint8))[:, :rows, :columns]


def texture(shape, dtype, most, seed):
    values = np.random.default_rng(seed).integers(0, most + 1, shape)
    return values.astype(dtype)


@pytest.fixture(scope="session")
def arrays():
    """All levels of what is stored, by stack and layer."""
    stored = {}
    shape = (3, 601, 700)
    stored["plain"] = {
        "image": shifted(3)(texture(shape, "uint8", 255, 1)),
        "otsu": halved(3)(squares(shape, 3, [0, 1], 2)),
        "otsu-confusion": halved(3)(squares(shape, 5, list(CONFUSION), 3)),
        HOSTILE_METHOD: halved(3)(squares(shape, 7, [0, 1], 4)),
        f"{HOSTILE_METHOD}-confusion": halved(3)(squares(shape, 4, list(CONFUSION), 5)),
        "errors": halved(3)(squares(shape, 3, [0, *ERRORS], 6)),
    }
    shape = (2, 260, 300)
    stored["deep"] = {"image": shifted(2)(texture(shape, "uint16", 4095, 7))}
    stored["rgb"] = {
        "image": shifted(2)(texture(shape, "uint8", 255, 8)),
        "color": shifted(2)(texture((3, *shape), "uint8", 255, 9)),
    }
    stored["rgb16"] = {
        "image": shifted(2)(texture(shape, "uint16", 65535, 8)),
        "color": shifted(2)(texture((3, *shape), "uint16", 65535, 10)),
    }
    stored["float"] = {
        "image": shifted(1)(texture(shape, "uint8", 255, 11)),
        "probability/forest": halved(2)(texture(shape, "uint8", 255, 12)),
        **{
            f"filtered/{codec}": [
                (texture(shape, "float32", 1000, seed) / 500 - 1).astype("float32")
            ]
            for seed, codec in enumerate(CODECS, 20)
        },
    }
    # three samples: all around the second there is something else
    collected = np.full((5, 300, 400), 250, "uint8")
    collected[1:3, :201, :333] = texture((2, 201, 333), "uint8", 200, 14)
    labels = np.full((5, 300, 400), 4, "uint8")
    labels[1:3, :201, :333] = squares((2, 201, 333), 3, list(CONFUSION), 15)
    stored["_small"] = {
        "image": shifted(2)(collected),
        "otsu-confusion": halved(2)(labels),
    }
    return stored


SAMPLES = """\
sample stack first_plane planes height width tile_height tile_width
plain plain 0 3 601 700 512 512
deep deep 0 2 260 300 512 512
rgb rgb 0 2 260 300 512 512
rgb16 rgb16 0 2 260 300 512 512
float float 0 2 260 300 512 512
before _small 0 1 300 400 512 512
odd _small 1 2 201 333 64 128
HOSTILE _small 3 2 300 400 512 512
"""


@pytest.fixture(scope="session")
def written(tmp_path_factory, arrays):
    """A folder of results."""
    results = tmp_path_factory.mktemp("viewer") / "results"
    results.mkdir()
    lines = ["\t".join(line.split()) for line in SAMPLES.splitlines()]
    (results / "stacks.tsv").write_text("\n".join(lines).replace("HOSTILE", HOSTILE) + "\n")
    windows = {"plain": 255, "deep": 4095, "rgb": 255, "rgb16": 65535, "float": 255, "_small": 255}
    for stack, layers in arrays.items():
        image = results / stack / "image.zarr"
        write_group(image, layers["image"], **omero(windows[stack]))
        if "color" in layers:
            write_group(results / stack / "color.zarr", layers["color"], **omero(windows[stack]))
        labels = {
            name: (levels, colors_of(name))
            for name, levels in layers.items()
            if name not in ("image", "color") and "/" not in name
        }
        write_labels(image, labels)
    write_group(results / "float/probability/forest.zarr", arrays["float"]["probability/forest"])
    for codec in CODECS:
        path = results / f"float/filtered/{codec}.zarr"
        write_block(path, arrays["float"][f"filtered/{codec}"][0], codec)
    write_tables(results)
    return results


def colors_of(label):
    if label.endswith("-confusion"):
        return CONFUSION
    return ERRORS if label == "errors" else MASK


def write_tables(results):
    """What is known of one tile of the sample `plain`."""
    place = "plain\totsu\tz0001_y00_x01\t1\t0\t512\t512\t188"
    columns = "sample\tmethod\ttile\tz\ty\tx\theight\twidth"
    metrics = results / "plain/otsu/metrics/0/0/0.tsv"
    metrics.parent.mkdir(parents=True)
    metrics.write_text(f"{columns}\tpatch\tannotated\tf1\tmcc\n{place}\t\t100\t0.625\t\n")
    thresholds = results / "plain/otsu/thresholds/0/0/0.tsv"
    thresholds.parent.mkdir(parents=True)
    thresholds.write_text(f"{columns}\tscope\tthreshold\tnote\n{place}\ttile\t113\t\n")
    (results / "trust.tsv").write_text(
        "sample\ttile\tz\ty\tx\theight\twidth\ttrust\tflags\n"
        "plain\tz0001_y00_x01\t1\t0\t512\t512\t188\t0.75\tblur;dark\n"
    )


class Quiet(served.Handler):
    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """Serve a folder of results."""
    running = []

    def start(results):
        server = Server(results)
        server.RequestHandlerClass = Quiet
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def drawing(browser):
    """A browser that draws without a graphics card."""
    flags = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
    with_webgl = browser.browser_type.launch(
        executable_path=CHROMIUM, args=[*flags, "--enable-unsafe-swiftshader"]
    )
    yield with_webgl
    with_webgl.close()


@pytest.fixture
def visit(drawing, serve, written):
    """Open an address of the viewer; the test fails if the page complains or asks elsewhere."""
    complaints, contexts = [], []

    def go(fragment="", results=written, script="", **settings):
        server = serve(results)
        base = f"http://127.0.0.1:{server.server_port}/"
        context = drawing.new_context(**{"viewport": WIDE, "reduced_motion": "reduce"} | settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda said: complaints.extend(complaint(said)))
        page.on("dialog", lambda dialog: (complaints.append("dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda one: one.url.startswith(base) or complaints.append(one.url),
        )
        if script:
            page.add_init_script(script)
        page.goto(server.address(server.single_token()) + fragment)
        page.server = server
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def complaint(said):
    """What the console says; browsers say it of every shard that is not there, or empty."""
    is_shard = re.search(r"/results/.*/c/\d+/\d+/\d+$", said.location["url"])
    is_expected = is_shard and re.search(r"status of (404|416)", said.text)
    return [said.text] if said.type in ("error", "warning") and not is_expected else []


def address(sample, plane=0, **chosen):
    chosen = {"sample": sample, "plane": plane, "borders": 0} | chosen
    return "#" + urllib.parse.urlencode(chosen, doseq=True)


def look(page, fragment):
    """Go to an address, and wait until what it says is drawn."""
    page.evaluate("(to) => { location.hash = to }", fragment)
    settled(page)


def settled(page):
    # an address is taken up a moment after it changes
    page.wait_for_timeout(60)
    expect(page.locator(".picture").first).to_have_attribute("aria-busy", "false")
    for picture in page.locator(".picture").all():
        expect(picture).to_have_attribute("aria-busy", "false")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))")


def says(page, part):
    """Wait until the address has this in it."""
    expect(page).to_have_url(re.compile(re.escape(part)))


OVER = ".zooms, .notes, .pane figcaption"


def picture(page, which=0):
    """What one sees of a picture: (rows, columns, 3), red, green and blue."""
    put = """([over, visibility]) => {
      for (const one of document.querySelectorAll(over)) one.style.visibility = visibility
    }"""
    page.evaluate(put, [OVER, "hidden"])
    shot = page.locator(".picture").nth(which).screenshot()
    page.evaluate(put, [OVER, ""])
    return cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


MARGIN = 4
"""Px of the screen next to the edge of a sample, which has a line around it."""


def sampled(shot, values, center, zoom, levels):
    """Of the px of the screen that are inside of a sample: a mask, and their values.

    `values` has the pixels of the level that is shown.
    """
    rows, columns = shot.shape[:2]
    resolution = 2.0**-zoom
    level = min(max(-zoom, 0), levels - 1)
    height, width = values.shape[-2:]
    x = center[0] + (np.arange(columns) + 0.5 - columns / 2) * resolution
    y = center[1] + (np.arange(rows) + 0.5 - rows / 2) * resolution
    column, row = (np.floor(axis / 2**level).astype(int) for axis in (x, y))
    is_inside = np.ones(shot.shape[:2], bool)
    margin = MARGIN * resolution
    is_inside &= (x >= margin) & (x < width * 2**level - 2**level - margin)
    is_inside &= ((y >= margin) & (y < height * 2**level - 2**level - margin))[:, None]
    at = values[..., np.clip(row, 0, height - 1)[:, None], np.clip(column, 0, width - 1)]
    return is_inside, at


def colored(at, colors, ground):
    """Colours of labels over a ground of one colour: (rows, columns, 3)."""
    out = np.empty((*at.shape, 3))
    out[:] = ground
    for value, (*rgb, alpha) in colors.items():
        share = alpha / 255
        out[at == value] = share * np.array(rgb) + (1 - share) * np.array(ground)
    return out


def ground_of(page):
    css = page.evaluate("getComputedStyle(document.querySelector('.pane')).backgroundColor")
    return list(map(int, re.findall(r"\d+", css)[:3]))


ZOOMS = [1, 0, -1]
CENTER = {"x": 340, "y": 300}


@pytest.mark.parametrize("label", ["otsu", "otsu-confusion", "errors"])
def test_colours_of_labels(visit, arrays, label):
    """At three zooms, on two planes: exact, up to each boundary."""
    key = {"otsu": "mask", "otsu-confusion": "confusion"}.get(label, label)
    page = visit(address("plain", layer=f"{key}:1", method="otsu"))
    settled(page)
    ground = ground_of(page)
    for zoom in ZOOMS:
        for plane in (0, 2):
            chosen = CENTER | {"zoom": zoom, "layer": f"{key}:1", "method": "otsu"}
            look(page, address("plain", plane, **chosen))
            levels = arrays["plain"][label]
            values = levels[max(-zoom, 0)][plane]
            shot = picture(page)
            is_inside, at = sampled(shot, values, (340, 300), zoom, 3)
            expected = colored(at, colors_of(label), ground)
            assert is_inside.sum() > 50_000
            assert len(np.unique(at[is_inside])) >= 2
            opaque = is_inside & np.isin(
                at, [v for v, c in colors_of(label).items() if c[3] == 255]
            )
            assert np.array_equal(shot[opaque], expected[opaque])
            assert np.abs(shot - expected)[is_inside].max() <= 1


def test_grey_levels(visit, arrays):
    page = visit(address("plain"))
    for zoom in (2, 0, -1, -2):
        look(page, address("plain", 1, **CENTER, zoom=zoom, layer="image:1"))
        shot = picture(page)
        values = arrays["plain"]["image"][max(-zoom, 0)][1]
        is_inside, at = sampled(shot, values, (340, 300), zoom, 3)
        assert is_inside.sum() > 20_000
        assert np.array_equal(shot[is_inside], np.repeat(at[is_inside][:, None], 3, 1))


def test_between_levels_and_beyond_them(visit, arrays):
    """The nearest level is enlarged or reduced; of the last, all that is further out."""
    page = visit(address("plain", 0, **CENTER, zoom=-3, layer="errors:1"))
    settled(page)
    shot = picture(page)
    is_inside, at = sampled(shot, arrays["plain"]["errors"][2][0], (340, 300), -3, 3)
    opaque = is_inside & (at > 1)
    assert opaque.sum() > 1000
    # one px of the screen is of 2 x 2, of which it shows one
    known = {tuple(rgba[:3]) for rgba in ERRORS.values()} | {(0, 0, 0), tuple(ground_of(page))}
    assert {tuple(rgb) for rgb in shot[is_inside]} <= known


def test_contrast_and_colour_map(visit, arrays):
    """No tile is asked for again."""
    page = visit(address("deep", 0, x=150, y=130, zoom=0, layer="image:1"))
    settled(page)
    values = arrays["deep"]["image"][0][0].astype(float)
    shot = picture(page)
    is_inside, at = sampled(shot, values, (150, 130), 0, 2)
    assert np.abs(shot[is_inside] - np.round(255 * at[is_inside] / 4095)[:, None]).max() <= 1

    # the next plane is got ready meanwhile
    page.wait_for_load_state("networkidle")
    asked = []
    page.on("request", lambda one: "/results/" in one.url and asked.append(one.url))
    look_at = page.get_by_label("White of Image, as a number")
    look_at.fill("2000")
    look_at.press("Enter")
    black = page.get_by_label("Black of Image, as a number")
    black.fill("500")
    black.press("Enter")
    page.wait_for_timeout(100)
    grey = np.round(255 * np.clip((at[is_inside] - 500) / 1500, 0, 1))
    assert np.abs(picture(page)[is_inside] - grey[:, None]).max() <= 1
    page.locator("select.map").select_option("inverted")
    page.wait_for_timeout(100)
    assert np.abs(picture(page)[is_inside] - (255 - grey)[:, None]).max() <= 1
    page.locator("select.map").select_option("viridis")
    page.wait_for_timeout(100)
    shot = picture(page)[is_inside]
    ends = {0: (0x44, 0x01, 0x54), 255: (0xFD, 0xE7, 0x25)}
    for value, rgb in ends.items():
        assert (shot[grey == value] == rgb).all()
    assert asked == []
    says(page, "map=viridis")
    assert "500%2C2000" in page.url


@pytest.mark.parametrize(("sample", "most"), [("rgb", 255), ("rgb16", 65535)])
def test_colour(visit, arrays, sample, most):
    """It is what one sees first."""
    page = visit(address(sample, 1, x=150, y=130, zoom=0))
    settled(page)
    for zoom in (0, -1):
        look(page, address(sample, 1, x=150, y=130, zoom=zoom))
        shot = picture(page)
        values = arrays[sample]["color"][-zoom][:, 1].astype(float)
        is_inside, at = sampled(shot, values, (150, 130), zoom, 2)
        expected = np.round(255 * np.moveaxis(at, 0, -1)[is_inside] / most)
        assert len(expected) > 10_000
        assert np.abs(shot[is_inside] - expected).max() <= (1 if most > 255 else 0)


@pytest.mark.parametrize("codec", CODECS)
def test_floats(visit, arrays, codec):
    """A filtered image, without levels, and negative, in each way in which it may be stored."""
    key = f"filtered/{codec}"
    chosen = {"x": 150, "y": 130, "zoom": 0, "layer": f"{key}:1", "window": f"{key}:-1,1"}
    page = visit(address("float", 1, **chosen))
    settled(page)
    values = arrays["float"][key][0][1]
    shot = picture(page)
    is_inside, at = sampled(shot, values, (150, 130), 0, 1)
    assert np.abs(shot[is_inside] - np.round(127.5 * (at[is_inside] + 1))[:, None]).max() <= 1
    page.mouse.move(*point_of(page, 150, 130))
    expect(page.locator(".values dd").first).to_have_text(f"{float(values[130, 150]):.6g}")


def point_of(page, x, y, center=(150, 130), zoom=0):
    """Where a px of a sample is on the screen, by its centre."""
    box = page.locator(".picture").first.bounding_box()
    scale = 2.0**zoom
    left = box["x"] + box["width"] / 2 + (x + 0.5 - center[0]) * scale
    return left, box["y"] + box["height"] / 2 + (y + 0.5 - center[1]) * scale


def test_a_collected_sample_ends_at_its_size(visit, arrays):
    """On its second plane, with nothing of what is stored around it."""
    page = visit(address("odd"))
    for zoom, key, label in (
        *((0, "image", "image"), (-1, "image", "image")),
        *((0, "confusion", "otsu-confusion"), (-1, "confusion", "otsu-confusion")),
    ):
        chosen = {"x": 166, "y": 100, "zoom": zoom, "layer": f"{key}:1", "method": "otsu"}
        look(page, address("odd", 1, **chosen))
        shot, ground = picture(page), ground_of(page)
        stored = arrays["_small"][label][-zoom][2]
        values = stored[: -(-201 // 2**-zoom), : -(-333 // 2**-zoom)]
        is_inside, at = sampled(shot, values, (166, 100), zoom, 2)
        colors = (
            CONFUSION if key == "confusion" else {grey: (*[grey] * 3, 255) for grey in range(256)}
        )
        assert is_inside.sum() > 10_000
        assert np.abs(shot - colored(at, colors, ground))[is_inside].max() <= 1
        scale = 2.0**zoom
        top, left = shot.shape[0] / 2 - 100 * scale, shot.shape[1] / 2 - 166 * scale
        outside = np.ones(shot.shape[:2], bool)
        rows = slice(int(top) - MARGIN, int(top + 201 * scale) + MARGIN)
        outside[rows, int(left) - MARGIN : int(left + 333 * scale) + MARGIN] = False
        assert outside.sum() > 50_000
        assert (shot[outside] == ground).all()


def test_layers_over_each_other(visit, arrays):
    """With the opacity of the address, and values that are hidden."""
    chosen = {"layer": ["image:1", "confusion:0.5"], "hide": "confusion:2", "method": "otsu"}
    page = visit(address("plain", 0, **CENTER, zoom=0, **chosen))
    settled(page)
    shot = picture(page)
    is_inside, grey = sampled(shot, arrays["plain"]["image"][0][0], (340, 300), 0, 3)
    _, label = sampled(shot, arrays["plain"]["otsu-confusion"][0][0], (340, 300), 0, 3)
    expected = np.repeat(grey[..., None], 3, -1).astype(float)
    for value, (*rgb, alpha) in CONFUSION.items():
        share = 0 if value == 2 else 0.5 * alpha / 255
        expected[label == value] = share * np.array(rgb) + (1 - share) * expected[label == value]
    assert np.abs(shot - expected)[is_inside].max() <= 2
    # shown again by the legend, and in another colour
    page.get_by_role("button", name="false positive").click()
    page.get_by_label("Colour of false positive, Right and wrong").fill("#102030")
    page.wait_for_timeout(100)
    is_false = is_inside & (label == 2)
    half = (np.array([16, 32, 48]) + grey[is_false][:, None]) / 2
    assert np.abs(picture(page)[is_false] - half).max() <= 2


def test_the_value_under_the_cursor(visit, arrays):
    chosen = {"layer": ["image:1", "confusion:0.5"], "method": "otsu"}
    page = visit(address("plain", 1, **CENTER, zoom=1, **chosen))
    settled(page)
    words = {0: "not scored", 1: "true negative", 2: "false positive", 3: "false negative"}
    words[4] = "true positive"
    for x, y in ((340, 300), (344, 300), (345, 301)):
        page.mouse.move(*point_of(page, x, y, (340, 300), 1))
        expect(page.locator(".position")).to_have_text(f"x {x}, y {y}, z 1")
        value = int(arrays["plain"]["otsu-confusion"][0][1, y, x])
        grey = arrays["plain"]["image"][0][1, y, x]
        expect(page.locator(".values dd")).to_have_text([str(grey), f"{words[value]} ({value})"])


def test_planes(visit, arrays):
    """By slider, keys and wheel; the old picture stays until the new one is there."""
    page = visit(address("plain", 0, **CENTER, zoom=0, layer="image:1"))
    settled(page)
    shot = picture(page)
    is_inside, first = sampled(shot, arrays["plain"]["image"][0][0], (340, 300), 0, 3)
    _, second = sampled(shot, arrays["plain"]["image"][0][1], (340, 300), 0, 3)
    page.evaluate(
        """() => {
          const canvas = document.querySelector(".picture canvas")
          window.blank = 0
          const look = () => {
            const pixels = document.createElement("canvas").getContext("2d")
            pixels.drawImage(canvas, canvas.width / 2, canvas.height / 2, 8, 8, 0, 0, 8, 8)
            const { data } = pixels.getImageData(0, 0, 8, 8)
            if (data.some((value, i) => i % 4 === 3 && value === 0)) window.blank++
            window.frames_seen = (window.frames_seen ?? 0) + 1
            window.looking = requestAnimationFrame(look)
          }
          look()
        }"""
    )
    page.keyboard.press("PageDown")
    expect(page.locator("output.plane")).to_contain_text("z 1")
    settled(page)
    assert page.evaluate("window.frames_seen") > 2
    assert page.evaluate("window.blank") == 0
    assert np.array_equal(picture(page)[is_inside][:, 0], second[is_inside])
    assert (first != second)[is_inside].mean() > 0.9
    page.keyboard.press(",")
    settled(page)
    assert np.array_equal(picture(page)[is_inside][:, 0], first[is_inside])
    page.keyboard.down("Shift")
    page.mouse.move(*point_of(page, 340, 300, (340, 300)))
    page.mouse.wheel(0, 100)
    page.keyboard.up("Shift")
    expect(page.locator("output.plane")).to_contain_text("z 1")
    page.locator("#plane").focus()
    page.keyboard.press("End")
    expect(page.locator("output.plane")).to_contain_text("z 2")
    says(page, "plane=2")


def test_in_a_hurry(visit, arrays):
    """What is out of sight before it has come is given up, and asked for when it is seen again."""
    page = visit(address("plain", 0, **CENTER, zoom=0, layer=["errors:1", "image:1"]))
    settled(page)
    given_up = []
    page.on("requestfailed", lambda request: given_up.append(request))
    page.route("**/results/**", lambda route: (time.sleep(0.2), route.continue_()))
    for key in ("-", "-", "+", "+", "PageDown", "-", "-", "+", "+", "PageDown", "-", "-", "x"):
        page.keyboard.press(key)
        page.wait_for_timeout(200)
    for key in ("PageDown", "PageDown", "PageDown", "1"):
        page.keyboard.press(key)
    says(page, "zoom=0&")
    settled(page)
    assert given_up
    shot = picture(page)
    is_inside, at = sampled(shot, arrays["plain"]["image"][0][2], (340, 300), 0, 3)
    assert np.array_equal(shot[is_inside][:, 0], at[is_inside])


def test_two_methods_in_step(visit, arrays):
    chosen = {"layer": "confusion:1", "method": "otsu", "beside": HOSTILE_METHOD}
    wider = {"width": 1002, "height": 560}
    page = visit(address("plain", 0, **CENTER, zoom=0, **chosen), viewport=wider)
    settled(page)
    names = ["otsu", HOSTILE_METHOD]
    expect(page.locator("figcaption")).to_have_text(names)

    def check(center, zoom):
        ground = ground_of(page)
        for which, name in enumerate(names):
            shot = picture(page, which)
            values = arrays["plain"][f"{name}-confusion"][max(-zoom, 0)][0]
            is_inside, at = sampled(shot, values, center, zoom, 3)
            assert is_inside.sum() > 20_000
            assert np.abs(shot - colored(at, CONFUSION, ground))[is_inside].max() <= 1

    check((340, 300), 0)
    box = page.locator(".picture").nth(1).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    # dragged in the second, both move
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y + 40, steps=4)
    page.mouse.up()
    page.mouse.move(5, 5)
    expect(page).not_to_have_url(re.compile("x=340.0"))
    settled(page)
    page.wait_for_timeout(300)
    said = urllib.parse.parse_qs(page.url.partition("#")[2])
    center = float(said["x"][0]), float(said["y"][0])
    assert center[0] >= 370
    assert center[1] <= 280
    check(center, 0)


def test_the_address_holds_it_all(visit):
    chosen = {
        **{"x": "123.0", "y": "45.0", "zoom": "1.5", "method": HOSTILE_METHOD, "beside": "otsu"},
        **{"layer": ["image:0.9", "mask:0.25"], "window": "image:10,200", "hide": "mask:1"},
        **{"color": "mask:1,ff8000", "map": "magma"},
    }
    fragment = address("plain", 2, **chosen)
    page = visit(fragment)
    settled(page)
    page.keyboard.press("t")
    expect(page).not_to_have_url(re.compile("borders"))
    page.keyboard.press("t")
    says(page, "borders=0")
    given, said = (urllib.parse.parse_qs(text.partition("#")[2]) for text in (fragment, page.url))
    assert said == given
    expect(page.get_by_label("Opacity of Mask")).to_have_value("25")
    expect(page.locator("#method")).to_have_value(HOSTILE_METHOD)
    expect(page.locator("#beside")).to_have_value("otsu")


def test_what_an_address_gets_wrong_is_as_if_it_were_not_there(visit):
    page = visit(
        "#sample=none&plane=99&x=1e9&y=-1&zoom=x&layer=none:1&layer=image:7&window=image:9,1"
        "&method=none&map=pink&hide=confusion:x&tile=z9999_y00_x00"
    )
    settled(page)
    expect(page.locator("input.sample")).to_have_value("plain")
    expect(page.locator("output.plane")).to_contain_text("z 0")
    expect(page.locator("#method")).to_have_value("otsu")


def test_a_tile_to_start_with(visit):
    """Of another plane, with what is known of it."""
    page = visit("#sample=plain&tile=z0001_y00_x01&method=otsu")
    settled(page)
    says(page, "x=606.0&y=256.0")
    expect(page.locator("output.plane")).to_contain_text("z 1")
    facts = page.locator("section.tile")
    expect(facts.locator("h2")).to_have_text("Tile z0001_y00_x01")
    expect(facts).to_contain_text("188 × 512 px")
    expect(facts).to_contain_text("blur, dark")
    expect(facts).to_contain_text("0.75")
    expect(facts.locator("tr", has_text="f1")).to_contain_text("0.625")
    expect(facts.locator("tr", has_text="mcc")).to_contain_text("–")
    expect(facts.locator("dl")).to_contain_text("113")
    page.keyboard.press("n")
    expect(facts.locator("h2")).to_have_text("Tile z0001_y01_x00")
    says(page, "y=556.5")


def test_samples_are_found_by_a_part_of_their_name(visit):
    page = visit(address("plain"))
    settled(page)
    page.locator("input.sample").click()
    expect(page.locator(".options [role=option]")).to_have_count(8)
    page.keyboard.type("dd")
    expect(page.locator(".options [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("input.sample")).to_have_value("odd")
    settled(page)
    says(page, "sample=odd")


def test_names_are_text(visit):
    page = visit(address("plain", method=HOSTILE_METHOD, layer="confusion:1"))
    settled(page)
    page.locator("input.sample").click()
    page.locator(".options [role=option]").last.click()
    settled(page)
    expect(page.locator("input.sample")).to_have_value(HOSTILE)
    expect(page).to_have_title(re.compile("^<img"))
    assert page.locator("img").count() == 0


def copied(results, tmp_path, stack="plain"):
    """A folder of results of one stack, whose files may be changed."""
    other = tmp_path / "results"
    shutil.copytree(results / stack, other / stack)
    lines = (results / "stacks.tsv").read_text().splitlines()
    rows = [line for line in lines if line.split("\t")[1] in ("stack", stack)]
    (other / "stacks.tsv").write_text("\n".join(rows) + "\n")
    return other


def damaged_chunk(path, place):
    """Change a byte of a chunk, which is found by the index at the end of the shard."""
    content = bytearray(path.read_bytes())
    side = SHARD // CHUNK
    number = (place[0] * side + place[1]) * side + place[2]
    index = len(content) - 4 - 2 * side * side * 16
    offset, size = struct.unpack_from("<QQ", content, index + 16 * number)
    content[offset + size // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_chunk_is_hatched(visit, written, arrays, tmp_path):
    """The others are seen, and so is what lies under it."""
    results = copied(written, tmp_path)
    name = "plain/image.zarr/0/c/0/0/0"
    damaged_chunk(results / name, (1, 2, 3))
    page = visit(address("plain", 1, **CENTER, zoom=0, layer="image:1"), results)
    settled(page)
    note = page.get_by_role("alert")
    expect(note).to_contain_text(f"results/{name}")
    expect(note).to_contain_text("Delete this file and run snakemake again")
    shot = picture(page)
    is_inside, at = sampled(shot, arrays["plain"]["image"][0][1], (340, 300), 0, 3)
    rows, columns = shot.shape[:2]
    top, left = rows // 2 - 300 + 2 * CHUNK, columns // 2 - 340 + 3 * CHUNK
    chunk = shot[top + 3 : top + CHUNK - 3, left + 3 : left + CHUNK - 3]
    is_red = (chunk[..., 0] > 150) & (chunk[..., 1] < 90)
    assert 0.1 < is_red.mean() < 0.6
    is_inside[top - 3 : top + CHUNK + 3, left - 3 : left + CHUNK + 3] = False
    assert np.array_equal(shot[is_inside][:, 0], at[is_inside])
    # not on another plane
    page.keyboard.press("PageUp")
    settled(page)
    shot = picture(page)
    is_inside, at = sampled(shot, arrays["plain"]["image"][0][0], (340, 300), 0, 3)
    assert np.array_equal(shot[is_inside][:, 0], at[is_inside])

    # and not once it is made again
    page.keyboard.press("PageDown")
    settled(page)
    (results / name).write_bytes((written / name).read_bytes())
    page.get_by_role("button", name="Read again").click()
    settled(page)
    expect(note).to_have_count(0)
    shot = picture(page)
    is_inside, at = sampled(shot, arrays["plain"]["image"][0][1], (340, 300), 0, 3)
    assert np.array_equal(shot[is_inside][:, 0], at[is_inside])


@pytest.mark.parametrize("damage", ["index", "short", "empty"])
def test_a_damaged_shard(visit, written, arrays, tmp_path, damage):
    results = copied(written, tmp_path)
    shard = results / "plain/image.zarr/labels/otsu-confusion/0/c/0/0/0"
    content = bytearray(shard.read_bytes())
    if damage == "index":
        content[-40] ^= 1
    shard.write_bytes({"index": content, "short": content[:-100], "empty": b""}[damage])
    layers = ["image:1", "confusion:1"]
    page = visit(address("plain", 0, **CENTER, zoom=0, layer=layers, method="otsu"), results)
    settled(page)
    expect(page.get_by_role("alert")).to_contain_text("otsu-confusion/0/c/0/0/0")
    shot = picture(page)
    is_inside, at = sampled(shot, arrays["plain"]["image"][0][0], (340, 300), 0, 3)
    # stripes of the image, in between those of the damage
    rows, columns = shot.shape[:2]
    is_damaged = np.zeros(shot.shape[:2], bool)
    is_damaged[: rows // 2 - 300 + SHARD, : columns // 2 - 340 + SHARD] = True
    is_red = (shot[..., 0] > 150) & (shot[..., 1] < 90)
    assert 0.1 < is_red[is_damaged & is_inside].mean() < 0.6


def test_a_shard_that_is_not_there_is_empty(visit, written, arrays, tmp_path):
    results = copied(written, tmp_path)
    (results / "plain/image.zarr/labels/otsu-confusion/0/c/0/0/0").unlink()
    chosen = {"layer": "confusion:1", "method": "otsu"}
    page = visit(address("plain", 0, **CENTER, zoom=0, **chosen), results)
    settled(page)
    shot = picture(page)
    stored = arrays["plain"]["otsu-confusion"][0][0].copy()
    stored[:SHARD, :SHARD] = 0
    is_inside, at = sampled(shot, stored, (340, 300), 0, 3)
    assert len(np.unique(at[is_inside])) > 2
    expected = colored(at, CONFUSION, ground_of(page))
    assert np.abs(shot - expected)[is_inside].max() <= 1
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_server_that_is_gone(drawing, serve, written):
    """It is said once, and all goes on when it answers again."""
    server = serve(written)
    context = drawing.new_context(viewport=WIDE)
    page = context.new_page()
    fragment = address("plain", layer="image:1", zoom=0, **CENTER)
    page.goto(server.address(server.single_token()) + fragment)
    settled(page)
    page.route("**/results/**", lambda route: route.abort())
    page.locator("#method").evaluate("(element) => element.blur()")
    page.keyboard.press("1")
    note = page.get_by_role("alert")
    expect(note).to_contain_text("The viewer's server does not answer. Start it again")
    page.unroute("**/results/**")
    page.get_by_role("button", name="Try again").click()
    expect(note).to_have_count(0)
    settled(page)
    context.close()


def test_a_server_that_has_no_results(drawing, serve, tmp_path):
    """Its sentence stands on the page."""
    (tmp_path / "results").mkdir()
    server = serve(tmp_path / "results")
    context = drawing.new_context(viewport=WIDE)
    page = context.new_page()
    page.goto(server.address(server.single_token()))
    expect(page.get_by_role("alert")).to_contain_text("stacks.tsv")
    context.close()


def test_without_webgl(visit):
    script = "HTMLCanvasElement.prototype.getContext = () => null"
    page = visit(address("plain"), script=script)
    expect(page.get_by_role("alert")).to_contain_text("has no WebGL")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_people(visit, theme):
    chosen = {"layer": ["image:1", "confusion:0.5", "errors:1"], "method": "otsu", "borders": 1}
    page = visit(address("plain", **chosen), color_scheme=theme)
    settled(page)
    page.locator("input.sample").click()
    for _ in range(2):
        found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert serious == [], json.dumps(serious, indent=1)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Keys").click()


def test_on_a_phone(visit):
    """Nothing is wider than the screen."""
    page = visit(address("plain", method="otsu"), viewport={"width": 390, "height": 844})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".picture").bounding_box()["height"] > 300
