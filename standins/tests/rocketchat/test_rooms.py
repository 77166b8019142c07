"""Rooms and memberships (apps/meteor/app/api/server/v1/channels.ts, groups.ts, rooms.ts)."""

from __future__ import annotations

import pytest

from .chat import Chat, collection, error_type
from .client import Client
from .versions import at

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "lists of names and of mail domains would meanwhile keep others out"


def _joined(client: Client) -> list[str]:
    return sorted(row["name"] for row in client.get("subscriptions.get").body["update"])


def test_a_created_room(chat: Chat) -> None:
    """createRoom.ts; joinCode and members never leave the server (defaultFieldsToExclude)."""
    room = chat.room(chat.anna, members=[chat.boris.username], readOnly=True)
    assert (room["t"], room["ro"], room["usersCount"]) == ("c", True, 2)
    assert room["u"]["_id"] == chat.anna.user_id
    assert not {"joinCode", "members"} & set(room)
    assert chat.members(room) == sorted([chat.anna.username, chat.boris.username])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bad name!", "error-invalid-room-name"),
        (" ", "error-invalid-name"),
        ("general", "error-duplicate-channel-name"),
    ],
)
def test_names_that_cannot_be_had(chat: Chat, name: str, expected: str) -> None:
    """getValidRoomName.ts."""
    assert error_type(chat.anna.post("channels.create", {"name": name})) == (400, expected)


def test_a_name_in_other_letters_is_another_room(chat: Chat) -> None:
    """Seen on a running 6.5.3: the administrator's VIP stands beside vip."""
    room = chat.room()
    twin = chat.admin.post("channels.create", {"name": room["name"].upper()})
    assert twin.status == 200, twin.text
    gone = chat.admin.post("channels.delete", {"roomId": twin.body["channel"]["_id"]})
    assert twin.body["channel"]["_id"] != room["_id"]
    assert gone.status == 200, gone.text


def test_an_archived_twin_is_named_so(chat: Chat) -> None:
    """getValidRoomName.ts."""
    room = chat.room(chat.anna)
    assert chat.anna.post("channels.archive", {"roomId": room["_id"]}).status == 200
    again = chat.anna.post("channels.create", {"name": room["name"]})
    assert error_type(again) == (400, "error-archived-duplicate-name")


def test_a_selector_is_wanted(chat: Chat) -> None:
    """channels.* say error-room-not-found, rooms.* error-roomid-param-not-provided (findChannelByIdOrName)."""
    assert error_type(chat.anna.get("channels.info")) == (400, "error-room-not-found")
    assert error_type(chat.anna.get("rooms.info")) == (400, "error-roomid-param-not-provided")
    private = chat.room(chat.anna, private=True)
    assert error_type(chat.anna.get("channels.info", roomId=private["_id"])) == (400, "error-room-not-found")


@pytest.mark.trap("Rooms", "default rooms only at creation")
def test_default_channels_are_joined_when_the_account_is_made(changeable: Chat) -> None:
    """Once, at creation; a later default enrols nobody (addUserToDefaultChannels.ts)."""
    before = changeable.person()
    room = changeable.room()
    changeable.admin.post("channels.setDefault", {"roomId": room["_id"], "default": True})
    changeable.anybody().sign_in(before.username, before.password)
    assert _joined(before) == ["general"]
    assert _joined(changeable.person()) == sorted(["general", room["name"]])
    assert _joined(changeable.person(joinDefaultChannels=False)) == []


@pytest.mark.trap("Rooms", "viewing never joins")
def test_viewing_never_joins(chat: Chat) -> None:
    """Reading, history, marking as read: none subscribes (addUserToRoom.ts is the only way in)."""
    room = chat.room()
    rid = room["_id"]
    for path in ("channels.info", "channels.messages", "channels.history", "channels.members", "rooms.info"):
        assert chat.anna.get(path, roomId=rid).status == 200
    assert chat.anna.method("getRoomByTypeAndName", "c", room["name"])["result"]["_id"] == rid
    assert "result" in chat.anna.method("loadHistory", rid, None, 50, None, False)
    unread = chat.anna.post("subscriptions.read", {"rid": rid})
    assert (unread.status, unread.body["error"]) == (400, "error-invalid-subscription"), "measured on 6.13.0"
    assert chat.anna.get("subscriptions.getOne", roomId=rid).body["subscription"] is None
    assert chat.members(room) == [chat.admin.username]


