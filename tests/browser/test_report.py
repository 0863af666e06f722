"""The report in a browser, opened from the disk."""

import base64
import copy
import csv
import io
import pprint
import re
import shutil
import subprocess
import urllib.parse
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from conftest import EMBEDDED, SIDE
from report_fixture import ALERT, ELEMENT, fixture, write

from tilewise.view.columns import rows_of

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="`make test-browser` installs it"
)
expect = pytest.importorskip("playwright.sync_api").expect
expect.set_options(timeout=60_000)

TABS = ("answer", "compare", "explore", "check", "reproduce")
SCORED, UNKNOWN = range(4), range(4, 8)


def tab(page, name):
    page.locator(f'nav a[href^="#{name}"]').click()
    expect(page.locator(f'nav a[href^="#{name}"]')).to_have_attribute("aria-current", "page")


def address_of(page):
    """The tab, and what is chosen."""
    name, _, query = urllib.parse.urlsplit(page.url).fragment.partition("?")
    return name, dict(urllib.parse.parse_qsl(query))


def address(name, **chosen):
    return f"#{name}?{urllib.parse.urlencode(chosen)}"


def ids(data):
    return [f"{row['sample']}/{row['tile']}" for row in rows_of(data["tiles"])]


def embedded_tile(data, is_annotated=True):
    """A tile with masks whose pictures are in the page, and its pack."""
    known = {name: bool(row["annotated"]) for name, row in tiles_by_id(data).items()}
    for pack in data["packs"]["embedded"].values():
        name = f"{pack['sample']}/{pack['tile']}"
        if pack["codes"] and known[name] == is_annotated:
            return name, pack
    raise AssertionError("no such tile is in the page")


def tiles_by_id(data):
    return dict(zip(ids(data), rows_of(data["tiles"]), strict=True))


def show_all(page):
    """Ask for more cards until all are there."""
    page.wait_for_function(
        """() => {
            const more = document.querySelector("#more");
            more?.click();
            return !more;
        }"""
    )


def drawn(page):
    """Wait until all pictures of the open tile are drawn."""
    page.wait_for_function(
        f"""() => {{
            const all = [...document.querySelectorAll("#tile canvas[data-layer]")];
            return all.length > 0 && all.every((one) => one.width === {SIDE});
        }}"""
    )


def pixels(page, layer, method):
    """Red, green and blue of a picture: (rows, columns, 3)."""
    canvas = page.locator(f'#tile canvas[data-layer="{layer}"]').and_(
        page.locator(f"#tile canvas[data-method={quoted(method)}]")
    )
    values = canvas.evaluate(
        """(canvas) => [...canvas.getContext("2d")
            .getImageData(0, 0, canvas.width, canvas.height).data]"""
    )
    return np.array(values, np.uint8).reshape(SIDE, SIDE, 4)[..., :3]


