"""Calls that the project makes and no other file asks about, and traps around them.

apps/meteor/app/api/server/v1/groups.ts, chat.ts, users.ts, channels.ts; server/lib/oauth/initCustomOAuthServices.ts;
Meteor's accounts-base. What a stand-in alone can be asked starts one with another environment.
"""

from __future__ import annotations

import base64
import hashlib

import pytest

from .chat import Chat, collection, error_type
from .client import Client
from .provider import MAIN
from .sockets import signed_in
from .standin import ADMIN, ADMIN_PASSWORD, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "wants a server with another environment"
_ALL = {"useCollection": False, "args": []}


@pytest.mark.trap("Rooms", "the calls of private rooms")
def test_private_rooms_have_the_calls_of_public_ones(chat: Chat) -> None:
    """groups.*: {group}, {members}, {messages}; kick and delete take the id (v1/groups.ts)."""
    anna, room = chat.anna, chat.room(chat.anna, private=True)
    rid = room["_id"]
    assert (
        anna.post("groups.invite", {"roomId": rid, "userId": chat.boris.user_id}).body["group"]["_id"] == rid
    )
    members = anna.get("groups.members", roomId=rid, count=0).body["members"]
    assert sorted(member["username"] for member in members) == sorted([anna.username, chat.boris.username])
    anna.post("chat.sendMessage", {"message": {"rid": rid, "msg": "leise"}})
    for path in ("groups.messages", "groups.history"):
        messages = chat.boris.get(path, roomId=rid).body["messages"]
        assert [row["msg"] for row in messages if "t" not in row] == ["leise"], path
    assert anna.post("groups.kick", {"roomId": rid, "userId": chat.boris.user_id}).status == 200
    assert error_type(chat.boris.get("groups.history", roomId=rid)) == (400, "error-room-not-found")
    assert anna.post("groups.delete", {"roomId": rid}).status == 200
    assert error_type(anna.get("groups.info", roomId=rid)) == (400, "error-room-not-found")


def test_all_private_rooms_are_listed_to_who_may_see_them(chat: Chat) -> None:
    """groups.listAll needs view-room-administration; groups.list shows one's own (v1/groups.ts)."""
    room = chat.room(chat.anna, private=True)
    every = chat.admin.get("groups.listAll", count=0).body["groups"]
    assert room["_id"] in {row["_id"] for row in every}
    mine = chat.admin.get("groups.list", count=0).body["groups"]
    assert room["_id"] not in {row["_id"] for row in mine}
    assert chat.anna.get("groups.listAll").status in {401, 403}


def test_a_message_is_found_by_its_id(chat: Chat) -> None:
    """chat.getMessage, for who may see the room (v1/chat.ts)."""
    room = chat.room(chat.anna, private=True)
    sent = chat.anna.post("chat.sendMessage", {"message": {"rid": room["_id"], "msg": "da"}}).body["message"]
    assert chat.anna.get("chat.getMessage", msgId=sent["_id"]).body["message"]["msg"] == "da"
    assert chat.boris.get("chat.getMessage", msgId=sent["_id"]).status == 400


@pytest.mark.trap("Envelopes and statuses", "setDefault takes truths of several kinds")
def test_default_takes_truths_of_several_kinds(chat: Chat) -> None:
    """true, "true", 1, "1" (v1/channels.ts, channels.setDefault)."""
    for value in (True, "true", 1, "1"):
        room = chat.room(chat.anna)
        answer = chat.admin.post("channels.setDefault", {"roomId": room["_id"], "default": value})
        assert answer.status == 200, (value, answer.text)
        assert answer.body["channel"]["default"] is True, value
        assert chat.admin.post("channels.delete", {"roomId": room["_id"]}).status == 200


