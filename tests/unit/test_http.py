"""Clients reach this machine past every proxy, and trust what the environment names."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from besedka import client_environment, http

NOBODY = "http://127.0.0.1:9"
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


Served = Callable[[type[BaseHTTPRequestHandler]], str]


class Hello(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served() -> Iterator[Callable[[type[BaseHTTPRequestHandler]], str]]:
    """Starts a server of such answers, and gives its address."""
    with ExitStack() as stack:

        def start(handler: type[BaseHTTPRequestHandler]) -> str:
            listening = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            threading.Thread(target=listening.serve_forever, daemon=True).start()
            stack.callback(listening.shutdown)
            return f"http://127.0.0.1:{listening.server_port}"

        yield start


@pytest.fixture
def server(served: Served) -> str:
    return served(Hello)


class EndsKept(BaseHTTPRequestHandler):
    """Answers the first request of a connection, and ends the connection at the second."""

    protocol_version = "HTTP/1.1"
    answered = False

    def do_GET(self) -> None:
        if self.answered:
            self.close_connection = True
            return
        self.answered = True
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - as in the standard library
    log_message = Hello.log_message


def test_a_kept_connection_that_ended_is_no_failure(served: Served) -> None:
    url = served(EndsKept)
    with http.session() as client:
        seen = [client.get(url, timeout=5).status_code for _ in range(2)]

    assert seen == [200, 200]


def test_what_changes_something_is_not_asked_again(served: Served) -> None:
    url = served(EndsKept)
    with http.session() as client:
        client.get(url, timeout=5)
        with pytest.raises(requests.ConnectionError):
            client.post(url, timeout=5)


def test_what_changes_something_goes_by_no_connection_that_was_idle(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_IDLE_SECONDS", 0.0)
    url = served(EndsKept)
    with http.session() as client:
        client.get(url, timeout=5)

        assert client.post(url, timeout=5).status_code == 200


def test_a_new_connection_that_ended_is_a_failure(served: Served) -> None:
    asked = []

    class EndsAll(EndsKept):
        """Ends each connection without an answer."""

        def do_GET(self) -> None:
            asked.append(self.path)
            self.close_connection = True

    with http.session() as client, pytest.raises(requests.ConnectionError):
        client.get(served(EndsAll), timeout=5)

    assert len(asked) == 1


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
    client_environment.bypass_proxies(told)
    direct = subprocess.run(
        [sys.executable, "-c", script], env=told, capture_output=True, text=True, check=False
    )

    assert proxied.stdout == "", "without the help the proxy would be asked"
    assert direct.stdout == "200\n", direct.stderr


def test_what_stood_in_no_proxy_stays() -> None:
    told = {"NO_PROXY": "build.corp.test"}

    client_environment.bypass_proxies(told)
    client_environment.bypass_proxies(told)

    assert told["NO_PROXY"].split(",")[:2] == ["build.corp.test", "127.0.0.1"]
    assert told["NO_PROXY"].count("localhost,") == 1
    everything = {"NO_PROXY": "*"}
    client_environment.bypass_proxies(everything)
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


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:9/", "nothing listens there"),
        ("http://nobody.invalid/", "no machine of that name is known here"),
    ],
)
def test_who_asks_nobody_reads_why(address: str, words: str) -> None:
    with pytest.raises(requests.RequestException) as caught:
        http.get(address, timeout=5)
    assert http.silence(caught.value) == words


def test_silence_has_words_for_a_server_that_hangs_or_cuts(served: Served) -> None:
    given_up = threading.Event()

    class Hangs(EndsKept):
        """Takes the request, says nothing until the client has given up, and cuts the connection."""

        def do_GET(self) -> None:
            given_up.wait(10)
            self.close_connection = True

    with pytest.raises(requests.RequestException) as caught:
        http.get(served(Hangs), timeout=0.2)
    given_up.set()
    assert http.silence(caught.value) == "it took the connection and said nothing in time"
    with pytest.raises(requests.RequestException) as caught:
        http.get(served(Hangs), timeout=5)
    assert http.silence(caught.value) == "it cut the connection"
    assert http.silence(ValueError()) == "ValueError", "a name where there are no words"


def test_a_stacks_own_database_is_asked_by_its_address_alone() -> None:
    told = {"PGSSLMODE": "require", "PGOPTIONS": "-c x=1", "PATH": "/bin", "PGP": "", "pgfoo": ""}

    client_environment.forget_postgres(told)

    assert told == {"PATH": "/bin", "pgfoo": ""}