def quoted(text):
    """A string of CSS."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def decoded(picture):
    data = np.frombuffer(base64.b64decode(picture["data"]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def colors(page):
    """The background of each tile, or of what in it has one."""
    return page.locator("button.tile").evaluate_all(
        """(tiles) => Object.fromEntries(tiles.map((tile) => [tile.dataset.tile,
            [tile, ...tile.querySelectorAll("*")]
                .map((one) => one.style.background).join(" ").trim()]))"""
    )


@pytest.mark.parametrize("name", TABS)
def test_each_tab_opens_from_the_disk(small, visit, name):
    page = visit(small[0])
    tab(page, name)
    expect(page.locator("#app h2").first).to_be_visible()
    assert len(page.locator("#app main").inner_text()) > 200
    expect(page.locator("#static")).to_be_hidden()


@pytest.mark.parametrize("which", ["small", "maps"])
def test_a_click_opens_a_tile(which, visit, request):
    path, data = request.getfixturevalue(which)
    page = visit(path, "#explore")
    show_all(page)
    name, pack = embedded_tile(data)
    assert set(page.locator("button.tile").evaluate_all("a => a.map(b => b.dataset.tile)")) == set(
        ids(data)
    )
    expect(page.locator("section#tile")).to_have_count(0)
    page.locator(f"button.tile[data-tile={quoted(name)}]").click()
    expect(page.locator("section#tile")).to_be_visible()
    drawn(page)
    layers = page.locator("#tile canvas").evaluate_all("a => a.map(b => b.dataset.layer)")
    keeps_probability = data["decision"]["method"] in pack["probability"]
    assert set(layers) - {"probability"} == {"image", "filtered", "mask", "truth", "overlay"}
    assert ("probability" in layers) == keeps_probability
    assert address_of(page)[1]["tile"] == name


def test_pictures_beside_the_page_are_loaded_on_a_click(small, visit):
    path, data = small
    tiles = rows_of(data["tiles"])
    apart = next(row for row in tiles if row["pack"] >= EMBEDDED and row["annotated"])
    page = visit(path, "#explore")
    assert page.locator("script[src]").count() == 0
    page.locator(f"button.tile[data-tile={quoted(apart['sample'] + '/' + apart['tile'])}]").click()
    drawn(page)
    assert page.locator("script[src]").count() == 1


def test_a_missing_pack_is_named(small, visit, browser, tmp_path):
    """The page alone, without the folder that belongs to it."""
    path, data = small
    alone = tmp_path / "report.html"
    alone.write_bytes(path.read_bytes())
    apart = next(row for row in rows_of(data["tiles"]) if row["pack"] >= EMBEDDED)
    # not by `visit`: that a file is missing is an error in the console
    page = browser.new_page()
    name = f"{apart['sample']}/{apart['tile']}"
    page.goto(alone.as_uri() + address("explore", tile=name))
    expect(page.locator("#tile")).to_contain_text(f"report/pack_{apart['pack']:04d}.js")
    page.close()


def test_scrolling_brings_all_cards(maps, visit):
    path, data = maps
    page = visit(path, "#explore?view=gallery")
    cards = page.locator("button.card")
    assert 0 < cards.count() < len(ids(data))
    page.locator("#more").scroll_into_view_if_needed()
    expect(cards).to_have_count(len(ids(data)))


@pytest.mark.parametrize("which", ["small", "maps"])
def test_the_metric_recolours_tiles(which, visit, request):
    path, _ = request.getfixturevalue(which)
    page = visit(path, "#explore")
    show_all(page)
    before = colors(page)
    assert any(before.values())
    page.locator("select#metric").select_option("recall")
    page.wait_for_function("() => location.hash.includes('metric=recall')")
    after = colors(page)
    assert after.keys() == before.keys()
    assert sum(after[name] != before[name] for name in before) > len(before) / 2


def test_the_verdict_stays_with_the_metric_of_the_decision(small, visit):
    path, data = small
    page = visit(path)
    verdict = page.locator("section.verdict")
    before = verdict.inner_text()
    assert before.split("\n")[0] == data["answer"]["sentences"][0]
    page.locator("select#metric").select_option("recall")
    assert verdict.inner_text() == before
    tab(page, "compare")
    expect(page.locator("#app main")).to_contain_text("the metric of the decision")


@pytest.mark.parametrize("method", [0, 1])
def test_worst_best_and_where_methods_differ(small, visit, method):
    path, data = small
    names = [one["name"] for one in data["methods"]]
    a, b = names[method], names[method + 1]
    scores = data["tile_scores"]["methods"]
    known = [i for i, value in enumerate(scores[a]["mcc"]) if value is not None]
    gap = {i: abs(scores[a]["mcc"][i] - scores[b]["mcc"][i]) for i in known}
    wanted = {
        "worst": min(known, key=lambda i: scores[a]["mcc"][i]),
        "best": max(known, key=lambda i: scores[a]["mcc"][i]),
        "differ": max(known, key=gap.__getitem__),
    }
    page = visit(path, "#explore")
    page.locator("select#method-a").select_option(a)
    page.locator("select#method-b").select_option(b)
    for button, index in wanted.items():
        page.locator(f"button#{button}").click()
        expect(page.locator("section#tile")).to_be_visible()
        assert address_of(page)[1]["tile"] == ids(data)[index]


def test_the_worst_of_a_distance_is_the_largest(small, visit):
    path, data = small
    values = data["tile_scores"]["methods"]["otsu"]["hd95"]
    largest = max(value for value in values if value is not None)
    page = visit(path, address("explore", a="otsu", metric="hd95"))
    page.locator("button#worst").click()
    assert values[ids(data).index(address_of(page)[1]["tile"])] == largest


def test_the_keyboard_goes_through_tiles_methods_and_layers(small, visit):
    path, data = small
    name, _ = embedded_tile(data)
    names = [one["name"] for one in data["methods"]]
    page = visit(path, address("explore", tile=name, a=names[0]))
    drawn(page)

    def press(key, changed):
        page.keyboard.press(key)
        return address_of(page)[1][changed]

    other = press("ArrowRight", "tile")
    assert other != name
    assert press("ArrowLeft", "tile") == name
    assert press("m", "a") == names[1]
    assert press("M", "a") == names[0]
    drawn(page)
    canvases = page.locator("#tile canvas[data-layer]")
    assert canvases.count() == 5
    page.keyboard.press("l")
    expect(canvases).to_have_count(1)
    first = canvases.get_attribute("data-layer")
    page.keyboard.press("l")
    expect(canvases).not_to_have_attribute("data-layer", first)
    page.keyboard.press("?")
    expect(page.locator("#tile")).to_contain_text("next layer")
    # once for the help, once for the tile
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("section#tile")).to_have_count(0)


def test_the_arrows_lead_through_all_tiles(small, visit):
    path, data = small
    page = visit(path, address("explore", tile=ids(data)[0]))
    seen = []
    for _ in ids(data):
        seen.append(address_of(page)[1]["tile"])
        expect(page.locator("#tile")).to_have_attribute("aria-label", _has(seen[-1]))
        page.keyboard.press("ArrowRight")
    assert sorted(seen) == sorted(ids(data))
    assert address_of(page)[1]["tile"] == seen[0]


def _has(tile):
    sample, name = tile.rsplit("/", 1)
    return re.compile(f"{re.escape(sample)}.*{re.escape(name)}")


def test_buttons_do_what_the_arrows_do(small, visit):
    path, data = small
    page = visit(path, address("explore", tile=ids(data)[3]))
    page.locator("button#next").click()
    other = address_of(page)[1]["tile"]
    assert other != ids(data)[3]
    page.locator("button#previous").click()
    assert address_of(page)[1]["tile"] == ids(data)[3]


def test_an_address_shows_a_colleague_the_same(small, visit):
    path, data = small
    name, _ = embedded_tile(data)
    names = [one["name"] for one in data["methods"]]
    page = visit(path, address("explore", tile=name, a=names[2], b=names[1], metric="f1"))
    drawn(page)
    expect(page.locator("select#metric")).to_have_value("f1")
    expect(page.locator("select#method-a")).to_have_value(names[2])
    expect(page.locator("select#method-b")).to_have_value(names[1])
    methods = page.locator("#tile canvas").evaluate_all("a => a.map(b => b.dataset.method)")
    assert set(methods) == {names[1], names[2]}
    page.locator("button#next").click()
    drawn(page)
    copy = visit(path, "#" + urllib.parse.urlsplit(page.url).fragment)
    drawn(copy)
    assert copy.locator("#tile h3").inner_text() == page.locator("#tile h3").inner_text()
    np.testing.assert_array_equal(
        pixels(copy, "overlay", names[2]), pixels(page, "overlay", names[2])
    )


@pytest.mark.parametrize("wrong", ["#explore?tile=none/none&a=none&metric=none", "#%", "#nowhere"])
def test_a_wrong_address_shows_what_there_is(small, visit, wrong):
    page = visit(small[0], wrong)
    expect(page.locator("#app h2").first).to_be_visible()
    expect(page.locator("section#tile")).to_have_count(0)


@pytest.mark.parametrize("name", TABS)
def test_every_picture_has_an_alternative_text(small, visit, name):
    path, data = small
    tile, _ = embedded_tile(data)
    page = visit(path, address(name, tile=tile, a="otsu"))
    expect(page.locator("#app h2").first).to_be_visible()
    if name == "explore":
        drawn(page)
        overlay = page.locator('#tile canvas[data-layer="overlay"]').get_attribute("aria-label")
        score = data["tile_scores"]["methods"]["otsu"]["mcc"][ids(data).index(tile)]
        for word in (*tile.rsplit("/", 1), "otsu", "MCC", f"{score:.3f}"):
            assert word in overlay
    without = page.locator("#app").evaluate(
        """(app) => [...app.querySelectorAll("img, canvas, svg")]
            .filter((one) => !one.closest("[aria-hidden=true]"))
            .filter((one) => !one.parentElement.closest("svg"))
            .filter((one) => !(one.tagName === "IMG" ? one.getAttribute("alt")
                : one.getAttribute("role") === "img" && one.getAttribute("aria-label")))
            .map((one) => one.outerHTML.slice(0, 200))"""
    )
    assert without == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", TABS)
def test_axe_finds_nothing_serious(small, visit, name, scheme):
    path, data = small
    page = visit(path, address(name, tile=embedded_tile(data)[0]), color_scheme=scheme)
    expect(page.locator("#app h2").first).to_be_visible()
    if name == "explore":
        drawn(page)
    found = [
        (one["id"], [(node["html"][:200], node["failureSummary"]) for node in one["nodes"][:3]])
        for one in axe.Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not found, pprint.pformat(found)


@pytest.mark.parametrize("name", TABS)
def test_hostile_names_are_text(small, visit, name):
    """No dialog opens, as `visit` sees; names are read as they are, and are no elements."""
    path, data = small
    tile = next(one for one in ids(data) if ALERT in one)
    page = visit(path, address(name, tile=tile, a=ELEMENT))
    expect(page.locator("#app h2").first).to_be_visible()
    page.wait_for_timeout(500)
    text = page.locator("#app").inner_text() + " ".join(page.locator("pre").all_inner_texts())
    assert ALERT in text or ELEMENT in text
    assert page.locator('img[src="x"], #app script').count() == 0


def test_labels_have_the_colours_of_their_classes(small, visit):
    """Mask, truth and overlay at pixels of each code, against the PNG decoded by OpenCV."""
    path, data = small
    for name, pack in _with_all_codes(data):
        codes = decoded(pack["codes"]["otsu"])
        page = visit(path, address("explore", tile=name, a="otsu"))
        page.locator("select#palette").select_option("published")
        for label in ("tp", "fp", "fn", "tn"):
            page.locator(f"input[name={label}]").check()
        drawn(page)
        page.wait_for_timeout(500)
        mask, truth, overlay, image = (
            pixels(page, layer, "otsu").astype(float)
            for layer in ("mask", "truth", "overlay", "image")
        )
        np.testing.assert_array_equal(mask[codes < 6, 0], 255 * (codes[codes < 6] % 2))
        np.testing.assert_array_equal(truth[codes < 4, 0], 255 * (codes[codes < 4] // 2))
        published = data["label_colors"]["published"]
        wanted = [np.array(published[label], float) for label in ("tn", "fp", "fn", "tp")]
        assert published["tp"] == [0, 255, 255]
        assert published["fp"] == [255, 0, 255]
        assert published["fn"] == [255, 255, 0]
        # overlay = image + alpha (colour - image), with one alpha for all classes
        is_scored = codes < 4
        toward = np.array(wanted)[codes[is_scored]] - image[is_scored]
        moved = overlay[is_scored] - image[is_scored]
        alpha = (toward * moved).sum() / (toward**2).sum()
        assert 0.25 < alpha <= 1
        np.testing.assert_allclose(moved, alpha * toward, atol=2)
        # what was not scored is darker than the image, or a grey line
        rest, ground = overlay[codes >= 4], image[codes >= 4]
        is_line = (np.abs(rest - 128) <= 1).all(-1)
        assert 0.05 < is_line.mean() < 0.5
        assert (rest[~is_line] <= ground[~is_line] / 2 + 1).all()


def test_a_tile_without_truth_has_its_masks_over_the_image(small, visit):
    """Mask and image at pixels of each code, of two methods, and that there is no truth."""
    path, data = small
    name, pack = embedded_tile(data, is_annotated=False)
    a, b = [one["name"] for one in data["methods"]][:2]
    page = visit(path, address("explore", tile=name, a=a, b=b))
    drawn(page)
    page.wait_for_timeout(500)
    expect(page.locator("#tile")).to_contain_text("No truth here.")
    assert page.locator('#tile canvas[data-layer="truth"]').count() == 0
    # nor are there scores
    assert page.locator("#tile table").count() == 0
    for method in (a, b):
        codes = decoded(pack["codes"][method])
        assert set(np.unique(codes)) == {4, 5}
        mask, overlay = (pixels(page, layer, method).astype(float) for layer in ("mask", "overlay"))
        # drawn once, of both
        image = pixels(page, "image", a).astype(float)
        np.testing.assert_array_equal(mask[..., 0], 255 * (codes == 5))
        np.testing.assert_array_equal(overlay[codes == 4], image[codes == 4])
        # one colour, laid over the image with one opacity
        own = overlay[codes == 5] - image[codes == 5] * (1 - 0.7)
        assert np.ptp(own, axis=0).max() <= 2
        label = page.locator('#tile canvas[data-layer="overlay"]').and_(
            page.locator(f"#tile canvas[data-method={quoted(method)}]")
        )
        share = f"{100 * (codes == 5).mean():.2f}% is foreground"
        assert share in label.get_attribute("aria-label")


def test_probability_has_the_colours_of_its_legend(small, visit):
    path, data = small
    method = data["methods"][2]["name"]
    name, pack = embedded_tile(data)
    assert list(pack["probability"]) == [method]
    page = visit(path, address("explore", tile=name, a=method))
    drawn(page)
    found = pixels(page, "probability", method).astype(int)
    levels = cv2.imdecode(_bytes(pack["probability"][method]), cv2.IMREAD_GRAYSCALE)
    assert levels.min() < 40
    assert levels.max() > 200
    # the legend's part of viridis, as OpenCV has it
    places = (255 * (0.08 + 0.9 * levels / 255)).round().astype(np.uint8)
    wanted = cv2.applyColorMap(places, cv2.COLORMAP_VIRIDIS)[..., ::-1].astype(int)
    np.testing.assert_allclose(found, wanted, atol=12)
    caption = page.locator("#tile figure", has=page.locator('canvas[data-layer="probability"]'))
    assert re.sub(r"\s+", "", caption.locator(".legend").inner_text()) == "01"


def _bytes(picture):
    return np.frombuffer(base64.b64decode(picture["data"]), np.uint8)


def _with_all_codes(data):
    """Tiles whose pictures are in the page, that have scored, unknown and outer pixels."""
    found = [
        (f"{pack['sample']}/{pack['tile']}", pack)
        for pack in data["packs"]["embedded"].values()
        if pack["codes"] and {0, 1, 2, 3, 4, 6} <= set(np.unique(decoded(pack["codes"]["otsu"])))
    ]
    assert found
    return found


def test_a_class_that_is_switched_off_shows_the_image(small, visit):
    path, data = small
    name, pack = embedded_tile(data)
    codes = decoded(pack["codes"]["otsu"])
    page = visit(path, address("explore", tile=name, a="otsu"))
    drawn(page)
    image = pixels(page, "image", "otsu").astype(int)
    for label, code in (("tp", 3), ("fn", 2)):
        page.locator(f"input[name={label}]").check()
        page.wait_for_timeout(500)
        assert np.abs(pixels(page, "overlay", "otsu") - image)[codes == code].max() > 5
        page.locator(f"input[name={label}]").uncheck()
        page.wait_for_timeout(500)
        assert np.abs(pixels(page, "overlay", "otsu") - image)[codes == code].max() <= 1


def test_plots_are_saved_as_svg_and_csv(small, visit):
    path, data = small
    page = visit(path, "#compare")
    plotted(page)
    with page.expect_download() as saved:
        page.locator('button[aria-label$="as CSV"]').first.click()
    rows = list(csv.DictReader(io.StringIO(saved.value.path().read_text(encoding="utf-8"))))
    assert {one["name"] for one in data["methods"]} <= {
        value for row in rows for value in row.values()
    }
    with page.expect_download() as saved:
        page.locator('button[aria-label$="as SVG"]').first.click()
    assert saved.value.path().read_text(encoding="utf-8").startswith("<svg")


def plotted(page):
    """Wait until all plots are drawn, those below the window too: until then, buttons move."""
    page.wait_for_function(
        """() => {
            const plots = [...document.querySelectorAll("figure.plot")];
            return plots.length > 0 && plots.every((one) => one.querySelector("svg"));
        }"""
    )


def test_every_plot_of_check_is_saved_with_its_legend(small, visit):
    path, data = small
    page = visit(path, "#check", color_scheme="dark")
    plotted(page)
    names = page.locator('button[aria-label^="Save"]').evaluate_all(
        "all => all.map((one) => one.ariaLabel)"
    )
    plots = {re.fullmatch(r"Save (.*) as (SVG|CSV)", name)[1] for name in names}
    assert {"confusion", "errors-calibre"} <= plots
    assert any(name.startswith("histogram-") for name in plots)
    filter_of = data["packs"]["embedded"]["0"]["method_filter"]
    for name in plots:
        texts, filter = {}, name.removeprefix("histogram-")
        methods = {one["name"] for one in data["methods"] if filter_of[one["name"]] == filter}
        # of many downloads from one page, browsers ask whether they are wanted
        page = visit(path, "#check", color_scheme="dark")
        plotted(page)
        for kind in ("SVG", "CSV"):
            with page.expect_download() as saved:
                page.locator(f"button[aria-label={quoted(f'Save {name} as {kind}')}]").click()
            texts[kind] = saved.value.path().read_text(encoding="utf-8")
        svg = ElementTree.fromstring(texts["SVG"])
        assert float(svg.get("width")) > 300
        assert float(svg.get("height")) > 150
        words = set(map(str.strip, svg.itertext()))
        assert methods <= words if methods else set(filter_of) <= words
        # nothing that a file of its own does not know
        assert "var(" not in texts["SVG"]
        assert len(texts["CSV"].splitlines()) > 1


def test_matrices_as_svg_have_the_counts_of_the_tables(small, visit):
    path, data = small
    page = visit(path, "#check")
    plotted(page)
    with page.expect_download() as saved:
        page.locator('button[aria-label="Save confusion as SVG"]').click()
    words = "".join(ElementTree.parse(saved.value.path()).getroot().itertext())
    for scores in data["tile_scores"]["methods"].values():
        for name in ("tp", "fp", "fn", "tn"):
            pixels_of_all = sum(value for value in scores[name] if value is not None)
            assert f"{name.upper()} {pixels_of_all:,}" in words


def test_the_learning_curve_has_its_spread(small, visit):
    path, data = small
    ((method, curve),) = data["learning_curves"].items()
    page = visit(path, "#compare")
    plot = page.locator(
        "section", has=page.get_by_role("heading", name=f"Learning curve of {method}")
    )
    expect(plot.locator("svg")).to_be_visible()
    plotted(page)
    with page.expect_download() as saved:
        plot.locator('button[aria-label$="as CSV"]').click()
    rows = list(csv.DictReader(io.StringIO(saved.value.path().read_text(encoding="utf-8"))))
    for name in ("units", "lowest", "mean", "highest"):
        assert [float(row[name]) for row in rows] == curve[name]
    # the band, and a line from the lowest to the highest of each
    assert plot.locator("svg path[fill-opacity], svg g[fill-opacity] path").count() == 1


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_the_viewers_command_is_words_of_a_shell(small, visit, number, tmp_path):
    """A shell takes hostile names for what they are."""
    path, data = small
    folder = tmp_path / "it's $(HOME) ü"
    folder.mkdir()
    shutil.copy(path, folder)
    shutil.copytree(path.with_name("report"), folder / "report")
    name, method = ids(data)[number], data["methods"][number]["name"]
    page = visit(folder / path.name, address("explore", tile=name, a=method))
    sample, tile = name.rsplit("/", 1)
    wanted = ["scripts/view.py", str(folder), "--sample", sample, "--tile", tile]
    command = page.locator("#tile .viewer pre").inner_text()
    words = subprocess.run(
        ["sh", "-c", f'python() {{ printf "%s\\n" "$@"; }}; {command}'],
        **{"check": True, "capture_output": True, "text": True},
    )
    assert words.stdout.splitlines() == [*wanted, "--method", method]
    assert words.stderr == ""


def test_the_record_of_the_run_is_read_on_a_click(small, visit):
    path, _ = small
    record = path.with_name("run.js")
    record.write_text(
        'tilewise_run({"command": "snakemake <b>--cores 2</b>", "started": "2026-01-02T03:04:05",'
        '"finished": "2026-01-02T03:09:05", "commit": "a", "ok": true, "rules": {"columns": []}});'
    )
    page = visit(path, "#reproduce")
    assert "--cores 2" not in page.locator("#app").inner_text()
    page.get_by_role("button", name="Load the record of the run").click()
    expect(page.locator("#app")).to_contain_text("snakemake <b>--cores 2</b>")
    record.unlink()


def test_without_scripts_the_answer_and_the_tables_are_read(small, visit):
    path, data = small
    page = visit(path, java_script_enabled=False)
    text = page.locator("#static").inner_text()
    for sentence in (*data["answer"]["sentences"], *data["answer"]["next"]):
        # what stands between backticks is code
        assert re.sub(r"\s+", " ", sentence.replace("`", "")) in re.sub(r"\s+", " ", text)
    for one in data["methods"]:
        assert one["name"] in text
    expect(page.locator("#static table").first).to_be_visible()
    assert page.locator("#static table").count() >= 4
    assert page.locator('img[src="x"], #static script').count() == 0


@pytest.mark.parametrize("name", TABS)
def test_a_phone_shows_all_without_scrolling_aside(small, visit, name):
    path, data = small
    page = visit(
        path,
        address(name, tile=embedded_tile(data)[0]),
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
    )
    expect(page.locator("#app h2").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture
def changed(small, tmp_path):
    """The small page with other data: a function changes them."""

    def make(change):
        data = copy.deepcopy(small[1])
        change(data)
        write(tmp_path / "report.html", data, [])
        return tmp_path / "report.html", data

    return make


@pytest.fixture(scope="session")
def many_methods(tmp_path_factory):
    """The page of two tiles and more methods than there are colours, and its data."""
    data, packs = fixture(2, 16, side=SIDE)
    path = tmp_path_factory.mktemp("many") / "report.html"
    write(path, data, packs)
    return path, data


def test_the_methods_text_has_headings_and_is_copied_for_pandoc(small, visit):
    path, data = small
    page = visit(path, "#reproduce")
    assert page.locator(".prose h4").all_inner_texts() == ["Images", "References"]
    assert page.locator(".prose p").count() == 2
    page.evaluate(
        "() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }"
    )
    page.get_by_role("button", name="Copy for Pandoc").click()
    assert page.evaluate("window.copied") == data["methods_markdown"]


def test_the_page_says_what_was_imaged_and_why_tiles_are_the_worst(small, visit):
    path, data = small
    page = visit(path)
    assert page.title() == data["title"]
    expect(page.locator("#app .description")).to_have_text(data["description"])
    worst = data["decision"]["worst"][0]
    name = f"{worst['sample']}/{worst['tile']}"
    why = tiles_by_id(data)[name]["why"]
    assert "px" in why
    first = page.locator(".worst li").first
    for words in (worst["sample"], f"{worst['mcc']:.3f}", why):
        expect(first).to_contain_text(words)
    first.locator("a").click()
    expect(page.locator("#tile .why")).to_contain_text(why)
    expect(page.locator("#tile .why")).to_contain_text(data["decision"]["method"])


def test_blocks_of_one_tile_are_not_called_units(changed, visit):
    def of_blocks(data):
        data["decision"]["units"]["unit"] = "spatial blocks of one tile"

    path, _ = changed(of_blocks)
    page = visit(path)
    facts = page.locator(".facts")
    expect(facts).to_contain_text("which are not independent")
    assert "to expect" not in facts.inner_text()
    tab(page, "compare")
    section = page.locator("section[aria-labelledby=differences]")
    expect(section).to_contain_text("Two methods, block by block")
    assert re.search(r"in \d+ of \d+ blocks, which are not independent", section.inner_text())


def test_units_that_are_independent_tell_what_to_expect(small, visit):
    page = visit(small[0])
    expect(page.locator(".facts")).to_contain_text("MCC to expect")
    assert "not independent" not in page.locator(".facts").inner_text()


def test_a_warning_names_its_method_once(changed, visit):
    def named(data):
        codes = data["warnings"]["message"]["codes"]
        methods = data["warnings"]["method"]
        row = next(i for i, code in enumerate(methods["codes"]) if methods["values"][code])
        data["warnings"]["message"]["values"].append("otsu is at the edge, otsu_2 is not")
        codes[row] = len(data["warnings"]["message"]["values"]) - 1
        methods["values"] += ["otsu", "ot"]
        methods["codes"][row] = len(methods["values"]) - 2
        # a part of a word is no name
        other = next(i for i in range(len(codes)) if i != row)
        codes[other] = codes[row]
        methods["codes"][other] = len(methods["values"]) - 1

    path, _ = changed(named)
    found = visit(path).locator(".warning", has_text="otsu is at the edge").locator("strong")
    methods = [text.strip().split(", ")[-1] for text in found.all_text_contents()]
    assert len(methods) == 2
    assert methods.count("ot") == 1
    assert "otsu" not in methods


def test_warnings_of_one_kind_are_folded_behind_the_first(changed, visit):
    def of_three_samples(data):
        def column(*texts):
            values = list(dict.fromkeys(texts))
            return {"values": values, "codes": [values.index(text) for text in texts]}

        data["warnings"] |= {
            "code": column("frame", "frame", "few_units", "frame"),
            "sample": column("a", "b", "", "c"),
            "method": column(*[""] * 4),
            "tile": column(*[""] * 4),
            "message": column("border of a", "border of b", "few units", "border of c"),
            "remedy": column("set roi", "set roi", "annotate", "set roi"),
        }
        data["answer"]["warnings"] = [0, 1, 2, 3]

    page = visit(changed(of_three_samples)[0])
    warnings = page.locator("section[aria-labelledby=touching] .warning")
    expect(warnings).to_have_count(2)
    expect(warnings.first.get_by_text("border of a")).to_be_visible()
    folded = warnings.first.get_by_text("border of c")
    expect(folded).to_be_hidden()
    warnings.first.get_by_text("2 more of this kind").click()
    expect(folded).to_be_visible()
    expect(warnings.first.get_by_text("border of b")).to_be_visible()


def test_a_method_without_threshold_says_why(changed, visit):
    def of_pixels(data):
        for pack in data["packs"]["embedded"].values():
            for threshold in pack["thresholds"].values():
                threshold |= {"values": [], "note": "a threshold per pixel"}

    path, data = changed(of_pixels)
    page = visit(path, "#check")
    section = page.locator("section[aria-labelledby=histograms]")
    for one in data["methods"]:
        expect(section).to_contain_text(f"{one['name']}: a threshold per pixel")


def test_flags_are_counted_in_whole_numbers(maps, visit):
    path, _ = maps
    cells = visit(path, "#check").locator("section[aria-labelledby=flags] td.number")
    expect(cells.first).to_be_visible()
    assert all(text.isdecimal() for text in cells.all_inner_texts())


def test_histograms_of_tiles_with_other_levels_are_summed(changed, visit):
    """All pixels count, where their levels are; those of a constant tile too."""
    given = ([0, 10], [4, 6]), ([7.5, 5], [8, 2, 1]), ([99.5, 1], [7])

    def of_other_levels(data):
        packs = [pack for pack in data["packs"]["embedded"].values() if pack]
        for pack, (edges, counts) in zip(packs, given, strict=False):
            pack["histograms"] = {"levels": {"edges": edges, "counts": counts}}
        for pack in packs[len(given) :]:
            pack["histograms"] = {}

    path, _ = changed(of_other_levels)
    page = visit(path, "#check")
    figure = page.locator("section[aria-labelledby=histograms] figure.plot")
    expect(figure).to_have_count(1)
    with page.expect_download() as saved:
        figure.get_by_role("button", name="CSV").click()
    lines = saved.value.path().read_text(encoding="utf-8").splitlines()
    # bins of 10 from 0 on; of the bins from 7.5 and 17.5 to 12.5 and 22.5, half is in either
    found = [tuple(map(float, line.split(","))) for line in lines[1:]]
    wanted = {0: 4 + 4, 10: 6 + 4 + 2 + 0.5, 20: 0.5, 90: 7}
    assert found == [(low, low + 10, wanted.get(low, 0)) for low in range(0, 100, 10)]


def test_columns_without_a_value_are_left_out(changed, visit):
    def without(data):
        for name in ("low", "high"):
            table = data["tables"]["quantities"]
            table[name] = [None] * len(table[name])

    path, _ = changed(without)
    heads = visit(path).locator('[aria-label="Fractions of foreground"] th[scope=col]')
    names = heads.all_inner_texts()
    assert names[:3] == ["name", "in the mask", "corrected"]
    assert not {"interval", "µm²"} & set(names)


def test_one_method_against_another_in_colours_of_the_legend(small, visit):
    """At each pixel of both masks; image and truth are drawn once."""
    path, data = small
    name, pack = embedded_tile(data)
    a, b = [one["name"] for one in data["methods"]][:2]
    page = visit(path, address("explore", tile=name, a=a, b=b))
    drawn(page)
    page.wait_for_timeout(500)
    layers = page.locator("#tile canvas").evaluate_all("a => a.map((one) => one.dataset.layer)")
    for layer in ("image", "truth", "versus"):
        assert layers.count(layer) == 1
    assert layers.count("mask") == layers.count("overlay") == 2
    codes = [decoded(pack["codes"][method]) for method in (a, b)]
    first, second = (own % 2 == 1 for own in codes)
    is_inside = codes[0] // 2 != 3
    image, found = (pixels(page, layer, a).astype(float) for layer in ("image", "versus"))
    wanted = {
        f"only {a}": first & ~second,
        f"only {b}": second & ~first,
        "both": first & second,
    }
    swatches = page.locator("#tile p.classes .swatch").evaluate_all(
        """(all) => all.map((one) => [one.parentElement.textContent.trim(),
            getComputedStyle(one).backgroundColor.match(/\\d+/g).map(Number)])"""
    )
    assert [words for words, _ in swatches] == list(wanted)
    assert len({tuple(color) for _, color in swatches}) == 3
    for words, color in swatches:
        place = wanted[words] & is_inside
        assert place.any() or words != "both"
        own = (found[place] - image[place] * (1 - 0.7)) / 0.7
        np.testing.assert_allclose(own, np.broadcast_to(color, own.shape), atol=2)
    neither = ~first & ~second & is_inside
    np.testing.assert_array_equal(found[neither], image[neither])
    label = page.locator('#tile canvas[data-layer="versus"]').get_attribute("aria-label")
    share = 100 * (wanted["both"] & is_inside).sum() / is_inside.sum()
    assert f"{share:.2f}% of both" in label


def test_a_click_enlarges_a_picture_of_both_methods(small, visit):
    path, data = small
    name, _ = embedded_tile(data)
    a, b = [one["name"] for one in data["methods"]][:2]
    page = visit(path, address("explore", tile=name, a=a, b=b))
    drawn(page)
    overlays = page.locator('#tile canvas[data-layer="overlay"]')
    before = overlays.first.bounding_box()["width"]
    overlays.first.click()
    canvases = page.locator("#tile canvas[data-layer]")
    expect(canvases).to_have_count(2)
    drawn(page)
    one, other = (canvases.nth(i).bounding_box() for i in range(2))
    assert one["y"] == other["y"]
    assert one["x"] + one["width"] <= other["x"]
    assert min(one["width"], other["width"]) > 1.3 * before
    # both use the card's width
    card = page.locator("#tile").bounding_box()["width"]
    assert one["width"] + other["width"] > 0.9 * card
    shifts = lambda: canvases.evaluate_all("a => a.map((one) => one.style.transform)")  # noqa: E731
    first = shifts()
    page.locator("#zoom-in").click()
    expect(page.locator("#zoom")).to_have_text("150%")
    assert len(set(shifts())) == 1
    assert shifts() != first
    page.locator("#zoom-out").click()
    expect(page.locator("#zoom")).to_have_text("100%")
    page.locator("#zoom-in").click()
    page.locator("#zoom-reset").click()
    expect(page.locator("#zoom")).to_have_text("100%")
    assert shifts() == first
    page.locator("#all-layers").click()
    expect(canvases).to_have_count(9)


def test_a_picture_is_enlarged_with_the_keyboard(small, visit):
    path, data = small
    page = visit(path, address("explore", tile=embedded_tile(data)[0], a="otsu"))
    drawn(page)
    page.get_by_role("button", name="Enlarge truth").focus()
    page.keyboard.press("Enter")
    canvases = page.locator("#tile canvas[data-layer]")
    expect(canvases).to_have_count(1)
    expect(canvases).to_have_attribute("data-layer", "truth")
    expect(page.locator("#all-layers")).to_be_focused()


def test_a_drag_moves_a_picture_and_does_not_enlarge_it(small, visit):
    path, data = small
    page = visit(path, address("explore", tile=embedded_tile(data)[0], a="otsu"))
    drawn(page)
    canvases = page.locator("#tile canvas[data-layer]")
    number = canvases.count()
    box = canvases.first.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 40, steps=5)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert canvases.count() == number
    assert "translate(0%, 0%)" not in canvases.first.get_attribute("style")


def test_where_methods_differ_takes_the_runner_up_and_says_so(small, visit):
    path, data = small
    ranking = rows_of(data["tables"]["ranking"])
    order = [row["method"] for row in ranking if row["metric"] == "mcc"]
    assert order[0] == data["decision"]["method"]
    page = visit(path, "#explore")
    expect(page.locator("#differ")).to_have_text(f"Where {order[0]} and {order[1]} differ most")
    page.locator("#differ").click()
    assert address_of(page)[1]["b"] == order[1]
    for name in order[:2]:
        expect(page.locator("#tile .pair")).to_contain_text(name)
    order_of_tiles = page.locator("select#order")
    expect(order_of_tiles.locator("option:checked")).to_have_text("largest difference first")
    show_all(page)
    scores = data["tile_scores"]["methods"]
    gap = {
        name: one - other
        for name, one, other in zip(
            ids(data), scores[order[0]]["mcc"], scores[order[1]]["mcc"], strict=True
        )
        if one is not None and other is not None
    }
    shown = page.locator("button.tile").evaluate_all("a => a.map((one) => one.dataset.tile)")
    assert [name for name in shown if name in gap] == sorted(gap, key=lambda name: -abs(gap[name]))
    # zero is in the middle of the legend, and each sign has the colour of its end
    expect(page.locator(".ramp.diverging")).to_have_text("0")
    ramp = page.locator(".ramp.diverging").evaluate("one => getComputedStyle(one).backgroundImage")
    least, *_, greatest = (_bluer(color) for color in re.findall(r"rgb\(.*?\)", ramp))
    assert least * greatest < 0
    tones = {name: _bluer(color) for name, color in colors(page).items() if name in gap}
    strong = [name for name in gap if abs(gap[name]) > 0.3 * max(map(abs, gap.values()))]
    assert strong
    for name in strong:
        assert tones[name] * (greatest if gap[name] > 0 else least) > 0


def _bluer(color):
    """By how much more blue than red it is."""
    red, _, blue = map(int, re.findall(r"\d+", color)[:3])
    return blue - red


def test_the_table_of_a_tile_begins_with_what_decides_and_the_errors(small, visit):
    path, data = small
    page = visit(path, address("explore", tile=embedded_tile(data)[0], metric="recall"))
    heads = page.locator("#tile table th[scope=col]").all_inner_texts()
    assert [head.split()[0] for head in heads[:4]] == ["method", "MCC", "FP", "FN"]
    assert page.locator("#tile table th.deciding").inner_text().endswith("decides")


def test_tabs_open_at_their_top(small, visit):
    page = visit(small[0], "#check")
    plotted(page)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("scrollY") > 300
    tab(page, "compare")
    page.wait_for_function("() => scrollY === 0")


def test_numbers_just_below_one_are_not_one(changed, visit):
    def nearly(data):
        scores = data["tile_scores"]["methods"]["otsu"]
        row = ids(data).index(embedded_tile(data)[0])
        scores["accuracy"][row], scores["recall"][row] = 0.99972, 1

    path, data = changed(nearly)
    page = visit(path, address("explore", tile=embedded_tile(data)[0], a="otsu"))
    cells = dict(
        zip(
            page.locator("#tile table thead th").all_inner_texts(),
            page.locator("#tile table tbody tr > *").all_inner_texts(),
            strict=True,
        )
    )
    assert cells["accuracy"] == "0.9997"
    assert cells["recall"] == "1.000"


def test_the_selector_says_that_the_answer_stays(small, visit):
    page = visit(small[0])
    label = page.locator("label", has=page.locator("select#metric"))
    expect(label).to_contain_text("Metric of the other parts")
    page.locator("select#metric").select_option("recall")
    expect(page.locator("#app main")).to_contain_text("The answer is by MCC")
    tab(page, "compare")
    assert "other parts" not in label.inner_text()


def test_help_is_there_under_the_pointer_and_with_the_focus(small, visit):
    path, data = small
    page = visit(path)
    term = page.locator(".facts .term").first
    note = term.locator("[role=note]")
    expect(note).to_have_count(0)
    term.hover()
    expect(note).to_have_text(data["glossary"]["mcc"])
    box = note.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    page.mouse.move(0, 0)
    expect(note).to_have_count(0)
    term.locator("button").focus()
    expect(note).to_have_count(1)
    page.keyboard.press("Escape")
    expect(note).to_have_count(0)


def test_methods_have_marks_of_their_own_and_a_click_hides_one(many_methods, visit):
    path, data = many_methods
    page = visit(path, "#check")
    plotted(page)
    buttons = page.locator(".methods-legend button")
    assert [text.strip() for text in buttons.all_inner_texts()] == [
        one["name"] for one in data["methods"]
    ]
    marks = buttons.locator("path").evaluate_all(
        "all => all.map((one) => one.getAttribute('d') + one.getAttribute('fill'))"
    )
    assert len(set(marks)) == len(data["methods"]) == 16
    plot = page.locator('figure.plot svg[aria-label*="by calibre"]')
    dots = plot.locator("path[fill]:not([fill=none])")
    before = dots.count()
    buttons.nth(1).click()
    expect(buttons.nth(1)).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(
        f"""() => {{
            const plot = document.querySelector('figure.plot svg[aria-label*="by calibre"]');
            const dots = plot.querySelectorAll("path[fill]:not([fill=none])");
            return dots.length === {before} - 3;
        }}"""
    )
    page.get_by_role("button", name="Show all").click()
    expect(dots).to_have_count(before)


def test_one_tile_has_no_order(tmp_path, visit):
    data, packs = fixture(1, 2, side=SIDE)
    write(tmp_path / "report.html", data, packs)
    page = visit(tmp_path / "report.html", address("explore", tile=ids(data)[0]))
    drawn(page)
    for name in ("worst", "best", "differ", "previous", "next", "order"):
        assert page.locator(f"#{name}").count() == 0
    assert "Shown as" not in page.locator("#tile").inner_text()


def test_a_phone_has_a_small_header_whole_matrices_and_legible_plots(small, visit):
    path, _ = small
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    page = visit(path, "#check", **phone)
    plotted(page)
    assert page.locator("#app header").bounding_box()["height"] < 110
    for matrix in page.locator("table.matrix").all():
        box = matrix.bounding_box()
        assert box["x"] + box["width"] <= 390
    # at their own size: what does not fit is scrolled to
    scales = page.locator("figure.plot .wide svg[width]").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().width / one.getAttribute('width'))"
    )
    assert len(scales) > 3
    assert all(abs(scale - 1) < 0.02 for scale in scales)
    calibre = page.locator('figure.plot svg[aria-label*="by calibre"]')
    assert calibre.bounding_box()["width"] <= 390
