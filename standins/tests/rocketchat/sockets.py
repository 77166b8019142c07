"""DDP as a web client speaks it, over SockJS's WebSocket transport or the bare one."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

from .client import Client, Json, random_address

WAIT_SECONDS = 10.0


class Socket:
    """One connection. Messages that nobody has asked for yet are kept in `inbox`, in their order."""

    def __init__(self, connection: Connection, *, framed: bool) -> None:
        self._connection, self._framed = connection, framed
        self.inbox: list[Json] = []
        self.frames: list[str] = []
        self._number = 0

    def send(self, message: Json) -> None:
        text = json.dumps(message)
        self.send_text(json.dumps([text]) if self._framed else text)

    def send_text(self, text: str | bytes) -> None:
        """A frame as it is."""
        self._connection.send(text)

    def receive_frame(self) -> str:
        frame = self._connection.recv(timeout=WAIT_SECONDS)
        return frame if isinstance(frame, str) else frame.decode()

    def wait(self, wanted: Callable[[Json], bool]) -> Json:
        """The first message that is wanted, come already or yet to come."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            for index, message in enumerate(self.inbox):
                if wanted(message):
                    return self.inbox.pop(index)
            frame = self.receive_frame()
            self.frames.append(frame)
            if not self._framed:
                self.inbox.append(json.loads(frame))
            elif frame.startswith("a"):
                self.inbox += [json.loads(text) for text in json.loads(frame[1:])]
        raise AssertionError(f"did not come; came: {self.inbox}")

    def named(self, kind: str, **fields: Any) -> Json:
        """The next message of a kind with these fields."""
        return self.wait(lambda m: m.get("msg") == kind and all(m.get(n) == v for n, v in fields.items()))

    def open(self) -> Json:
        """The handshake."""
        self.send({"msg": "connect", "version": "1", "support": ["1", "pre2", "pre1"]})
        return self.named("connected")

    def call(self, method: str, *params: Any) -> Json:
        """A method; its `result` message, which holds `result` or `error`."""
        self._number += 1
        call_id = f"m{self._number}"
        self.send({"msg": "method", "id": call_id, "method": method, "params": list(params)})
        result = self.named("result", id=call_id)
        self.named("updated", methods=[call_id])
        return result

    def resume(self, client: Client) -> Json:
        """Sign in with the session of a REST client."""
        return self.call("login", {"resume": client.token})

    def subscribe(self, name: str, *params: Any) -> Json:
        """Subscribe; the `ready` or `nosub` that answers, with the subscription's id in `id`."""
        self._number += 1
        sub_id = f"s{self._number}"
        self.send({"msg": "sub", "id": sub_id, "name": name, "params": list(params)})
        answer = self.wait(
            lambda m: (
                (m.get("msg") == "ready" and sub_id in m["subs"])
                or (m.get("msg") == "nosub" and m["id"] == sub_id)
            )
        )
        return answer | {"id": sub_id}

    def pushed(self, stream: str, event: str) -> list[Any]:
        """Arguments of the next push of an event."""
        message = self.wait(
            lambda m: (
                m.get("msg") == "changed"
                and m.get("collection") == stream
                and m["fields"]["eventName"] == event
            )
        )
        arguments: list[Any] = message["fields"]["args"]
        return arguments


@contextmanager
def socket(url: str, *, sockjs: bool = False) -> Iterator[Socket]:
    """A connection before its handshake; its SockJS frame `o` is still to come."""
    path = (
        f"/sockjs/{secrets.randbelow(1000):03}/{secrets.token_hex(4)}/websocket" if sockjs else "/websocket"
    )
    headers = {"X-Real-IP": random_address()}
    with connect(
        url.replace("http", "ws", 1) + path, additional_headers=headers, proxy=None, max_size=None
    ) as connection:
        yield Socket(connection, framed=sockjs)


@contextmanager
def signed_in(url: str, client: Client, *, sockjs: bool = False) -> Iterator[Socket]:
    """A connection of somebody who is signed in."""
    with socket(url, sockjs=sockjs) as opened:
        opened.open()
        assert opened.resume(client)["result"]["id"] == client.user_id
        yield opened
