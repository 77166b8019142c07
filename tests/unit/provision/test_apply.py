"""Apply, undo and what lies between: the second apply writes nothing, the undo leaves nothing."""

from __future__ import annotations

import json

import pytest

from besedka import provision
from besedka.provision.errors import JournalError, LicenceMissingError, ProviderNotLiveError
from besedka.rocketchat import provider
from besedka.rocketchat.rest import RocketChatError
from besedka.target import Target
from tests.unit.provision.conftest import Desk
from tests.unit.provision.web import Answer, HangUpError, refusal


def test_an_apply_fulfils_the_contract_and_a_second_one_writes_nothing(desk: Desk) -> None:
    first = desk.bring()
    assert first.writes == len(first.actions) > 0
    assert first.remaining == ()
    second = desk.bring()
    assert (second.writes, second.actions) == (0, ())


def test_undo_leaves_everything_as_before(desk: Desk) -> None:
    desk.chat.add_user("admin", "old@besedka.com", active=False)
    desk.chat.add_room("vip", {"owner", "admin"}, t="c")
    desk.chat.rooms[0]["default"] = False
    before = desk.chat.snapshot()
    desk.bring(prune=True)
    assert desk.chat.snapshot() != before
    undoing = desk.undo()
    assert desk.chat.snapshot() == before
    assert undoing.left == []


def test_undo_twice_and_undo_of_nothing_are_harmless(desk: Desk) -> None:
    assert desk.undo().writes == 0
    desk.bring()
    desk.undo()
    before = desk.chat.snapshot()
    assert desk.undo().writes == 0
    assert desk.chat.snapshot() == before


def test_undo_takes_back_one_apply_at_a_time(desk: Desk) -> None:
    fresh = desk.chat.snapshot()
    desk.bring()
    desk.chat.settings["First_Channel_After_Login"] = "lobby"
    drifted = desk.chat.snapshot()
    desk.bring()
    desk.undo()
    assert desk.chat.snapshot() == drifted
    desk.chat.settings["First_Channel_After_Login"] = "general"
    desk.undo()
    assert desk.chat.snapshot() == fresh


def test_undo_leaves_alone_what_somebody_has_changed_since(desk: Desk) -> None:
    desk.bring()
    desk.chat.settings["First_Channel_After_Login"] = "lobby"
    undoing = desk.undo()
    assert [action.target for action in undoing.left] == ["First_Channel_After_Login"]
    assert desk.chat.settings["First_Channel_After_Login"] == "lobby"


def test_an_undo_that_was_itself_interrupted_goes_on(desk: Desk) -> None:
    before = desk.chat.snapshot()
    desk.bring()
    desk.chat.refusals["POST users.delete"] = [refusal("error-internal", 500)]
    with pytest.raises(RocketChatError):
        desk.undo()
    desk.chat.refusals.clear()
    desk.undo()
    assert desk.chat.snapshot() == before


def test_every_change_is_on_disk_before_it_is_made(desk: Desk) -> None:
    seen: list[tuple[int, int]] = []

    def look() -> None:
        planned = desk.journal_text().count('"event": "planned"')
        seen.append((len(desk.chat.writes) + 1, planned))

    desk.chat.before_write = look
    desk.bring()
    assert seen
    assert all(planned >= write for write, planned in seen)


@pytest.mark.parametrize("call", ["POST settings.addCustomOAuth", "POST users.create", "POST groups.create"])
def test_a_refusal_half_way_takes_everything_back(desk: Desk, call: str) -> None:
    before = desk.chat.snapshot()
    desk.chat.refusals[call] = [refusal("error-surprise")]
    with pytest.raises(RocketChatError, match="taken back"):
        desk.bring()
    assert desk.chat.snapshot() == before


