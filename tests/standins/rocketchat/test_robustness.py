"""What only a stand-in is put through: kill -9 under writes, rubbish on the port."""

from __future__ import annotations

import random
import socket as sockets
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from .chat import Chat, eventually
from .client import Client
from .sockets import socket
from .standin import ADMIN, ADMIN_PASSWORD, Standin, Standins

pytestmark = pytest.mark.contract
STANDIN_ONLY = "kills and mistreats the server"


@pytest.fixture(scope="module")
def mortal(standins: Standins) -> Iterator[tuple[Standin, Chat]]:
    """A stand-in to be mistreated, and what asks it how it is."""
    with standins.running() as standin:
        yield standin, Chat(standin.url, ADMIN, ADMIN_PASSWORD)


def test_killed_under_writes_it_has_every_acknowledged_write(mortal: tuple[Standin, Chat]) -> None:
    """An answer comes after Mongo's, so that what was answered survives."""
    standin, chat = mortal
    room, writers = chat.room(), [chat.person() for _ in range(3)]
    acknowledged: list[str] = []
    enough = threading.Event()

    def write(writer: Client, number: int) -> None:
        while True:
            text = f"{writer.username} {number}"
            try:
                answer = writer.post("chat.sendMessage", {"message": {"rid": room["_id"], "msg": text}})
            except requests.RequestException:
                return
            assert answer.status == 200
            acknowledged.append(text)
            number += 1
            if len(acknowledged) >= 60:
                enough.set()

    threads = [threading.Thread(target=write, args=(writer, 0)) for writer in writers]
    for thread in threads:
        thread.start()
    assert enough.wait(20)
    standin.kill()
    for thread in threads:
        thread.join(20)
    eventually(lambda: not standin.answers(), "it is gone")
    standin.start()
    found = chat.admin.get("channels.messages", roomId=room["_id"], count=0).body["messages"]
    assert sorted(set(acknowledged) - {message["msg"] for message in found}) == []
    assert len({message["_id"] for message in found}) == len(found)
    assert chat.members(room) == [ADMIN]
    assert writers[0].get("me").status == 200, "sessions survive too"


_HTTP = b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\n"
_RUBBISH = {
    "bytes": bytes(random.Random(7).randrange(256) for _ in range(5000)),  # noqa: S311 - not for secrets
    "nothing": b"",
    "half a request": b"GET /api/info HT",
    "lying length": _HTTP + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    "bad length": _HTTP + b"Content-Length: -5\r\n\r\n",
    "huge header": b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    "bad chunks": _HTTP + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n",
    "no upgrade": b"GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}


@pytest.mark.parametrize("kind", _RUBBISH)
def test_rubbish_on_the_port_leaves_it_serving(mortal: tuple[Standin, Chat], kind: str) -> None:
    """Refused or dropped, and everybody else is served meanwhile."""
    standin, chat = mortal
    with ExitStack() as opened:
        for _ in range(20):
            peer = opened.enter_context(sockets.create_connection(("127.0.0.1", standin.port), timeout=5))
            try:
                peer.sendall(_RUBBISH[kind])
            except (BrokenPipeError, ConnectionResetError):
                continue
        assert chat.admin.get("me").status == 200
    assert chat.admin.get("me").status == 200


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff" * 100, b"NaN", b'"\\ud800"', b"9" * 10_000],
    ids=["brace", "deep list", "deep object", "no text", "NaN", "surrogate", "long number"],
)
@pytest.mark.parametrize("path", ["login", "method.callAnon/login", "chat.postMessage"])
def test_bad_json_is_a_refusal_never_a_500(mortal: tuple[Standin, Chat], path: str, raw: bytes) -> None:
    """A body that does not parse counts as empty (router.ts, parseBodyParams)."""
    headers = {"Content-Type": "application/json"}
    answer = mortal[1].anna.request("POST", f"/api/v1/{path}", data=raw, headers=headers)
    assert answer.status in {400, 401}, answer.text
    assert answer.body


_FIELDS = {
    "channels.create": ("name", "members", "readOnly", "extraData"),
    "channels.join": ("roomId", "roomName", "joinCode"),
    "channels.invite": ("userId", "username", "userIds", "usernames"),
    "channels.kick": ("userId", "username"),
    "channels.addOwner": ("userId", "username"),
    "channels.setDefault": ("default",),
    "channels.setTopic": ("topic",),
    "channels.setJoinCode": ("joinCode",),
    "groups.create": ("name", "members"),
    "groups.invite": ("roomId", "userId"),
    "rooms.saveRoomSettings": ("rid", "default", "roomTopic"),
    "rooms.delete": ("roomId",),
    "users.create": ("email", "name", "password", "username", "roles"),
    "users.update": ("userId", "data"),
    "users.delete": ("userId", "username"),
    "users.setStatus": ("status", "message"),
    "chat.postMessage": ("roomId", "channel", "text"),
    "chat.sendMessage": ("message",),
    "chat.delete": ("roomId", "msgId"),
    "subscriptions.read": ("rid",),
    "roles.addUserToRole": ("roleId", "username"),
    "permissions.update": ("permissions",),
    "settings.addCustomOAuth": ("name",),
    "login": ("user", "password", "resume", "oauth", "accessToken", "totp", "iframe"),
    "method.call/x": ("message",),
}
_WRONG: tuple[Any, ...] = (
    None,
    True,
    5,
    -1.5,
    "",
    [],
    [5],
    [{}],
    {},
    {"$ne": 1},
    {"a": [1]},
    "\0",
    "\ud800",
    "9" * 400,
)


@pytest.mark.parametrize("path", _FIELDS)
def test_wrong_types_are_refused_by_name(mortal: tuple[Standin, Chat], path: str) -> None:
    """A value of any type in any documented field: no 500, and nothing the server did not expect."""
    standin, chat = mortal
    rid = chat.room()["_id"]
    log = standin.folder / f"chat-{standin.port}.log"
    before = log.stat().st_size
    for field in _FIELDS[path]:
        for value in _WRONG:
            body = {field: value} | ({} if field in {"roomId", "roomName"} else {"roomId": rid})
            answer = chat.admin.post(path, body if path != "login" else {field: value})
            assert answer.status in {200, 400, 401, 403, 429}, (body, answer.text)
            assert not (path == "users.delete" and answer.status == 200), body
    with log.open("rb") as lines:
        lines.seek(before)
        assert b"Traceback" not in lines.read()
    assert chat.anna.get("me").status == 200


def test_bad_frames_end_at_most_their_own_connection(mortal: tuple[Standin, Chat]) -> None:
    """Deep, oversized and binary frames; others go on."""
    _, chat = mortal
    with socket(chat.url) as other:
        other.open()
        for raw in ("[" * 100_000, "x" * 2_500_000, b"\xff\xfe", '{"msg":"connect","version":{}}', "null"):
            with socket(chat.url) as client:
                try:
                    client.send_text(raw)
                    client.receive_frame()
                except ConnectionClosed:
                    continue
        other.send({"msg": "ping"})
        other.named("pong")
    assert chat.admin.get("me").status == 200


def test_many_idle_sockets_in_batches(mortal: tuple[Standin, Chat]) -> None:
    """Five batches of two hundred connections that never say anything."""
    standin, chat = mortal
    for _ in range(5):
        with ExitStack() as opened:
            for _ in range(200):
                opened.enter_context(sockets.create_connection(("127.0.0.1", standin.port), timeout=5))
            assert chat.admin.get("me").status == 200
    assert chat.admin.get("me").status == 200
