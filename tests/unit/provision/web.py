"""A web server for tests: every call is answered by a function, in any way a server can answer or fail to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]
# Under this key stands, beside the query, the id of who calls.
CALLER = "X-User-Id"


class HangUpError(Exception):
    """The fake ends the connection without an answer, as a server that was killed does."""


@dataclass
class Answer:
    """What one call is answered: JSON, or `text` as it is."""

    status: int = 200
    body: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None


def refusal(code: str, status: int = 400, **more: Any) -> Answer:
    """Rocket.Chat's refusal."""
    return Answer(status, {"success": False, "error": f"refused [{code}]", "errorType": code, **more})


@contextmanager
def serving(answer: Callable[[str, str, Json, Json], Answer]) -> Iterator[str]:
    """A web server that answers every call by `answer`; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go out in two sends; Nagle would hold the second one back for 40 ms.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            path = parts.path.removeprefix("/api/").removeprefix("v1/")
            try:
                caller = {CALLER: self.headers.get("X-User-Id") or ""}
                given = answer(self.command, path, body, dict(parse_qsl(parts.query)) | caller)
            except HangUpError:
                self.close_connection = True
                return
            text = json.dumps(given.body) if given.text is None else given.text
            kind = "application/json" if given.text is None else "text/html"
            self.send_response(given.status)
            for name, value in ({"Content-Type": kind} | given.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815 - the names http.server looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's own name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
