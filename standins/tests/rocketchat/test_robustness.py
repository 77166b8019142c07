"""What only a stand-in is put through: kill -9 under writes, and as many connections as there can be."""

from __future__ import annotations

import itertools
import socket as sockets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from .chat import Chat, eventually
from .client import Client, Json
from .sockets import signed_in
from .standin import ADMIN, ADMIN_PASSWORD, Standin, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "kills the server, or counts its open files"


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
