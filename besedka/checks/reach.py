"""Layer `services`, the way to the chat: what a browser needs of it and a plain request does not."""

from __future__ import annotations

import json
import secrets
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from besedka import address as addresses
from besedka import http
from besedka.checks.check import Check, check
from besedka.checks.examination import TIMEOUT_SECONDS, Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.contract import Contract

_DDP_CONNECT = json.dumps({"msg": "connect", "version": "1", "support": ["1"]})
_PROXY_ADVICE = (
    "Let the proxy in front of Rocket.Chat pass WebSocket: `proxy_http_version 1.1`, the headers "
    "`Upgrade` and `Connection`, and a read timeout above 60 s.",
    "Without a socket the client never finishes loading, though every page answers 200.",
)


@check("services.websocket", codes="refused silent", after=["services.chat"])
def websocket(examination: Examination) -> Answer:
    """Does a WebSocket reach Rocket.Chat where the browser finds it?"""
    base = examination.contract.chat.url
    origin = Origin(base)
    socket_base = "ws" + base.removeprefix("http")
    # The client of Meteor opens the second address, programs open the first (`packages/ddp-server`).
    session = f"{secrets.randbelow(1000):03d}/{secrets.token_hex(4)}"
    found = [
        *_refusals(f"{socket_base}/websocket", origin, _DDP_CONNECT, '"connected"'),
        *_refusals(
            f"{socket_base}/sockjs/{session}/websocket", origin, json.dumps([_DDP_CONNECT]), "connected"
        ),
    ]
    return answer(found[:1], evidence="a DDP connection over WebSocket")


def _refusals(address: str, origin: Origin, greeting: str, expected: str) -> list[Finding]:
    place = f"WebSocket {address.partition('/sockjs/')[0]}"
    try:
        with connect(
            address,
            origin=origin,
            proxy=None,
            ssl=http.authorities() if address.startswith("wss:") else None,
            open_timeout=TIMEOUT_SECONDS,
            close_timeout=TIMEOUT_SECONDS,
        ) as socket:
            socket.send(greeting)
            for _ in range(4):
                if expected in str(socket.recv(timeout=TIMEOUT_SECONDS)):
                    return []
        seen, kind = "a socket that answers something else than DDP", "silent"
    except InvalidStatus as error:
        status = error.response.status_code
        # DISABLE_SOCKJS takes that address away, and the client then uses the other.
        if status == 404 and "/sockjs/" in address:
            return []
        seen, kind = f"the handshake was answered with {status}, not 101", "refused"
    except TimeoutError:
        seen, kind = f"no answer over the socket within {TIMEOUT_SECONDS:.0f} s", "silent"
    except (WebSocketException, OSError) as error:
        seen, kind = f"the handshake failed: {type(error).__name__}: {error}", "refused"
    return [finding(f"services.websocket.{kind}", seen, "101 and a DDP session", place, advice=_PROXY_ADVICE)]


@check("services.https", codes="mixed force_ssl", needs=["services.admin"])
def https(examination: Examination) -> Answer:
    """Do site, chat and Force_SSL agree about https?"""
    site, chat = (urlsplit(url) for url in (examination.contract.site.url, examination.contract.chat.url))
    found: list[Finding] = []
    away = not addresses.is_loopback(chat.hostname or "")
    if site.scheme == "https" and chat.scheme == "http" and away:
        # https://www.w3.org/TR/mixed-content/: frames are blocked, addresses of this machine are not.
        advice = ("Give Rocket.Chat https too; browsers load no http frame in an https page.",)
        seen = f"an http chat ({chat.netloc}) in an https site"
        found.append(
            finding("services.https.mixed", seen, "https for both", "[chat] url, [site] url", advice=advice)
        )
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
    return answer(found, evidence=f"site {site.scheme}, chat {chat.scheme}")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (websocket, https)
