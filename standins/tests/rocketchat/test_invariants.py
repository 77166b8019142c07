"""Whatever several users do in whatever order: what must hold of rooms, messages and tokens."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .chat import Chat
from .client import Client, Json
from .sockets import signed_in

pytestmark = pytest.mark.conformance

_ACTIONS = ("join", "leave", "invite", "kick", "say", "say by socket", "post by name", "log in and out")
_STEPS = st.lists(
    st.tuples(st.sampled_from(_ACTIONS), st.integers(0, 1), st.integers(0, 1)), min_size=3, max_size=14
)


class _World:
    """Two users, two rooms, and what the server acknowledged."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.users = [chat.anna, chat.boris]
        self.rooms = [chat.room(), chat.room()]
        self.members: defaultdict[str, set[str]] = defaultdict(lambda: {chat.admin.username})
        self.said: defaultdict[str, list[str]] = defaultdict(list)

    def do(self, action: str, user: Client, room: Json) -> None:
        rid, members, name = room["_id"], self.members[room["_id"]], user.username
        if action == "join":
            assert user.post("channels.join", {"roomId": rid}).status == 200
            members.add(name)
        elif action == "leave":
            left = user.post("channels.leave", {"roomId": rid}).status
            assert left == (200 if name in members else 400)
            members.discard(name)
        elif action == "invite":
            assert self._admin("invite", rid, user) == 200
            members.add(name)
        elif action == "kick":
            # Members or not: 200 to who may kick from any public room (measured on 6.13.0; removeUserFromRoom.ts).
            assert self._admin("kick", rid, user) == 200
            members.discard(name)
        elif action == "log in and out":
            self._log_in_and_out(user)
        else:
            self._say(action, user, room)

    def _admin(self, action: str, rid: str, user: Client) -> int:
        return self.chat.admin.post(f"channels.{action}", {"roomId": rid, "userId": user.user_id}).status

    def _log_in_and_out(self, user: Client) -> None:
        passing = self.chat.anybody().sign_in(user.username, user.password)
        assert passing.post("logout").status == 200
        assert passing.get("me").status == 401
        assert user.get("me").status == 200

    def _say(self, action: str, user: Client, room: Json) -> None:
        rid = room["_id"]
        text = f"{user.username} {len(self.said[rid])}"
        message: dict[str, Any] = {"rid": rid, "msg": text}
        if action == "say":
            assert user.post("chat.sendMessage", {"message": message}).status == 200
        elif action == "say by socket":
            with signed_in(self.chat.url, user) as socket:
                assert socket.call("sendMessage", message)["result"]["msg"] == text
        else:
            posted = user.post("chat.postMessage", {"channel": f"#{room['name']}", "text": text})
            assert posted.status == 200
            self.members[rid].add(user.username)
        self.said[rid].append(text)

    def check(self) -> None:
        for room in self.rooms:
            rid = room["_id"]
            assert self.chat.members(room) == sorted(self.members[rid])
            found = self.chat.admin.get("channels.messages", roomId=rid, count=0).body["messages"]
            said = [message["msg"] for message in reversed(found) if "t" not in message]
            assert said == self.said[rid], "none lost, none twice, in order"
            for user in self.users:
                row = user.get("subscriptions.getOne", roomId=rid).body["subscription"]
                assert (row is not None) is (user.username in self.members[rid])


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=_STEPS)
def test_random_sequences_keep_the_invariants(chat: Chat, steps: list[tuple[str, int, int]]) -> None:
    """One subscription per room and user, usersCount counts them, no message lost, dead tokens stay dead."""
    world = _World(chat)
    for action, user, room in steps:
        world.do(action, world.users[user], world.rooms[room])
    world.check()
