"""https: what the environment's authority vouches for is trusted, by clients and by the browser; nothing else is."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from besedka import browser, certificates, http
from besedka.contract import PROJECT_ROOT
from besedka.rocketchat.rest import RocketChat, TlsError
from besedka.stacks.process.ports import free_port
from besedka.stacks.process.processes import ServiceProcess
from besedka.stacks.services import tls

Serve = Callable[..., tuple[str, Path]]


class Hello(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """An https server with a certificate of its own authority: its address and the authority's file."""
    with ExitStack() as cleanup:

        def start(host: str = "127.0.0.1", valid: timedelta = tls.VALID) -> tuple[str, Path]:
            behind = cleanup.enter_context(HTTPServer(("127.0.0.1", 0), Hello))
            thread = threading.Thread(target=behind.serve_forever)
            thread.start()
            cleanup.callback(thread.join)
            cleanup.callback(behind.shutdown)
            port = free_port()
            made = tls.issue(tmp_path / str(port), [host], valid=valid)
            log = tmp_path / f"{port}.log"
            command = made.command({port: behind.server_port})
            process = ServiceProcess("tls", command, log=log, cwd=PROJECT_ROOT, environment={})
            cleanup.callback(process.stop)
            process.wait_until(lambda: _listens(port), budget=20, expected="a TLS handshake")
            return f"https://127.0.0.1:{port}", made.authority

        yield start


def _listens(port: int) -> bool:
    try:
        ssl.get_server_certificate(("127.0.0.1", port))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_clients_and_browser_trust_the_environments_authority(
    variable: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, authority = serve()
    _, of_the_machine = serve()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(of_the_machine))
    monkeypatch.setenv(variable, str(authority))

    assert http.get(url, timeout=5).status_code == 200
    (key,) = certificates.trusted_keys([url, url + "/chat"])
    assert browser.arguments([url])[-1 if "--no-sandbox" not in browser.arguments() else -2].endswith(
        f"={key}"
    )


@pytest.mark.parametrize(
    "odd", [{"host": "other.test"}, {"valid": timedelta(hours=-1)}], ids=["another name", "expired"]
)
def test_a_certificate_that_people_would_be_warned_of_is_refused(
    odd: dict[str, object], serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, authority = serve(**odd)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))

    with pytest.raises(requests.exceptions.SSLError):
        http.get(url, timeout=5)
    with pytest.raises(TlsError, match="TLS failed"):
        RocketChat(url).info()
    assert list(certificates.trusted_keys([url])) == []


def test_another_authority_is_not_trusted(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    url, _ = serve()
    _, other = serve()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))

    with pytest.raises(requests.exceptions.SSLError):
        http.get(url, timeout=5)
    assert list(certificates.trusted_keys([url])) == []