@pytest.mark.trap("Rooms", "one subscription")
def test_a_subscription_is_unique(chat: Chat) -> None:
    """Joining twice succeeds and counts once (models/Subscriptions.ts, unique on rid and u._id)."""
    room = chat.room()
    for _ in range(2):
        answer = chat.anna.post("channels.join", {"roomId": room["_id"]})
        assert answer.status == 200
        assert answer.body["channel"]["usersCount"] == 2
    assert "error" not in chat.anna.method("joinRoom", room["_id"])
    for _ in range(2):
        chat.admin.post("channels.invite", {"roomId": room["_id"], "userId": chat.anna.user_id})
    assert chat.members(room) == sorted([chat.admin.username, chat.anna.username])
    if chat.mongo_url:
        with collection(chat.mongo_url, "rocketchat_subscription") as rows:
            assert rows.count_documents({"rid": room["_id"], "u._id": chat.anna.user_id}) == 1


def test_a_subscription_says_what_a_client_needs(chat: Chat) -> None:
    """subscriptions.getOne (createSubscription.ts)."""
    room = chat.room()
    chat.anna.post("channels.join", {"roomId": room["_id"]})
    row = chat.anna.get("subscriptions.getOne", roomId=room["_id"]).body["subscription"]
    assert {"_id", "rid", "name", "t", "open", "alert", "unread", "ts", "u", "_updatedAt"} <= set(row)
    assert (row["rid"], row["t"], row["open"]) == (room["_id"], "c", True)
    assert row["u"]["_id"] == chat.anna.user_id


@pytest.mark.trap("Rooms", "join codes and their errors")
def test_join_codes(chat: Chat) -> None:
    """join-without-join-code spares administrators (server/services/room/service.ts)."""
    room = chat.room()
    rid = room["_id"]
    code = chat.admin.post("channels.setJoinCode", {"roomId": rid, "joinCode": "sesame"})
    assert code.body["channel"]["joinCodeRequired"] is True
    assert "sesame" not in code.text
    missing = at(chat.version, "no join code")
    assert error_type(chat.anna.post("channels.join", {"roomId": rid})) == (400, missing)
    wrong = chat.anna.post("channels.join", {"roomId": rid, "joinCode": "no"})
    assert error_type(wrong) == (400, "error-code-invalid")
    assert chat.anna.method("joinRoom", rid)["error"]["error"] == missing
    # By REST 6.5.3 refuses the right code too: it reads the room without it (measured).
    assert "error" not in chat.anna.method("joinRoom", rid, "sesame")
    chief = chat.person(roles=["user", "admin"])
    assert chief.post("channels.join", {"roomId": rid}).status == 200


@pytest.mark.trap("Rooms", "read-only")
def test_read_only(chat: Chat) -> None:
    """post-readonly of the owner writes, a member does not (canSendMessage.ts); joining is free."""
    room = chat.room(readOnly=True)
    rid = room["_id"]
    assert chat.anna.post("channels.join", {"roomId": rid}).status == 200
    refused = chat.anna.post("chat.sendMessage", {"message": {"rid": rid, "msg": "?"}})
    assert (refused.status, refused.body["success"]) == (400, False)
    assert "readonly" in refused.body["error"]
    assert chat.admin.post("chat.sendMessage", {"message": {"rid": rid, "msg": "!"}}).status == 200
    assert chat.admin.post("channels.setReadOnly", {"roomId": rid, "readOnly": False}).status == 200
    assert chat.anna.post("chat.sendMessage", {"message": {"rid": rid, "msg": "ok"}}).status == 200


