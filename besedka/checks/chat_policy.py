"""What a Content-Security-Policy keeps the chat's own page from, Rocket.Chat's or a proxy's.

Rocket.Chat's own lets in all that its client needs: its scripts and what they evaluate, styles of its own
making, any server (apps/meteor/app/cors/server/cors.ts, 6.x and 7.x).
"""

from __future__ import annotations

from besedka.checks.content_policy import Policy, decides, refuses, refuses_socket, upgrades
from besedka.checks.finding import Finding, Severity, finding

_SCRIPTS = ("script-src-elem", "script-src", "default-src")
_EVAL = ("script-src", "default-src")
_STYLES = ("style-src-elem", "style-src", "default-src")
PROXY = (
    "Rocket.Chat by itself does not send that: look for a proxy in front of it that does, and at the setting "
    "Meta_custom."
)


def refused(chat: str, policy: Policy, place: str) -> list[Finding]:
    """The first thing that the policy keeps the page from."""
    for by, what, fix, severity in _kept_from(chat, policy):
        if by:
            seen = f"{by}: keeps the chat's page from {what}"
            code, expected = "iframe.document.policy", "a policy that admits the chat"
            return [finding(code, seen, expected, place, advice=(fix,), severity=severity)]
    return []


def _kept_from(chat: str, policy: Policy) -> list[tuple[str, str, str, Severity]]:
    own = f"Let it name {chat} for scripts and connections, or take the header off. {PROXY}"
    whole = f"Take the header off: Rocket.Chat sends one of its own. {PROXY}"
    typed = "require-trusted-types-for" if "'script'" in policy.get("require-trusted-types-for", ()) else ""
    return [
        (refuses(policy, _SCRIPTS, chat, chat), "its own scripts", own, Severity.BROKEN),
        # Meteor evaluates each module that it loads later (packages/dynamic-import/client.js).
        (_lacks(policy, _EVAL, "'unsafe-eval'"), "what its scripts load later", whole, Severity.BROKEN),
        (typed, "what its scripts load later", whole, Severity.BROKEN),
        (refuses(policy, ("connect-src", "default-src"), chat, chat), "its own server", own, Severity.BROKEN),
        (upgrades(policy, (chat,)), "its scripts, which a browser asks by https", own, Severity.BROKEN),
        # SockJS then asks by polling, where nobody has switched it off.
        (refuses_socket(policy, chat), f"its WebSocket at ws{chat[4:]}", own, Severity.RISK),
        (_lacks(policy, _STYLES, "'unsafe-inline'"), "its styles", whole, Severity.RISK),
    ]


def _lacks(policy: Policy, names: tuple[str, ...], word: str) -> str:
    """The directive that decides, where it does not say the word.

    A digest or a nonce may let a style in, and never what is evaluated.
    """
    name = decides(policy, names)
    named = any(one.startswith(("'nonce-", "'sha")) for one in policy.get(name, ()))
    if not name or word in policy[name] or (named and names == _STYLES):
        return ""
    return f"{name} {' '.join(policy[name])}, without {word}"
