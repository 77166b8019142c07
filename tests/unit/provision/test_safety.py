"""What an apply never does: change another server, take back a stack's start, lose a change between two."""

from __future__ import annotations

import pytest

from besedka.provision import changes
from besedka.provision.action import Action
from besedka.provision.errors import OtherServerError, PersonNeededError
from tests.unit.provision.conftest import Desk


def test_a_server_that_was_exchanged_before_the_first_write_is_left_alone(desk: Desk) -> None:
    plain = desk.chat.on_roles_list

    def exchanged(*call: object) -> object:
        # Somebody else's Rocket.Chat has the port from here on.
        desk.chat.unique_id = "anotherWorkspace1"
        return plain(*call)  # type: ignore[arg-type]

    desk.chat.on_roles_list = exchanged  # type: ignore[assignment]
    with pytest.raises(OtherServerError, match="anotherWorkspace1"):
        desk.bring()
    assert desk.chat.writes == []


def test_a_server_without_an_id_is_refused_before_the_first_write(desk: Desk) -> None:
    desk.chat.unique_id = ""
    with pytest.raises(OtherServerError, match="has no uniqueID") as refused:
        desk.bring()
    assert "restart Rocket.Chat" in str(refused.value)
    assert desk.chat.writes == []


def test_an_undo_does_not_touch_a_server_that_never_had_the_changes(desk: Desk) -> None:
    desk.bring()
    desk.chat.unique_id = "anotherWorkspace1"
    written = len(desk.chat.writes)
    with pytest.raises(OtherServerError, match="aWorkspaceOfItsOwn"):
        desk.undo()
    assert len(desk.chat.writes) == written


def test_what_belongs_to_the_start_of_a_stack_is_never_taken_back(desk: Desk) -> None:
    desk.bring(lasting=True)
    desk.chat.settings["First_Channel_After_Login"] = "lobby"
    started = desk.chat.snapshot()
    desk.bring()
    for _ in range(3):
        desk.undo()
    assert desk.chat.snapshot() == started


def test_a_dry_undo_says_what_an_undo_would_take_back_and_changes_nothing(desk: Desk) -> None:
    desk.bring()
    before, lines = desk.chat.snapshot(), desk.journal_text()
    dry = desk.undo(dry=True)
    assert (desk.chat.snapshot(), desk.journal_text(), dry.writes) == (before, lines, 0)
    real = desk.undo()
    assert real.restored == dry.restored != []


def test_an_account_that_was_made_anew_since_is_not_deleted(desk: Desk) -> None:
    desk.bring()
    account = next(user for user in desk.chat.users if user["username"] == "test_user")
    account["_id"] = "somebodyElse00001"
    assert [(action.kind, action.target) for action in desk.undo().left if action.kind == "user"] == [
        ("user", "test_user")
    ]
    assert account in desk.chat.users


def test_with_partial_the_rest_is_done_beside_what_a_person_must_decide(desk: Desk) -> None:
    desk.chat.add_room("vip-chat", {"owner"}, usersCount=1)
    desk.chat.add_room("vip", {"owner"})
    with pytest.raises(PersonNeededError):
        desk.bring()
    assert desk.bring(partial=True).remaining == ()


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action("user", "anna", None, {}), "account anna deleted, with what was written from it"),
        (Action("room", "vip", None, {}), "room vip deleted, with the messages in it"),
        (Action("membership", "vip/anna", False, True), "anna removed from vip"),
        (Action("membership", "vip/anna", True, False), "anna invited into vip"),
        (Action("setting", "A", 1, 2), "setting A: 2 → 1"),
    ],
)
def test_an_undo_says_what_it_does(action: Action, words: str) -> None:
    assert changes.words(action) == words