@pytest.mark.trap("Rooms", "archived")
def test_archived(chat: Chat) -> None:
    """No joining by REST until it is back (channels.ts, checkedArchived); messages go on (measured on 6.13.0)."""
    room = chat.room()
    rid = room["_id"]
    assert chat.anna.post("channels.archive", {"roomId": rid}).status == 400
    assert chat.admin.post("channels.archive", {"roomId": rid}).status == 200
    assert error_type(chat.anna.post("channels.join", {"roomId": rid})) == (400, "error-room-archived")
    assert chat.admin.post("chat.sendMessage", {"message": {"rid": rid, "msg": "?"}}).status == 200
    assert error_type(chat.admin.get("rooms.info", roomId=rid)) == (400, "error-room-archived")
    assert chat.admin.get("channels.info", roomId=rid).body["channel"]["archived"] is True
    stored = chat.admin.get("rooms.adminRooms.getRoom", rid=rid).body
    assert stored["archived"] is True
    assert chat.admin.post("channels.unarchive", {"roomId": rid}).status == 200
    assert chat.anna.post("channels.join", {"roomId": rid}).status == 200


@pytest.mark.trap("Rooms", "private rooms")
def test_private_rooms_are_not_found_by_others(chat: Chat) -> None:
    """A group's outsider gets error-room-not-found; its page says "Room not found" (groups.ts)."""
    room = chat.room(chat.anna, private=True)
    rid, name = room["_id"], room["name"]
    assert room["t"] == "p"
    assert error_type(chat.boris.get("groups.info", roomId=rid)) == (400, "error-room-not-found")
    assert error_type(chat.boris.get("groups.members", roomName=name)) == (400, "error-room-not-found")
    assert chat.boris.get("rooms.info", roomId=rid).body["error"] == "not-allowed"
    assert chat.boris.method("getRoomByTypeAndName", "p", name)["error"]
    assert chat.boris.method("getRoomByTypeAndName", "c", name)["error"]
    assert chat.boris.method("joinRoom", rid)["error"]["error"] == "error-not-allowed"
    assert chat.boris.method("loadHistory", rid, None, 50, None, False)["result"] is False
    assert name not in [group["name"] for group in chat.boris.get("groups.list").body["groups"]]
    invited = chat.anna.post("groups.invite", {"roomId": rid, "userId": chat.boris.user_id})
    assert (invited.status, invited.body["group"]["usersCount"]) == (200, 2)
    assert chat.boris.method("getRoomByTypeAndName", "p", name)["result"]["_id"] == rid


@pytest.mark.trap("Rooms", "Room not found")
def test_a_room_that_is_not_there(chat: Chat) -> None:
    """getRoomByTypeAndName refuses, the page of any path is 200 all the same (server/publications/room)."""
    assert chat.anna.method("getRoomByTypeAndName", "c", "temp-none")["error"]["error"]
    assert chat.anybody().request("GET", "/channel/temp-none").status == 200


def test_leaving_and_being_removed(chat: Chat) -> None:
    """The last owner cannot leave (removeUserFromRoom.ts, leaveRoom.ts)."""
    room = chat.room(chat.anna, members=[chat.boris.username])
    rid = room["_id"]
    last = chat.anna.post("channels.leave", {"roomId": rid})
    assert error_type(last) == (400, "error-you-are-last-owner")
    assert chat.boris.post("channels.leave", {"roomId": rid}).status == 200
    assert chat.boris.post("channels.leave", {"roomId": rid}).status == 400
    chat.boris.post("channels.join", {"roomId": rid})
    kicked = chat.anna.post("channels.kick", {"roomId": rid, "userId": chat.boris.user_id})
    assert kicked.status == 200
    assert chat.members(room) == [chat.anna.username]


def test_system_messages(chat: Chat) -> None:
    """`uj` joined, `au` added by, `ul` left (addUserToRoom.ts, removeUserFromRoom.ts)."""
    room = chat.room()
    rid = room["_id"]
    chat.anna.post("channels.join", {"roomId": rid})
    chat.anna.post("channels.leave", {"roomId": rid})
    chat.admin.post("channels.invite", {"roomId": rid, "userId": chat.boris.user_id})
    found = chat.admin.get("channels.messages", roomId=rid).body["messages"]
    kinds = {message["t"]: (message["msg"], message["u"]["username"]) for message in found}
    anna, boris = chat.anna.username, chat.boris.username
    wanted = {"uj": (anna, anna), "ul": (anna, anna)}
    # Before 7.0 nobody is named who invites into a public room (measured on 6.13.0 and 6.5.3).
    invited = (
        {"au": (boris, chat.admin.username)} if at(chat.version, "message of channels.invite") == "au" else {}
    )
    assert {kind: said for kind, said in kinds.items() if said[0] == anna or kind == "au"} == wanted | invited


