"""The order of findings: what explains a failed sign-in first, then what is a matter of its own.

A hop is asked only after all that it stands on was right. So a finding of a hop is never caused by one of
another layer. The exceptions are the few that nothing asks before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from besedka.checks.check import LAYERS
from besedka.checks.finding import Finding, Result, Severity

_SITES_HOPS = ("sso.user", "sso.client", "sso.authorize", "sso.token", "sso.identity", "sso.fields")
_CHATS_HOPS = ("sso.callback", "sso.login", "sso.session")
# Where the site's own hops broke, this one is told with them: the same view is to be replaced.
_WITH_THE_HOPS = "sso.foreign_redirect"
_OTHER_LAYERS = {"iframe", "integrity", "rooms"}
# Pages and endpoints of the site that no hop passes.
_BESIDE = ("site.home", "site.chat_auth", "site.test_page", "site.integrated_page")
# Whom Rocket.Chat refuses, and whose account it takes, is decided here.
_PEOPLE = (
    "iframe.new_accounts",
    "integrity.indexes",
    "integrity.sso_links",
    "integrity.users_",
    "rooms.accounts",
    "setting.Accounts_",
)
_SEVERITIES = tuple(Severity)


def ranked(results: Iterable[Result]) -> tuple[Finding, ...]:
    """Every finding: what is broken before what is a risk, nearest to the ground first.

    Where a hop of the sign-in broke, what cannot have stopped it stands after it.
    """
    rows = sorted(results, key=lambda result: LAYERS.index(result.layer))
    found = [one for result in rows for one in result.findings]
    broken = [one.code for one in found if one.severity is Severity.BROKEN]
    explained = _PEOPLE if any(code.startswith(_CHATS_HOPS) for code in broken) else ()
    stopped = any(code.startswith((*_SITES_HOPS, *_CHATS_HOPS)) for code in broken)

    at_the_site = any(code.startswith(_SITES_HOPS) for code in broken)

    def place(one: Finding) -> tuple[int, bool]:
        layer = one.code.partition(".")[0]
        beside = layer in _OTHER_LAYERS | {"setting"} or one.code.startswith(_BESIDE)
        with_the_hops = at_the_site and one.code.startswith(_WITH_THE_HOPS)
        severity = Severity.BROKEN if with_the_hops else one.severity
        return _SEVERITIES.index(severity), stopped and beside and not one.code.startswith(explained)

    return tuple(sorted(found, key=place))
