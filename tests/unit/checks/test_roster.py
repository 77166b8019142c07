"""Who is in which room, as REST tells it."""

from __future__ import annotations

import pytest

from besedka.checks import roster
from besedka.rocketchat.rest import Json, RocketChat

SAID: dict[str, Json] = {
    "channels.list": {"channels": [], "total": 0},
    "groups.listAll": {"groups": [{"_id": "r1", "name": "vip", "t": "p", "muted": "sam"}], "total": 1},
    "groups.members": {"members": [{"username": "sam"}], "total": 1},
    "users.list": {"users": [{"username": "sam", "emails": ["sam@temp.test"], "roles": "user"}], "total": 1},
}


def test_fields_of_a_wrong_shape_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RocketChat, "get", lambda _, path, **__: SAID[path])

    found = roster.from_rest(RocketChat("http://127.0.0.1:9"))

    assert found.rooms["vip"].members == {"sam"}
    assert found.rooms["vip"].muted == frozenset()
    assert found.accounts["sam"].emails == ()
    assert found.accounts["sam"].roles == frozenset()
