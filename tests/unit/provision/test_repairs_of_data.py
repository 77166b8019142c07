"""Links and rooms that provisioning mends in Rocket.Chat's documents, and those that it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import json_util

from besedka import contract as contracts
from besedka.provision import repairs_of_data
from besedka.provision.action import Action
from besedka.provision.repairs_of_data import Data

CONTRACT = contracts.load(contracts.CONTRACT_FILE)
USER, SERVICE = CONTRACT.users[-1].username, CONTRACT.provider.name
_AWARE = json_util.JSONOptions(tz_aware=True)
TOKEN = "a-token-of-the-site"


def data(**rows: Any) -> Data:
    """Documents of Rocket.Chat alone: collection → rows."""
    return Data(lambda name: rows.get(name, []))


def _written(actions: Iterable[Action]) -> list[Any]:
    """What the actions write, as Python has it."""
    return [json_util.loads(json.dumps(action.after), json_options=_AWARE) for action in actions]


@pytest.mark.parametrize(
    ("link", "goes"),
    [
        ({"id": "5", "accessToken": TOKEN}, False),
        # A sign-in at a site that answers numbers leaves this, and the next one would write it again.
        ({"id": 5, "accessToken": TOKEN}, False),
        ({"id": 5, "accessToken": "lapsed", "expiresAt": 1.0}, False),
        # What a script left.
        ({"id": 5}, True),
        ({"id": 5, "accessToken": "made-up"}, True),
        ({"id": 7, "accessToken": TOKEN}, True),
        ({"id": None, "accessToken": TOKEN}, True),
    ],
)
def test_a_link_that_the_site_made_stays(link: dict[str, Any], goes: bool) -> None:
    known = data(users=[{"_id": "u", "username": USER, "services": {SERVICE: link}}])
    issued = ({"5": USER, "7": "somebody"}, {TOKEN})
    actions = list(repairs_of_data.of_links(known, CONTRACT, issued))
    assert [action.after for action in actions] == ([{f"services.{SERVICE}": None}] if goes else [])


@pytest.mark.parametrize(("linked_to", "goes"), [("5", True), (5, True), ("7", False), ("9", False)])
def test_nobody_else_keeps_the_link_of_a_canonical_user(linked_to: Any, goes: bool) -> None:
    """The owner of that id would come in as this account (seen on a running 6.5.3)."""
    link = {"id": linked_to, "accessToken": TOKEN}
    known = data(users=[{"_id": "u", "username": "a_stranger", "services": {SERVICE: link}}])
    issued = ({"5": USER, "7": "somebody"}, {TOKEN})
    assert len(list(repairs_of_data.of_links(known, CONTRACT, issued))) == goes
    assert list(repairs_of_data.of_links(known, CONTRACT, None)) == []


@pytest.mark.parametrize(
    ("kind", "becomes"), [("d", ["p"]), ("l", ["p"]), (None, ["p"]), ("p", []), ("c", [])]
)
def test_a_room_of_another_kind_becomes_what_the_contract_says(kind: str | None, becomes: list[str]) -> None:
    private = next(channel for channel in CONTRACT.channels if channel.private)
    known = data(rocketchat_room=[{"_id": "r", "name": private.name, "t": kind}])
    actions = [action for action, _ in repairs_of_data.of_kinds(known, CONTRACT)]
    assert [action.after["t"] for action in actions] == becomes
    assert list(repairs_of_data.of_kinds(known, CONTRACT)) == [], "a second look finds nothing"


@pytest.mark.parametrize(("status", "goes"), [("INVITED", True), (None, False), ("JOINED", False)])
def test_an_invitation_becomes_a_membership(status: str | None, goes: bool) -> None:
    row = {
        "_id": "m",
        "rid": "r",
        "name": "x",
        "t": "c",
        "u": {"_id": "u", "username": USER},
        "status": status,
    }
    known = data(
        users=[{"_id": "u", "username": USER}],
        rocketchat_room=[{"_id": "r", "name": "x", "t": "c"}],
        rocketchat_subscription=[row],
    )
    actions = repairs_of_data.of_memberships(known, CONTRACT)
    assert [action.after for action in actions if "status" in action.after] == (
        [{"status": None}] if goes else []
    )


def test_tokens_get_their_dates_and_personal_ones_stay() -> None:
    then = datetime(2025, 6, 21, tzinfo=UTC)
    personal = {"hashedToken": "p", "type": "personalAccessToken", "createdAt": then}
    tokens = [{"hashedToken": "s", "when": "2025-06-21"}, personal, {"hashedToken": 7, "when": then}]
    services = {"resume": {"loginTokens": tokens}}
    known = data(users=[{"_id": "u", "username": USER, "type": "user", "services": services}])
    assert _written(repairs_of_data.of_people(known, CONTRACT)) == [
        {"services.resume.loginTokens": [{"hashedToken": "s", "when": then}, personal]}
    ]


@pytest.mark.parametrize(
    ("collection", "row", "mended"),
    [
        ("rocketchat_room", {"msgs": "7"}, {"msgs": 7}),
        ("rocketchat_room", {"usersCount": None}, None),
        ("rocketchat_subscription", {"unread": "many"}, {"unread": 0}),
        ("users", {"services": {"resume": {"loginTokens": "x"}}}, {"services.resume.loginTokens": None}),
        ("users", {"emails": "a@b.example"}, {"emails": [{"address": "a@b.example", "verified": True}]}),
    ],
)
def test_a_field_of_another_shape_becomes_what_was_meant(
    collection: str, row: dict[str, Any], mended: dict[str, Any] | None
) -> None:
    known = data(**{collection: [{"_id": "x"} | row]})
    assert _written(repairs_of_data.of_shapes(known)) == ([mended] if mended else [])


@pytest.mark.parametrize(
    ("wrong", "after"),
    [
        ({}, []),
        ({"msg": 2025}, [{"msg": "2025"}]),
        ({"md": "text", "urls": "http://a.test/"}, [{"md": None, "urls": None}]),
        ({"attachments": ["report.pdf"]}, [{"attachments": None}]),
        ({"reactions": {":+1:": {"usernames": ["a"]}}}, []),
        ({"reactions": {":+1:": ["a"]}}, [{"reactions": None}]),
        ({"u": ...}, [{"_hidden": True}]),
        ({"ts": ..., "md": "text"}, [{"_hidden": True}]),
    ],
)
def test_a_message_that_cannot_be_drawn_is_mended_or_hidden(wrong: dict[str, Any], after: list[Any]) -> None:
    sound = {"_id": "m", "rid": "GENERAL", "msg": "text", "ts": datetime.now(UTC), "u": {"_id": "u"}}
    message = {name: value for name, value in (sound | wrong).items() if value is not ...}
    rooms = [{"_id": "GENERAL", "name": CONTRACT.default_channel.name}, {"_id": "r", "name": "of-others"}]
    asked: list[Any] = []
    known = Data(
        lambda name: rooms if name == repairs_of_data.ROOMS else [],
        lambda ids: asked.extend(ids) or [message],  # type: ignore[func-returns-value]
    )

    assert _written(repairs_of_data.of_messages(known, CONTRACT)) == after
    assert asked == ["GENERAL"]