def test_a_death_half_way_is_undone_from_the_journal(desk: Desk) -> None:
    before = desk.chat.snapshot()
    count = 0

    def die() -> None:
        nonlocal count
        count += 1
        if count == 30:
            raise HangUpError

    desk.chat.before_write = die
    desk.chat.refusals["GET users.list"] = [Answer(0), refusal("error-surprise", 500)]
    with pytest.raises(Exception, match="--undo takes it back"):
        desk.bring()
    desk.chat.before_write = lambda: None
    desk.chat.refusals.clear()
    assert desk.chat.snapshot() != before
    desk.undo()
    assert desk.chat.snapshot() == before


def test_a_torn_last_line_of_the_journal_does_not_count(desk: Desk) -> None:
    before = desk.chat.snapshot()
    desk.bring()
    (path,) = desk.folder.glob("*.jsonl")
    text = path.read_text(encoding="utf-8").rstrip("\n")
    path.write_text(text[: text.rindex("\n") + 9], encoding="utf-8")
    desk.undo()
    assert desk.chat.snapshot() == before


def test_a_damaged_journal_is_named_and_nothing_is_written(desk: Desk) -> None:
    desk.bring()
    (path,) = desk.folder.glob("*.jsonl")
    path.write_text(path.read_text(encoding="utf-8").replace('{"event"', "{event", 2), encoding="utf-8")
    written = len(desk.chat.writes)
    with pytest.raises(JournalError, match="line 1"):
        desk.undo()
    assert len(desk.chat.writes) == written


def test_without_a_journal_nothing_is_written(desk: Desk) -> None:
    desk.folder.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(JournalError):
        desk.bring()
    assert desk.chat.writes == []


def test_an_old_client_secret_comes_back_and_stands_nowhere_in_clear(desk: Desk) -> None:
    desk.bring()
    secret_id = "Accounts_OAuth_Custom-Besedka-secret"
    desk.chat.settings[secret_id] = "the-old-client-secret"
    desk.bring()
    assert desk.chat.settings[secret_id] == desk.contract.provider.secret
    for secret in (*desk.contract.secrets, "the-old-client-secret"):
        assert secret not in desk.journal_text()
    desk.undo()
    assert desk.chat.settings[secret_id] == "the-old-client-secret"


def test_a_reserved_name_leaves_the_rest_done_and_says_what_to_do(desk: Desk) -> None:
    desk.chat.refusals["POST users.create"] = [refusal("error-blocked-username"), Answer(0)]
    outcome = desk.bring()
    assert [(notice.code, notice.target) for notice in outcome.notices] == [("user-reserved", "admin")]
    assert "OVERWRITE_SETTING_Accounts_SystemBlockedUsernameList" in outcome.notices[0].text
    assert {action.target for action in outcome.remaining} == {"admin", "moderators/admin"}
    assert {user["username"] for user in desk.chat.users} >= {"test_user", "store_owner", "store_admin"}
    desk.chat.refusals.clear()
    assert desk.bring().remaining == ()
    assert desk.chat.members["id-moderators"] == {"owner", "admin"}


def test_custom_oauth_without_a_licence_is_its_own_error(desk: Desk) -> None:
    before = desk.chat.snapshot()
    desk.chat.version = "9.0"
    desk.chat.refusals["POST settings.addCustomOAuth"] = [refusal("error-action-not-allowed")]
    with pytest.raises(LicenceMissingError):
        desk.bring()
    assert desk.chat.snapshot() == before


