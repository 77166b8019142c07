"""Clients reach this machine past every proxy, and trust what the environment names."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from besedka import http

NOBODY = "http://127.0.0.1:9"
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


class Hello(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Hello) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_a_client_goes_past_the_proxy(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, NOBODY)

    assert http.get(server, timeout=5).status_code == 200


@pytest.mark.parametrize("client", ["requests", "httpx", "urllib.request"])
def test_so_does_any_program_that_is_started(client: str, server: str) -> None:
    told = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    told |= dict.fromkeys(PROXIES, NOBODY)
    call = {"urllib.request": f"urllib.request.urlopen({server!r}).status"}
    script = f"import {client}; print({call.get(client, f'{client}.get({server!r}, timeout=5).status_code')})"

    proxied = subprocess.run(
        [sys.executable, "-c", script], env=told, capture_output=True, text=True, check=False
    )
    http.bypass_proxies(told)
    direct = subprocess.run(
        [sys.executable, "-c", script], env=told, capture_output=True, text=True, check=False
    )

    assert proxied.stdout == "", "without the help the proxy would be asked"
    assert direct.stdout == "200\n", direct.stderr


def test_what_stood_in_no_proxy_stays() -> None:
    told = {"NO_PROXY": "build.corp.test"}

    http.bypass_proxies(told)
    http.bypass_proxies(told)

    assert told["NO_PROXY"].split(",")[:2] == ["build.corp.test", "127.0.0.1"]
    assert told["NO_PROXY"].count("localhost,") == 1
    everything = {"NO_PROXY": "*"}
    http.bypass_proxies(everything)
    assert everything["NO_PROXY"] == "*"


class Wary(BaseHTTPRequestHandler):
    """Gives a cookie for https alone, and says which it got."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Set-Cookie", "key=value; Path=/; Secure")
        self.end_headers()
        self.wfile.write(self.headers.get("Cookie", "none").encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("host", "sent"), [("127.0.0.1", "key=value"), ("elsewhere.invalid", "none")])
def test_a_cookie_for_https_goes_to_this_machine_alone_by_http(host: str, sent: str) -> None:
    with HTTPServer(("127.0.0.1", 0), Wary) as listening, http.session() as client:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        # Asked as a proxy would be, so that any host leads here.
        here = f"http://127.0.0.1:{listening.server_port}"
        proxies = {} if host == "127.0.0.1" else {"http": here}
        address = f"http://{host}:{listening.server_port}/"
        client.get(address, proxies=proxies, timeout=5)
        got = client.get(address, proxies=proxies, timeout=5).text
        listening.shutdown()
        thread.join()
    assert got == sent
