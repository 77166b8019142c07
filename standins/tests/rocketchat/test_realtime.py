"""DDP and its streams (Meteor's ddp-server; apps/meteor/server/modules/notifications, …/publications)."""

from __future__ import annotations

import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed

from .chat import WAIT_SECONDS, Chat
from .sockets import signed_in, socket

pytestmark = pytest.mark.conformance

_ALL = {"useCollection": False, "args": []}


def test_sockjs_says_that_it_has_websockets(chat: Chat) -> None:
    """/sockjs/info is what a client asks first (sockjs-node)."""
    info = chat.anybody().request("GET", "/sockjs/info")
    assert (info.status, info.body["websocket"]) == (200, True)
    assert {"origins", "cookie_needed", "entropy"} <= set(info.body)


@pytest.mark.parametrize("sockjs", [False, True])
def test_handshake_ping_and_method(chat: Chat, sockjs: bool) -> None:
    """connect, connected, ping, pong with its id, result and updated (DDP 1)."""
    with socket(chat.url, sockjs=sockjs) as client:
        assert len(client.open()["session"]) >= 17
        client.send({"msg": "ping", "id": "p1"})
        client.named("pong", id="p1")
        assert isinstance(client.call("public-settings/get")["result"], list)
        if sockjs:
            assert client.frames[0] == "o"
            assert all(frame.startswith("a") for frame in client.frames[1:])


def test_another_version_is_refused(chat: Chat) -> None:
    """`failed` with the version that would do, then the end (livedata_server.js)."""
    with socket(chat.url) as client:
        client.send({"msg": "connect", "version": "0", "support": ["0"]})
        assert client.named("failed")["version"] == "1"
        with pytest.raises(ConnectionClosed):
            client.receive_frame()


def test_nothing_works_before_connect(chat: Chat) -> None:
    """Must connect first (livedata_server.js)."""
    with socket(chat.url) as client:
        client.send({"msg": "method", "id": "1", "method": "public-settings/get", "params": []})
        assert client.named("error")["reason"] == "Must connect first"


def test_nonsense_is_an_error_and_the_connection_goes_on(chat: Chat) -> None:
    """Bad request, Malformed … (livedata_server.js; what is no JSON: measured on 6.5.3 and 6.13.0)."""
    with socket(chat.url) as client:
        client.open()
        client.send_text("{")
        assert client.named("error")["reason"] == "Bad request"
        for message in ({"msg": "no such"}, {"no": "msg"}, {"msg": "sub"}, {"msg": "method", "id": 5}):
            client.send(message)
            assert client.named("error")["offendingMessage"] == message
        client.send({"msg": "ping"})
        client.named("pong")


@pytest.mark.trap("Real-time", "unknown methods and subscriptions")
def test_unknown_methods_and_subscriptions_are_404(chat: Chat) -> None:
    """Method '…' not found; nosub with an error (livedata_server.js)."""
    with socket(chat.url) as client:
        client.open()
        assert client.call("temp_no_such_method")["error"]["error"] == 404
        refused = client.subscribe("temp_no_such_publication")
        assert (refused["msg"], refused["error"]["error"]) == ("nosub", 404)


def test_a_subscription_is_ended_by_unsub(chat: Chat) -> None:
    """nosub without an error; nothing comes afterwards (livedata_server.js)."""
    room = chat.room(chat.anna)
    with signed_in(chat.url, chat.anna) as client:
        ready = client.subscribe("stream-room-messages", room["_id"], _ALL)
        assert ready["msg"] == "ready"
        client.send({"msg": "unsub", "id": ready["id"]})
        assert "error" not in client.named("nosub", id=ready["id"])
        chat.anna.post("chat.sendMessage", {"message": {"rid": room["_id"], "msg": "unheard"}})
        client.send({"msg": "ping"})
        client.named("pong")
        assert not [m for m in client.inbox if m.get("collection") == "stream-room-messages"]


def test_a_socket_signs_in_by_resume_and_out(chat: Chat) -> None:
    """`{id, token, tokenExpires, type}`; logout kills the token for REST too (accounts-base)."""
    person = chat.person()
    with socket(chat.url) as client:
        client.open()
        result = client.resume(person)["result"]
        assert (result["id"], result["token"], result["type"]) == (person.user_id, person.token, "resume")
        assert set(result["tokenExpires"]) == {"$date"}
        assert client.named("added", collection="users", id=person.user_id)
        assert "error" not in client.call("logout")
        assert person.get("me").status == 401
        refused = client.resume(person)["error"]
        assert refused["error"] in (401, 403)


