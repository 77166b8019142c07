"""What the chat's web client is told of its own addresses: `__meteor_runtime_config__`.

`DDP_DEFAULT_CONNECTION_URL` is where it opens its socket; without it, the page's own host (Meteor,
packages/ddp-client/client/client_convenience.js). From `ROOT_URL` it loads what it needs later
(`/__meteor__/dynamic-import/fetch`; https://github.com/RocketChat/Rocket.Chat/issues/30672). Rocket.Chat
writes it from `Site_Url`, whatever its environment says (app/lib/server/startup/settingsOnLoadSiteUrl.ts,
6.13).
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
from besedka.checks.finding import Answer, Severity, Skipped, answer, finding
from besedka.contract import Contract

_SCRIPT = "meteor_runtime_config"
_ENCODED = re.compile(r"decodeURIComponent\(\s*[\"']([^\"']+)[\"']\s*\)")
_PLAIN = re.compile(r"__meteor_runtime_config__\s*=\s*(\{.*\})", re.DOTALL)
_SOCKET, _ROOT = "DDP_DEFAULT_CONNECTION_URL", "ROOT_URL"
_OLD_COPY = (
    "A proxy or a cache keeps an old copy of meteor_runtime_config.js: empty it, and let it keep none."
)


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
        script = urljoin(urljoin(response.url, shell.base), source)
        if not script.startswith(address.origin(contract.chat.url)):
            return Skipped("the script that says it comes from another host")
        parts = urlsplit(script)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        path = path.removeprefix(urlsplit(contract.chat.url).path)
        text, place = examination.chat_page(path).text, f"GET {script}"
    told = _told(text)
    if told is None:
        return Skipped("the page of this client does not say so")
    env = (
        f"Take {_SOCKET} out of Rocket.Chat's environment, or set it to {contract.chat.url}; restart it.",
        _OLD_COPY,
    )
    for name, code, does, severity, advice in (
        (_SOCKET, "socket", "opens its socket there", Severity.BROKEN, env),
        # `services.root_url` has found Site_Url right.
        (_ROOT, "modules", "loads later parts of itself from there", Severity.RISK, (_OLD_COPY,)),
    ):
        seen = told.get(name)
        if isinstance(seen, str) and "://" in seen and not _is_here(seen, contract):
            text, url = f"{name} is {seen}: the client {does}", contract.chat.url
            whole = f"iframe.runtime.{code}"
            return answer([finding(whole, text, url, place, advice=advice, severity=severity)])
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
