"""Combinations of people, rooms and roles on paper: what is derived from a contract agrees with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besedka import contract as contracts
from besedka import names
from besedka.contract import Contract
from besedka.rocketchat import provider
from besedka.stacks import environment

pytestmark = pytest.mark.variants

BASE = contracts.load(overlays=())
LETTERS = st.text("abcXYZ019-_.", min_size=1, max_size=12)
ROLES = st.text("abЖю-1", min_size=1, max_size=8)


def _unlike(values: list[str]) -> list[str]:
    """The values, without those that differ by case alone or are refused."""
    kept = {value.lower(): value for value in values}
    refusals = (names.refused_user, names.refused_room)
    return [name for name in kept.values() if not any(list(one(name, BASE.settings)) for one in refusals)]


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    """Rows of a contract that holds together: somebody may enter each room, everybody the default ones."""
    people = _unlike(draw(st.lists(LETTERS, min_size=1, max_size=12))) or ["someone"]
    roles = draw(st.lists(ROLES, min_size=1, max_size=4, unique=True))
    held = {name: draw(st.sampled_from(roles)) for name in people}
    rooms = _unlike(draw(st.lists(LETTERS, min_size=1, max_size=8))) or ["lobby"]
    open_rooms = rooms[: draw(st.integers(1, len(rooms)))]
    admitted = {
        room: draw(st.lists(st.sampled_from(sorted(set(held.values()))), min_size=1, unique=True))
        for room in rooms
        if room not in open_rooms
    }
    channels = [
        {
            "name": room,
            "label": draw(st.text("Общий №1 &<\"'")) + room,
            "private": room in admitted,
            "default": room == rooms[0] or (room not in admitted and draw(st.booleans())),
            **({"roles": admitted[room]} if room in admitted else {}),
        }
        for room in rooms
    ]
    users = [
        {
            "username": name,
            "role": role,
            "email": f"{number}@besedka.example",
            "full_name": "Имя",
            "password": "secret",
            "channels": [room for room in rooms if room not in admitted or role in admitted[room]],
        }
        for number, (name, role) in enumerate(held.items())
    ]
    return {"users": users, "channels": channels}


def made(rows: dict[str, Any], name: str = BASE.provider.name) -> Contract:
    raw = BASE.model_dump(mode="json")
    raw["chat"]["admin"] |= {"username": "rc.admin", "email": "admin@elsewhere.example", "password": "x"}
    raw["provider"] |= {"name": name, "client_secret": "x", "groups": {}}
    for user in rows["users"]:
        user.setdefault("chat_roles", ["user"])
    return Contract.model_validate(raw | rows)


@settings(deadline=None)
@given(contents())
def test_a_contract_that_holds_together_is_taken(rows: dict[str, Any]) -> None:
    found = made(rows)

    assert found.default_channel in found.default_channels
    assert found.common_role in {user.role for user in found.users}
    cells = [
        (user, channel) for user in found.users for channel in found.channels if channel.admits(user.role)
    ]
    assert len(found.subscriptions) == len(cells)


@settings(deadline=None)
@given(contents())
def test_the_site_is_told_one_room_to_open_and_who_may_enter(rows: dict[str, Any]) -> None:
    found = made(rows)

    told = json.loads(environment.site(found, database_url="", secret_key="")["CHAT_CHANNELS"])

    assert [room["name"] for room in told if room["default"]] == [found.default_channel.name]
    assert [room["name"] for room in told] == [channel.name for channel in found.channels]
    for room, channel in zip(told, found.channels, strict=True):
        assert {user.role for user in found.users if room["roles"] is None or user.role in room["roles"]} == {
            user.role for user in found.users if channel.admits(user.role)
        }


@settings(deadline=None)
@given(
    st.text(min_size=1, max_size=20).filter(
        lambda text: any(sign.isascii() and sign.isalnum() for sign in text)
    )
)
def test_every_setting_of_a_provider_begins_with_its_switch(name: str) -> None:
    users = BASE.model_dump(mode="json")["users"]
    channels = BASE.model_dump(mode="json")["channels"]

    found = made({"users": users, "channels": channels}, name)

    base = provider.base_id(found.provider)
    assert all(setting.startswith(base) for setting in provider.settings(found))
    assert provider.redirect_uri(found).endswith(f"/_oauth/{found.provider.name}")
    assert found.provider.name == found.provider.name.lower()


@settings(deadline=None)
@given(contents(), st.data())
def test_two_users_alike_but_for_case_are_one_message(rows: dict[str, Any], data: st.DataObject) -> None:
    twin = data.draw(st.sampled_from(rows["users"]))
    name = twin["username"].swapcase()
    rows["users"] = [*rows["users"], twin | {"username": name, "email": "twin@besedka.example"}]

    with pytest.raises(ValueError, match="stands twice, whatever the case") as refusal:
        made(rows)

    assert str(refusal.value).count("stands twice") == 1
