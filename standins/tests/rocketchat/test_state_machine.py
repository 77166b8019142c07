"""A machine of accounts, rooms, memberships and sessions: after every step the server is as the model says.

Accounts and rooms come and go. `test_invariants.py` leaves that out: it has two lasting users, two lasting
rooms, other doors into a room. The server is a stand-in of the test's own; what a step made is removed at the
end.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from .chat import Chat, error_type
from .client import Client, Json
from .sockets import signed_in

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "deletes accounts at random, in a workspace of its own"


class Room:
    """A room as the model has it."""

    def __init__(self, row: Json, owner: str, *, private: bool) -> None:
        self.rid, self.name, self.private = row["_id"], row["name"], private
        self.members, self.owners = {owner}, {owner}
        self.said: list[str] = []

    @property
    def family(self) -> str:
        return "groups" if self.private else "channels"


class Workspace(RuleBasedStateMachine):
    """Steps are taken on the server and on the model; `chat` is set by the test."""

    chat: Chat
    people: Bundle[Client] = Bundle("people")
    rooms: Bundle[Room] = Bundle("rooms")
    sessions: Bundle[Client] = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Client] = {}
        self.open: list[Room] = []
        self.dead: list[Client] = []

    @initialize(target=people)
    def somebody_is_there(self) -> Client:
        return self.an_account_is_made()

    @initialize(target=people)
    def somebody_else_is_there(self) -> Client:
        return self.an_account_is_made()

    @initialize(target=rooms, private=st.booleans())
    def a_room_is_there(self, private: bool) -> Room:
        return self.a_room_is_made(self.an_account_is_made(), self.an_account_is_made(), private)

    @initialize(target=rooms, private=st.booleans())
    def another_room_is_there(self, private: bool) -> Room:
        return self.a_room_is_there(private)

    @rule(target=people)
    def an_account_is_made(self) -> Client:
        person = self.chat.person()
        self.known[person.username] = person
        return person

    @rule(target=rooms, owner=people, guest=people, private=st.booleans())
    def a_room_is_made(self, owner: Client, guest: Client, private: bool) -> Room:
        owner, guest = (self._client(person.username) for person in (owner, guest))
        row = self.chat.room(owner, private=private, members=[guest.username])
        room = Room(row, owner.username, private=private)
        room.members.add(guest.username)
        self.open.append(room)
        return room

    @rule(person=people, room=rooms)
    def somebody_joins(self, person: Client, room: Room) -> None:
        if not self._both(person, room):
            return
        answer = person.post("channels.join", {"roomId": room.rid})
        if room.private:
            assert error_type(answer) == (400, "error-room-not-found")
        else:
            assert answer.status == 200, answer.text
            room.members.add(person.username)

    @rule(person=people, room=rooms)
    def somebody_is_invited(self, person: Client, room: Room) -> None:
        if not self._both(person, room):
            return
        host = self._owner(room)
        answer = host.post(f"{room.family}.invite", {"roomId": room.rid, "userId": person.user_id})
        assert answer.status == 200, answer.text
        room.members.add(person.username)

    @rule(person=people, room=rooms)
    def somebody_leaves(self, person: Client, room: Room) -> None:
        if not self._both(person, room):
            return
        answer = person.post(f"{room.family}.leave", {"roomId": room.rid})
        if person.username not in room.members:
            assert answer.status == 400
        elif room.owners == {person.username}:
            assert error_type(answer) == (400, "error-you-are-last-owner")
        else:
            assert answer.status == 200, answer.text
            room.members.discard(person.username)
            room.owners.discard(person.username)

    @rule(person=people, room=rooms)
    def somebody_becomes_an_owner(self, person: Client, room: Room) -> None:
        if not self._both(person, room):
            return
        owner = self._owner(room)
        body = {"roomId": room.rid, "userId": person.user_id}
        answer = owner.post(f"{room.family}.addOwner", body)
        good = person.username in room.members and person.username not in room.owners
        assert answer.status == (200 if good else 400), answer.text
        if good:
            room.owners.add(person.username)

    @rule(person=people, room=rooms, by_socket=st.booleans())
    def somebody_writes(self, person: Client, room: Room, by_socket: bool) -> None:
        if not self._both(person, room):
            return
        text = f"{person.username} {len(room.said)}"
        message: dict[str, Any] = {"rid": room.rid, "msg": text}
        if by_socket:
            with signed_in(self.chat.url, person) as socket:
                done = "result" in socket.call("sendMessage", message)
        else:
            done = person.post("chat.sendMessage", {"message": message}).status == 200
        # Who may see a public room may write into it (canSendMessage.ts asks canAccessRoom).
        assert done is (not room.private or person.username in room.members)
        if done:
            room.said.append(text)

    @rule(target=sessions, person=people)
    def somebody_logs_in_again(self, person: Client) -> Client:
        if person.username not in self.known:
            return person
        return self.chat.anybody().sign_in(person.username, person.password)

    @rule(session=consumes(sessions))
    def that_session_is_ended(self, session: Client) -> None:
        if session.username in self.known and session not in self.known.values():
            assert session.post("logout").status == 200
            self.dead.append(session)

    @rule(person=people, relinquish=st.booleans())
    def an_account_is_deleted(self, person: Client, relinquish: bool) -> None:
        if person.username not in self.known:
            return
        last = [room for room in self.open if room.owners == {person.username}]
        # A public room that nobody else is in stays as it is, without members.
        affected = [room for room in last if room.private or len(room.members) > 1]
        body = {"userId": person.user_id, "confirmRelinquish": relinquish}
        answer = self.chat.admin.post("users.delete", body)
        if affected and not relinquish:
            assert error_type(answer) == (400, "user-last-owner")
            return
        assert answer.status == 200, answer.text
        del self.known[person.username]
        self.dead.append(person)
        for room in [room for room in self.open if person.username in room.members]:
            room.members.discard(person.username)
            room.owners.discard(person.username)
            if not room.members and room.private:
                self.open.remove(room)
            elif room in affected:
                room.owners = self._owners(room)
                assert len(room.owners) == 1, "somebody has taken it over"

    def _owners(self, room: Room) -> set[str]:
        rows = self._member(room).get(f"{room.family}.roles", roomId=room.rid).body["roles"]
        return {row["u"]["username"] for row in rows if "owner" in row["roles"]}

    @rule(room=rooms, relinquish=st.booleans())
    def an_owner_is_deleted(self, room: Room, relinquish: bool) -> None:
        owners = [self.known[name] for name in sorted(room.owners) if name in self.known]
        if room in self.open and owners:
            self.an_account_is_deleted(owners[0], relinquish)

    @rule(room=consumes(rooms))
    def a_room_is_deleted(self, room: Room) -> None:
        if room in self.open:
            owner = self._owner(room)
            assert owner.post(f"{room.family}.delete", {"roomId": room.rid}).status == 200
            self.open.remove(room)

    @invariant()
    def memberships_are_counted(self) -> None:
        """One subscription per room and member, none for others, and usersCount as many."""
        for room in self.open:
            reader = self._member(room)
            query = {"roomId": room.rid, "count": 0}
            found = reader.get(f"{room.family}.members", **query).body["members"]
            assert sorted(row["username"] for row in found) == sorted(room.members)
            assert reader.get("rooms.info", roomId=room.rid).body["room"]["usersCount"] == len(room.members)
        for name, person in self.known.items():
            rows = person.get("subscriptions.get").body["update"]
            assert len({row["rid"] for row in rows}) == len(rows)
            joined = {row["rid"] for row in rows} & {room.rid for room in self.open}
            assert joined == {room.rid for room in self.open if name in room.members}

    @invariant()
    def nothing_that_was_said_is_lost(self) -> None:
        for room in self.open:
            query = {"roomId": room.rid, "count": 0}
            rows = self._member(room).get(f"{room.family}.messages", **query).body["messages"]
            said = [row["msg"] for row in reversed(rows) if "t" not in row]
            writers = {text.partition(" ")[0] for text in room.said}
            kept = {text for text in room.said if text.partition(" ")[0] in self.known}
            # Messages of deleted accounts go with them (Message_ErasureType, Delete).
            assert [text for text in said if text in kept] == [text for text in room.said if text in kept]
            assert {text.partition(" ")[0] for text in said} <= writers

    @invariant()
    def dead_tokens_stay_dead_and_living_ones_live(self) -> None:
        assert {session.get("me").status for session in self.dead} <= {401}
        assert {person.get("me").status for person in self.known.values()} <= {200}

    def _both(self, person: Client, room: Room) -> bool:
        return person.username in self.known and room in self.open

    def _client(self, username: str) -> Client:
        return self.known.get(username, self.chat.admin)

    def _member(self, room: Room) -> Client:
        return self._client(min(room.members, default=""))

    def _owner(self, room: Room) -> Client:
        return self._client(min(room.owners, default=""))

    def teardown(self) -> None:
        self.chat.clean()


def test_the_workspace_is_as_its_model(own: Chat) -> None:
    """Random steps; a failure prints the sequence that led there, unshortened: that would take minutes."""
    machine = type("Workspace", (Workspace,), {"chat": own})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=16,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=[*HealthCheck],
        ),
    )
