"""What is asked from inside a container: the script, run by Node.js against a server of the test's own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from besedka.errors import ServiceUnreachableError
from besedka.stacks.docker import in_container


class ByNode:
    """A container whose inside is this machine, with Playwright's Node.js in it."""

    name = "of-the-test"

    def exec_run(self, command: list[str], *, environment: dict[str, str], stderr: bool) -> tuple[int, bytes]:
        assert stderr
        node, *words = command
        assert node == "node"
        finished = subprocess.run(
            [str(compute_driver_executable()[0]), *words],
            env=dict(os.environ) | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=30,
            check=False,
        )
        return finished.returncode, finished.stdout


class Echo(BaseHTTPRequestHandler):
    """Answers 418 with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told = {"body": body, "authorization": self.headers["Authorization"], "path": self.path}
        self.send_response(418)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.end_headers()
        self.wfile.write(json.dumps(told, ensure_ascii=False).encode())

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_answer_comes_whole(address: str) -> None:
    form = {"code": "a&b=c", "имя": "Беседка"}
    status, kind, body = in_container.ask(
        ByNode(), "POST", f"{address}/o/token/?x=1", {"Authorization": "Basic '\"$"}, form
    )

    assert (status, kind) == (418, "application/json; charset=utf-8")
    assert json.loads(body) == {
        "body": "code=a%26b%3Dc&%D0%B8%D0%BC%D1%8F=%D0%91%D0%B5%D1%81%D0%B5%D0%B4%D0%BA%D0%B0",
        "authorization": "Basic '\"$",
        "path": "/o/token/?x=1",
    }


def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(ServiceUnreachableError, match=r"of-the-test got no answer: .*ECONNREFUSED"):
            in_container.ask(ByNode(), "POST", f"http://127.0.0.1:{port}/o/token/", {}, {})


def test_somebody_who_keeps_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_container, "ANSWER_SECONDS", 0.3)
    with (
        socket.create_server(("127.0.0.1", 0)) as holder,
        pytest.raises(ServiceUnreachableError, match=r"no answer in 0\.3 s"),
    ):
        in_container.ask(ByNode(), "GET", f"http://127.0.0.1:{holder.getsockname()[1]}/", {}, None)


def test_a_container_without_node() -> None:
    class Without:
        name = "bare"

        def exec_run(self, *_: object, **__: object) -> tuple[int, bytes]:
            return 127, b'exec: "node": executable file not found in $PATH'

    with pytest.raises(ServiceUnreachableError, match="node ended with status 127: exec"):
        in_container.ask(Without(), "GET", "http://127.0.0.1:1/", {}, None)


@pytest.mark.parametrize("chat_url", ["https://chat.example.org", "http://127.0.0.1:1"])
def test_no_container_publishes_it(chat_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nobody.sock")

    assert in_container.chat_container(chat_url) is None


@pytest.mark.parametrize(
    ("site_url", "reached_at"),
    [
        ("http://127.0.0.1:8001", "http://host.docker.internal:8001"),
        ("http://localhost", "http://host.docker.internal"),
        ("https://dev.besedka.com", None),
    ],
)
def test_where_a_container_reaches_the_site(site_url: str, reached_at: str | None) -> None:
    assert in_container.provider_url(site_url) == reached_at
