"""What is broken and a person's stops an apply before its first change; a risk is told beside it."""

from __future__ import annotations

import pytest

from besedka import provision
from besedka.checks.finding import Finding, Severity, finding
from besedka.commands import left_to_a_person
from besedka.provision import Options
from besedka.provision.errors import PersonNeededError
from besedka.target import Target
from tests.unit.provision.conftest import Desk

TWINS = finding("integrity.users_unique.name", "two", "one", "users", advice=("Keep one.",))
INDEX = finding(
    "integrity.indexes.not_unique",
    "no index",
    "one",
    "subscriptions",
    advice=("Make it.",),
    severity=Severity.RISK,
)
NO_ROOMS = finding(
    "rooms.permissions.provisioning",
    "the administrator lacks create-c",
    "it",
    "Permissions",
    advice=("Give it.",),
    severity=Severity.RISK,
)


def bring(desk: Desk, *found: Finding, partial: bool = False) -> provision.Outcome:
    return provision.bring(
        Target.of(desk.contract),
        desk.contract,
        journal_folder=desk.folder,
        options=Options(patience=0.0, partial=partial),
        examined=lambda: left_to_a_person.notices(found),
    )


def test_nothing_is_changed_before_a_person_has_decided(desk: Desk) -> None:
    with pytest.raises(PersonNeededError, match="users: Keep one") as refused:
        bring(desk, TWINS, INDEX)
    assert refused.value.where == "integrity.users_unique.name"
    assert desk.chat.writes == []


def test_a_part_is_done_where_that_was_asked_for(desk: Desk) -> None:
    assert bring(desk, TWINS, partial=True).remaining == ()


def test_it_is_not_asked_where_nothing_is_to_change(desk: Desk) -> None:
    desk.bring()
    assert bring(desk, TWINS).writes == 0


def test_a_risk_stops_nothing_and_is_left_to_a_person(desk: Desk) -> None:
    outcome = bring(desk, INDEX)
    assert (outcome.remaining, outcome.writes > 0) == ((), True)
    assert [notice.code for notice in outcome.notices] == ["integrity.indexes.not_unique"]


def test_a_permission_that_an_apply_needs_stops_it(desk: Desk) -> None:
    with pytest.raises(PersonNeededError, match="Give it"):
        bring(desk, NO_ROOMS)
    assert desk.chat.writes == []


@pytest.mark.parametrize("code", ["iframe.new_accounts.names", "integrity.room_names.rule"])
def test_a_rule_that_forbids_the_names_stops_what_would_be_made(desk: Desk, code: str) -> None:
    rule = finding(code, "vip", "a rule", "Settings", advice=("Empty the rule.",), severity=Severity.RISK)
    with pytest.raises(PersonNeededError, match="Empty the rule"):
        bring(desk, rule)
    assert desk.chat.writes == []


def test_a_permission_that_an_apply_does_not_need_stops_nothing(desk: Desk) -> None:
    desk.bring()
    desk.chat.settings["Iframe_Restrict_Access"] = True
    outcome = bring(desk, NO_ROOMS)
    assert [action.kind for action in outcome.actions] == ["setting"]
    assert [notice.code for notice in outcome.notices] == ["rooms.permissions.provisioning"]


@pytest.mark.parametrize(
    "found",
    [
        finding("rooms.exist.missing", "none", "a room", "vip", commands=("provision --apply",)),
        finding("site.test_page.status", "404", "200", "/chat/test/", advice=("Look.",)),
        finding("rooms.exist.twin", "two", "one", "vip", advice=("Look.",), severity=Severity.NOTE),
    ],
    ids=["a command mends it", "a page of the site", "worth knowing"],
)
def test_other_findings_stop_nothing(desk: Desk, found: Finding) -> None:
    assert bring(desk, found).remaining == ()