@pytest.mark.trap("Rooms", "a private default room")
def test_a_private_room_becomes_default_by_its_settings(chat: Chat) -> None:
    """channels.setDefault knows public rooms only; rooms.saveRoomSettings knows both (v1/rooms.ts)."""
    room = chat.room(private=True)
    refused = chat.admin.post("channels.setDefault", {"roomId": room["_id"], "default": True})
    assert error_type(refused) == (400, "error-room-not-found")
    for value in (True, False):
        saved = chat.admin.post("rooms.saveRoomSettings", {"rid": room["_id"], "default": value})
        assert saved.status == 200, saved.text
        found = chat.admin.get("groups.info", roomId=room["_id"]).body["group"]
        assert found.get("default", False) is value


def _rows(chat: Chat) -> str:
    if chat.mongo_url is None:
        pytest.skip("Rocket.Chat's database cannot be read: no --mongo-url")
    return chat.mongo_url


@pytest.mark.trap("Database", "how a session is stored")
def test_how_an_account_and_its_session_are_stored(chat: Chat) -> None:
    """hashedToken is base64 of the token's SHA-256 (accounts-base, _hashLoginToken); passwords are bcrypt."""
    with collection(_rows(chat), "users") as users:
        user = users.find_one({"_id": chat.anna.user_id}) or {}
    hashed = base64.b64encode(hashlib.sha256(str(chat.anna.token).encode()).digest()).decode()
    assert hashed in {row["hashedToken"] for row in user["services"]["resume"]["loginTokens"]}
    assert user["services"]["password"]["bcrypt"].startswith("$2")
    assert {"username", "name", "emails", "roles", "type", "active", "createdAt"} <= set(user)
    assert (user["type"], user["active"], user["roles"]) == ("user", True, ["user"])


@pytest.mark.trap("Database", "how a room is stored")
def test_how_a_room_and_its_subscription_are_stored(chat: Chat) -> None:
    """One row for room and user (models/Subscriptions.ts, unique on rid and u._id); joinCode is kept, not shown."""
    room = chat.room(chat.anna)
    chat.anna.post("channels.setJoinCode", {"roomId": room["_id"], "joinCode": "wort"})
    with collection(_rows(chat), "rocketchat_room") as rooms:
        stored = rooms.find_one({"_id": room["_id"]}) or {}
    assert {"t", "name", "fname", "usersCount", "msgs", "u", "ts"} <= set(stored)
    assert (stored["t"], stored["joinCode"], stored["joinCodeRequired"]) == ("c", "wort", True)
    with collection(_rows(chat), "rocketchat_subscription") as rows:
        (mine,) = rows.find({"rid": room["_id"]})
        indexes = [sorted(index["key"]) for index in rows.list_indexes() if index.get("unique")]
    assert {"rid", "name", "t", "open", "alert", "unread", "ts"} <= set(mine)
    assert (mine["u"]["_id"], mine["roles"]) == (chat.anna.user_id, ["owner"])
    assert ["rid", "u._id"] in indexes


@pytest.mark.trap("Database", "a subscription put there by hand")
def test_a_subscription_put_into_mongo_is_not_announced(own: Chat) -> None:
    """Readable after a reload, but neither pushed nor counted (database watchers are off since 7.7, PR #35981)."""
    room, person = own.room(), own.person()
    event = f"{person.user_id}/subscriptions-changed"
    with signed_in(own.url, person) as client:
        client.subscribe("stream-notify-user", event, _ALL)
        with collection(own.mongo_url, "rocketchat_subscription") as rows:
            row = rows.find_one({"rid": room["_id"]}) or {}
            user = {"_id": person.user_id, "username": person.username}
            rows.insert_one(row | {"_id": f"temp{room['_id']}", "u": user, "roles": []})
        client.send({"msg": "ping", "id": "after"})
        client.named("pong", id="after")
        assert [m for m in client.inbox if m.get("collection") == "stream-notify-user"] == []
    assert room["_id"] in {row["rid"] for row in person.get("subscriptions.get").body["update"]}
    assert own.admin.get("rooms.info", roomId=room["_id"]).body["room"]["usersCount"] == 1


