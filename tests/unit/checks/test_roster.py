"""Who is in which room, as REST tells it."""

from __future__ import annotations

import pytest

from besedka import contract as contracts
from besedka.checks import roster
from besedka.rocketchat.rest import Json, RocketChat, RocketChatError

CONTRACT = contracts.load(contracts.CONTRACT_FILE)

SAID: dict[str, Json] = {
    "channels.list": {"channels": [], "total": 0},
    "groups.listAll": {"groups": [{"_id": "r1", "name": "vip", "t": "p", "muted": "sam"}], "total": 1},
    "groups.members": {"members": [{"username": "sam"}], "total": 1},
    "users.list": {"users": [{"username": "sam", "emails": ["sam@temp.test"], "roles": "user"}], "total": 1},
}


def test_fields_of_a_wrong_shape_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RocketChat, "get", lambda _, path, **__: SAID[path])

    found = roster.from_rest(RocketChat("http://127.0.0.1:9"), CONTRACT, "7.7")

    assert found.rooms["vip"].members == {"sam"}
    assert found.rooms["vip"].muted == frozenset()
    assert found.accounts["sam"].emails == ()
    assert found.accounts["sam"].roles == frozenset()


def test_rooms_of_others_are_not_asked_for_members_and_a_hidden_list_is_not_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`groups.members` refuses an administrator who is in no such room (measured on 6.13.0)."""
    private = next(channel.name for channel in CONTRACT.channels if channel.private)
    inside, outside = CONTRACT.users[0].username, CONTRACT.users[-1].username
    people = [{"_id": f"id-{name}", "username": name} for name in (inside, outside, "somebody")]
    asked = []

    def get(_: RocketChat, path: str, **query: object) -> Json:
        asked.append((path, query.get("roomId")))
        match path:
            case "groups.listAll":
                rows = [{"_id": "own", "name": private}, {"_id": "other", "name": "a-room-of-others"}]
                return {"groups": rows, "total": 2}
            case "users.list":
                return {"users": people, "total": 3}
            case "groups.members":
                raise RocketChatError("GET groups.members", 400, "error-room-not-found", "")
            case "users.info":
                rid = "own" if query["userId"] == f"id-{inside}" else "another"
                return {"user": {"rooms": [{"rid": rid}]}}
        return {"channels": [], "total": 0}

    monkeypatch.setattr(RocketChat, "get", get)

    found = roster.from_rest(RocketChat("http://127.0.0.1:9"), CONTRACT, "7.7")

    assert found.rooms[private].members == {inside}
    assert found.rooms["a-room-of-others"].members == frozenset()
    assert [room for path, room in asked if path.endswith(".members")] == ["own"]
