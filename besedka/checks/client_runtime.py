"""What the chat's web client is told of its own addresses: `__meteor_runtime_config__`.

`DDP_DEFAULT_CONNECTION_URL` is where it opens its socket; without it, the page's own host (Meteor,
packages/ddp-client/client/client_convenience.js). From `ROOT_URL` it loads what it needs later
(`/__meteor__/dynamic-import/fetch`; https://github.com/RocketChat/Rocket.Chat/issues/30672).
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from besedka import address
from besedka.checks.chat_document import Shell
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Findings, Severity, Skipped, answer, finding
from besedka.contract import Contract

_SCRIPT = "meteor_runtime_config"
_ENCODED = re.compile(r"decodeURIComponent\(\s*[\"']([^\"']+)[\"']\s*\)")
_PLAIN = re.compile(r"__meteor_runtime_config__\s*=\s*(\{.*\})", re.DOTALL)
_SOCKET, _ROOT = "DDP_DEFAULT_CONNECTION_URL", "ROOT_URL"


@check(
    "iframe.runtime",
    codes="socket modules",
    needs=["services.chat"],
    after=["iframe.client", "services.root_url"],
)
def runtime(examination: Examination) -> Answer:
    """Is the chat's web client told the address under which it is shown?"""
    contract = examination.contract
    response = examination.chat_page(contract.default_channel.path)
    shell = Shell()
    shell.feed(response.text)
    source = next((one for one in shell.scripts if _SCRIPT in one), None)
    text, place = response.text, f"GET {contract.chat.url}{contract.default_channel.path}"
    if source is not None:
        whole = urljoin(urljoin(response.url, shell.base), source)
        if not whole.startswith(address.origin(contract.chat.url)):
            return Skipped("the script that says it comes from another host")
        parts = urlsplit(whole)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        path = path.removeprefix(urlsplit(contract.chat.url).path)
        text, place = examination.chat_page(path).text, f"GET {whole}"
    told = _told(text)
    if told is None:
        return Skipped("the page of this client does not say so")
    for name, code, does, severity in (
        (_SOCKET, "socket", "opens its socket there", Severity.BROKEN),
        (_ROOT, "modules", "loads later parts of itself from there", Severity.RISK),
    ):
        seen = told.get(name)
        if isinstance(seen, str) and "://" in seen and not _is_here(seen, contract):
            fix = (
                f"Set {name} in Rocket.Chat's environment to {contract.chat.url}, or take it away, and "
                "restart it. If it is right there: a proxy keeps an old copy of that script."
            )
            text = f"{name} is {seen}: the client {does}"
            return Findings(
                (
                    finding(
                        f"iframe.runtime.{code}",
                        text,
                        contract.chat.url,
                        place,
                        advice=(fix,),
                        severity=severity,
                    ),
                )
            )
    return answer((), evidence=str(told.get(_ROOT)))


def _is_here(seen: str, contract: Contract) -> bool:
    """By host and port: a socket may say ws:// for http://."""
    return address.origin(re.sub(r"^ws", "http", seen)) == address.origin(contract.chat.url)


def _told(text: str) -> dict[str, Any] | None:
    encoded, plain = _ENCODED.search(text), _PLAIN.search(text)
    raw = unquote(encoded[1]) if encoded else plain[1] if plain else ""
    try:
        told = json.loads(raw)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def checks(_: Contract) -> tuple[Check, ...]:
    """The check of this part."""
    return (runtime,)
