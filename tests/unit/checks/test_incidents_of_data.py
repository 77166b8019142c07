"""Data that incidents left and that other checks take for granted: a map of roles, a new database, a label."""

from __future__ import annotations

from typing import Any

import pytest

from besedka.rocketchat import provider
from besedka.rocketchat.rest import Credentials
from tests.unit.checks.documents import Make, codes, room, setting, user

SAMPLE = '{"rocket-admin": "admin", "tech-support": "support"}'


@pytest.fixture
def base(contract: Any) -> str:
    return provider.base_id(contract.provider)


def mapped(base: str, value: str, *, on: bool = False, admin: str = "owner") -> dict[str, Any]:
    return {
        f"{base}-groups_channel_map": setting(value, "code") | {"packageValue": SAMPLE},
        f"{base}-map_channels": setting(on, "boolean"),
        f"{base}-channels_admin": setting(admin),
    }


@pytest.mark.parametrize(
    ("value", "on", "found"),
    [
        # Rocket.Chat's own sample names rooms that nobody has, and nobody reads it while it is off.
        (SAMPLE, False, []),
        (SAMPLE, True, ["integrity.role_map.no_room"]),
        ('{"owner": "vip"}', True, []),
        ('{"owner": ["vip", "general"]}', False, []),
        ('{"owner": "vip, general"}', False, []),
        ('{"owner": "admin,vip"}', False, ["integrity.role_map.no_room"]),
        ("owner: vip", False, ["integrity.role_map.no_json"]),
        ('["vip"]', False, ["integrity.role_map.no_json"]),
    ],
)
def test_a_map_of_roles_names_rooms_that_exist(
    holding: Make, base: str, value: str, on: bool, found: list[str]
) -> None:
    examination = holding(
        stored=mapped(base, value, on=on),
        chat_rooms=[room("general"), room("vip")],
        chat_users=[user("owner")],
    )
    assert codes("integrity.role_map", examination) == found


def test_a_list_of_roles_is_no_administrator_of_rooms(holding: Make, base: str) -> None:
    examination = holding(stored=mapped(base, SAMPLE, admin="admin,vip"), chat_users=[user("admin")])
    assert codes("integrity.role_map", examination) == ["integrity.role_map.no_admin"]


def test_a_database_of_a_first_boot_is_one_finding(holding: Make) -> None:
    examination = holding(chat_rooms=[room("general")], chat_users=[user("owner"), user("rocket.cat")])
    assert codes("rooms.seeded", examination) == ["rooms.seeded.empty"]


@pytest.mark.parametrize(
    "more",
    [{"chat_rooms": [room("general"), room("vip")]}, {"chat_users": [user("owner"), user("test_user")]}],
)
def test_a_room_or_an_account_of_the_contract_is_no_first_boot(holding: Make, more: dict[str, Any]) -> None:
    rows = {"chat_rooms": [room("general")], "chat_users": [user("owner")]}
    assert codes("rooms.seeded", holding(**(rows | more))) == []


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Войти через Беседку".encode().decode("cp1251", "replace"), "garbled"),
        ("Sign in", "wrong"),
    ],
)
def test_a_garbled_label_is_called_so(holding: Make, base: str, label: str, kind: str) -> None:
    row = f"{base}-button_label_text"
    examination = holding(stored={row: setting(label)}, effective={row: label})
    check = "provider.button_label_text"
    assert codes(check, examination) == [f"{check}.{kind}"]


class Admin:
    """Rocket.Chat's administrator, as far as it is asked whose log-in that is."""

    credentials = Credentials("id-owner", "a token")


class Mongo:
    """MongoDB, as far as it says what it is."""

    where = "mongodb://127.0.0.1:1/"

    def __init__(self, **hello: Any) -> None:
        self._hello = hello

    def hello(self) -> dict[str, Any]:
        return self._hello


@pytest.mark.parametrize(
    ("users", "found"),
    [([user("owner")], []), ([], ["services.same_data.other"]), ([user("x")], ["services.same_data.other"])],
)
def test_a_database_without_the_administrator_is_another_one(
    holding: Make, users: list[dict[str, Any]], found: list[str]
) -> None:
    examination = holding(chat_users=users, admin=Admin(), mongo=Mongo())
    assert codes("services.same_data", examination) == found


@pytest.mark.parametrize(
    ("hello", "found"),
    [
        ({"isWritablePrimary": True, "setName": "rs0"}, []),
        ({"isWritablePrimary": True}, ["services.mongo.no_replica_set"]),
        ({"isWritablePrimary": False, "secondary": True, "setName": "rs0"}, ["services.mongo.not_primary"]),
        # mongod --replSet before rs.initiate()
        ({"isWritablePrimary": False, "isreplicaset": True}, ["services.mongo.not_initiated"]),
    ],
)
def test_what_mongo_says_of_itself(holding: Make, hello: dict[str, Any], found: list[str]) -> None:
    assert codes("services.mongo", holding(mongo=Mongo(**hello))) == found


@pytest.mark.parametrize(
    ("effective", "found"),
    [({}, []), ({"Enable_CSP": True}, []), ({"Enable_CSP": False}, ["iframe.content_policy.off"])],
)
def test_a_content_policy_that_is_off(holding: Make, effective: dict[str, Any], found: list[str]) -> None:
    assert codes("iframe.content_policy", holding(effective=effective)) == found
