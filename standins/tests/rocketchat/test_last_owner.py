"""users.delete and the rooms of a last owner (getRoomsWithSingleOwner.ts, relinquishRoomOwnerships.ts)."""

from __future__ import annotations

import pytest

from .chat import Chat, error_type
from .client import Answer, Client

pytestmark = pytest.mark.conformance


def _delete(chat: Chat, person: Client, **more: object) -> Answer:
    return chat.admin.post("users.delete", {"userId": person.user_id} | more)


@pytest.mark.trap("Rooms", "a last owner")
def test_a_last_owner_is_refused_with_the_rooms_by_name(chat: Chat) -> None:
    """What would get another owner, and what would be removed; nothing has happened yet."""
    owner = chat.person()
    shared = chat.room(owner, members=[chat.anna.username])
    alone = chat.room(owner, private=True)
    refused = _delete(chat, owner)
    assert error_type(refused) == (400, "user-last-owner")
    assert refused.body["details"] == {
        "shouldBeRemoved": [alone["fname"]],
        "shouldChangeOwner": [shared["fname"]],
    }
    assert owner.get("me").status == 200
    assert chat.members(shared) == sorted([owner.username, chat.anna.username])


def test_confirmed_the_oldest_member_takes_over(chat: Chat) -> None:
    """In the order in which they joined; an empty private room is removed, an empty public one stays."""
    owner = chat.person()
    shared, public = chat.room(owner), chat.room(owner)
    alone = chat.room(owner, private=True)
    for member in (chat.boris, chat.anna):
        assert member.post("channels.join", {"roomId": shared["_id"]}).status == 200
    done = _delete(chat, owner, confirmRelinquish=True)
    # No `deletedRooms`: measured on 6.13.0; v1/users.ts of 6.14's branch and 7.7.1 the same.
    assert (done.status, done.body) == (200, {"success": True})
    rows = chat.admin.get("channels.roles", roomId=shared["_id"]).body["roles"]
    assert [row["u"]["username"] for row in rows if "owner" in row["roles"]] == [chat.boris.username]
    assert chat.members(shared) == sorted([chat.anna.username, chat.boris.username])
    assert chat.members(public) == []
    assert chat.admin.get("rooms.info", roomId=alone["_id"]).status == 400
    assert owner.get("me").status == 401


def test_who_is_not_the_last_owner_may_go(chat: Chat) -> None:
    """A public room of one's own is no hindrance, nor a room with a second owner."""
    owner = chat.person()
    shared = chat.room(owner, private=True, members=[chat.anna.username])
    chat.room(owner)
    body = {"roomId": shared["_id"], "userId": chat.anna.user_id}
    assert owner.post("groups.addOwner", body).status == 200
    assert _delete(chat, owner).status == 200