def test_messages(chat: Chat) -> None:
    """chat.postMessage joins a public room by `#`, chat.sendMessage takes the client's id (v1/chat.ts)."""
    room = chat.room()
    posted = chat.anna.post("chat.postMessage", {"channel": f"#{room['name']}", "text": "привет"})
    assert posted.status == 200
    assert set(posted.body) == {"ts", "channel", "message", "success"}
    assert chat.anna.username in chat.members(room)
    message = {"rid": room["_id"], "msg": "ещё", "_id": "temp" + room["_id"][:13]}
    sent = chat.anna.post("chat.sendMessage", {"message": message}).body["message"]
    assert (sent["_id"], sent["msg"], sent["u"]["_id"]) == (message["_id"], "ещё", chat.anna.user_id)
    texts = [m["msg"] for m in chat.anna.get("channels.messages", roomId=room["_id"]).body["messages"]]
    assert texts[:2] == ["ещё", "привет"]
    long = chat.anna.post("chat.sendMessage", {"message": {"rid": room["_id"], "msg": "x" * 5001}})
    assert error_type(long) == (400, "error-message-size-exceeded")


@pytest.mark.trap("Rooms", "reserved names")
def test_reserved_and_taken_names(own: Chat) -> None:
    """Accounts_SystemBlockedUsernameList (checkUsernameAvailability.ts)."""
    fields = {"name": "x", "password": "x", "email": "temp_reserved@besedka.test"}
    taken = own.admin.post("users.create", fields | {"username": own.anna.username.upper()})
    assert error_type(taken) == (400, "error-field-unavailable")
    for name in ("admin", "system", "all"):
        answer = own.admin.post("users.create", fields | {"username": name})
        assert error_type(answer) == (400, "error-blocked-username"), "`all`: measured on 6.13.0"
    extra = own.admin.post("users.create", fields | {"username": "temp_extra", "extra": 1})
    assert error_type(extra) == (400, "invalid-params")


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("Accounts_AllowedDomainsList", "elsewhere.test", "error-invalid-domain"),
        ("Accounts_AllowedDomainsList", "Besedka.test", "error-invalid-domain"),
        ("Accounts_AllowedDomainsList", "elsewhere.test, besedka.test", None),
        ("Accounts_BlockedDomainsList", "besedka.test", "error-email-domain-blacklisted"),
        ("Accounts_BlockedDomainsList", "elsewhere.test", None),
        # No DNS knows a mail server for a domain of tests (RFC 6761).
        ("Accounts_UseDNSDomainCheck", True, "error-invalid-domain"),
    ],
)
def test_mail_domains_of_accounts_made_by_an_administrator(
    own: Chat, setting: str, value: str | bool, error: str | None
) -> None:
    """validateEmailDomain.js, called by saveNewUser (6.x and 7.x); SSO heeds the allowed ones alone."""
    own.set(setting, value)
    fields = {"name": "x", "password": "x", "email": "temp_mail@besedka.test", "username": "temp_mail"}
    answer = own.admin.post("users.create", fields)
    if error:
        assert error_type(answer) == (400, error)
        return
    assert answer.status == 200, answer.text
    own.admin.post("users.delete", {"username": "temp_mail"})


def test_an_address_differs_by_more_than_its_letters(chat: Chat) -> None:
    """setEmail.ts asks whether anybody has it in any letters, the account itself included (measured on 6.13.0)."""
    user = chat.account()
    other = {"email": user["emails"][0]["address"].capitalize()}
    # One call: a second address within the minute was answered with 429 (measured on 6.13.0).
    answer = chat.admin.post("users.update", {"userId": user["_id"], "data": other})
    assert error_type(answer) == (400, "error-field-unavailable")