def test_a_password_digest_signs_in(chat: Chat) -> None:
    """The web client sends `{user, password: {digest, algorithm}}` (accounts-password)."""
    digest = chat.anna.second_factor["x-2fa-code"]
    options = {
        "user": {"username": chat.anna.username},
        "password": {"digest": digest, "algorithm": "sha-256"},
    }
    with socket(chat.url) as client:
        client.open()
        assert client.call("login", options)["result"]["id"] == chat.anna.user_id
        wrong = options | {"password": {"digest": "0" * 64, "algorithm": "sha-256"}}
        assert client.call("login", wrong)["error"]


@pytest.mark.trap("Real-time", "a connection ends with its token")
def test_a_connection_ends_with_its_token(chat: Chat) -> None:
    """Log-out elsewhere closes the socket (accounts-base, _setLoginToken's observer)."""
    person = chat.person()
    with signed_in(chat.url, person) as client:
        assert person.post("logout").status == 200
        with pytest.raises(ConnectionClosed):
            client.named("never")


@pytest.mark.trap("Real-time", "both shapes of */get")
@pytest.mark.parametrize(
    "method",
    ["public-settings/get", "private-settings/get", "permissions/get", "subscriptions/get", "rooms/get"],
)
def test_get_methods_have_two_shapes(chat: Chat, method: str) -> None:
    """All rows without a date, `{update, remove}` with one (server/publications/settings/index.ts); by REST and by socket."""
    moment = {"$date": int(time.time() * 1000) + 3_600_000}
    with signed_in(chat.url, chat.admin) as client:
        for call in (client.call, chat.admin.method):
            rows = call(method)["result"]
            assert isinstance(rows, list)
            assert rows
            assert all("_id" in row for row in rows)
            assert call(method, moment)["result"] == {"update": [], "remove": []}
            # Subscriptions that were made together with their room have no moment (measured on 6.13.0).
            dated = [row for row in rows if "_updatedAt" in row or method != "subscriptions/get"]
            everything = call(method, {"$date": 0})["result"]
            assert len(everything["update"]) == len(dated)


def test_strangers_get_no_private_rows(chat: Chat) -> None:
    """The same methods for nobody and for an ordinary user (server/publications/settings)."""
    nobody = chat.anybody()
    assert nobody.method("subscriptions/get")["result"] == []
    assert nobody.method("rooms/get")["result"] == []
    assert nobody.method("private-settings/get")["result"] == []
    assert chat.anna.method("private-settings/get")["result"] == []
    public = {row["_id"] for row in nobody.method("public-settings/get")["result"]}
    assert {"Site_Url", "Site_Name", "Iframe_Integration_receive_enable", "Layout_Login_Template"} <= public
    assert not {name for name in public if name.endswith("-secret")}


def test_login_services_are_published(chat: Chat) -> None:
    """meteor.loginServiceConfiguration, without secrets, before anybody signs in (accounts-base)."""
    with socket(chat.url) as client:
        client.open()
        assert client.subscribe("meteor.loginServiceConfiguration")["msg"] == "ready"
        rows = [m["fields"] for m in client.inbox if m.get("msg") == "added"]
        row = next(row for row in rows if row["service"] == "besedka")
        assert {"clientId", "serverURL", "authorizePath", "scope", "loginStyle", "buttonLabelText"} <= set(
            row
        )
        assert (row["custom"], "secret" in row) == (True, False)


@pytest.mark.trap("Real-time", "messages push")
def test_a_message_is_pushed_to_readers(chat: Chat) -> None:
    """stream-room-messages, also to who has not joined a public room (notifications.module.ts)."""
    room = chat.room(chat.anna)
    with signed_in(chat.url, chat.boris) as reader, signed_in(chat.url, chat.anna, sockjs=True) as writer:
        assert reader.subscribe("stream-room-messages", room["_id"], _ALL)["msg"] == "ready"
        message = {"_id": f"temp{room['_id'][:13]}", "rid": room["_id"], "msg": "слышно?"}
        assert writer.call("sendMessage", message)["result"]["_id"] == message["_id"]
        pushed = reader.pushed("stream-room-messages", room["_id"])[0]
        assert {name: pushed[name] for name in message} == message
        assert pushed["u"]["username"] == chat.anna.username
        assert set(pushed["ts"]) == {"$date"}


def test_a_private_room_is_not_overheard(chat: Chat) -> None:
    """nosub with not-allowed (notifications.module.ts, streamRoomMessage.allowRead)."""
    room = chat.room(chat.anna, private=True)
    with signed_in(chat.url, chat.boris) as stranger:
        refused = stranger.subscribe("stream-room-messages", room["_id"], _ALL)
        assert (refused["msg"], refused["error"]["error"]) == ("nosub", "not-allowed")
        other = stranger.subscribe("stream-notify-user", f"{chat.anna.user_id}/subscriptions-changed", _ALL)
        assert other["msg"] == "nosub"