def test_without_the_licence_nothing_is_tried(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.chat.version = "9.0"
    licence = {"license": {"activeModules": []}}
    monkeypatch.setattr(desk.chat, "on_licenses_info", lambda *_: licence, raising=False)
    with pytest.raises(LicenceMissingError, match="nothing was changed"):
        desk.bring()
    assert desk.chat.writes == []

    licence["license"]["activeModules"] = ["oauth-enterprise"]  # type: ignore[assignment]
    assert desk.bring().remaining == ()


def test_a_provider_that_never_becomes_a_service_is_its_own_error(desk: Desk) -> None:
    desk.chat.refusals["GET service.configurations"] = [Answer(200, {"success": True, "configurations": []})]
    before = desk.chat.snapshot()
    with pytest.raises(ProviderNotLiveError):
        desk.bring()
    assert desk.chat.snapshot() == before


def test_a_log_in_service_that_will_not_go_keeps_its_settings(desk: Desk) -> None:
    desk.bring()
    base = provider.base_id(desk.contract.provider)
    del desk.chat.settings[f"{base}-url"]
    stays = Answer(200, {"success": True, "configurations": [{"service": desk.contract.provider.name}]})
    desk.chat.refusals["GET service.configurations"] = [stays] * 20
    before = desk.chat.snapshot()
    with pytest.raises(ProviderNotLiveError, match="is still there") as refused:
        desk.bring()
    assert "taken back" in refused.value.next_step
    assert desk.chat.snapshot() == before, "its switch is off, or its settings are gone"


def test_one_log_in_serves_many_runs_of_one_process(desk: Desk) -> None:
    desk.bring()
    desk.chat.calls.clear()
    provision.planned(Target.of(desk.contract), desk.contract)
    provision.planned(Target.of(desk.contract), desk.contract)
    assert desk.chat.calls.count("POST login") <= 1


def test_the_journal_is_one_json_object_per_line(desk: Desk) -> None:
    desk.bring()
    events = [json.loads(line)["event"] for line in desk.journal_text().splitlines()]
    assert events[0] == "head"
    assert events[-1] == "applied"
    assert events.count("planned") == events.count("done")


@pytest.mark.parametrize("address", ["owner@besedka.com", "somebody@elsewhere.example"])
def test_the_administrators_own_address_is_set_by_a_second_administrator(desk: Desk, address: str) -> None:
    admin = desk.chat.users[0]
    admin["emails"] = [{"address": address, "verified": False}]
    before = desk.chat.snapshot()

    outcome = desk.bring()

    assert admin["emails"] == [{"address": desk.contract.chat.admin.email, "verified": True}]
    assert "temp_second_administrator" not in [user["username"] for user in desk.chat.users]
    assert (outcome.remaining, outcome.notices) == ((), ())
    assert desk.bring().writes == 0
    desk.undo()
    assert desk.chat.snapshot() == before


def test_a_second_administrator_whom_a_killed_run_left_goes(desk: Desk) -> None:
    desk.bring()
    desk.chat.users[0]["emails"][0]["verified"] = False
    desk.chat.add_user("temp_second_administrator", "temp_second_administrator@besedka.com")

    desk.bring()

    assert desk.chat.users[0]["emails"][0]["verified"] is True
    assert "temp_second_administrator" not in [user["username"] for user in desk.chat.users]


def test_an_undo_takes_a_second_administrator_away_whom_a_killed_run_left(desk: Desk) -> None:
    desk.chat.users[0]["emails"][0]["verified"] = False
    before = desk.chat.snapshot()
    desk.bring()
    desk.chat.add_user("temp_second_administrator", "temp_second_administrator@besedka.com")

    desk.undo()

    assert desk.chat.snapshot() == before


def test_an_own_address_that_nobody_can_verify_is_said_and_stops_nothing_else(desk: Desk) -> None:
    desk.bring()
    desk.chat.users[0]["emails"][0]["verified"] = False
    desk.chat.settings["First_Channel_After_Login"] = "lobby"
    desk.chat.refusals["POST users.create"] = [refusal("error-license-user-limit-reached")]

    outcome = desk.bring()

    assert [(notice.code, notice.target) for notice in outcome.notices] == [
        ("administrator-address", "owner")
    ]
    assert "let another administrator set" in outcome.notices[0].text
    assert [action.kind for action in outcome.remaining] == ["own-address"]
    assert desk.chat.settings["First_Channel_After_Login"] == "general"
