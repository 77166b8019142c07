"""A chat page of the site as a browser gets it: shown, kept for this user alone, and signing nobody out."""

from __future__ import annotations

import re

import requests

from besedka.checks.finding import Finding, Severity, finding
from besedka.rocketchat.documents import garbled

_SHARED = re.compile(r"\bpublic\b|s-maxage=[1-9]")
_WHO = "Look for a proxy, a middleware or a decorator of the view that sends it."


def clears(name: str, response: requests.Response, place: str) -> list[Finding]:
    """`<name>.clears`: the answer has the browser forget its cookies or what the chat keeps.

    https://www.w3.org/TR/clear-site-data/: cookies of all ports of the host go, storage of the origin.
    """
    told = response.headers.get("Clear-Site-Data", "")
    if not any(word in told for word in ("storage", "cookies", '"*"')):
        return []
    seen = f"Clear-Site-Data: {told} signs everybody out at each load"
    return [finding(f"{name}.clears", seen, "no such header", place, advice=(_WHO,))]


def unusual(name: str, response: requests.Response, place: str) -> list[Finding]:
    """What its headers make of the page, the worst alone."""
    kind = response.headers.get("Content-Type", "no content type")
    disposition = response.headers.get("Content-Disposition", "")
    kept = response.headers.get("Cache-Control", "").lower()
    if not kind.lower().startswith(("text/html", "application/xhtml")):
        advice = (f"A browser shows {kind} as text or as a file. {_WHO}",)
        return [finding(f"{name}.type", kind, "text/html", place, advice=advice)]
    if "charset=" in kind.lower() and "utf-8" not in kind.lower() and garbled(response.text):
        advice = (f"The page is in UTF-8, and its header says otherwise: charset utf-8 in the proxy. {_WHO}",)
        seen, severity = f"{kind}: Russian letters are garbled", Severity.RISK
        return [finding(f"{name}.type", seen, "charset=utf-8", place, advice=advice, severity=severity)]
    if disposition.lower().startswith("attachment"):
        advice = (f"A browser saves the page as a file: take Content-Disposition away. {_WHO}",)
        return [finding(f"{name}.attachment", disposition, "a page", place, advice=advice)]
    if cleared := clears(name, response, place):
        return cleared
    if _SHARED.search(kept) and "private" not in kept and "no-store" not in kept:
        seen = f"Cache-Control: {kept}: a proxy may show the page of one visitor to another"
        expected, severity = "private, or no-cache", Severity.RISK
        return [finding(f"{name}.kept", seen, expected, place, advice=(_WHO,), severity=severity)]
    return []
