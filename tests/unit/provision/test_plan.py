"""What differs from the contract becomes an action, in the order that works; what is not ours a notice."""

from __future__ import annotations

import json

import pytest

from besedka.provision.errors import AccountClashError, PersonNeededError
from besedka.rocketchat import provider
from tests.unit.provision.conftest import Desk


def codes(desk: Desk, **options: bool) -> list[tuple[str, str]]:
    return [(notice.code, notice.target) for notice in desk.plan(**options).notices]


def test_a_fresh_chat_needs_settings_provider_users_and_rooms_in_this_order(desk: Desk) -> None:
    kinds = [action.kind for action in desk.plan().actions]
    assert list(dict.fromkeys(kinds)) == ["setting", "provider", "user", "room"]
    base = "Accounts_OAuth_Custom-Besedka"
    of_provider = [action.target for action in desk.plan().actions if action.target.startswith(base)]
    assert of_provider[-1] == base, "the switch is written last"


def test_planning_writes_nothing(desk: Desk) -> None:
    desk.plan()
    assert desk.chat.writes == []
    assert not desk.folder.exists()


def test_a_new_user_joins_the_default_channel_by_being_made(desk: Desk) -> None:
    targets = {action.target for action in desk.plan().actions}
    assert "general/test_user" not in targets


def test_a_general_that_is_no_default_is_made_one_after_its_memberships(desk: Desk) -> None:
    desk.chat.rooms[0]["default"] = False
    targets = [(action.kind, action.target) for action in desk.plan().actions]
    assert ("membership", "general/test_user") in targets
    assert targets[-1] == ("room-field", "general")


def test_a_role_that_rocketchat_lacks_is_a_persons(desk: Desk) -> None:
    first, *others = desk.contract.users
    with_role = first.model_copy(update={"chat_roles": (*first.chat_roles, "librarian")})
    desk.contract = desk.contract.model_copy(update={"users": (with_role, *others)})
    (notice,) = desk.plan().notices
    assert (notice.code, notice.target) == ("role-unknown", f"users.{first.username}.chat_roles")
    assert "no role librarian" in notice.text
    assert notice.blocking


def test_settings_that_need_a_licence_are_left_alone_and_said_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = provider.base_id(desk.contract.provider)
    rows = {f"{base}-roles_claim": "groups", f"{base}-merge_roles": True}
    desk.bring()
    desk.contract = desk.contract.model_copy(update={"settings": desk.contract.settings | rows})
    desk.chat.settings |= {f"{base}-roles_claim": "roles", f"{base}-merge_roles": False}
    licence = {"license": {"activeModules": []}}
    monkeypatch.setattr(desk.chat, "on_licenses_info", lambda *_: licence, raising=False)

    plan = desk.plan()

    assert plan.actions == ()
    assert codes(desk) == [("setting-unlicensed", ", ".join(rows))]
    assert "oauth-enterprise" in plan.notices[0].text

    licence["license"]["activeModules"] = ["oauth-enterprise"]  # type: ignore[assignment]
    assert {action.target for action in desk.plan().actions} == set(rows)


def test_the_client_secret_is_masked(desk: Desk) -> None:
    plan = desk.plan()
    shown = json.dumps([action.public() for action in plan.actions]) + "".join(
        action.text() for action in plan.actions
    )
    for secret in desk.contract.secrets:
        assert secret not in shown


def test_one_and_true_differ(desk: Desk) -> None:
    desk.bring()
    desk.chat.settings["Iframe_Integration_receive_enable"] = 1
    assert [action.before for action in desk.plan().actions] == [1]


@pytest.mark.parametrize("name", ["vip-chat", "vip_1", "VIP"])
def test_a_second_vip_is_reported_and_not_made_worse(desk: Desk, name: str) -> None:
    desk.bring()
    desk.chat.add_room(name, {"owner"}, usersCount=1)
    assert codes(desk) == [("room-twin", name)]
    assert desk.plan().actions == ()


