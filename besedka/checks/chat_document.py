"""The chat's own page as a browser gets it: it comes, may run, and has its scripts and calls with it.

Rocket.Chat answers each path with the same shell. What stands between may answer otherwise.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from besedka import address as addresses
from besedka.checks import chat_policy, patience
from besedka.checks.chat_policy import PROXY
from besedka.checks.check import Check, check
from besedka.checks.content_policy import policies
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, Skipped, answer, finding
from besedka.checks.frame_policy import NEEDED
from besedka.checks.page_document import clears
from besedka.checks.reloading import reloads
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError

_CSP = "Content-Security-Policy"
# For everything, and for scripts and styles alone (apps/meteor/server/settings/general.ts, 7.7).
_CDNS = ("CDN_PREFIX", "CDN_JSCSS_PREFIX")
# What the web client signs in by (packages/ddp-client and client/lib/sdk, 6.x and later).
_LOGIN_CALL = "/api/v1/method.callAnon/login"
# All else it asks so, with the colon in place of a slash (client/lib/meteorCallWrapper, 6.x and 7.x).
_OTHER_CALLS = "/api/v1/method.call/rooms%3Aget"
_MAX_AGE, _HOUR = re.compile(r"max-age=(\d+)"), 3600
_BUSY = "Read the logs of Rocket.Chat and of the proxy in front of it: is one of the machines busy?"


class Shell(HTMLParser):
    """Addresses of scripts and styles that the page loads, as they stand there, its base and policies."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag loads."""
        fields = {name: value or "" for name, value in attrs}
        if tag == "base" and not self.base:
            self.base = fields.get("href", "")
        elif tag == "script" and fields.get("src"):
            self.scripts.append(fields["src"])
        elif tag == "link" and fields.get("rel", "").lower() == "stylesheet":
            self.styles.append(fields.get("href", ""))
        elif tag == "meta" and fields.get("http-equiv", "").lower() == _CSP.lower():
            self.policies.append(fields.get("content", ""))


@check(
    "iframe.document",
    codes="status type kept reloads sandboxed attachment policy clears slow",
    needs=["services.chat"],
    after=["iframe.headers"],
)
def document(examination: Examination) -> Answer:
    """Is the chat's own document one that a browser shows and runs?"""
    path = examination.contract.default_channel.path
    response = patience.answered(lambda: examination.chat_page(path))
    place = f"GET {examination.contract.chat.url}{path}"
    if response.status_code != 200:
        target = response.headers.get("Location", "")
        away = f" and leads to {target}" if target else ""
        seen = f"{response.status_code}{away} in place of the chat's page"
        advice = ("Rocket.Chat answers 200 to every path: look at the proxy in front of it.",)
        return answer([finding("iframe.document.status", seen, "200", place, advice=advice)])
    kind = response.headers.get("Content-Type", "no content type")
    if not kind.lower().startswith(("text/html", "application/xhtml")):
        advice = (f"A browser shows {kind} as text or as a file: the proxy must leave Content-Type alone.",)
        return answer([finding("iframe.document.type", kind, "text/html", place, advice=advice)])
    found = [*reloads("iframe.document", response, place), *_kept(response, place)]
    shell = Shell()
    shell.feed(response.text)
    for policy in policies([response.headers.get(_CSP, ""), *shell.policies]):
        if "sandbox" in policy and not set(NEEDED) <= set(policy["sandbox"]):
            seen = f"sandbox {' '.join(policy['sandbox'])}".strip()
            found.append(
                finding("iframe.document.sandboxed", seen, "no sandbox", f"{place}, {_CSP}", advice=(PROXY,))
            )
        found += chat_policy.refused(examination.contract.chat.url, policy, f"{place}, {_CSP}")
    disposition = response.headers.get("Content-Disposition", "")
    if disposition.lower().startswith("attachment"):
        advice = ("A proxy turns the page into a download: take its Content-Disposition away.",)
        found.append(finding("iframe.document.attachment", disposition, "a page", place, advice=advice))
    found += clears("iframe.document", response, place)
    found += patience.late("iframe.document", response.elapsed.total_seconds(), place, (_BUSY,))
    return answer(found, evidence="a page that runs")


def _kept(response: requests.Response, place: str) -> list[Finding]:
    """The page names its scripts by their digest: an old page asks for scripts that an upgrade took away."""
    told = response.headers.get("Cache-Control", "").lower()
    age = _MAX_AGE.search(told)
    if "no-cache" in told or not ("immutable" in told or (age and int(age[1]) > _HOUR)):
        return []
    seen = f"Cache-Control: {told}: after an upgrade browsers show the old page, and it stays empty"
    advice = (f"Let the proxy keep files alone, and not the page itself. {PROXY}",)
    code, severity = "iframe.document.kept", Severity.RISK
    return [finding(code, seen, "a page that is asked for anew", place, advice=advice, severity=severity)]


