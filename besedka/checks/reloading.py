"""Pages that a browser leaves by themselves: `Refresh`, as a header or in `<meta>`.

https://html.spec.whatwg.org/multipage/semantics.html#attr-meta-http-equiv-refresh
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import requests

from besedka.checks.finding import Finding, Severity, finding

_FIX = (
    "Take Refresh off that page: a proxy's header, or <meta http-equiv=refresh> in its template; in the "
    "chat's own page it comes from the setting Meta_custom."
)
_SECONDS = re.compile(r"\s*(\d+)")
# A message is written in less time.
_SELDOM = 120


class _Meta(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.refresh = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        if tag == "meta" and fields.get("http-equiv", "").lower() == "refresh":
            self.refresh = self.refresh or fields.get("content", "")


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
