"""What an ordinary user does in five minutes, as the web client asks for it. Measured on a running 6.5.3.

By method over REST, which is how that client calls (`API_Use_REST_For_DDP_Calls`). Later versions have REST
routes for the same; whether they still take the methods is unknown.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from .chat import Chat
from .client import Client, Json

pytestmark = pytest.mark.conformance


@pytest.fixture
def author(chat: Chat) -> Client:
    return chat.person()


@pytest.fixture
def message(chat: Chat, author: Client) -> Json:
    """Somebody's message in the default room, into which everybody is put."""
    return _send(author, "GENERAL", f"hello {secrets.token_hex(4)}")


def _send(who: Client, rid: str, text: str, **fields: Any) -> Json:
    answer = who.post("chat.sendMessage", {"message": {"rid": rid, "msg": text} | fields})
    assert answer.status == 200, answer.text
    sent: Json = answer.body["message"]
    return sent


def _stored(who: Client, message: Json) -> Json:
    stored: Json = who.get("chat.getMessage", msgId=message["_id"]).body["message"]
    return stored


def _refused(frame: Json) -> tuple[Any, Any]:
    return frame["error"]["error"], frame["error"]["reason"]


def test_one_edits_ones_own_message_and_no_others(chat: Chat, author: Client, message: Json) -> None:
    """`editedAt` and `editedBy` stand in it; a message that is not there is passed over in silence."""
    changed = {"_id": message["_id"], "rid": "GENERAL", "msg": "edited"}
    assert author.method("updateMessage", changed).get("result") is None

    stored = _stored(author, message)
    assert (stored["msg"], stored["editedBy"]) == (
        "edited",
        {"_id": author.user_id, "username": author.username},
    )
    # The words that are there already would be passed over (app/lib/server/methods/updateMessage.ts).
    refused = chat.person().method("updateMessage", changed | {"msg": "by another"})
    assert _refused(refused) == ("error-action-not-allowed", "Message editing not allowed")
    assert "error" not in author.method("updateMessage", changed | {"_id": "gone"})


def test_one_deletes_ones_own_message_and_no_others(chat: Chat, author: Client, message: Json) -> None:
    """Another's and one that is not there are refused alike."""
    other = chat.person()
    for target in (message["_id"], "gone"):
        refused = other.method("deleteMessage", {"_id": target})
        assert _refused(refused) == ("error-action-not-allowed", "Not allowed")
    assert "error" not in author.method("deleteMessage", {"_id": message["_id"]})
    assert author.get("chat.getMessage", msgId=message["_id"]).status == 400


def test_a_reaction_goes_on_and_off(chat: Chat, author: Client, message: Json) -> None:
    """Without a third word it is turned over; the last one gone, `reactions` is gone."""
    other = chat.person()
    author.method("setReaction", ":smile:", message["_id"])
    other.method("setReaction", ":smile:", message["_id"])
    assert _stored(author, message)["reactions"] == {
        ":smile:": {"usernames": [author.username, other.username]}
    }
    author.method("setReaction", ":smile:", message["_id"], False)
    author.method("setReaction", ":smile:", message["_id"], False)
    assert _stored(author, message)["reactions"] == {":smile:": {"usernames": [other.username]}}
    other.method("setReaction", ":smile:", message["_id"])
    assert "reactions" not in _stored(author, message)
    assert _refused(author.method("setReaction", ":smile:", "gone")) == ("error-not-allowed", "Not allowed")


def test_a_reaction_by_rest(author: Client, message: Json) -> None:
    assert author.post("chat.react", {"messageId": message["_id"], "emoji": "smile"}).status == 200
    assert ":smile:" in _stored(author, message)["reactions"]
    refused = author.post("chat.react", {"messageId": "gone", "emoji": "smile"})
    assert (refused.status, refused.body["errorType"]) == (400, "error-message-not-found")


