"""Pages that a browser leaves by themselves: `Refresh`, as a header or in `<meta>`, or a script.

https://html.spec.whatwg.org/multipage/semantics.html#attr-meta-http-equiv-refresh
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from besedka.checks.finding import Finding, Severity, finding

_FIX = (
    "Take Refresh off that page: a proxy's header, or <meta http-equiv=refresh> in its template; in the "
    "chat's own page it comes from the setting Meta_custom."
)
_SECONDS = re.compile(r"\s*(\d+)")
# A message is written in less time.
_SELDOM = 120
_TARGET = re.compile(r"^[\s\d.;,]*(?:url\s*=)?\s*['\"]?([^'\"\s]+)", re.IGNORECASE)
_TEXT_OF_A_SCRIPT = re.compile(r"""(["'`])(.*?)\1""", re.DOTALL)
# As json and Django's escapejs write what has a meaning in HTML.
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(/)")


class _Meta(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.refresh = ""
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        self._in_script = tag == "script"
        self.scripts += [fields["onload"]] if fields.get("onload") else []
        if tag == "meta" and fields.get("http-equiv", "").lower() == "refresh":
            self.refresh = self.refresh or fields.get("content", "")

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def led_to(response: requests.Response, wanted: str) -> tuple[str, str] | None:
    """Where below `wanted` the page sends a browser without a click, and by what; None where nowhere."""
    page = _Meta()
    page.feed(response.text)
    for by, target in _targets(response, page):
        if (address := urljoin(response.url, target)).startswith(wanted):
            return address, by
    return None


def _targets(response: requests.Response, page: _Meta) -> Iterator[tuple[str, str]]:
    for told in (response.headers.get("Refresh", ""), page.refresh):
        if found := _TARGET.match(told):
            yield "Refresh", found[1]
    for script in page.scripts:
        for _, text in _TEXT_OF_A_SCRIPT.findall(script):
            yield "script", _ESCAPED.sub(_meant, text)


def _meant(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    return chr(int(number, 16)) if number else found[3]


def reloads(name: str, response: requests.Response, place: str) -> list[Finding]:
    """The finding `<name>.reloads` where the page leaves by itself; the chat in it then starts anew."""
    page = _Meta()
    page.feed(response.text)
    told = response.headers.get("Refresh", "") or page.refresh
    if not told:
        return []
    seconds = _SECONDS.match(told)
    seldom = seconds is not None and int(seconds[1]) >= _SELDOM
    severity = Severity.RISK if seldom else Severity.BROKEN
    seen = f"Refresh: {told}: a browser loads the page anew, and the chat in it"
    return [finding(f"{name}.reloads", seen, "a page that stays", place, advice=(_FIX,), severity=severity)]
