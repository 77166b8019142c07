"""Content-Security-Policy as a browser reads it: which origins a directive lets in.

Rules: https://www.w3.org/TR/CSP3/, "Does url match source list" and the fallback of `frame-src`.
"""

from __future__ import annotations

from collections.abc import Iterable

from besedka import address

# What decides about frames, and what falls in for it.
FRAMES = ("frame-src", "child-src", "default-src")
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


def inline(policy: Policy, kind: str) -> bool:
    """Whether it lets a `<style>` or `<script>` of the page be: any, or one whose digest or nonce may fit."""
    names = (f"{kind}-src-elem", f"{kind}-src", "default-src")
    sources = next((policy[name] for name in names if name in policy), ["'unsafe-inline'"])
    return any(word.startswith(("'unsafe-inline'", "'nonce-", "'sha")) for word in sources)


def decides(policy: Policy, names: Iterable[str]) -> str:
    """The first of these directives that the policy has; empty where it has none."""
    return next((name for name in names if name in policy), "")


def refuses(policy: Policy, names: Iterable[str], target: str, page: str) -> str:
    """The directive by which the policy of `page` keeps `target` away, empty if none does.

    `names` are the directives that may say so: the first that the policy has decides.
    """
    name = decides(policy, names)
    if not name or any(address.admits(source, target, page) for source in policy[name]):
        return ""
    return f"{name} {' '.join(policy[name])}".strip()


def refuses_socket(policy: Policy, page: str) -> str:
    """The directive that keeps a page from the WebSocket of its own server, empty if none does.

    'self' admits it, and `http:` or `http://host` does not (CSP level 3, 6.7.2.8). What browsers make of a
    host without a scheme differs: it is taken for admission.
    """
    name = decides(policy, ("connect-src", "default-src"))
    if not name or any(_admits_socket(source, page) for source in policy[name]):
        return ""
    return f"{name} {' '.join(policy[name])}".strip()


def _admits_socket(source: str, page: str) -> bool:
    scheme, named, _ = source.lower().partition("://")
    if named:
        return scheme in {"ws", "wss"} and address.admits(f"http{source[2:]}", page, page)
    if source.endswith(":"):
        return source.lower() in {f"ws{page.partition(':')[0][4:]}:", "ws:"}
    return source == "*" or address.admits(source, page, page)


def upgrades(policy: Policy, origins: Iterable[str]) -> str:
    """The word that has a browser ask https of a plain http address, where that fails; empty if it does not.

    https://www.w3.org/TR/upgrade-insecure-requests/, 4.1. Chromium spares loopback (whatwg/fetch, 1780).
    """
    word = "upgrade-insecure-requests"
    plain = [url for url in origins if url.startswith("http:") and not address.is_loopback(address.host(url))]
    return word if word in policy and plain else ""
