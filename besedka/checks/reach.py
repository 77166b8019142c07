"""Layer `services`, the way to the chat: what a browser needs of it and a plain request does not."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from besedka import address as addresses
from besedka import http
from besedka.checks.check import Check, check
from besedka.checks.examination import TIMEOUT_SECONDS, Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.contract import Contract

_HSTS = "Strict-Transport-Security"
_DDP_CONNECT = json.dumps({"msg": "connect", "version": "1", "support": ["1"]})
_PROXY_ADVICE = (
    "In the proxy's configuration: pass WebSocket to Rocket.Chat: `proxy_http_version 1.1`, the headers "
    "`Upgrade` and `Connection`, and a read timeout above 60 s.",
    "Without a socket the client never finishes loading, though every page answers 200.",
)
_REFUSING = (
    "403 is a refusal of something that knows WebSocket: a rule about Origin, which must name the chat's own "
    "address ($http_origin in nginx), or a firewall.",
)
_ORIGIN = (
    "In the proxy's configuration: the rule about Origin ($http_origin in nginx) must name the chat's own "
    "address, where the frame's page comes from. Rocket.Chat itself has no such rule.",
)


@check("services.websocket", codes="refused origin silent info", after=["services.chat"])
def websocket(examination: Examination) -> Answer:
    """Does a WebSocket reach Rocket.Chat where the browser finds it?"""
    base = examination.contract.chat.url
    origin = Origin(addresses.origin(base))
    socket_base = "ws" + base.removeprefix("http")
    # The client of Meteor opens the second address, programs open the first (`packages/ddp-server`).
    session = f"{secrets.randbelow(1000):03d}/{secrets.token_hex(4)}"
    found = _refusals(f"{socket_base}/websocket", origin, _DDP_CONNECT, '"connected"') or []
    by_sockjs = _refusals(
        f"{socket_base}/sockjs/{session}/websocket", origin, json.dumps([_DDP_CONNECT]), "connected"
    )
    found += _info(base) if by_sockjs == [] else by_sockjs or []
    found = _of_its_origin(examination, f"{socket_base}/websocket", found)
    if not found:
        examination.by_proxy = _has_proxy(base)
        _keep_silent(examination, f"{socket_base}/websocket", origin)
    return answer(found[:1], evidence="a DDP connection over WebSocket")


def _of_its_origin(examination: Examination, address: str, found: list[Finding]) -> list[Finding]:
    """The same refusal by its cause, where a socket of another origin, or of none, is let in."""
    # A socket that is cut is not refused for what it said.
    if not found or not found[0].seen.startswith("the handshake was answered"):
        return found
    contract, base = examination.contract, examination.contract.chat.url
    other_scheme = base.replace("http", "https", 1) if base.startswith("http:") else f"http{base[5:]}"
    own = addresses.origin(base)
    for origin in (None, *(addresses.origin(url) for url in (contract.site.url, other_scheme))):
        # Below one host, the site's origin is the chat's own.
        named = Origin(origin) if origin else None
        if origin != own and _refusals(address, named, _DDP_CONNECT, '"connected"') == []:
            other = named or "no Origin"
            seen = f"{found[0].seen}: with Origin {base}. With {other} it is taken"
            return [replace(found[0], code="services.websocket.origin", seen=seen, advice=_ORIGIN)]
    return found


def _info(base: str) -> list[Finding]:
    """What SockJS asks before it opens a socket (sockjs-client, lib/info-receiver.js)."""
    address = f"{base}/sockjs/info"
    try:
        answered = http.get(address, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        seen = f"no answer: {http.silence(error)}"
    else:
        if answered.ok and answered.text.lstrip().startswith("{"):
            return []
        seen = f"{answered.status_code} with {answered.headers.get('Content-Type', 'no content type')}"
    expected = "200 with JSON, which the client asks for before it opens a socket"
    advice = ("In the proxy's configuration: pass all of /sockjs/ on to Rocket.Chat.",)
    return [finding("services.websocket.info", seen, expected, f"GET {address}", advice=advice)]


def _has_proxy(base: str) -> bool:
    """Whether something answers in Rocket.Chat's name, which tells no `Server` (measured on 6.13.0)."""
    with suppress(requests.RequestException):
        headers = http.get(f"{base}/api/info", timeout=TIMEOUT_SECONDS).headers
        return "Server" in headers or "Via" in headers
    return False


def _keep_silent(examination: Examination, address: str, origin: Origin) -> None:
    """A socket that says nothing more, for `iframe.socket` to look after."""
    with suppress(WebSocketException, OSError):
        kept = _connected(address, origin, ping_interval=None)
        kept.send(_DDP_CONNECT)
        examination.silent_socket = time.monotonic(), kept
        examination.cleanups.append(partial(_closed, kept))


