"""Which finding heads a report, and how bad each is."""

from __future__ import annotations

import pytest

from besedka.checks.check import layer_of
from besedka.checks.finding import Finding, Result, Severity, Status, finding
from besedka.checks.ranking import ranked
from besedka.checks.severity import severity_of


def found(code: str) -> Finding:
    return finding(code, "seen", "expected", "here", severity=severity_of(code, Severity.BROKEN))


def order(*codes: str) -> list[str]:
    results = [
        Result(code.rpartition(".")[0], layer_of(code.rpartition(".")[0]), Status.FINDING, (found(code),))
        for code in codes
    ]
    return [one.code for one in ranked(results)]


@pytest.mark.parametrize(
    "beside",
    ["integrity.general.renamed", "rooms.exist.missing", "setting.Language.wrong", "site.home.status"],
)
@pytest.mark.parametrize("hop", ["sso.token.refused", "sso.callback.failed", "sso.login.refused"])
def test_a_hop_heads_what_cannot_have_stopped_it(hop: str, beside: str) -> None:
    assert order(beside, hop) == [hop, beside]


def test_what_refuses_people_heads_the_log_in_but_not_the_token() -> None:
    people = "integrity.users_unique.name"
    assert order("sso.login.refused", people) == [people, "sso.login.refused"]
    assert order("sso.token.refused", people) == ["sso.token.refused", people]


def test_without_a_broken_hop_the_ground_comes_first() -> None:
    assert order("sso.integrated_page.buttons", "rooms.exist.missing") == [
        "rooms.exist.missing",
        "sso.integrated_page.buttons",
    ]


def test_a_risk_heads_nothing_that_is_broken() -> None:
    assert order("site.csrf.open", "sso.test_page.layout") == ["sso.test_page.layout", "site.csrf.open"]


def test_severity_is_that_of_the_longest_beginning() -> None:
    assert severity_of("integrity.users_unique.email", Severity.BROKEN) is Severity.RISK
    assert severity_of("integrity.users_unique.name", Severity.BROKEN) is Severity.BROKEN
    assert severity_of("integrity.users_unique.email", Severity.NOTE) is Severity.NOTE
