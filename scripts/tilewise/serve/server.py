"""A server of one folder of results for a browser on this machine, and for nobody else.

It listens on 127.0.0.1 alone. Other users of the machine lack the token, other sites in the same
browser are told by what it says of them, and no path leads out of the folder. Nothing is written.
"""

import hmac
import io
import json
import os
import re
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, BinaryIO
from urllib.parse import parse_qs

from tilewise.serve import contents
from tilewise.serve.files import open_within

HOST = "127.0.0.1"
PAGE = Path(__file__).resolve().parent / "page"
ICON = "/viewer.svg"
FILES = {
    "/": ("viewer.html", "text/html; charset=utf-8"),
    "/viewer.js": ("viewer.js", "text/javascript; charset=utf-8"),
    "/viewer.css": ("viewer.css", "text/css; charset=utf-8"),
    ICON: ("viewer.svg", "image/svg+xml"),
}
"""Of the page: their names and types."""
BINARY, JSON, TEXT = "application/octet-stream", "application/json", "text/plain; charset=utf-8"
PAGE_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    # a page among the results does not run as part of the viewer
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""Of every answer, unless it has others."""

SECONDS = 60.0
"""For the head of the next request on a connection, and for each wait until an answer is taken."""
MOST_CONNECTIONS = 64
RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII | re.IGNORECASE)

NO_COOKIE = (
    "Copy the address with the token that the viewer printed when it started into the browser's "
    "address bar."
)
OTHER_SITE = "Other sites may not ask this server. " + NO_COOKIE


class Server(ThreadingHTTPServer):
    """Of a folder of results, on a port of 127.0.0.1; with 0, on any that is free.

    Raises
    ------
    OSError
        If the port is taken, or may not be used.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, results: str | Path, port: int = 0) -> None:
        self.results = Path(results).resolve()
        self.token = secrets.token_hex(16)
        self._once: str | None = None
        self._secret = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((HOST, port), Handler)

    def server_bind(self) -> None:
        """Bind, without asking for the machine's full name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]
        self.hosts = {f"{name}:{self.server_port}" for name in (self.server_name, "localhost")}
        # all ports of a host share their cookies
        self._cookie_name = f"tilewise-{self.server_port}"

    def address(self, token: str) -> str:
        """That shows the page to whoever has the token."""
        return f"http://{self.server_name}:{self.server_port}/?token={token}"

    def single_token(self) -> str:
        """A token that is accepted once: a browser's command line shows it to other users."""
        self._once = secrets.token_hex(16)
        return self._once

    def accepts(self, token: str) -> bool:
        """Whether a token is the right one."""
        with self._lock:
            if self._once is not None and _is_same(token, self._once):
                self._once = None
                return True
        return _is_same(token, self.token)

    @property
    def cookie(self) -> str:
        """What a browser gets in exchange for the token."""
        return f"{self._cookie_name}={self._secret}; Path=/; HttpOnly; SameSite=Strict"

    def knows(self, cookies: str) -> bool:
        """Whether the cookies of a request have the right one."""
        pairs = (pair.strip().partition("=") for pair in cookies.split(";"))
        return any(
            _is_same(value, self._secret) for name, _, value in pairs if name == self._cookie_name
        )

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread of its own, unless there are too many."""
        if self._connections.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless the other side has left or was too slow."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def _is_same(given, secret):
    """Whether two texts are equal, in a time that does not tell how far they agree."""
    return hmac.compare_digest(given.encode(), secret.encode())


class _Incoming(io.RawIOBase):
    """What a connection sends until a deadline, however slowly."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        self._connection.settimeout(SECONDS)
        return count


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    # of a first line that has none, so that refusals have a head
    default_request_version = "HTTP/1.0"
    timeout = SECONDS
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Read what comes with a deadline."""
        super().setup()
        self._incoming = _Incoming(self.connection)
        self.rfile = io.BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        """Answer a request whose head comes in time."""
        self._incoming.deadline = time.monotonic() + SECONDS
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read the head of a request, and refuse what is not to be answered."""
        if not super().parse_request():
            return False
        refused = _refusal(self.command, self.path, self.headers, self.server.hosts)
        if refused:
            # what follows may be the content of a request
            self.close_connection = True
            self._send_text(*refused)
        return not refused

    def do_GET(self) -> None:  # noqa: N802
        """Show the page, a file of the results, or what there is in them."""
        path, _, query = self.path.partition("?")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        if path == "/" and "token" in asked:
            self._swap(asked["token"])
        elif not self.server.knows(self.headers.get("Cookie", "")):
            self._send_text(HTTPStatus.FORBIDDEN, NO_COOKIE)
        elif path in FILES:
            name, kind = FILES[path]
            headers = {"Content-Type": kind, "Content-Security-Policy": PAGE_POLICY}
            if path == ICON:
                # browsers ask for it again whenever the address changes
                headers["Cache-Control"] = "max-age=86400"
            self._send_file(open_within(PAGE, name), headers)
        elif path.startswith("/results/"):
            file = open_within(self.server.results, path.removeprefix("/results/"))
            self._send_file(file, {"Content-Type": BINARY})
        elif path == "/contents.json":
            self._send_json(partial(contents.of_results, self.server.results))
        elif path == "/plane.json":
            place = asked.get("sample", ""), asked.get("plane", "")
            self._send_json(partial(contents.of_plane, self.server.results, *place))
        else:
            self._send_text(HTTPStatus.NOT_FOUND, "There is no such page.")

    do_HEAD = do_GET  # noqa: N815

    def _swap(self, token):
        """Give the cookie for the token."""
        if self.server.accepts(token):
            headers = {"Location": "/", "Set-Cookie": self.server.cookie}
            self._send(HTTPStatus.SEE_OTHER, b"", {**headers, "Cache-Control": "no-store"})
        else:
            self._send_text(HTTPStatus.FORBIDDEN, NO_COOKIE)

    def _send_json(self, find: Callable[[], dict[str, Any]]) -> None:
        """Send what a function finds; its ValueError says why there is nothing."""
        try:
            found = find()
        except contents.NotFoundError as error:
            self._send_text(HTTPStatus.NOT_FOUND, str(error))
        except ValueError as error:
            self._send_text(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            text = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            headers = {"Content-Type": JSON, "Cache-Control": "no-store"}
            self._send(HTTPStatus.OK, text.encode(), headers)

    def _send_file(self, file: BinaryIO | None, headers: Mapping[str, str]) -> None:
        """Send a file, or a range of its bytes, or say that it has not changed."""
        if file is None:
            self._send_text(HTTPStatus.NOT_FOUND, "There is no such file.")
            return
        with file:
            known = os.fstat(file.fileno())
            size, tag = known.st_size, f'"{known.st_mtime_ns:x}-{known.st_size:x}"'
            headers = {**headers, "ETag": tag, "Accept-Ranges": "bytes"}
            if _names(self.headers.get_all("If-None-Match", ()), tag):
                self._send_head(HTTPStatus.NOT_MODIFIED, headers)
                return
            is_other = self.headers.get("If-Range", tag) != tag
            ranged = None if is_other or self.command == "HEAD" else self.headers.get("Range")
            bounds = asked_range(ranged or "", size)
            if bounds is None:
                self._send_bytes(HTTPStatus.OK, file, range(size), headers)
            elif not bounds:
                headers = {"Content-Range": f"bytes */{size}"}
                text = f"The file has {size} bytes."
                self._send_text(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, text, headers)
            else:
                span = f"bytes {bounds.start}-{bounds.stop - 1}/{size}"
                headers["Content-Range"] = span
                self._send_bytes(HTTPStatus.PARTIAL_CONTENT, file, bounds, headers)

    def _send_bytes(self, status, file, bounds, headers):
        """Send a range of a file's bytes."""
        self._send_head(status, {**headers, "Content-Length": str(len(bounds))})
        if self.command == "HEAD" or not bounds:
            return
        sent = self.connection.sendfile(file, bounds.start, len(bounds))
        if sent < len(bounds):
            # the file has become shorter: only the end of the connection says so
            self.close_connection = True

    def _send_text(self, status, sentence, headers=()):
        """Send a sentence."""
        self._send(status, f"{sentence}\n".encode(), {"Content-Type": TEXT, **dict(headers)})

    def _send(self, status, content, headers):
        """Send something short."""
        self._send_head(status, {**headers, "Content-Length": str(len(content))})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _send_head(self, status, headers):
        """Send the head of an answer."""
        self.send_response(status)
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that makes no sense: one sentence, and the connection ends."""
        self.close_connection = True
        self._send_text(code, f"{HTTPStatus(code).phrase}.")

    def version_string(self) -> str:
        """The name of the server, and of nothing that it runs on."""
        return "tilewise"

    def log_message(self, format: str, *values: Any) -> None:
        """Write no line per request."""


def _refusal(
    command: str, path: str, headers: Message, hosts: Collection[str]
) -> tuple[HTTPStatus, str] | tuple[HTTPStatus, str, dict[str, str]] | None:
    """Why a request is not answered: a status, a sentence and perhaps headers."""
    named = [host.strip().lower() for host in headers.get_all("Host", ())]
    if len(named) != 1 or named[0] not in hosts:
        # the name of another site may lead here (DNS rebinding)
        return HTTPStatus.MISDIRECTED_REQUEST, f"This server is {' and '.join(sorted(hosts))}."
    if command not in ("GET", "HEAD"):
        text = "This server only shows: it takes GET and HEAD."
        return HTTPStatus.METHOD_NOT_ALLOWED, text, {"Allow": "GET, HEAD"}
    lengths = set(headers.get_all("Content-Length", ()))
    if lengths - {"0"} or "Transfer-Encoding" in headers:
        return HTTPStatus.BAD_REQUEST, "A request has no content here."
    if not path.startswith("/"):
        return HTTPStatus.BAD_REQUEST, "A path begins with a slash."
    own = {f"http://{host}" for host in hosts}
    sites = set(headers.get_all("Sec-Fetch-Site", ()))
    if set(headers.get_all("Origin", ())) - own or sites - {"same-origin", "none"}:
        return HTTPStatus.FORBIDDEN, OTHER_SITE
    return None


def _names(lists, tag):
    """Whether headers of `If-None-Match` name a tag."""
    tags = (one.strip().removeprefix("W/") for own in lists for one in own.split(","))
    return any(one in (tag, "*") for one in tags)


def asked_range(header: str, size: int) -> range | None:
    """The bytes of a file that a header `Range` asks for.

    None where it is to be ignored, as it is malformed, has several ranges or another unit (RFC
    9110, section 14.2): all bytes are then sent. Empty where the file has none of them.
    """
    match = RANGE.fullmatch(header.strip())
    if not match:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return range(max(size - int(suffix), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)