@pytest.mark.trap("Log-in and sessions", "tokens for who never logged in")
def test_tokens_for_others_with_the_environment(standins: Standins) -> None:
    """CREATE_TOKENS_FOR_USERS: an administrator for anybody, also one who never logged in; others for themselves."""
    with standins.running(CREATE_TOKENS_FOR_USERS="true") as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD)
        never = chat.account()
        for who in ({"userId": never["_id"]}, {"username": never["username"]}):
            data = chat.admin.post("users.createToken", who).body["data"]
            session = chat.anybody()
            session.user_id, session.token = data["userId"], data["authToken"]
            assert session.get("me").body["_id"] == never["_id"]
        refused = chat.anna.post("users.createToken", {"userId": never["_id"]})
        assert error_type(refused) == (400, "error-not-authorized")
        assert chat.anna.post("users.createToken", {"userId": chat.anna.user_id}).status == 200


@pytest.mark.trap("Log-in and sessions", "their secret since 8.0")
def test_tokens_for_others_want_a_secret_since_8(standins: Standins) -> None:
    """CREATE_TOKENS_FOR_USERS_SECRET and `{userId, secret}` (v1/users.ts of 8.0)."""
    with standins.running(version="8.0.0", CREATE_TOKENS_FOR_USERS_SECRET="s3cret") as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD)
        body = {"userId": chat.anna.user_id}
        for more in ({}, {"secret": "wrong"}):
            assert chat.admin.post("users.createToken", body | more).status == 400
        assert chat.admin.post("users.createToken", body | {"secret": "s3cret"}).status == 200


@pytest.mark.trap("Settings and providers", "a provider by environment")
def test_a_provider_by_environment_is_an_initial_value(standins: Standins) -> None:
    """Accounts_OAuth_Custom_Tempbesedka=true and its fields at boot; stored rows win later (initCustomOAuthServices.ts)."""
    told = {
        "Accounts_OAuth_Custom_Tempbesedka": "true",
        "Accounts_OAuth_Custom_Tempbesedka_id": "by-environment",
    }
    with standins.running(**told) as standin:
        admin = Client(standin.url).sign_in(ADMIN, ADMIN_PASSWORD)
        assert admin.get(f"settings/{MAIN}").body["value"] is True
        assert admin.get(f"settings/{MAIN}-id").body["value"] == "by-environment"
        assert admin.post(f"settings/{MAIN}-id", {"value": "edited"}).status == 200
        standin.stop()
        standin.start()
        assert admin.get(f"settings/{MAIN}-id").body["value"] == "edited"


@pytest.mark.trap("Settings and providers", "OVERWRITE_SETTING makes no provider")
def test_overwriting_a_provider_that_is_not_registered_does_nothing(standins: Standins) -> None:
    """OVERWRITE_SETTING_… counts while the id is being registered; alone it makes no provider (SettingsRegistry.ts)."""
    with standins.running(**{f"OVERWRITE_SETTING_{MAIN}-id": "forced"}) as standin:
        admin = Client(standin.url).sign_in(ADMIN, ADMIN_PASSWORD)
        assert admin.get(f"settings/{MAIN}-id").status == 400
        assert admin.post("settings.addCustomOAuth", {"name": "tempbesedka"}).status == 200
        assert admin.get(f"settings/{MAIN}-id").body["value"] == "forced"


@pytest.mark.trap("Rate limits", "whose address counts")
def test_the_address_behind_proxies(standins: Standins) -> None:
    """X-Real-IP as it is; X-Forwarded-For counted from its end by HTTP_FORWARDED_COUNT (api.ts, requestIP)."""
    with standins.running(HTTP_FORWARDED_COUNT="1") as standin:
        caller = Client(standin.url)
        caller.address = ""

        def left(forwarded: str) -> int:
            headers = {"X-Real-IP": "", "X-Forwarded-For": forwarded}
            answer = caller.request("GET", "/api/v1/settings.oauth", headers=headers)
            return int(answer.headers["X-RateLimit-Remaining"])

        assert [left("10.9.9.9, 10.0.0.1"), left("10.8.8.8, 10.0.0.1"), left("10.0.0.1, 10.0.0.2")] == [
            9,
            8,
            9,
        ]