def _refusals(
    address: str, origin: Origin | None, greeting: str, expected: str, *, again: bool = True
) -> list[Finding] | None:
    """What keeps a socket from that address; None where the chat has no such address.

    A socket that was opened and cut is asked `again` before that is believed.
    """
    place = f"WebSocket {address.partition('/sockjs/')[0]}"
    try:
        with _connected(address, origin) as socket:
            socket.send(greeting)
            for _ in range(4):
                if expected in str(socket.recv(timeout=TIMEOUT_SECONDS)):
                    return []
        seen, kind = "a socket that answers something else than DDP", "silent"
    except InvalidStatus as error:
        status = error.response.status_code
        # DISABLE_SOCKJS takes that address away, and the client then uses the other.
        if status == 404 and "/sockjs/" in address:
            return None
        seen, kind = f"the handshake was answered with {status}, not 101", "refused"
    except TimeoutError:
        seen, kind = f"no answer over the socket within {TIMEOUT_SECONDS:.0f} s", "silent"
    except (WebSocketException, OSError) as error:
        if again and isinstance(error, ConnectionClosed):
            return _refusals(address, origin, greeting, expected, again=False)
        seen, kind = f"the handshake failed: {type(error).__name__}: {error}", "refused"
    advice = (*_REFUSING, *_PROXY_ADVICE) if " 403," in seen else _PROXY_ADVICE
    return [finding(f"services.websocket.{kind}", seen, "101 and a DDP session", place, advice=advice)]


def _closed(kept: ClientConnection) -> str:
    kept.close()
    return ""


def _connected(address: str, origin: Origin | None, **more: Any) -> ClientConnection:
    return connect(
        address,
        origin=origin,
        proxy=None,
        ssl=http.authorities() if address.startswith("wss:") else None,
        open_timeout=TIMEOUT_SECONDS,
        close_timeout=TIMEOUT_SECONDS,
        **more,
    )


@check("services.https", codes="mixed force_ssl hsts", needs=["services.admin"])
def https(examination: Examination) -> Answer:
    """Do site, chat and Force_SSL agree about https?"""
    site, chat = (urlsplit(url) for url in (examination.contract.site.url, examination.contract.chat.url))
    found: list[Finding] = []
    away = not addresses.is_loopback(chat.hostname or "")
    if site.scheme != chat.scheme:
        found.append(_mixed(examination.contract))
    if chat.scheme == "http" and examination.effective.get("Force_SSL") is True:
        # apps/meteor/app/cors/server/cors.ts: connections within the machine are spared.
        advice = ("Switch Force_SSL off, or put https in front of Rocket.Chat.",)
        severity = Severity.BROKEN if away else Severity.RISK
        found.append(
            finding(
                "services.https.force_ssl",
                "Force_SSL sends every http visitor to https",
                f"off while the chat is at {examination.contract.chat.url}",
                examination.where("Force_SSL"),
                advice=advice,
                severity=severity,
            )
        )
    found += [
        one
        for url in (examination.contract.site.url, f"{examination.contract.chat.url}/api/info")
        for one in _forced(url)
    ]
    return answer(found, evidence=f"site {site.scheme}, chat {chat.scheme}")


def _mixed(contract: Contract) -> Finding:
    """One by https, the other by http: a frame that is not loaded, or that is another site to the browser.

    https://www.w3.org/TR/mixed-content/: an http frame in an https page is blocked, but on this machine.
    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis, 5.2: a site is scheme and domain. So
    cookies of the one stay behind in a frame of the other (Chromium, "schemeful same-site").
    """
    site, chat = contract.site.url, contract.chat.url
    blocked = site.startswith("https:") and not addresses.is_loopback(addresses.host(chat))
    why = "a browser loads no such frame" if blocked else "two sites to a browser: its cookies stay behind"
    lacking = "Rocket.Chat" if chat.startswith("http:") else "the site"
    advice = (
        f"Give {lacking} https too, in the proxy's configuration and in besedka.toml.",
        "Afterwards: python3 run.py provision --apply writes the new addresses.",
    )
    seen = f"site at {site}, chat at {chat}: {why}"
    return finding("services.https.mixed", seen, "https for both", "[chat] url, [site] url", advice=advice)


def _forced(url: str) -> list[Finding]:
    """An http address that wants https for ever: browsers heed it once they have come by https (RFC 6797)."""
    if not url.startswith("http:"):
        return []
    told = None
    # Who is silent has been reported by services.site or services.chat.
    with suppress(requests.RequestException):
        told = http.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False).headers.get(_HSTS)
    if not told:
        return []
    advice = (f"In the proxy's configuration: send {_HSTS} by https alone, or serve everything by https.",)
    return [
        finding(
            "services.https.hsts",
            f"{_HSTS}: {told}",
            "none by http",
            url,
            advice=advice,
            severity=Severity.RISK,
        )
    ]


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (websocket, https)