@pytest.mark.trap("Real-time", "joining pushes")
def test_joining_pushes_the_subscription_and_the_room(chat: Chat) -> None:
    """subscriptions-changed is what turns Join into Send; rooms-changed goes along (notifyListener.ts)."""
    room = chat.room()
    uid = chat.anna.user_id
    events = [f"{uid}/{name}" for name in ("subscriptions-changed", "rooms-changed")]
    with signed_in(chat.url, chat.anna) as client:
        for event in events:
            assert client.subscribe("stream-notify-user", event, _ALL)["msg"] == "ready"
        assert "error" not in client.call("joinRoom", room["_id"])
        action, row = client.pushed("stream-notify-user", events[0])
        assert (action, row["rid"], row["u"]["_id"]) == ("inserted", room["_id"], uid)
        needed = {
            "_id",
            "rid",
            "name",
            "fname",
            "t",
            "open",
            "alert",
            "unread",
            "ts",
            "u",
            "_updatedAt",
        }
        assert needed <= set(row)
        assert client.pushed("stream-notify-user", events[1])[1]["_id"] == room["_id"]
        chat.admin.post("channels.kick", {"roomId": room["_id"], "userId": uid})
        removed = client.wait(
            lambda m: m.get("collection") == "stream-notify-user" and m["fields"]["args"][0] == "removed"
        )
        assert removed["fields"]["args"][1]["rid"] == room["_id"]


def test_somebody_added_by_rest_hears_of_it(chat: Chat) -> None:
    """The same push for an invitation (addUserToRoom.ts)."""
    room = chat.room(private=True)
    event = f"{chat.anna.user_id}/subscriptions-changed"
    with signed_in(chat.url, chat.anna) as client:
        client.subscribe("stream-notify-user", event, _ALL)
        chat.admin.post("groups.invite", {"roomId": room["_id"], "userId": chat.anna.user_id})
        action, row = client.pushed("stream-notify-user", event)
        assert (action, row["name"], row["t"]) == ("inserted", room["name"], "p")


@pytest.mark.trap("Real-time", "settings and permissions push")
def test_settings_and_permissions_are_pushed(changeable: Chat) -> None:
    """public-settings-changed to anybody, permissions-changed to who is signed in (notifyListener.ts)."""
    with socket(changeable.url) as nobody, signed_in(changeable.url, changeable.anna) as anna:
        nobody.open()
        assert nobody.subscribe("stream-notify-all", "public-settings-changed", _ALL)["msg"] == "ready"
        assert nobody.subscribe("stream-notify-logged", "permissions-changed", _ALL)["msg"] == "nosub"
        assert anna.subscribe("stream-notify-logged", "permissions-changed", _ALL)["msg"] == "ready"
        changeable.set("Site_Name", "Другая")
        action, row = nobody.pushed("stream-notify-all", "public-settings-changed")
        assert (action, row["_id"], row["value"]) == ("updated", "Site_Name", "Другая")
        rows = changeable.admin.get("permissions.listAll").body["update"]
        before = next(row["roles"] for row in rows if row["_id"] == "create-c")
        # Only a change is pushed (measured on 6.13.0), so other roles first; the ones before are put back.
        for roles in ([*before, "guest"], before):
            body = {"permissions": [{"_id": "create-c", "roles": roles}]}
            assert changeable.admin.post("permissions.update", body).status == 200
            action, row = anna.pushed("stream-notify-logged", "permissions-changed")
            assert (action, row["_id"], row["roles"]) == ("updated", "create-c", roles)


def test_typing_is_passed_on_to_members(chat: Chat) -> None:
    """stream-notify-room `<rid>/user-activity` (notifications.module.ts)."""
    room = chat.room(chat.anna, members=[chat.boris.username])
    event = f"{room['_id']}/user-activity"
    names = {row["_id"]: row["value"] for row in chat.anybody().method("public-settings/get")["result"]}
    with signed_in(chat.url, chat.boris) as listener, signed_in(chat.url, chat.anna) as writer:
        assert listener.subscribe("stream-notify-room", event, _ALL)["msg"] == "ready"
        name = chat.anna.get("me").body["name"] if names["UI_Use_Real_Name"] else chat.anna.username
        writer.call("stream-notify-room", event, name, ["user-typing"], {})
        assert listener.pushed("stream-notify-room", event) == [name, ["user-typing"], {}]


