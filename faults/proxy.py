"""A reverse proxy before one service of an embedded stack: hands everything on until a rule says otherwise.

With it a fault can lose, delay, refuse or rewrite single requests and answers without a restart. A
misconfigured nginx does such things, or another version of the service.
"""

from __future__ import annotations

import http.client
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

UPSTREAM_SECONDS = 30.0
_CHUNK = 65536
# RFC 9110, 7.6.1; the length is counted anew, and an encoded body could not be rewritten.
_NOT_HANDED_ON = {"connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding"}
Headers = tuple[tuple[str, str], ...]


class _Message:
    """What a request and an answer have in common; header names in any case."""

    headers: Headers

    def header(self, name: str) -> str:
        """The first header of that name, "" if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def headers_without(self, name: str) -> Headers:
        """The headers but those of that name."""
        return tuple((key, value) for key, value in self.headers if key.lower() != name.lower())


@dataclass(frozen=True)
class Request(_Message):
    """A request on its way to the service; `target` is path and query."""

    verb: str
    target: str
    headers: Headers
    body: bytes

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The first value of each field of the query."""
        return {key: values[0] for key, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True)
class Reply(_Message):
    """An answer on its way back."""

    status: int
    headers: Headers
    body: bytes
    # What Content-Length says, where that is more than there is: the connection ends in the middle.
    announced: int = 0


# None: the connection is closed without an answer.
Forward = Callable[[Request], Reply | None]


@dataclass(frozen=True)
class Rule:
    """What happens to the requests that it matches; `treat` may call the given function to hand one on.

    A rule for `sockets` is about the handshakes of WebSockets, which no other rule sees. With `idle` it lets
    them pass, and closes each after so many seconds of silence. A rule that is `early` answers before a body
    that the client has only announced (`Expect: 100-continue`).
    """

    matches: Callable[[Request], bool]
    treat: Callable[[Request, Forward], Reply | None]
    sockets: bool = False
    idle: float | None = None
    early: bool = False


class Proxy:
    """Listens on a port of 127.0.0.1 and hands on to another one; stops with `close`."""

    def __init__(self, port: int, upstream_port: int) -> None:
        self.port, self.upstream_port = port, upstream_port
        self._rules: list[Rule] = []
        self._raised: list[Exception] = []
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._serve, name=f"proxy-{port}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it still listens."""
        return self._thread.is_alive()

    @contextmanager
    def ruled(self, rule: Rule) -> Iterator[None]:
        """The rule holds for the length of a `with` block; a later rule sees a request first.

        What a rule raised meanwhile is raised at the end of the block.
        """
        self._rules.insert(0, rule)
        try:
            yield
        finally:
            self._rules.remove(rule)
        raised, self._raised = self._raised, []
        if raised:
            raise raised[0]

    def close(self) -> None:
        """End the thread and every connection."""
        self._closing.set()
        # A client that says nothing wakes the thread at once; `serve_forever` would look up now and then.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._server.server_close()
        self._server.end_connections()

    def refuses_socket(self, request: Request) -> bool:
        """Whether a rule answers this handshake in the service's place."""
        return any(
            rule.sockets and rule.idle is None and rule.matches(request) for rule in tuple(self._rules)
        )

    def idle_seconds(self, request: Request) -> float | None:
        """How long this socket may be silent; None: for ever."""
        return next((rule.idle for rule in tuple(self._rules) if rule.idle and rule.matches(request)), None)

    def refuses_body(self, request: Request) -> Reply | None:
        """What a rule answers before the body; None where the client is to send it."""
        for rule in tuple(self._rules):
            if rule.early and rule.matches(request):
                return rule.treat(request, lambda _: None)
        return None

    def answer(self, request: Request) -> Reply | None:
        """What the client is given; nothing where a rule raises, which `ruled` then raises again."""
        try:
            return self._after(request, tuple(self._rules))
        except Exception as error:  # would be lost in this connection's thread
            self._raised.append(error)
            return None

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._server.handle_request()

    def _after(self, request: Request, rules: tuple[Rule, ...]) -> Reply | None:
        if not rules:
            return self._upstream(request)
        first, rest = rules[0], rules[1:]

        def forward(given: Request) -> Reply | None:
            return self._after(given, rest)

        return first.treat(request, forward) if first.matches(request) else forward(request)

    def _upstream(self, request: Request) -> Reply | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=UPSTREAM_SECONDS)
        with closing(connection):
            try:
                connection.putrequest(request.verb, request.target, skip_host=True, skip_accept_encoding=True)
                for name, value in request.headers:
                    connection.putheader(name, value)
                connection.putheader("Content-Length", str(len(request.body)))
                connection.endheaders(request.body)
                answer = connection.getresponse()
                headers = tuple(
                    (name, value) for name, value in answer.getheaders() if name.lower() not in _NOT_HANDED_ON
                )
                return Reply(answer.status, headers, answer.read())
            except (OSError, http.client.HTTPException):
                return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], proxy: Proxy) -> None:
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: socket.socket, client_address: Any) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is its own business."""

    def end_connections(self) -> None:
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _hand_on(self) -> None:
        handshake = Request(self.command, self.path, tuple(self.headers.items()), b"")
        if self.headers.get("Upgrade") and not self.server.proxy.refuses_socket(handshake):
            self._splice(self.server.proxy.idle_seconds(handshake))
            return
        announced = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(announced)
        if len(body) < announced:
            self.close_connection = True
            return
        headers = tuple(
            (name, value) for name, value in self.headers.items() if name.lower() not in _NOT_HANDED_ON
        )
        reply = self.server.proxy.answer(Request(self.command, self.path, headers, body))
        if reply is None:
            self.close_connection = True
            return
        self._reply(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _hand_on  # noqa: N815 - http.server's names

    def handle_expect_100(self) -> bool:
        """http.server's own, unless a rule refuses the body that is announced."""
        reply = self.server.proxy.refuses_body(
            Request(self.command, self.path, tuple(self.headers.items()), b"")
        )
        if reply is None:
            going_on = super().handle_expect_100()
            # A client that announced a body waits for this word.
            self.wfile.flush()
            return going_on
        self._reply(reply)
        self.close_connection = True
        return False

    def _reply(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(reply.announced or len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()
        self.close_connection = self.close_connection or bool(reply.announced)

    def _splice(self, idle: float | None) -> None:
        """A WebSocket: bytes both ways until one side ends, or until nobody has said anything for so long."""
        self.close_connection = True
        rows = [self.requestline, *(f"{name}: {value}" for name, value in self.headers.items())]
        address = ("127.0.0.1", self.server.proxy.upstream_port)
        with suppress(OSError), socket.create_connection(address, UPSTREAM_SECONDS) as upstream:
            upstream.settimeout(None)
            upstream.sendall("\r\n".join([*rows, "", ""]).encode("latin-1"))
            other = {upstream: self.connection, self.connection: upstream}
            while True:
                readable = select.select(list(other), [], [], idle)[0]
                if not readable:
                    return
                for ready in readable:
                    data = ready.recv(_CHUNK)
                    if not data:
                        return
                    other[ready].sendall(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """The services keep their own logs."""


def without_header(request: Request, name: str) -> Request:
    """The request without that header."""
    return replace(request, headers=request.headers_without(name))
