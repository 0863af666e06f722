"""The server of the viewer and real requests of a browser: of its page, and of other sites."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tilewise.serve import server as module
from tilewise.serve.server import Server

CONTENT = bytes(range(256))
PAGE = """<!doctype html><title>viewer</title><script src="viewer.js"></script>
<script>document.title = "inline"</script><body style="color: red">text</body>"""
ASK = """async ([address, range]) => {
  const answer = await fetch(address, range ? {headers: {Range: range}} : {})
  return [answer.status, [...new Uint8Array(await answer.arrayBuffer())]]
}"""
ATTACK = """async (address) => {
  const load = (tag, name) => new Promise((resolve) => {
    const element = document.createElement(tag)
    element.onload = () => resolve(true)
    element.onerror = () => resolve(false)
    element[name] = address
    document.body.append(element)
  })
  const ask = (settings) => fetch(address, settings).then(
    (answer) => answer.type === 'opaque' || answer.status, () => 'refused'
  )
  return {
    read: await ask({credentials: 'include'}),
    blind: await ask({credentials: 'include', mode: 'no-cors'}),
    range: await ask({credentials: 'include', headers: {Range: 'bytes=0-9'}}),
    image: await load('img', 'src'),
    script: await load('script', 'src'),
  }
}"""


class OtherSite(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>other</title><body></body>")

    def log_message(self, *_):
        pass


@pytest.fixture
def run():
    """Run servers in threads."""
    running = []

    def start(server):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def viewer(run, tmp_path, monkeypatch):
    """The viewer, with a page of its own, and a log of what it answered."""
    results, page = tmp_path / "results", tmp_path / "page"
    results.mkdir()
    page.mkdir()
    (results / "shard").write_bytes(CONTENT)
    (results / "report.html").write_text("<script>document.title = 'ran'</script>")
    (page / "viewer.html").write_text(PAGE)
    (page / "viewer.js").write_text("document.title = 'script'")
    monkeypatch.setattr(module, "PAGE", page)
    server = run(Server(results))
    server.answers = []

    def log(handler, code="-", size="-"):
        sites = {name: handler.headers.get(name) for name in ("Sec-Fetch-Site", "Cookie")}
        server.answers.append((int(code), handler.path.partition("?")[0], sites))

    monkeypatch.setattr(module.Handler, "log_request", log)
    return server


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def enter(page, viewer):
    page.goto(f"{viewer.address(viewer.single_token())}#sample=a&plane=3")
    return f"http://127.0.0.1:{viewer.server_port}"


def test_the_page(page, viewer):
    said = []
    page.on("console", lambda message: said.append(message.text))
    base = enter(page, viewer)
    # the token is gone, and the place in the results is not
    assert page.url == f"{base}/#sample=a&plane=3"
    assert page.title() == "script"
    assert any("script" in text and "Content Security Policy" in text for text in said)
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate(ASK, ["results/shard", None]) == [200, list(CONTENT)]
    assert page.evaluate(ASK, ["results/shard", "bytes=10-19"]) == [206, list(CONTENT[10:20])]
    assert page.evaluate(ASK, ["results/shard", "bytes=-4"]) == [206, list(CONTENT[-4:])]
    assert page.evaluate(ASK, ["results/shard", "bytes=256-"])[0] == 416
    assert page.evaluate(ASK, ["results/none", None])[0] == 404
    # a reload needs no token
    assert page.goto(f"{base}/").status == 200


def test_a_shard_that_a_run_has_made_anew(page, viewer):
    """What the browser keeps of it is asked for again, and is 304 as long as it is the same."""
    enter(page, viewer)
    for _ in range(2):
        assert page.evaluate(ASK, ["results/shard", None]) == [200, list(CONTENT)]
    assert [code for code, path, _ in viewer.answers if path == "/results/shard"] == [200, 304]
    (viewer.results / "shard").write_bytes(CONTENT[::-1])
    assert page.evaluate(ASK, ["results/shard", None]) == [200, list(CONTENT[::-1])]
    assert page.evaluate(ASK, ["results/shard", "bytes=0-1"]) == [206, [255, 254]]
    (viewer.results / "shard").write_bytes(CONTENT)
    assert page.evaluate(ASK, ["results/shard", "bytes=0-1"]) == [206, [0, 1]]


def test_a_report_among_the_results_does_not_run(page, viewer):
    base = enter(page, viewer)
    with page.expect_download() as download:
        page.evaluate("location = 'results/report.html'")
    assert download.value.suggested_filename == "report.html"
    frame = "document.body.innerHTML = '<iframe src=\"results/report.html\"></iframe>'"
    page.evaluate(frame)
    page.wait_for_timeout(200)
    assert page.title() == "script"
    assert page.url.startswith(base)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_other_sites_get_nothing(page, viewer, run, host):
    """On another port of this machine they are the same site to a browser, which sends cookies."""
    base = enter(page, viewer)
    other = run(ThreadingHTTPServer(("127.0.0.1", 0), OtherSite))
    page.goto(f"http://{host}:{other.server_port}/")
    viewer.answers.clear()
    for path in ("/results/shard", "/viewer.js", "/contents.json"):
        found = page.evaluate(ATTACK, base + path)
        assert found == {
            **{"read": "refused", "blind": "refused", "range": "refused"},
            **{"image": False, "script": False},
        }
    assert viewer.answers
    assert {code for code, *_ in viewer.answers} <= {403, 405}
    site = "same-site" if host == "127.0.0.1" else "cross-site"
    assert {sites["Sec-Fetch-Site"] for *_, sites in viewer.answers} == {site}
    assert any(sites["Cookie"] for *_, sites in viewer.answers) == (host == "127.0.0.1")
    # a link does not open it either, nor does a frame
    page.evaluate("address => document.body.innerHTML = `<a href='${address}'>link</a>`", base)
    with page.expect_navigation() as opened:
        page.click("a")
    assert opened.value.status == 403


def test_a_name_that_leads_here(browser, viewer):
    """DNS rebinding: the name of another site, that has this machine's address."""
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"http://rebound.localhost:{viewer.server_port}/?token={viewer.token}")
    assert answer.status == 421
    assert viewer.answers[-1][0] == 421
    assert context.cookies() == []
    context.close()