@check(
    "iframe.client",
    codes="cut missing call cdn unstyled slow",
    needs=["services.admin"],
    after=["iframe.document", "services.root_url"],
)
def client(examination: Examination) -> Answer:
    """Do the scripts of the chat's page come with it, and does its log-in call get through?"""
    contract = examination.contract
    response = examination.chat_page(contract.default_channel.path)
    shell = Shell()
    shell.feed(response.text)
    base = urljoin(response.url, shell.base)
    found = _cdn(examination)
    own, styles = (
        [
            source
            for source in dict.fromkeys(urljoin(base, one) for one in named)
            if addresses.origin(source) == addresses.origin(contract.chat.url)
        ]
        for named in (shell.scripts, shell.styles)
    )
    took: dict[str, float] = {}
    try:
        lost = [source for source in own if not _comes(examination, source, "javascript", took)]
        bare = [source for source in styles if not _comes(examination, source, "text/css", took)]
    except ServiceUnreachableError as error:
        if not isinstance(error.__cause__, requests.exceptions.ChunkedEncodingError):
            raise
        return answer([_cut(error)])
    if lost:
        advice = ("Let the proxy pass every path on to Rocket.Chat. If it does: is the installation whole?",)
        seen = f"no script at {lost[0]}"
        found.append(
            finding("iframe.client.missing", seen, "200 with a script", lost[0], advice=advice, evidence=lost)
        )
    elif bare:
        found.append(_unstyled(bare))
    elif took:
        found += _late(took)
    found += _uncalled(examination)
    if not shell.scripts and not found:
        return Skipped("the page of this client names no scripts")
    return answer(found, evidence=f"{len(own)} scripts, and the log-in call")


def _uncalled(examination: Examination) -> list[Finding]:
    """A call of the client's that something answers in Rocket.Chat's place."""
    for path in (_LOGIN_CALL, _OTHER_CALLS):
        called = examination.chat_call(path)
        if not called.headers.get("Content-Type", "").startswith("application/json"):
            does = "signs in by it" if path == _LOGIN_CALL else "reads and writes by it"
            advice = (
                f"Let the proxy or firewall pass POST to /api/v1/ on to Rocket.Chat: the client {does}.",
            )
            seen = f"{called.status_code}, and not from Rocket.Chat"
            place = f"POST {examination.contract.chat.url}{path}"
            return [finding("iframe.client.call", seen, "Rocket.Chat's JSON", place, advice=advice)]
    return []


def _cut(error: ServiceUnreachableError) -> Finding:
    """A script that ends too soon: with less than its own Content-Length."""
    fix = (
        "In the proxy's configuration: it buffers answers in files that it may not write, or on a full disk "
        "(proxy_temp_path, proxy_buffering off); see its error log."
    )
    seen = "it ends too soon: less came than its Content-Length"
    return finding("iframe.client.cut", seen, "a whole script", error.where, advice=(fix,))


def _unstyled(bare: list[str]) -> Finding:
    advice = ("Let the proxy pass every path on to Rocket.Chat, and leave Content-Type alone.",)
    seen, expected = f"no style at {bare[0]}: the chat shows without its form", "200 with text/css"
    code, risk = "iframe.client.unstyled", Severity.RISK
    return finding(code, seen, expected, bare[0], advice=advice, severity=risk, evidence=bare)


def _late(took: dict[str, float]) -> list[Finding]:
    """The slowest file: the frame stays empty until each script is there."""
    slowest = max(took, key=lambda source: took[source])
    advice = (
        "The frame stays empty so long for each visitor. Is the way to Rocket.Chat slow, does the proxy "
        "compress and keep its files, or is a machine busy?",
        _BUSY,
    )
    return patience.late("iframe.client", took[slowest], slowest, advice)


def _comes(examination: Examination, source: str, wanted: str, took: dict[str, float]) -> bool:
    """Whether it is there in full. `took` is told the seconds, its body's included."""
    parts = urlsplit(source)
    path = parts.path.removeprefix(addresses.path(examination.contract.chat.url))
    asked = f"{path}?{parts.query}" if parts.query else path
    ask = _timed(lambda: examination.chat_page(asked))
    # One late file is enough to say so; the second ask is for a machine that was busy just then.
    known_late = any(seconds > patience.SLOW_SECONDS for seconds in took.values())
    response, took[source] = ask() if known_late else patience.quicker(ask, lambda answer: answer[1])
    kind = response.headers.get("Content-Type", "")
    return response.status_code == 200 and wanted in kind and bool(response.content.strip())


def _timed(ask: Callable[[], requests.Response]) -> Callable[[], tuple[requests.Response, float]]:
    def timed() -> tuple[requests.Response, float]:
        begun = time.monotonic()
        return ask(), time.monotonic() - begun

    return timed


def _cdn(examination: Examination) -> list[Finding]:
    """With a prefix each script comes from elsewhere (apps/meteor/app/cors/server/cors.ts, 7.7)."""
    found = []
    for name in _CDNS:
        prefix = str(examination.effective.get(name) or "").strip()
        if prefix and examination.contract.settings.get(name) != prefix:
            code, severity = "iframe.client.cdn", Severity.RISK
            advice = (f"Empty {name}, unless every browser here reaches that address.",)
            seen, expected = f"scripts of the chat come from {prefix}", "from the chat itself"
            where = examination.where(name)
            found.append(finding(code, seen, expected, where, advice=advice, severity=severity))
    return found


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (document, client)
