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


def inline_styles(policy: Policy) -> bool:
    """Whether it lets a `<style>` of the page itself be: any, or one whose digest or nonce may fit."""
    names = ("style-src-elem", "style-src", "default-src")
    sources = next((policy[name] for name in names if name in policy), ["'unsafe-inline'"])
    return any(word.startswith(("'unsafe-inline'", "'nonce-", "'sha")) for word in sources)


def refuses(policy: Policy, names: Iterable[str], target: str, page: str) -> str:
    """The directive by which the policy of `page` keeps `target` away, empty if none does.

    `names` are the directives that may say so: the first that the policy has decides.
    """
    for name in names:
        if name in policy:
            allowed = any(address.admits(source, target, page) for source in policy[name])
            return "" if allowed else f"{name} {' '.join(policy[name])}".strip()
    return ""