def test_an_empty_second_vip_is_removed(desk: Desk) -> None:
    desk.bring()
    desk.chat.add_room("vip-chat", set())
    assert [action.kind for action in desk.plan().actions] == ["room-gone"]


def test_a_room_under_its_old_name_is_renamed(desk: Desk) -> None:
    desk.bring()
    vip = next(room for room in desk.chat.rooms if room["name"] == "vip")
    vip["name"] = "vip-chat"
    desk.bring()
    assert (vip["name"], [room["name"] for room in desk.chat.rooms].count("vip")) == ("vip", 1)


def test_two_rooms_that_could_be_it_are_left_to_a_person(desk: Desk) -> None:
    desk.chat.add_room("vip-chat", {"owner"}, usersCount=1)
    desk.chat.add_room("vip_1", {"owner"}, usersCount=1)
    with pytest.raises(PersonNeededError, match="vip-chat"):
        desk.bring()
    assert desk.chat.writes == []


def test_a_room_that_merely_begins_alike_is_no_twin(desk: Desk) -> None:
    desk.bring()
    desk.chat.add_room("vipassana", {"owner"})
    assert codes(desk) == []


@pytest.mark.parametrize("name", ["vip-lounge", "general-help", "moderators-log"])
def test_a_room_of_a_longer_name_is_left_alone(desk: Desk, name: str) -> None:
    desk.bring()
    desk.chat.add_room(name, {"owner"})
    assert codes(desk) == []
    assert desk.plan().actions == ()


def test_a_room_of_a_longer_name_does_not_become_the_missing_one(desk: Desk) -> None:
    desk.chat.add_room("vip-lounge", {"owner"})
    desk.bring()
    assert {"vip", "vip-lounge"} <= {room["name"] for room in desk.chat.rooms}


def test_a_discussion_is_no_twin(desk: Desk) -> None:
    desk.bring()
    desk.chat.add_room("vip-chat", {"owner"}, prid="id-vip")
    assert codes(desk) == []


def test_a_member_who_does_not_belong_is_removed_only_on_demand(desk: Desk) -> None:
    desk.bring()
    desk.chat.members["id-vip"].add("test_user")
    assert codes(desk) == [("member-too-many", "vip/test_user")]
    assert [action.text() for action in desk.plan(prune=True).actions] == [
        "membership vip/test_user: True → False"
    ]


def test_strangers_are_never_pruned(desk: Desk) -> None:
    desk.bring()
    desk.chat.add_user("guest", "guest@besedka.com")
    desk.chat.members["id-vip"].add("guest")
    assert desk.plan(prune=True).actions == ()


def test_an_administrator_outside_a_private_room_lets_himself_in_by_a_lent_right(desk: Desk) -> None:
    desk.bring()
    desk.chat.members["id-vip"].discard("owner")
    assert [action.kind for action in desk.plan().actions] == ["permission", "membership", "permission"]
    desk.bring()
    assert "owner" in desk.chat.members["id-vip"]
    assert desk.chat.permissions == {"add-user-to-any-p-room": []}


def test_an_archived_room_without_the_administrator_is_out_of_reach(desk: Desk) -> None:
    desk.bring()
    desk.chat.members["id-vip"].discard("owner")
    next(room for room in desk.chat.rooms if room["name"] == "vip")["archived"] = True
    assert ("room-out-of-reach", "vip") in codes(desk)


def test_the_administrator_joins_a_room_before_it_becomes_private(desk: Desk) -> None:
    desk.chat.add_room("vip", set(), t="c")
    steps = [(action.kind, action.target) for action in desk.plan().actions]
    assert steps.index(("membership", "vip/owner")) < steps.index(("room-field", "vip"))


def test_a_stolen_address_stops_everything_and_names_its_holder(desk: Desk) -> None:
    desk.chat.add_user("test_user2", "Test.User@besedka.com")
    with pytest.raises(AccountClashError, match="test_user2"):
        desk.bring()
    assert desk.chat.writes == []


