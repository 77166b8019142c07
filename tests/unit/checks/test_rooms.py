"""Rooms, accounts and memberships that are not as the contract wants them."""

from __future__ import annotations

from typing import Any

import pytest

from besedka.site_database import SiteUser
from tests.unit.checks.documents import Make, Row, codes, membership, room, user


def rooms_and_people(contract_users: Any, **more: Row) -> dict[str, list[Row]]:
    """A database as the contract wants it; `more` changes single rooms."""
    people = [
        user(one.username, emails=[{"address": one.email, "verified": True}], roles=list(one.chat_roles))
        | {"name": one.full_name}
        for one in contract_users
    ]
    kinds = {"general": "c", "vip": "p", "moderators": "p"}
    rooms = [
        room(name, t=kind, default=name == "general", **more.get(name, {})) for name, kind in kinds.items()
    ]
    ids = {one["name"]: one["_id"] for one in rooms}
    rows = [membership(one.username, ids[name]) for one in contract_users for name in one.channels]
    return {"chat_users": people, "chat_rooms": rooms, "chat_subscriptions": rows}


@pytest.mark.parametrize(
    ("change", "check", "code"),
    [
        ({"vip": {"t": "c"}}, "rooms.kind", "public"),
        ({"general": {"t": "p"}}, "rooms.kind", "private"),
        ({"general": {"ro": True}}, "rooms.kind", "read_only"),
        ({"vip": {"archived": True}}, "rooms.kind", "archived"),
        ({"general": {"joinCodeRequired": True}}, "rooms.kind", "join_code"),
        ({"general": {"muted": ["test_user"]}}, "rooms.kind", "muted"),
        ({"vip": {"default": True}}, "rooms.default", "extra"),
        ({"general": {"default": False}}, "rooms.default", "missing"),
        ({"vip": {"name": "vip-chat"}}, "rooms.exist", "missing"),
    ],
)
def test_a_room_that_is_not_as_it_should_be(
    holding: Make, contract: Any, change: dict[str, Row], check: str, code: str
) -> None:
    rows = rooms_and_people(contract.users)
    assert codes(check, holding(**rows)) == []
    for raw in rows["chat_rooms"]:
        raw.update(change.get(raw["name"], {}))
    assert codes(check, holding(**rows)) == [f"{check}.{code}"]


def test_a_room_for_announcements_takes_no_messages_of_its_members(holding: Make, contract: Any) -> None:
    news = contract.channel("vip").model_copy(update={"read_only": True})
    channels = tuple(news if one.name == news.name else one for one in contract.channels)
    announcing = contract.model_copy(update={"channels": channels})
    rows = rooms_and_people(contract.users)
    assert codes("rooms.kind", holding(contract=announcing, **rows)) == ["rooms.kind.read_only"]

    next(raw for raw in rows["chat_rooms"] if raw["name"] == news.name)["ro"] = True

    assert codes("rooms.kind", holding(contract=announcing, **rows)) == []


@pytest.mark.parametrize(
    ("field", "value", "check", "code"),
    [
        ("active", False, "rooms.accounts", "inactive"),
        ("emails", [], "rooms.accounts", "email"),
        ("name", "Old name", "rooms.accounts", "name"),
        ("username", "gone", "rooms.accounts", "missing"),
        ("roles", ["user", "admin"], "rooms.roles", "too_many"),
        ("roles", [], "rooms.roles", "none"),
        ("roles", ["guest"], "rooms.roles", "missing"),
    ],
)
def test_an_account_that_is_not_as_it_should_be(
    holding: Make, contract: Any, field: str, value: Any, check: str, code: str
) -> None:
    rows = rooms_and_people(contract.users)
    next(row for row in rows["chat_users"] if row["username"] == "test_user")[field] = value
    assert codes(check, holding(**rows)) == [f"{check}.{code}"]


