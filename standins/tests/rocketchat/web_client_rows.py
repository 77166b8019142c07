"""All calls of Rocket.Chat's web client, in its order: page, socket, log-in, room, join, message, log-out.

The 31 rows were measured on the unmodified client (6.5.3) in a browser, with what it cannot do without. The
shapes are those that it read there.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from . import web_browser
from .chat import Chat
from .client import Client, Json
from .sockets import signed_in
from .versions import at
from .web_client import WebClient

FUTURE = {"$date": 4_102_444_800_000}
# Without them the client shows no log-in page, no button, or does not send.
NEEDED_SETTINGS = """Layout_Login_Template Accounts_OAuth_Proxy_services Message_MaxAllowedSize
    Accounts_Default_User_Preferences_sendOnEnter Site_Url Iframe_Integration_receive_enable
    Iframe_Integration_receive_origin Iframe_Integration_send_enable Iframe_Integration_send_target_origin"""
OF_USER = """webrtc force_logout message subscriptions-changed notification otr userData rooms-changed
    video-conference uiInteraction banners"""
OF_LOGGED = """deleteEmojiCustom updateEmojiCustom deleteCustomUserStatus updateCustomUserStatus updateAvatar
    Users:NameChanged Users:Deleted roles-change permissions-changed banner-changed"""
SUBSCRIPTION = {"_id", "rid", "name", "fname", "t", "open", "alert", "unread", "ts", "ls", "u", "_updatedAt"}


@dataclass
class Walk:
    """One page's life.

    `sign_in` gives the token that row 11 resumes; `service`: the server's log-in service; `bundle`: a client's
    folder is served.
    """

    client: WebClient
    sign_in: Callable[[WebClient], str]
    rooms: tuple[Json, Json, Json]
    speaker: Client
    service: str
    bundle: bool = False
    token: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def chat(self) -> Chat:
        return self.client.chat


Row = Callable[[Walk], None]
ROWS: dict[int, Row] = {}


def row(number: int) -> Callable[[Row], Row]:
    def declare(act: Row) -> Row:
        assert number not in ROWS
        ROWS[number] = act
        return act

    return declare


@row(1)
def the_page(walk: Walk) -> None:
    page = walk.client.http.request("GET", "/channel/general")
    assert (page.status, page.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    # Rocket.Chat answers 404 without the hash that its page names (measured on 6.13.0).
    address = re.search(r"/meteor_runtime_config\.js[^\"']*", page.text)
    config = walk.client.http.request("GET", address[0] if address else "/meteor_runtime_config.js").text
    assert config.startswith("__meteor_runtime_config__ =")
    if walk.bundle:
        for part in ('<base href="/">', '<div id="react-root">', "/meteor_runtime_config.js"):
            assert part in page.text
        for address in re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css)[^"]*)"', page.text):
            assert walk.client.http.request("GET", address).status == 200, address


@row(2)
def its_modules(walk: Walk) -> None:
    if not walk.bundle:
        return
    tree = {"node_modules": {"meteor": {"temp:package": {"view.js": 1}}}}
    answer = walk.client.http.request("POST", "/__meteor__/dynamic-import/fetch", data=json.dumps(tree))
    assert answer.body == {"node_modules": {"meteor": {"temp:package": {"view.js": web_browser.MODULE}}}}


@row(3)
def the_socket(walk: Walk) -> None:
    info = walk.client.http.request("GET", "/sockjs/info")
    assert {"websocket", "origins", "cookie_needed", "entropy"} <= set(info.body)
    assert len(walk.client.socket.open()["session"]) >= 17


@row(4)
def the_log_in_services(walk: Walk) -> None:
    assert walk.client.socket.subscribe("meteor.loginServiceConfiguration")["msg"] == "ready"
    rows = [m["fields"] for m in walk.client.socket.inbox if m.get("msg") == "added"]
    service = next(fields for fields in rows if fields["service"] == walk.service)
    wanted = {
        "clientId",
        "serverURL",
        "authorizePath",
        "scope",
        "loginStyle",
        "buttonLabelText",
        "showButton",
    }
    assert wanted <= set(service)
    assert (service["custom"], "secret" in service) == (True, False)


@row(5)
def client_versions(walk: Walk) -> None:
    assert walk.client.socket.subscribe("meteor_autoupdate_clientVersions")["msg"] == "ready"


def both_shapes(walk: Walk, method: str) -> list[Json]:
    """All rows without a date, what changed since and what went with one.

    Rows that never changed have no `_updatedAt` (measured on 6.13.0).
    """
    rows: list[Json] = walk.client.result(method)
    assert all("_id" in found for found in rows)
    assert {name for found in rows for name in found.get("_updatedAt", {})} <= {"$date"}
    assert walk.client.result(method, FUTURE) == {"update": [], "remove": []}
    return rows


@row(6)
def public_settings(walk: Walk) -> None:
    rows = both_shapes(walk, "public-settings/get")
    assert set(NEEDED_SETTINGS.split()) <= {found["_id"] for found in rows}
    assert all("value" in found for found in rows)


@row(7)
def news_for_everybody(walk: Walk) -> None:
    events = ["public-settings-changed", "license", "public-info"]
    assert walk.client.listen("notify-all", *events) == dict.fromkeys(events, True)


@row(8)
def licence_and_language(walk: Walk) -> None:
    assert isinstance(walk.client.result("license:isEnterprise"), bool)
    assert walk.client.http.request("GET", "/i18n/en.json").status == 200
    walk.client.result("loadLocale", "ru")


@row(9)
def applications(walk: Walk) -> None:
    for name in ("languages", "actionButtons"):
        assert walk.client.http.request("GET", f"/api/apps/{name}").status == 200
    assert walk.client.listen("notify-logged", "voip.statuschanged") == {"voip.statuschanged": "not-allowed"}


@row(10)
def sign_in(walk: Walk) -> None:
    walk.token = walk.sign_in(walk.client)


@row(11)
def resume(walk: Walk) -> None:
    result = walk.client.resume(walk.token)
    assert (result["token"], result["type"], set(result["tokenExpires"])) == (walk.token, "resume", {"$date"})
    walk.client.socket.named("added", collection="users", id=walk.client.uid)


@row(12)
def news_for_the_user(walk: Walk) -> None:
    events = [f"{walk.client.uid}/{name}" for name in OF_USER.split()]
    assert walk.client.listen("notify-user", *events) == dict.fromkeys(events, True)


@row(13)
def news_for_the_signed_in(walk: Walk) -> None:
    events = OF_LOGGED.split()
    assert walk.client.listen("notify-logged", *events) == dict.fromkeys(events, True)
    private = "private-settings-changed"
    assert walk.client.listen("notify-logged", private) == {private: "not-allowed"}, "no administrator"


@row(14)
def roles_and_apps(walk: Walk) -> None:
    assert walk.client.listen("roles", "roles") == {"roles": True}
    assert walk.client.listen("apps", "apps") == {"apps": True}


@row(15)
def me(walk: Walk) -> None:
    user = walk.client.get("me")
    # No `createdAt` (measured on 6.13.0; getDefaultUserFields.ts of 6.5.3 and 7.7.1 the same).
    assert {"_id", "username", "name", "roles", "emails", "_updatedAt", "settings"} <= set(user)
    assert user["_id"] == walk.client.uid
    assert "preferences" in user["settings"]


@row(16)
def subscriptions(walk: Walk) -> None:
    rows = both_shapes(walk, "subscriptions/get")
    assert {found["u"]["_id"] for found in rows} == {walk.client.uid}
    # The first room has no `fname` (measured on 6.5.3).
    needed = SUBSCRIPTION - {"ls", "_updatedAt", "fname"}
    assert all(needed <= set(found) for found in rows)


@row(17)
def rooms(walk: Walk) -> None:
    rows = both_shapes(walk, "rooms/get")
    assert {"general"} <= {found["name"] for found in rows}
    assert all({"_id", "t", "u", "usersCount"} <= set(found) for found in rows)


@row(18)
def permissions_and_private_settings(walk: Walk) -> None:
    rows = both_shapes(walk, "permissions/get")
    roles = {found["_id"]: found["roles"] for found in rows}
    assert {"create-c", "preview-c-room", "view-c-room"} <= set(roles)
    assert walk.client.result("private-settings/get") == [], "not for an ordinary user"


@row(19)
def lists(walk: Walk) -> None:
    client = walk.client
    assert {"admin", "user"} <= {found["_id"] for found in client.get("roles.list")["roles"]}
    for _ in range(2):
        assert isinstance(client.get("commands.list")["commands"], list)
    assert set(client.get("emoji-custom.list")["emojis"]) == {"update", "remove"}
    assert "license" in client.get("licenses.info")
    assert isinstance(client.get("banners", platform="web")["banners"], list)
    for name in ("getUserRoles", "listCustomUserStatus", "listCustomSounds", "license:getModules"):
        assert isinstance(client.result(name), list), name


@row(20)
def the_user(walk: Walk) -> None:
    user = walk.client.get("users.info", userId=walk.client.uid)["user"]
    assert (user["_id"], bool(user["username"])) == (walk.client.uid, True), "else: Register username"


@row(21)
def open_the_room(walk: Walk) -> None:
    room, _, private = walk.rooms
    found = walk.client.result("getRoomByTypeAndName", "c", room["name"])
    assert (found["_id"], found["name"], found["t"]) == (room["_id"], room["name"], "c")
    for kind, name in (("p", private["name"]), ("c", "temp-none")):
        refused = walk.client.method("getRoomByTypeAndName", kind, name)
        assert refused["error"]["error"] in {"error-invalid-room", "error-no-permission"}, "Room not found"


@row(22)
def its_messages(walk: Walk) -> None:
    rid = walk.rooms[0]["_id"]
    assert walk.client.listen("room-messages", rid) == {rid: True}


def of_room(rid: str) -> list[str]:
    return [f"{rid}/{name}" for name in ("deleteMessage", "deleteMessageBulk", "user-activity")]


@row(23)
def what_happens_in_it(walk: Walk) -> None:
    events = of_room(walk.rooms[0]["_id"])
    # Who is no member yet; 6.5.3 lets a user who may look in listen too (measured), 6.13 is not known.
    answers = walk.client.listen("notify-room", *events)
    before_7 = walk.client.chat.version < (7,)
    assert answers == dict.fromkeys(events, "not-allowed") or (before_7 and set(answers.values()) == {True})


@row(24)
def history(walk: Walk) -> None:
    seen = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for last_seen in (None, seen):
        got = walk.client.result("loadHistory", walk.rooms[0]["_id"], None, 50, last_seen, False)
        texts = [message["msg"] for message in got["messages"] if "t" not in message]
        assert texts == list(reversed(walk.said)), "newest first"
        assert "unreadNotLoaded" in got


@row(25)
def who_is_who(walk: Walk) -> None:
    client, rid = walk.client, walk.rooms[0]["_id"]
    owners = [found["u"]["_id"] for found in client.result("getRoomRoles", rid) if "owner" in found["roles"]]
    assert owners == [walk.speaker.user_id]
    assert client.http.request("GET", "/api/apps/externalComponents").status == 200
    refused = client.http.post("subscriptions.read", {"rid": rid})
    # Measured on 6.13.0; server/lib/readMessages.ts of 7.7.1 the same.
    assert (refused.status, refused.body["error"]) == (400, "error-invalid-subscription")
    assert client.get("subscriptions.getOne", roomId=rid)["subscription"] is None, "reading joins nobody"
    answer = client.socket.subscribe("stream-user-presence", "", {"added": [walk.speaker.user_id]})
    assert answer["msg"] == "ready"
    asked = [str(walk.speaker.user_id), client.uid]
    users = client.http.request("GET", "/api/v1/users.presence", params={"ids[]": asked}).body["users"]
    # 6.5.3 leaves out users who have never been there (measured).
    assert {user["_id"] for user in users} <= set(asked)
    assert users


@row(26)
def join(walk: Walk) -> None:
    client, rid = walk.client, walk.rooms[0]["_id"]
    client.result("joinRoom", rid)
    action, pushed = client.socket.pushed("stream-notify-user", f"{client.uid}/subscriptions-changed")
    assert (action, pushed["rid"], pushed["u"]["_id"]) == ("inserted", rid, client.uid)
    assert set(pushed) >= SUBSCRIPTION - {"ls"}, "what turns Join into Send"
    assert client.socket.pushed("stream-notify-user", f"{client.uid}/rooms-changed")[1]["_id"] == rid
    client.stop_listening(f"{rid}/")
    events = of_room(rid)
    assert client.listen("notify-room", *events) == dict.fromkeys(events, True)


@row(27)
def join_with_a_code(walk: Walk) -> None:
    rid = walk.rooms[1]["_id"]
    refused = walk.client.http.post("channels.join", {"roomId": rid})
    missing = at(walk.client.chat.version, "no join code")
    assert (refused.status, refused.body["errorType"]) == (400, missing)
    walk.client.result("joinRoom", rid, "wort")
    event = f"{walk.client.uid}/subscriptions-changed"
    assert walk.client.socket.pushed("stream-notify-user", event)[1]["rid"] == rid


@row(28)
def send(walk: Walk) -> None:
    client, rid = walk.client, walk.rooms[0]["_id"]
    message = {"_id": secrets.token_hex(8) + "x", "rid": rid, "msg": "от клиента"}
    sent = client.result("sendMessage", message, None)
    assert {name: sent[name] for name in message} == message
    while (pushed := client.socket.pushed("stream-room-messages", rid)[0]).get("t"):
        pass  # of the joining
    assert {name: pushed[name] for name in message} == message, "what clears aria-busy"
    assert (pushed["u"]["_id"], set(pushed["ts"])) == (client.uid, {"$date"})
    walk.speaker.post("chat.sendMessage", {"message": {"rid": rid, "msg": "и ему"}})
    assert client.socket.pushed("stream-room-messages", rid)[0]["msg"] == "и ему"


@row(29)
def typing(walk: Walk) -> None:
    event = f"{walk.rooms[0]['_id']}/user-activity"
    settings = {found["_id"]: found["value"] for found in walk.client.result("public-settings/get")}
    user = walk.client.get("me")
    name = user["name"] if settings["UI_Use_Real_Name"] else user["username"]
    with signed_in(walk.chat.url, walk.speaker) as other:
        assert other.subscribe("stream-notify-room", event, {"useCollection": False})["msg"] == "ready"
        assert "error" not in walk.client.method("stream-notify-room", event, name, ["user-typing"], {})
        assert other.pushed("stream-notify-room", event) == [name, ["user-typing"], {}]


@row(30)
def another_room(walk: Walk) -> None:
    old, new, _ = walk.rooms
    walk.client.stop_listening(old["_id"])
    found = walk.client.result("getRoomByTypeAndName", "c", new["name"])
    assert walk.client.listen("room-messages", found["_id"]) == {new["_id"]: True}
    events = of_room(new["_id"])
    assert walk.client.listen("notify-room", *events) == dict.fromkeys(events, True)
    assert "messages" in walk.client.result("loadHistory", new["_id"], None, 50, None, False)
    for room, text in ((old, "unheard"), (new, "heard")):
        walk.speaker.post("chat.sendMessage", {"message": {"rid": room["_id"], "msg": text}})
    assert walk.client.socket.pushed("stream-room-messages", new["_id"])[0]["msg"] == "heard"
    unheard = [
        m for m in walk.client.socket.inbox if m.get("msg") == "changed" and "unheard" in json.dumps(m)
    ]
    assert [m["collection"] for m in unheard if m["collection"] == "stream-room-messages"] == []


@row(31)
def log_out(walk: Walk) -> None:
    user = walk.client.get("me")
    token = walk.client.http.token
    assert "error" not in walk.client.method("logout")
    walk.client.http.token = None
    walk.client.result("logoutCleanUp", {name: user[name] for name in ("_id", "username")})
    walk.client.stop_listening()
    walk.client.socket.send({"msg": "ping", "id": "still"})
    walk.client.socket.named("pong", id="still")
    assert walk.client.http.request("GET", "/home").status == 200
    walk.client.http.token = token
    assert walk.client.http.get("me").status == 401, "the token is dead"
