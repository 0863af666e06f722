"""The server of the viewer, as browsers ask it and as attackers do: through its socket."""

import os
import re
import socket
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from tilewise.serve import server as module
from tilewise.serve.server import Server, asked_range

CONTENT = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A shard, a page and a pipe; beside the results a secret, to which a link leads."""
    folder = tmp_path_factory.mktemp("serving")
    (folder / "secret").write_text("secret")
    results = folder / "results"
    (results / "s/image.zarr/0/c/0/0").mkdir(parents=True)
    (results / "s/image.zarr/0/c/0/0/0").write_bytes(CONTENT)
    (results / "report.html").write_text("<script>alert(1)</script>")
    (results / "empty").touch()
    (results / "link").symlink_to("../secret")
    os.mkfifo(results / "pipe")
    return results


@contextmanager
def running(results):
    """A server that runs."""
    with Server(results) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def served(results):
    """The server that tests share."""
    with running(results) as server:
        yield server


@pytest.fixture
def other(results):
    """Another one, of which a test may use up the token."""
    with running(results) as server:
        yield server


SHARD = "/results/s/image.zarr/0/c/0/0/0"


def ask(server, path, method="GET", cookie=True, **headers):
    """What the server answers: status, headers and content."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookie:
        given["Cookie"] = f"other=1; {server.cookie.partition(';')[0]}; last=2"
    connection.request(method, path, headers=given)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def say(server, request, seconds=10):
    """All that the server sends to a request of bytes, until it ends the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=seconds) as one:
        try:
            one.sendall(request)
            one.shutdown(socket.SHUT_WR)
            while piece := one.recv(65536):
                received += piece
        except TimeoutError:
            raise
        except OSError:
            # the server has ended it before
            pass
    return received


def raw(server, target, *lines, method=b"GET", host=None):
    """A request as it goes over the wire, with the right cookie."""
    name = f"127.0.0.1:{server.server_port}".encode() if host is None else host
    cookie = server.cookie.partition(";")[0].encode()
    head = [method + b" " + target + b" HTTP/1.1", b"Host: " + name, b"Cookie: " + cookie, *lines]
    return b"\r\n".join([*head, b"", b""])


def status_of(received):
    match = re.match(rb"HTTP/1\.1 (\d+) ", received)
    return int(match[1]) if match else None


def test_it_listens_on_this_machine_alone(served):
    assert served.socket.getsockname() == ("127.0.0.1", served.server_port)


def test_the_token_is_swapped_for_a_cookie(served):
    status, headers, content = ask(served, f"/?token={served.token}", cookie=False)
    assert (status, headers["Location"], content) == (303, "/", b"")
    cookie, *attributes = headers["Set-Cookie"].split("; ")
    assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Strict"}
    assert cookie.startswith(f"tilewise-{served.server_port}=")
    assert served.token not in cookie
    assert ask(served, SHARD, cookie=False, Cookie=cookie)[2] == CONTENT
    # again, as in another browser
    assert ask(served, f"/?token={served.token}", cookie=False)[0] == 303


def test_the_token_on_a_command_line_works_once(other):
    once = other.single_token()
    assert once != other.token
    assert ask(other, f"/?token={once}", cookie=False)[0] == 303
    status, headers, _ = ask(other, f"/?token={once}", cookie=False)
    assert (status, headers["Set-Cookie"]) == (403, None)


@pytest.mark.parametrize("token", ["", "0" * 32, "%00", "%ff", "%C3%A9"])
def test_no_other_token_is_taken(served, token):
    status, headers, _ = ask(served, f"/?token={token}", cookie=False)
    assert (status, headers["Set-Cookie"]) == (403, None)


@pytest.mark.parametrize("path", ["/", SHARD, "/contents.json", "/plane.json", "/viewer.js", "/n"])
def test_without_the_cookie_there_is_a_sentence_alone(served, path):
    name, _, secret = served.cookie.partition(";")[0].partition("=")
    wrong = [None, f"{name}=", f"{name}={'0' * len(secret)}", f"{name}={secret}0", f"{name}=\xff"]
    wrong += [f"{name}={secret[:-1]}", f"tilewise-1={secret}", secret, f"{name}={served.token}"]
    for cookie in wrong:
        headers = {} if cookie is None else {"Cookie": cookie}
        status, answered, content = ask(served, path, cookie=False, **headers)
        assert (status, answered["Content-Type"]) == (403, "text/plain; charset=utf-8")
        assert b"address with the token" in content


def test_secrets_are_of_this_server_alone(served, other):
    assert len({served.token, served._secret, other.token, other._secret}) == 4
    assert min(map(len, (served.token, served._secret))) == 32


@pytest.mark.parametrize(
    "host",
    [
        *(b"evil.example", b"evil.example:PORT", b"127.0.0.1", b"localhost", b"127.0.0.1:1", b""),
        *(b"127.0.0.1:PORT.evil.example", b"0.0.0.0:PORT", b"[::1]:PORT", b"127.0.0.1:PORT, b"),
        b"127.0.0.1:PORT\r\nHost: evil.example",
    ],
)
def test_other_hosts_are_refused(served, host):
    host = host.replace(b"PORT", str(served.server_port).encode())
    received = say(served, raw(served, SHARD.encode(), host=host))
    assert status_of(received) == 421
    assert CONTENT not in received


def test_a_request_without_a_host_is_refused(served):
    request = raw(served, SHARD.encode())
    lines = [line for line in request.split(b"\r\n") if not line.startswith(b"Host")]
    assert status_of(say(served, b"\r\n".join(lines))) == 421
    old = say(served, b"GET / \r\n\r\n")
    assert b"<" not in old


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1"])
def test_own_hosts(served, host):
    assert ask(served, SHARD, Host=f"{host}:{served.server_port}")[2] == CONTENT


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:1"},
        {"Origin": "https://127.0.0.1:PORT"},
        {"Origin": "http://127.0.0.1:PORT.evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://evil.example"},
    ],
)
@pytest.mark.parametrize("path", [SHARD, "/contents.json", "/?token=TOKEN"])
def test_other_sites_are_refused(served, path, headers):
    path = path.replace("TOKEN", served.token)
    given = {k: v.replace("PORT", str(served.server_port)) for k, v in headers.items()}
    status, answered, content = ask(served, path, **given)
    assert status == 403
    assert content.startswith(b"Other sites may not ask this server.")
    assert answered["Set-Cookie"] is None


def test_the_own_page_is_answered(served):
    origin = f"http://127.0.0.1:{served.server_port}"
    for headers in ({"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}):
        assert ask(served, SHARD, **headers)[0] == 200
        assert ask(served, SHARD, **headers, Origin=origin)[0] == 200


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"]
)
def test_it_only_shows(served, results, method):
    before = sorted(results.rglob("*"))
    status, headers, _ = ask(served, SHARD, method)
    assert (status, headers["Allow"], headers["Connection"]) == (405, "GET, HEAD", "close")
    assert sorted(results.rglob("*")) == before


@pytest.mark.parametrize(
    "line",
    [
        *(b"Content-Length: 50", b"Content-Length: x", b"Transfer-Encoding: chunked"),
        b"Content-Length: 0\r\nContent-Length: 50",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_content_of_a_request_is_no_other_request(served, line, method):
    inner = raw(served, SHARD.encode())
    received = say(served, raw(served, b"/n", line, method=method) + inner)
    assert status_of(received) in (400, 405)
    assert received.count(b"HTTP/1.1 ") == 1
    assert CONTENT not in received


def test_every_answer_says_what_browsers_may_do_with_it(served):
    answers = [
        *(ask(served, path) for path in (SHARD, "/", "/contents.json", "/n", "/results/n")),
        *(ask(served, SHARD, method) for method in ("HEAD", "POST")),
        *(ask(served, SHARD, Range=one) for one in ("bytes=0-1", "bytes=99999-")),
        ask(served, SHARD, Host="evil.example"),
        ask(served, SHARD, Origin="null"),
        ask(served, SHARD, cookie=False),
        ask(served, f"/?token={served.token}"),
    ]
    assert [status for status, *_ in answers[5:]] == [200, 405, 206, 416, 421, 403, 403, 303]
    for _, headers, _ in answers:
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] in ("no-cache", "no-store")
        assert headers["Server"] == "tilewise"
        assert not [name for name in headers if name.startswith("Access-Control")]


def test_a_page_among_the_results_does_not_run(served):
    _, headers, content = ask(served, "/results/report.html")
    assert content == b"<script>alert(1)</script>"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox;")


def test_the_page_and_its_policy(served, tmp_path, monkeypatch):
    for name in ("viewer.html", "viewer.js", "viewer.css", "viewer.svg"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(module, "PAGE", tmp_path)
    types = {"/": "text/html", "/viewer.js": "text/javascript", "/viewer.css": "text/css"}
    for path, kind in types.items():
        status, headers, content = ask(served, path)
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert content.decode() == ("viewer.html" if path == "/" else path[1:])
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; ")
        assert "unsafe" not in policy
    _, headers, _ = ask(served, "/viewer.svg")
    assert headers["Content-Type"] == "image/svg+xml"
    # of its folder, nothing else
    for path in ("/viewer.html", "/page/viewer.html", "/server.py", "/../server.py"):
        assert ask(served, path)[0] == 404


@pytest.mark.parametrize(
    "target",
    [
        *(b"/results/../secret", b"/results/%2e%2e/secret", b"/results/..%2fsecret"),
        *(b"/results/s/../../secret", b"/results/..%5csecret", b"/results/..\\secret"),
        *(b"/../secret", b"/%2e%2e/secret", b"/results/link", b"/results/pipe", b"/results/s"),
        *(b"/results", b"/results/", b"/results//", b"//etc/passwd", b"/results//etc/passwd"),
        *(b"/results/%2fetc%2fpasswd", b"/results/%00", b"/results/report.html%00", b"/etc/passwd"),
        *(b"/results/%252e%252e/secret", b"/results/\xff", b"/results/report.html/", b"/results;/"),
        *(b"/viewer.js/../../server.py", b"/RESULTS/report.html", b"/resultsreport.html"),
    ],
)
def test_nothing_outside_of_the_folder_is_served(served, target):
    received = say(served, raw(served, target))
    assert status_of(received) == 404
    assert b"secret" not in received
    assert b"root:" not in received


@pytest.mark.parametrize(
    "target", [b"http://evil.example/", b"*", b"results/report.html", b"evil.example:443"]
)
def test_targets_that_are_no_path(served, target):
    assert status_of(say(served, raw(served, target))) == 400


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=10200-", 10200, 10239),
        ("bytes=10200-99999", 10200, 10239),
        ("bytes=10239-10240", 10239, 10239),
        ("bytes=-7", 10233, 10239),
        ("bytes=-99999", 0, 10239),
        ("BYTES=0-0 ", 0, 0),
    ],
)
def test_a_range_of_bytes(served, header, first, last):
    status, headers, content = ask(served, SHARD, Range=header)
    assert (status, content) == (206, CONTENT[first : last + 1])
    assert headers["Content-Range"] == f"bytes {first}-{last}/10240"
    assert headers["Content-Length"] == str(last + 1 - first)


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=99999-100000", "bytes=-0", "bytes=-00"])
def test_a_range_that_the_file_does_not_have(served, header):
    status, headers, content = ask(served, SHARD, Range=header)
    assert (status, headers["Content-Range"]) == (416, "bytes */10240")
    assert content == b"The file has 10240 bytes.\n"


@pytest.mark.parametrize(
    "header",
    [
        *("bytes=0-1,5-6", "bytes=5-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "lines=0-1"),
        *("bytes=--1", "bytes=0x1-2", "bytes=\u00b2-3", "0-1", "bytes=0-1;", "bytes= 0-1"),
        *("bytes=" + "9" * 5000 + "-", "bytes=-" + "1" * 5000, "bytes=0-" + "9" * 5000),
    ],
)
def test_a_range_that_makes_no_sense_is_ignored(served, header):
    status, headers, content = ask(served, SHARD, Range=header)
    assert (status, headers["Content-Range"], content) == (200, None, CONTENT)


def test_ranges_of_an_empty_file(served):
    assert ask(served, "/results/empty")[::2] == (200, b"")
    for header in ("bytes=0-", "bytes=-1", "bytes=0-0"):
        assert ask(served, "/results/empty", Range=header)[0] == 416
    assert asked_range("bytes=-1", 0) == range(0)


def test_heads(served):
    status, headers, content = ask(served, SHARD, "HEAD", Range="bytes=0-1")
    assert (status, headers["Content-Length"], content) == (200, "10240", b"")
    assert ask(served, "/results/n", "HEAD")[::2] == (404, b"")
    # nothing is left over that the next answer on the connection would begin with
    received = say(served, raw(served, b"/n", method=b"HEAD") + raw(served, SHARD.encode()))
    assert received.count(b"HTTP/1.1 ") == 2
    assert received.endswith(b"\r\n\r\n" + CONTENT)


def test_what_has_not_changed_is_not_sent_again(served, results):
    path = results / "changing"
    path.write_bytes(b"before")
    _, headers, _ = ask(served, "/results/changing")
    tag = headers["ETag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        status, headers, content = ask(served, "/results/changing", If_None_Match=given)
        assert (status, headers["ETag"], content) == (304, tag, b"")
    assert ask(served, "/results/changing", If_Range=tag, Range="bytes=0-1")[2] == b"be"
    path.write_bytes(b"after.")
    assert ask(served, "/results/changing", If_None_Match=tag)[::2] == (200, b"after.")
    # a range of the file as it was would not fit
    assert ask(served, "/results/changing", If_Range=tag, Range="bytes=0-1")[2] == b"after."


def test_a_connection_is_kept(served):
    connection = HTTPConnection("127.0.0.1", served.server_port, timeout=10)
    cookie = {"Cookie": served.cookie.partition(";")[0]}
    sockets = set()
    for path, status in ((SHARD, 200), ("/results/n", 404), ("/contents.json", 500), (SHARD, 200)):
        connection.request("GET", path, headers=cookie)
        answer = connection.getresponse()
        answer.read()
        sockets.add(connection.sock)
        assert answer.status == status
    assert len(sockets) == 1
    connection.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % i for i in range(200)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 70000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET / a b HTTP/1.1\r\n\r\n", 400),
        (b"<script>alert(1)</script>\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400),
    ],
)
def test_heads_that_make_no_sense_or_are_too_long(served, request_, status):
    received = say(served, request_)
    # what is still on its way may make the system drop the answer
    assert status_of(received) == status or (len(request_) > 65536 and not received)
    assert b"script" not in received


def test_slow_heads_end(served, monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.3)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", served.server_port), timeout=10) as one:
        one.sendall(b"GET / HTTP/1.1\r\n")
        try:
            # each line comes in time, all of them do not
            while time.monotonic() - began < 5:
                one.sendall(b"A: b\r\n")
                time.sleep(0.1)
        except ConnectionError:
            pass
    assert time.monotonic() - began < 3


def test_connections_have_a_limit(results, monkeypatch):
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 2)
    with Server(results) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = ("127.0.0.1", server.server_port)
        held = [socket.create_connection(address, timeout=10) for _ in range(2)]
        for one in held:
            # so that both are served before the third comes
            one.sendall(raw(server, b"/n"))
            assert one.recv(12) == b"HTTP/1.1 404"
        assert say(server, raw(server, SHARD.encode())) == b""
        held.pop().close()
        deadline = time.monotonic() + 10
        while status_of(say(server, raw(server, SHARD.encode()))) != 200:
            assert time.monotonic() < deadline
        held.pop().close()
        server.shutdown()
        thread.join()


def test_a_reader_that_leaves_is_no_message(served, results, capfd):
    (results / "large").touch()
    os.truncate(results / "large", 2**26)
    before = threading.active_count()
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", served.server_port), timeout=10) as one:
            one.sendall(raw(served, b"/results/large"))
            one.recv(1000)
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ask(served, SHARD)[2] == CONTENT
    assert capfd.readouterr() == ("", "")


def test_a_file_that_becomes_shorter_ends_the_connection(served, results):
    path = results / "shrinking"
    path.touch()
    os.truncate(path, 2**26)
    with socket.create_connection(("127.0.0.1", served.server_port), timeout=10) as one:
        one.sendall(raw(served, b"/results/shrinking"))
        received = one.recv(1000)
        os.truncate(path, 2**24)
        count = len(received)
        while piece := one.recv(2**20):
            count += len(piece)
    assert status_of(received) == 200
    assert count < 2**26


def test_a_port_that_is_taken(served, results):
    with pytest.raises(OSError, match="in use"):
        Server(results, served.server_port)
