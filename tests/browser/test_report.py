"""The report in a browser, opened from the disk."""

import base64
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
from report_fixture import ALERT, ELEMENT

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
        mask, overlay = (
            pixels(page, layer, method).astype(float) for layer in ("mask", "overlay")
        )
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
