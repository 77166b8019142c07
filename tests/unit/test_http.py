"""Clients reach this machine past every proxy, and trust what the environment names."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

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


@pytest.mark.parametrize(
    ("address", "sent"),
    [("http://127.0.0.1:8001/", True), ("http://localhost:8001/", True), ("http://besedka.test/", False)],
)
def test_a_secure_cookie_goes_to_loopback_by_http_as_browsers_send_it(address: str, sent: bool) -> None:
    with http.session() as client:
        domain = address.split("/")[2].partition(":")[0]
        stored = f"{domain}.local" if "." not in domain else domain
        client.cookies.set("sessionid", "abc", domain=stored, secure=True)
        prepared = client.prepare_request(requests.Request("GET", address))

    assert ("Cookie" in prepared.headers) is sent