def test_opening_a_room_by_the_calls_of_a_web_client(chat: Chat) -> None:
    """getRoomByTypeAndName, loadHistory newest first, getRoomRoles, users.info, users.presence."""
    room = chat.room(chat.anna)
    for number in range(3):
        chat.anna.post("chat.sendMessage", {"message": {"rid": room["_id"], "msg": f"{number}"}})
    with signed_in(chat.url, chat.boris) as client:
        found = client.call("getRoomByTypeAndName", "c", room["name"])["result"]
        assert (found["_id"], found["name"], found["t"]) == (room["_id"], room["name"], "c")
        history = client.call("loadHistory", room["_id"], None, 50, None, False)["result"]
        assert [message["msg"] for message in history["messages"]] == ["2", "1", "0"]
        # `firstUnread` comes with an unread one only (measured on 6.13.0).
        assert {"messages", "unreadNotLoaded"} <= set(history)
        roles = client.call("getRoomRoles", room["_id"])["result"]
        assert [(row["u"]["_id"], row["roles"]) for row in roles] == [(chat.anna.user_id, ["owner"])]
    user = chat.boris.get("users.info", userId=chat.boris.user_id).body["user"]
    assert user["username"] == chat.boris.username
    for path in ("roles.list", "commands.list", "emoji-custom.list", "licenses.info"):
        assert chat.boris.get(path).status == 200
    assert chat.boris.get("banners", platform="web").body["banners"] == []
    assert chat.boris.request("GET", "/api/apps/languages").status == 200


def test_presence_follows_the_sockets(chat: Chat) -> None:
    """Online while a socket is signed in (ee/packages/presence)."""
    person = chat.person()
    with signed_in(chat.url, chat.anna) as watcher:
        watcher.subscribe("stream-user-presence", "", {"added": [person.user_id]})
        with signed_in(chat.url, person):
            assert watcher.pushed("stream-user-presence", str(person.user_id))[0][:2] == [person.username, 1]
        assert watcher.pushed("stream-user-presence", str(person.user_id))[0][:2] == [person.username, 0]


@pytest.mark.trap("Rate limits", "also on the socket")
def test_method_limits_count_per_connection(changeable: Chat) -> None:
    """DDP_Rate_Limit_Connection_By_Method: ten in ten seconds (server/startup/rateLimit)."""
    limit = "DDP_Rate_Limit_Connection_By_Method"
    for setting, value in ((f"{limit}_Enabled", True), (f"{limit}_Requests_Allowed", 10)):
        if changeable.admin.get(f"settings/{setting}").body["value"] != value:
            changeable.set(setting, value)

    def refused() -> list[object]:
        with signed_in(changeable.url, changeable.anna) as client:
            results = [client.call("rooms/get") for _ in range(11)]
        return [result.get("error", {}).get("error") for result in results]

    # A changed limit holds from a second later on.
    deadline = time.monotonic() + WAIT_SECONDS
    while refused() != [None] * 10 + ["too-many-requests"]:
        if time.monotonic() > deadline:
            assert not changeable.has_clock
            pytest.skip("this server has another limit, and takes a changed one at its next start only")
    with signed_in(changeable.url, changeable.anna) as another:
        assert "result" in another.call("rooms/get")


def test_many_writers_at_once_lose_nothing(chat: Chat) -> None:
    """Every message sent is pushed once, to a reader who only listens."""
    room = chat.room(chat.anna, members=[chat.boris.username])
    writers = [chat.anna, chat.boris]

    def write(client_number: int) -> None:
        for number in range(10):
            text = f"{client_number}-{number}"
            writers[client_number].post("chat.sendMessage", {"message": {"rid": room["_id"], "msg": text}})

    with signed_in(chat.url, chat.admin) as reader:
        reader.subscribe("stream-room-messages", room["_id"], _ALL)
        threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        heard = [reader.pushed("stream-room-messages", room["_id"])[0]["msg"] for _ in range(20)]
        for thread in threads:
            thread.join()
    assert sorted(heard) == sorted(f"{client}-{number}" for client in range(2) for number in range(10))
    for client in range(2):
        mine = [text for text in heard if text.startswith(f"{client}-")]
        assert mine == [f"{client}-{number}" for number in range(10)], "in the order they were sent"


def test_sockjs_refuses_broken_frames(chat: Chat) -> None:
    """3000, "Broken framing.", for a frame that is no JSON (measured on 6.5.3 and 6.13.0; sockjs-node)."""
    with socket(chat.url, sockjs=True) as client:
        assert client.receive_frame() == "o"
        client.send_text("[[")
        with pytest.raises(ConnectionClosed) as ended:
            client.receive_frame()
        assert ended.value.rcvd is not None
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (3000, "Broken framing.")