def test_a_star_is_ones_own(chat: Chat, author: Client, message: Json) -> None:
    starred = {"_id": message["_id"], "rid": "GENERAL", "starred": True}
    assert author.method("starMessage", starred)["result"] is True
    assert author.method("starMessage", starred | {"_id": "gone"})["result"] is False

    mine = author.get("chat.getStarredMessages", roomId="GENERAL").body["messages"]
    assert message["_id"] in [row["_id"] for row in mine]
    assert chat.person().get("chat.getStarredMessages", roomId="GENERAL").body["messages"] == []
    author.method("starMessage", starred | {"starred": False})
    assert author.get("chat.getStarredMessages", roomId="GENERAL").body["messages"] == []


def test_only_who_may_pins(chat: Chat, author: Client, message: Json) -> None:
    """The room is told by a message of type `message_pinned` that quotes it."""
    target = {"_id": message["_id"], "rid": "GENERAL"}
    assert _refused(author.method("pinMessage", target)) == ("not-authorized", "Not Authorized")

    told = chat.admin.method("pinMessage", target)["result"]

    assert (told["t"], told["attachments"][0]["text"]) == ("message_pinned", message["msg"])
    pinned = author.get("chat.getPinnedMessages", roomId="GENERAL").body["messages"]
    assert message["_id"] in [row["_id"] for row in pinned]
    assert chat.admin.method("unpinMessage", target)["result"] is True
    chat.admin.post("chat.delete", {"roomId": "GENERAL", "msgId": told["_id"]})


def test_an_answer_makes_a_thread(chat: Chat, author: Client, message: Json) -> None:
    """`tcount`, `tlm` and `replies` stand in the first message; the list of threads has it."""
    other = chat.person()
    answer = _send(other, "GENERAL", "an answer", tmid=message["_id"])

    first = _stored(author, message)
    assert (first["tcount"], first["tlm"]) == (1, answer["ts"])
    assert other.user_id in first["replies"]
    thread = author.method("getThreadMessages", {"tmid": message["_id"]})["result"]
    assert [row["_id"] for row in thread] == [message["_id"], answer["_id"]]
    answers = author.get("chat.getThreadMessages", tmid=message["_id"]).body["messages"]
    assert [row["_id"] for row in answers] == [answer["_id"]]
    threads = author.get("chat.getThreadsList", rid="GENERAL").body["threads"]
    assert threads[0]["_id"] == message["_id"]
    assert author.get("chat.getThreadsList", rid="nowhere").body["errorType"] == "error-not-allowed"
    author.post("chat.followMessage", {"mid": message["_id"]})
    assert author.user_id in _stored(author, message)["replies"]
    author.post("chat.unfollowMessage", {"mid": message["_id"]})
    assert author.user_id not in _stored(author, message)["replies"]


def test_a_favourite_stands_in_ones_subscription(author: Client) -> None:
    assert author.method("toggleFavorite", "GENERAL", True)["result"] == 1
    assert author.get("subscriptions.getOne", roomId="GENERAL").body["subscription"]["f"] is True
    assert author.post("rooms.favorite", {"roomId": "GENERAL", "favorite": False}).status == 200
    assert author.get("subscriptions.getOne", roomId="GENERAL").body["subscription"]["f"] is False
    reason = "You must be part of a room to favorite it"
    assert _refused(author.method("toggleFavorite", "gone", True)) == ("error-invalid-subscription", reason)


def test_a_direct_room_is_one_for_two(chat: Chat, author: Client) -> None:
    """Its id is made of both people's; by method and by REST it is the same."""
    other = chat.person()
    made = author.method("createDirectMessage", other.username)["result"]
    assert made["rid"] == "".join(sorted([str(author.user_id), str(other.user_id)]))
    room = other.post("dm.create", {"username": author.username}).body["room"]
    assert (room["rid"], room["_id"], room["t"]) == (made["rid"], made["rid"], "d")
    members = author.get("im.members", username=other.username).body["members"]
    assert {row["username"] for row in members} == {author.username, other.username}
    assert _refused(author.method("createDirectMessage", "temp_nobody")) == (
        "error-invalid-user",
        "Invalid user",
    )


