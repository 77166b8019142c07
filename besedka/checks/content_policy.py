"""Content-Security-Policy as a browser reads it: which origins a directive lets in.

Rules: https://www.w3.org/TR/CSP3/, "Does url match source list" and the fallback of `frame-src`.
"""

from __future__ import annotations

from collections.abc import Iterable

from besedka import address

_FRAME_FALLBACK = ("frame-src", "child-src", "default-src")
Policy = dict[str, list[str]]


def policies(headers: Iterable[str]) -> list[Policy]:
    """Each policy of these header values: directive → its sources. A comma begins a new policy."""
    found = []
    for header in headers:
        for text in header.split(","):
            policy: Policy = {}
            for directive in text.split(";"):
                name, _, sources = directive.strip().partition(" ")
                if name:
                    policy.setdefault(name.lower(), sources.split())
            if policy:
                found.append(policy)
    return found


def refuses_frame(policy: Policy, origin: str, page: str) -> str:
    """The directive that keeps a frame of `origin` out of `page`, empty if none does."""
    for name in _FRAME_FALLBACK:
        if name in policy:
            allowed = any(address.admits(source, origin, page) for source in policy[name])
            return "" if allowed else f"{name} {' '.join(policy[name])}".strip()
    return ""