@pytest.mark.trap("Rooms", "muted")
def test_who_is_muted_cannot_write(chat: Chat) -> None:
    """rooms.muteUser, then You_have_been_muted (canSendMessage.ts; measured on 6.13.0)."""
    room, message = chat.room(), {"msg": "?"}
    chat.anna.post("channels.join", {"roomId": room["_id"]})
    if chat.admin.post("rooms.muteUser", {"roomId": room["_id"], "userId": chat.anna.user_id}).status != 200:
        chat.admin.method("muteUserInRoom", {"rid": room["_id"], "username": chat.anna.username})
    refused = chat.anna.post("chat.sendMessage", {"message": message | {"rid": room["_id"]}})
    assert (refused.status, refused.body["error"]) == (400, "You_have_been_muted")


@pytest.mark.trap("Rooms", "an administrator outside a private room")
def test_what_an_administrator_may_do_outside_a_private_room(chat: Chat) -> None:
    """Look at it and set it up. He neither finds it by groups.* nor invites, not even himself (measured on
    6.13.0).
    """
    room = chat.room(chat.anna, private=True)
    rid = room["_id"]
    assert error_type(chat.admin.get("groups.info", roomId=rid)) == (400, "error-room-not-found")
    for user in (chat.admin.user_id, chat.boris.user_id):
        invited = chat.admin.post("groups.invite", {"roomId": rid, "userId": user})
        assert error_type(invited) == (400, "error-not-allowed")
    assert chat.admin.get("rooms.adminRooms.getRoom", rid=rid).body["name"] == room["name"]
    assert chat.admin.post("rooms.saveRoomSettings", {"rid": rid, "default": True}).status == 200
    assert chat.admin.post("rooms.saveRoomSettings", {"rid": rid, "default": False}).status == 200


def test_calls_that_are_refused_in_their_own_words(chat: Chat) -> None:
    """Measured on 6.13.0; v1/users.ts, channels.ts, groups.ts, chat.ts of 7.7.1."""
    public, private, nobody = chat.room()["_id"], chat.room(private=True)["_id"], "temp_nobody"
    asked = {
        "unknown user": chat.admin.get("users.info", userId=nobody),
        "channels.invite": chat.admin.post("channels.invite", {"roomId": public, "userId": nobody}),
        "groups.invite": chat.admin.post("groups.invite", {"roomId": private, "userId": nobody}),
        "unknown role": chat.admin.post(
            "roles.addUserToRole", {"username": chat.anna.username, "roleId": nobody}
        ),
        "empty status": chat.anna.post("users.setStatus", {}),
        "alias": chat.anna.post("chat.postMessage", {"channel": "#general", "text": "?", "alias": "x"}),
    }
    assert {what: answer.status for what, answer in asked.items()} == dict.fromkeys(asked, 400)
    words = {what: answer.body["error"] for what, answer in asked.items()}
    assert words["unknown user"] == "User not found."
    assert words["channels.invite"] == "invalid-user-invite-list"
    assert words["groups.invite"].endswith("[error-empty-invite-list]")
    assert words["unknown role"] == "error-role-not-found"
    assert words["alias"] == "Not enough permission"


@pytest.mark.trap("Rooms", "unknown parameters")
def test_unknown_parameters_are_refused(chat: Chat) -> None:
    """By schema and version (packages/rest-typings; measured on 6.13.0)."""
    mine = {"userId": chat.anna.user_id, "includeUserRooms": "true"}
    assert chat.anna.get("users.info", **mine).status == (200 if chat.version >= (7,) else 400)
    room = chat.room()
    kick = {"roomId": room["_id"], "username": chat.anna.username}
    assert error_type(chat.admin.post("channels.kick", kick)) == (400, "invalid-params")
    assert error_type(chat.admin.get("channels.messages", roomName=room["name"])) == (400, "invalid-params")


def test_a_name_in_other_capitals_stands_wherever_the_account_is_named(chat: Chat) -> None:
    """saveUserIdentity.ts, setUsername.ts: the account's own name in other letters is no other's."""
    room = chat.room(chat.admin, members=[chat.boris.username])
    change = {"userId": chat.boris.user_id, "data": {"username": chat.boris.username.upper()}}
    back = {"userId": chat.boris.user_id, "data": {"username": chat.boris.username}}
    answer = chat.admin.post("users.update", change)
    assert answer.status == 200, answer.text
    assert chat.boris.username.upper() in chat.members(room)
    assert chat.admin.post("users.update", back).status == 200
    assert chat.boris.username in chat.members(room)
