"""Content-Security-Policy as a browser reads it: which origins a directive lets in.

Rules: https://www.w3.org/TR/CSP3/, "Does url match source list" and the fallback of `frame-src`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_FRAME_FALLBACK = ("frame-src", "child-src", "default-src")
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
Policy = dict[str, list[str]]


def policies(headers: Iterable[str]) -> list[Policy]:
    """Each policy of these header values: directive → its sources. A comma begins a new policy."""
    found = []
    for header in headers:
        for text in header.split(","):
            policy: Policy = {}
            for directive in text.split(";"):
                name, *sources = directive.split()[:1] + directive.split()[1:] or [""]
                if name:
                    policy.setdefault(name.lower(), sources)
            if policy:
                found.append(policy)
    return found


def refuses_frame(policy: Policy, origin: str, page: str) -> str:
    """The directive that keeps a frame of `origin` out of `page`, empty if none does."""
    for name in _FRAME_FALLBACK:
        if name in policy:
            allowed = any(_matches(source, origin, page) for source in policy[name])
            return "" if allowed else f"{name} {' '.join(policy[name])}".strip()
    return ""


def _matches(source: str, origin: str, page: str) -> bool:
    source = source.lower()
    wanted, own = urlsplit(origin), urlsplit(page)
    # A source that says http lets https in too.
    schemes = {wanted.scheme, "http" if wanted.scheme == "https" else wanted.scheme}
    if source in {"*", "'self'"}:
        return source == "*" or (wanted.scheme, wanted.netloc) == (own.scheme, own.netloc)
    if re.fullmatch(r"[a-z][a-z0-9+.-]*:", source):
        return source[:-1] in schemes
    scheme, separator, rest = source.rpartition("://")
    # A source without a scheme has the page's.
    if (scheme if separator else own.scheme) not in schemes:
        return False
    host, _, port = rest.partition("/")[0].partition(":")
    name = wanted.hostname or ""
    right_host = name.endswith(host[1:]) if host.startswith("*.") else name == host
    if port == "*":
        return right_host
    default = _PORTS.get(wanted.scheme)
    return right_host and (int(port) if port.isdigit() else default) == (wanted.port or default)