def test_spotlight_finds_people_and_rooms_not_joined(chat: Chat, author: Client) -> None:
    other = chat.person()
    room = chat.room()
    found = author.method("spotlight", f"@{other.username}", [], {"users": True, "rooms": True})["result"]
    assert [row["username"] for row in found["users"]] == [other.username]
    rooms = author.get("spotlight", query=f"#{room['name']}").body["rooms"]
    assert [row["_id"] for row in rooms] == [room["_id"]]
    author.post("channels.join", {"roomId": room["_id"]})
    assert author.get("spotlight", query=f"#{room['name']}").body["rooms"] == []


def test_a_room_is_searched_for_words(author: Client) -> None:
    """The provider comes first; an outsider is refused. The real one needs MongoDB's text index."""
    provider = author.method("rocketchatSearch.getProvider")["result"]
    assert (provider["key"], provider["settings"]) == (
        "defaultProvider",
        {"GlobalSearchEnabled": False, "PageSize": 10},
    )
    word = f"needle{secrets.token_hex(4)}"
    sent = _send(author, "GENERAL", f"a {word} here")
    context = {"uid": author.user_id, "rid": "GENERAL"}
    found = author.method("rocketchatSearch.search", word, context, {"limit": 10})["result"]
    assert [row["_id"] for row in found["message"]["docs"]] == [sent["_id"]]
    by_rest = author.get("chat.search", roomId="GENERAL", searchText=word).body["messages"]
    assert [row["_id"] for row in by_rest] == [sent["_id"]]


def test_names_are_found_while_one_types(chat: Chat, author: Client) -> None:
    other = chat.person()
    people = author.get("users.autocomplete", selector=json.dumps({"term": other.username})).body["items"]
    assert [row["username"] for row in people] == [other.username]
    rooms = author.get("rooms.autocomplete.channelAndPrivate", selector=json.dumps({"name": "general"}))
    assert "GENERAL" in [row["_id"] for row in rooms.body["items"]]
    assert author.get("users.autocomplete").body["errorType"] == "invalid-params"
    missing = author.get("rooms.autocomplete.channelAndPrivate")
    assert (missing.status, missing.body["error"]) == (400, "The 'selector' param is required")
    assert author.get("rooms.nameExists", roomName="general").body["exists"] is True
    assert author.get("rooms.nameExists", roomName="nowhere-at-all").body["exists"] is False
    assert author.get("rooms.nameExists").body["errorType"] == "invalid-params"


def test_the_directory_lists_channels_and_people(chat: Chat, author: Client) -> None:
    """A `query` object before 7.0, words of the address since; either names the kind and the text."""
    other = chat.person()
    wanted = {"type": "users", "text": other.username, "workspace": "local"}
    asked = {"query": json.dumps(wanted)} if chat.version < (7,) else wanted
    assert [row["username"] for row in author.get("directory", **asked).body["result"]] == [other.username]
    wanted = {"type": "channels", "text": "general", "workspace": "local"}
    asked = {"query": json.dumps(wanted)} if chat.version < (7,) else wanted
    rows = author.get("directory", **asked).body["result"]
    assert {"_id", "name", "t", "ts", "usersCount"} <= set(rows[0])
    assert "GENERAL" in [row["_id"] for row in rows]


