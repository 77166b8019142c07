"""What doctor leaves to a person stops an apply before its first change, and nothing else does."""

from __future__ import annotations

import pytest

from besedka import provision
from besedka.checks.finding import Finding, Severity, finding
from besedka.commands import left_to_a_person
from besedka.provision import Options
from besedka.provision.errors import PersonNeededError
from besedka.target import Target
from tests.unit.provision.conftest import Desk

INDEX = finding("integrity.indexes.not_unique", "no index", "one", "subscriptions", advice=("Make it.",))


def bring(desk: Desk, *found: Finding, partial: bool = False) -> provision.Outcome:
    return provision.bring(
        Target.of(desk.contract),
        desk.contract,
        journal_folder=desk.folder,
        options=Options(patience=0.0, partial=partial),
        examined=lambda: left_to_a_person.notices(found),
    )


def test_nothing_is_changed_before_a_person_has_decided(desk: Desk) -> None:
    with pytest.raises(PersonNeededError, match="subscriptions: Make it") as refused:
        bring(desk, INDEX)
    assert "integrity.indexes.not_unique" in refused.value.where
    assert desk.chat.writes == []


def test_a_part_is_done_where_that_was_asked_for(desk: Desk) -> None:
    assert bring(desk, INDEX, partial=True).remaining == ()


def test_it_is_not_asked_where_nothing_is_to_change(desk: Desk) -> None:
    desk.bring()
    assert bring(desk, INDEX).writes == 0


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