def test_an_account_of_the_name_is_repaired_not_doubled(desk: Desk) -> None:
    desk.chat.add_user("test_user", "old@besedka.com", active=False)
    desk.bring()
    accounts = [user for user in desk.chat.users if user["username"] == "test_user"]
    assert [user["emails"][0]["address"] for user in accounts] == ["test.user@besedka.com"]
    assert accounts[0]["active"] is True


def test_a_name_in_another_case_is_the_same_account(desk: Desk) -> None:
    desk.chat.add_user("Test_User", "test.user@besedka.com")
    assert ("user", "test_user") not in [(action.kind, action.target) for action in desk.plan().actions]


def test_a_public_vip_becomes_private(desk: Desk) -> None:
    desk.chat.add_room("vip", {"owner"}, t="c")
    desk.bring()
    assert [room["t"] for room in desk.chat.rooms if room["name"] == "vip"] == ["p"]


def test_a_renamed_general_gets_its_name_back(desk: Desk) -> None:
    desk.chat.rooms[0]["name"] = "lobby"
    desk.bring()
    assert [room["name"] for room in desk.chat.rooms if room["t"] == "c"] == ["general"]


def test_rooms_only_leaves_the_rest_alone(desk: Desk) -> None:
    assert {action.kind for action in desk.plan(rooms_only=True).actions} == {"room"}


def test_a_setting_this_version_lacks_is_a_notice(desk: Desk) -> None:
    del desk.chat.settings["First_Channel_After_Login"]
    assert ("setting-unknown", "First_Channel_After_Login") in codes(desk)


def test_a_hidden_setting_is_nobodys_business_here(desk: Desk) -> None:
    desk.chat.settings.pop("Accounts_SystemBlockedUsernameList", None)
    assert codes(desk) == []


def test_a_lower_case_provider_row_is_reported(desk: Desk) -> None:
    desk.bring()
    desk.chat.settings["Accounts_OAuth_Custom-besedka-url"] = ""
    assert codes(desk) == [("provider-misspelt", "Accounts_OAuth_Custom-besedka-url")]


@pytest.mark.parametrize(("url", "planned"), [("", 1), ("https://elsewhere.example", 0)])
def test_a_provider_beside_ours_that_nobody_filled_in_is_switched_off(
    desk: Desk, url: str, planned: int
) -> None:
    desk.bring()
    base = "Accounts_OAuth_Custom-Second"
    desk.chat.settings |= {base: True, f"{base}-url": url, f"{base}-id": "x"}
    assert [(one.target, one.after) for one in desk.plan().actions] == [(base, False)] * planned


def test_each_others_addresses_are_set_aside_before_they_are_given_back(desk: Desk) -> None:
    desk.bring()
    held = {user["username"]: user["emails"][0]["address"] for user in desk.chat.users}
    one, other = (user for user in desk.chat.users if user["username"] in {"test_user", "store_owner"})
    one["emails"], other["emails"] = other["emails"], one["emails"]

    desk.bring()

    assert {user["username"]: user["emails"][0]["address"] for user in desk.chat.users} == held
    assert desk.plan().actions == ()


def test_swapped_usernames_are_a_persons(desk: Desk) -> None:
    desk.bring()
    one, other = (user for user in desk.chat.users if user["username"] in {"test_user", "store_owner"})
    one["username"], other["username"] = other["username"], one["username"]
    done = len(desk.chat.writes)

    with pytest.raises(AccountClashError, match="usernames are swapped"):
        desk.bring()

    assert len(desk.chat.writes) == done


def test_an_address_that_another_canonical_account_holds_is_given_back(desk: Desk) -> None:
    desk.bring()
    one, other = (user for user in desk.chat.users if user["username"] in {"test_user", "store_owner"})
    own = other["emails"]
    one["emails"], other["emails"] = own, [{"address": "old@besedka.com", "verified": True}]

    desk.bring()

    assert desk.plan().actions == ()
    assert other["emails"][0]["address"] == "test.user@besedka.com"