def test_a_file_is_sent_and_fetched_by_members_only(chat: Chat, author: Client) -> None:
    """The message names it; who is signed in by header or cookie gets it, anybody else 403."""
    files = {"file": ("a b.txt", b"hello file", "text/plain")}
    sent = author.request("POST", "/api/v1/rooms.upload/GENERAL", files=files, data={"description": "words"})
    shown = sent.body["message"]["attachments"][0]
    assert (shown["title"], shown["description"], shown["format"], shown["size"]) == (
        "a b.txt",
        "words",
        "TXT",
        10,
    )
    link = shown["title_link"]
    assert link == f"/file-upload/{sent.body['message']['file']['_id']}/a%20b.txt"

    fetched = author.request("GET", link)
    assert (fetched.status, fetched.text) == (200, "hello file")
    assert fetched.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20b.txt"
    assert fetched.headers["Content-Security-Policy"] == "default-src 'none'"
    cookie = {"Cookie": f"rc_uid={author.user_id}; rc_token={author.token}"}
    assert chat.anybody().request("GET", link, headers=cookie).status == 200
    assert chat.anybody().request("GET", link).status == 403
    listed = author.get("channels.files", roomId="GENERAL").body["files"]
    assert (listed[0]["name"], listed[0]["user"]["username"]) == ("a b.txt", author.username)
    assert author.request("POST", "/api/v1/rooms.upload/nowhere", files=files).status == 403
    nothing = author.request("POST", "/api/v1/rooms.upload/GENERAL", files={"other": ("x", b"")})
    assert (nothing.status, nothing.body["errorType"]) == (400, "invalid-field")


def test_a_room_is_hidden_and_shown_again(author: Client) -> None:
    """How many subscriptions changed; by REST, one that is not there is refused."""
    assert author.method("hideRoom", "GENERAL")["result"] == 1
    assert author.get("subscriptions.getOne", roomId="GENERAL").body["subscription"]["open"] is False
    assert author.method("openRoom", "GENERAL")["result"] == 1
    assert author.method("hideRoom", "nowhere")["result"] == 0
    assert author.post("channels.close", {"roomId": "GENERAL"}).status == 200
    refused = author.post("im.close", {"roomId": "nowhere"})
    assert (refused.status, refused.body["error"]) == (400, "The user is not subscribed to the room")


def test_what_a_client_reports_about_itself_is_kept(author: Client) -> None:
    assert "error" not in author.method("userSetUtcOffset", 3)
    kept = author.post("users.setPreferences", {"data": {"sidebarViewMode": "condensed"}})
    assert kept.body["user"]["settings"]["preferences"]["sidebarViewMode"] == "condensed"
    assert author.get("me").body["settings"]["preferences"]["sidebarViewMode"] == "condensed"
    assert author.post("users.setPreferences", {}).body["errorType"] == "invalid-params"


def test_neighbours_of_a_message_are_loaded_around_it(author: Client) -> None:
    """Before it newest first, then itself, then what follows."""
    first, second, third = (_send(author, "GENERAL", text) for text in ("one", "two", "three"))
    loaded = author.method("loadSurroundingMessages", {"_id": second["_id"], "rid": "GENERAL"}, 50)["result"]
    ids = [row["_id"] for row in loaded["messages"]]
    assert {first["_id"], second["_id"], third["_id"]} <= set(ids)
    moment = {"$date": 0}
    after = author.method("loadNextMessages", "GENERAL", moment, 2)["result"]["messages"]
    assert len(after) == 2
    assert author.method("getSingleMessage", second["_id"])["result"]["msg"] == "two"
    assert author.method("getSingleMessage", "gone")["result"] is None


def test_a_room_has_the_initial_of_its_name_for_a_picture(chat: Chat, author: Client) -> None:
    """As people without one have; a browser keeps it for an hour, if the server knows who asks.

    Strangers get a letter from the address alone where Accounts_AvatarBlockUnauthenticatedAccess is on. It is
    on since 6.12 (routes/avatar/middlewares/auth.js of 6.13.0-rc.1, PR #33035).
    """
    blocked = chat.admin.get("settings/Accounts_AvatarBlockUnauthenticatedAccess").body["value"]
    cookie = {"Cookie": f"rc_uid={author.user_id}; rc_token={author.token}"}
    hour = "public, max-age=3600"
    for path, letter in (("room/GENERAL", "G"), (author.username, author.username[0].upper())):
        for who, kept in ((cookie, hour), ({}, None if blocked else hour)):
            picture = chat.anybody().request("GET", f"/avatar/{path}", headers=who)
            assert picture.headers["Content-Type"].startswith("image/svg+xml")
            assert picture.text.split("<text", 1)[1].partition(">")[2].partition("<")[0].strip() == letter
            assert picture.headers.get("Cache-Control") == kept
