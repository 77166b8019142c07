"""Rows of settings, rights and the workspace's question, as provisioning plans to put them back."""

from __future__ import annotations

from besedka import contract as contracts
from besedka.provision import plan_of_rooms, repairs_of_settings, workspace
from besedka.provision.state import Account, State
from besedka.rocketchat import catalogue, provider, rights

CONTRACT = contracts.load(contracts.CONTRACT_FILE)
VERSION = "7.7.1"


def test_a_row_made_anew_is_as_rocketchat_registers_it() -> None:
    for name in CONTRACT.settings:
        setting = catalogue.for_version(VERSION).setting(name)
        assert setting is not None, name
        row = repairs_of_settings.row_of(setting)
        assert (row["_id"], row["value"], row["type"]) == (name, setting.default, setting.type)
        assert "packageValue" in row, "Rocket.Chat removes a row without its marks as somebody's own"


def test_a_map_without_a_value_gets_its_default() -> None:
    name = f"{provider.base_id(CONTRACT.provider)}-groups_channel_map"
    row = {"_id": name, "type": "code", "packageValue": '{"a": "b"}'}
    state = State(VERSION, settings={name: None})
    (action,) = repairs_of_settings.of_values({name: row}, state, CONTRACT)
    assert (action.target, action.before, action.after) == (name, None, row["packageValue"])
    assert list(repairs_of_settings.of_values({name: row | {"value": '{"a": "b"}'}}, state, CONTRACT)) == []


def test_a_right_that_the_role_has_lost_comes_back() -> None:
    state = State(VERSION, permissions={rights.of_kind(private=False): ["admin"]})
    for user in CONTRACT.users:
        roles = tuple(user.chat_roles)
        state.add(Account("id", user.username, user.full_name, user.email, True, roles, True))
    (action,) = plan_of_rooms._rights(CONTRACT, state)
    assert (action.kind, action.target, action.after) == ("permission", "view-c-room", ["admin", "user"])
    state.permissions["view-joined-room"] = ["user"]
    assert list(plan_of_rooms._rights(CONTRACT, state)) == []


def test_the_question_is_answered_where_it_is_open() -> None:
    asked = [workspace.steps(State(VERSION, settings={workspace.VERIFIED: it})) for it in (False, True)]
    assert [len(list(steps)) for steps in asked] == [1, 0]


def test_of_two_rows_of_one_service_the_own_one_stays() -> None:
    own = {
        "_id": "a",
        "service": CONTRACT.provider.name,
        "clientId": CONTRACT.provider.client_id,
        "custom": True,
    }
    for twin in (
        {"service": CONTRACT.provider.name.capitalize()},
        {"clientId": "another"},
        {"custom": False},
    ):
        for rows in ([own, own | {"_id": "b"} | twin], [own | {"_id": "b"} | twin, own]):
            (action,) = repairs_of_settings.of_services(rows, {}, CONTRACT)
            assert (action.target, action.after) == (f'{repairs_of_settings.SERVICES}/"b"', None)
