"""HTTP from this machine to a stack: past every proxy, and by the certificates that the environment names."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import suppress
from functools import cache
from http.cookiejar import Cookie
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar

from besedka import address
from besedka.client_environment import BUNDLES

# The first that is in the chain of an error counts.
_SILENCES: tuple[tuple[type[BaseException], str], ...] = (
    (requests.TooManyRedirects, "it redirects for ever"),
    (requests.ConnectTimeout, "no connection in time: a firewall, or a machine that is off"),
    (requests.ReadTimeout, "it took the connection and said nothing in time"),
    (socket.gaierror, "no machine of that name is known here"),
    (ConnectionRefusedError, "nothing listens there"),
    (ConnectionError, "it cut the connection"),
)
# Less than the five after which a server may end a connection at any moment.
_IDLE_SECONDS = 4.0


class _KeepingAlive(HTTPAdapter):
    """Asks once more where a kept connection ended just then, as browsers do (RFC 9112, 9.3.1).

    Meteor (SHORT_SOCKET_TIMEOUT of webapp_server.js) and uvicorn end a connection after five idle seconds. A
    new one that ends is a failure. What changes something is not asked twice, so nothing goes by a
    connection that was idle so long: a POST met its end on 6.13.0.
    """

    _used = 0.0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        if time.monotonic() - self._used > _IDLE_SECONDS:
            self.poolmanager.clear()
        try:
            return self._asked(request, **options)
        finally:
            self._used = time.monotonic()

    def _asked(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        # Typed without its counter of connections, which every pool of HTTP has.
        pool: Any = self.get_connection_with_tls_context(
            request, options["verify"], proxies=options["proxies"], cert=options["cert"]
        )
        made = pool.num_connections
        try:
            return super().send(request, **options)
        except requests.Timeout:
            raise
        except requests.ConnectionError:
            if request.method != "GET" or pool.num_connections != made:
                raise
            return super().send(request, **options)


class _Trusting(_KeepingAlive):
    """Trusts the environment's authorities beside the usual ones, which `requests` adds."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=authorities(), **options)


def authorities() -> ssl.SSLContext:
    """Trusts what any of REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSL_CERT_FILE names.

    All of them, because a machine may have set one for everybody, and a person another.
    """
    return _context(frozenset(named for name in BUNDLES if (named := os.environ.get(name))))


@cache
def _context(files: frozenset[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for file in files:
        # A variable that names no file is for nobody to stumble over who asks by http.
        with suppress(OSError):
            context.load_verify_locations(file)
    return context


def silence(error: BaseException) -> str:
    """Why nothing was answered, in words for who knows no exception of Python; else its name."""
    chain: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in chain:
        chain.append(inner)
        # urllib3 keeps what went wrong at the last attempt in `reason`.
        reason = getattr(inner, "reason", None)
        inner = reason if isinstance(reason, BaseException) else inner.__cause__ or inner.__context__
    for kind, words in _SILENCES:
        if any(isinstance(one, kind) for one in chain):
            return words
    return type(error).__name__


class _LikeBrowsers(RequestsCookieJar):
    """Sends a cookie of this machine by http even if it is marked Secure, as Chromium and Firefox do."""

    def set_cookie(self, cookie: Cookie, *args: Any, **options: Any) -> None:
        # A name without a dot gets `.local` (http/cookiejar.py, eff_request_host).
        if address.is_loopback(cookie.domain.removesuffix(".local")):
            cookie.secure = False
        super().set_cookie(cookie, *args, **options)


def session() -> requests.Session:
    """A client that asks the stack itself: no proxy, no .netrc, the environment's certificates."""
    http = requests.Session()
    http.cookies = _LikeBrowsers()
    http.trust_env = False
    http.mount("http://", _KeepingAlive())
    http.mount("https://", _Trusting())
    return http


def get(url: str, **options: Any) -> requests.Response:
    """One `GET` by a client of its own; raises what `requests` raises."""
    with session() as http:
        return http.get(url, **options)