def test_members_where_they_do_not_belong(holding: Make, contract: Any) -> None:
    rows = rooms_and_people(contract.users)
    rows["chat_users"].append(user("guest"))
    rows["chat_subscriptions"] += [
        membership("test_user", "id-vip"),
        membership("guest", "id-vip"),
        membership("guest", "GENERAL"),
    ]
    examination = holding(**rows)
    assert codes("rooms.members", examination) == []
    assert codes("rooms.outsiders", examination) == ["rooms.outsiders.stranger", "rooms.outsiders.member"]


@pytest.mark.parametrize(
    ("kind", "at_the_site", "is_stranger"),
    [
        ("user", None, True),
        ("bot", None, False),
        ("app", None, False),
        ("user", "owner", False),
        ("user", "user", True),
        ("user", "a role of no room", True),
    ],
)
def test_a_bot_and_whoever_has_the_rooms_role_at_the_site_are_no_strangers(
    holding: Make, contract: Any, kind: str, at_the_site: str | None, is_stranger: bool
) -> None:
    rows = rooms_and_people(contract.users)
    rows["chat_users"].append(user("guest", type=kind))
    rows["chat_subscriptions"].append(membership("guest", "id-vip"))
    people = [SiteUser(9, "Guest", "g@x.example", True, at_the_site, None, "")] if at_the_site else []

    found = codes("rooms.outsiders", holding(**rows, site_users=people))

    assert found == (["rooms.outsiders.stranger"] if is_stranger else [])


@pytest.mark.parametrize(
    ("username", "change", "expected"),
    [
        ("owner", {}, ["rooms.verified.administrator"]),
        ("test_user", {}, ["rooms.verified.user"]),
        ("test_user", {"services": {"besedka": {"id": "5"}}}, []),
        ("test_user", {"services": None}, []),
        ("owner", {"services": None}, ["rooms.verified.administrator"]),
        ("owner", {"emails": [{"address": "another@besedka.com", "verified": False}]}, []),
    ],
    ids=["administrator", "user", "no password", "not shown", "not shown, administrator", "another address"],
)
def test_an_address_whose_account_would_lose_its_password(
    holding: Make, contract: Any, username: str, change: Row, expected: list[str]
) -> None:
    rows = rooms_and_people(contract.users)
    assert codes("rooms.verified", holding(**rows)) == []
    account = next(row for row in rows["chat_users"] if row["username"] == username)
    account["emails"][0]["verified"] = False
    account.update(change)
    assert codes("rooms.verified", holding(**rows)) == expected


@pytest.mark.parametrize(
    ("services", "expected"),
    [({"password": {"bcrypt": "x"}}, ["rooms.verified.letters"]), ({"besedka": {"id": "5"}}, [])],
)
def test_an_address_in_other_letters_costs_the_password_of_an_account_that_sso_has_not_met(
    holding: Make, contract: Any, services: Row, expected: list[str]
) -> None:
    rows = rooms_and_people(contract.users)
    account = next(row for row in rows["chat_users"] if row["username"] == "test_user")
    account["emails"][0]["address"] = account["emails"][0]["address"].upper()
    account["services"] = services
    examination = holding(**rows)
    assert codes("rooms.verified", examination) == expected
    # One of the two says it.
    assert codes("rooms.accounts", examination) == ([] if expected else ["rooms.accounts.email_case"])


def test_two_accounts_with_each_others_email(holding: Make, contract: Any) -> None:
    rows = rooms_and_people(contract.users)
    one, other = rows["chat_users"][-2:]
    one["emails"], other["emails"] = other["emails"], one["emails"]
    assert codes("rooms.accounts", holding(**rows)) == ["rooms.accounts.swapped"] * 2


def test_an_email_that_a_stranger_has(holding: Make, contract: Any) -> None:
    rows = rooms_and_people(contract.users)
    stranger = user("somebody")
    stranger["emails"] = rows["chat_users"][-1]["emails"]
    rows["chat_users"][-1]["emails"] = []
    rows["chat_users"].append(stranger)
    assert codes("rooms.accounts", holding(**rows)) == ["rooms.accounts.taken"]
