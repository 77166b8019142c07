"""What only a stand-in is put through: kill -9 under writes, rubbish on the port."""

from __future__ import annotations

import base64
import itertools
import random
import socket as sockets
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from .chat import Chat, eventually
from .client import Client, Json
from .sockets import signed_in, socket
from .standin import ADMIN, ADMIN_PASSWORD, Standin, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "kills and mistreats the server"


@pytest.fixture(scope="module")
def mortal(standins: Standins) -> Iterator[tuple[Standin, Chat]]:
    """A stand-in to be mistreated, and what asks it how it is."""
    with standins.running() as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD)
        chat.set("DDP_Rate_Limit_Connection_By_Method_Enabled", False)
        yield standin, chat


def test_killed_under_writes_it_has_every_acknowledged_write(mortal: tuple[Standin, Chat]) -> None:
    """An answer comes after Mongo's, so that what was answered survives."""
    standin, chat = mortal
    room, writers = chat.room(), [chat.person() for _ in range(3)]
    acknowledged, refused = list[str](), list[str]()
    enough = threading.Event()

    def by_rest(writer: Client, message: Json) -> bool:
        return writer.post("chat.sendMessage", {"message": message}).status == 200

    def write(writer: Client, send: Callable[[Client, Json], bool]) -> None:
        for number in itertools.count():
            text = f"{writer.username} {number}"
            try:
                (acknowledged if send(writer, {"rid": room["_id"], "msg": text}) else refused).append(text)
            except (requests.RequestException, ConnectionClosed):
                return
            if len(acknowledged) >= 60:
                enough.set()

    def write_by_socket(writer: Client) -> None:
        with suppress(ConnectionClosed), signed_in(chat.url, writer) as client:
            write(writer, lambda _, message: "result" in client.call("sendMessage", message))

    threads = [threading.Thread(target=write, args=(writer, by_rest)) for writer in writers[:2]]
    threads.append(threading.Thread(target=write_by_socket, args=(writers[2],)))
    for thread in threads:
        thread.start()
    assert enough.wait(20)
    standin.kill()
    for thread in threads:
        thread.join(20)
    eventually(lambda: not standin.answers(), "it is gone")
    standin.start()
    found = chat.admin.get("channels.messages", roomId=room["_id"], count=0).body["messages"]
    assert refused == []
    assert {text.partition(" ")[0] for text in acknowledged} == {str(writer.username) for writer in writers}
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


def _upgraded(port: int) -> sockets.socket:
    """A connection on which a WebSocket has just begun, without a library that would mend what follows."""
    peer = sockets.create_connection(("127.0.0.1", port), timeout=5)
    key = base64.b64encode(random.Random(port).randbytes(16)).decode()  # noqa: S311 - not for secrets
    lines = ["GET /websocket HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""]
    peer.sendall("\r\n".join(lines).encode())
    assert peer.recv(4096).startswith(b"HTTP/1.1 101")
    return peer


_MASKED_TEXT = b"\x81\xff"
_FRAMES = {
    # A masked text frame of a megabyte, of which ten bytes come: the peer has vanished.
    "half a frame": _MASKED_TEXT + struct.pack(">Q", 1 << 20) + b"\0" * 14,
    "a frame of a terabyte": _MASKED_TEXT + struct.pack(">Q", 1 << 40) + b"\0" * 14,
    "random bytes": random.Random(8).randbytes(3000),  # noqa: S311
    "no mask": b"\x81\x05hello",
    "a reserved opcode": b"\x83\x80\0\0\0\0",
    "a continuation of nothing": b"\x80\x80\0\0\0\0",
}


@pytest.mark.parametrize("kind", _FRAMES)
def test_broken_websockets_hold_nobody_up(mortal: tuple[Standin, Chat], kind: str) -> None:
    """Broken, half-open and reset: every one but the half-open is ended, and others are served meanwhile."""
    standin, chat = mortal
    with ExitStack() as opened, socket(chat.url) as other:
        other.open()
        peers = [opened.enter_context(_upgraded(standin.port)) for _ in range(30)]
        for peer in peers:
            peer.sendall(_FRAMES[kind])
        other.send({"msg": "ping", "id": kind})
        other.named("pong", id=kind)
        assert chat.admin.get("me").status == 200
        if kind != "half a frame":
            for peer in peers:
                while peer.recv(4096):
                    continue  # a close frame, then the end; a peer that is left open times out
        for peer in peers:
            reset = struct.pack("ii", 1, 0)
            peer.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, reset)
    assert chat.admin.get("me").status == 200


def test_ten_thousand_connects_in_batches(mortal: tuple[Standin, Chat]) -> None:
    """Connections that never say anything, five hundred at a time; none of them is kept."""
    standin, chat = mortal
    server = standin.server()
    before = server.num_fds()
    for _ in range(20):
        with ExitStack() as opened:
            for _ in range(500):
                opened.enter_context(sockets.create_connection(("127.0.0.1", standin.port), timeout=5))
            assert chat.admin.get("me").status == 200
    assert chat.admin.get("me").status == 200
    eventually(lambda: server.num_fds() <= before + 5, "the server has let go of them")
