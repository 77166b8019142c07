"""What each of the people does, as Locust runs it: sign in by the whole chain, keep a socket, read and write.

Locust imports this file (docs.locust.io, "Writing a locustfile"). Where the stack is stands in the
environment; see `besedka/load/run.py`. Each hop is a row of Locust's statistics.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import locust
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from besedka import client_environment, http
from besedka import contract as contracts
from besedka.errors import BesedkaError
from besedka.load.run import CHAT_ENV, ROOM, ROOMS, SITE_ENV
from besedka.rocketchat import callback, provider
from besedka.rocketchat.rest import RocketChat
from besedka.site import Site

SECONDS = 30.0

client_environment.bypass_proxies()
_told = contracts.load()
CONTRACT = _told.at(
    site_url=os.environ.get(SITE_ENV) or _told.site.url, chat_url=os.environ.get(CHAT_ENV) or _told.chat.url
)
_numbers = itertools.count()


class HopError(Exception):
    """A hop that was answered, and not as it has to be."""


class Person(locust.User):
    """Somebody of the contract, with a session of his own; two people may share an account."""

    wait_time = locust.between(5, 15)

    def on_start(self) -> None:
        """Sign in to the site, walk the chain, and open the socket; who fails does not go on."""
        self.number = next(_numbers)
        self.room_name = f"{ROOM}_{self.number % ROOMS}"
        self.inbox: queue.Queue[dict[str, Any]] = queue.Queue()
        self.somebody = CONTRACT.users[self.number % len(CONTRACT.users)]
        self.site = Site.of(CONTRACT, timeout=SECONDS)
        self.socket: ClientConnection | None = None
        try:
            self.chat = self._signed_in()
            self.socket = self._connected()
        except (BesedkaError, HopError, OSError, WebSocketException):
            raise locust.exception.StopUser from None

    def on_stop(self) -> None:
        """End the session in the chat, whose token would stay for 90 days."""
        if self.socket is not None:
            self.socket.close()
        if hasattr(self, "chat"):
            with suppress(BesedkaError):
                self.chat.post("logout")

    @locust.task(3)
    def read(self) -> None:
        """The room's messages, over REST."""
        with suppress(BesedkaError), self._hop("read"):
            self.chat.get("channels.messages", roomId=self.room, count=20)

    @locust.task
    def write(self) -> None:
        """A message over the socket, until it comes back there."""
        text = f"temp {self.number} {secrets.token_hex(8)}"
        with suppress(BesedkaError, HopError, OSError, WebSocketException), self._hop("write and hear"):
            # The message may come back before the method's result.
            self._ask("sendMessage", {"_id": secrets.token_hex(9), "rid": self.room, "msg": text})
            self._heard(lambda told: told.get("msg") == "changed" and text in json.dumps(told))

    @contextmanager
    def _hop(self, name: str) -> Iterator[None]:
        """A row of Locust's statistics; what is raised is its failure, by cause, and goes on."""
        began, failed = time.perf_counter(), None
        try:
            yield
        except Exception as error:
            failed = _cause(error)
            raise
        finally:
            self.environment.events.request.fire(
                request_type="hop",
                name=name,
                response_time=(time.perf_counter() - began) * 1000,
                response_length=0,
                exception=failed,
                context={},
            )

    def _signed_in(self) -> RocketChat:
        one, own = self.somebody, provider.redirect_uri(CONTRACT)
        with self._hop("1 site log-in"):
            self.site.sign_in(one.username, one.secret, email=one.email)
        with self._hop("2 page of the chat"):
            _expect(self.site.get(CONTRACT.site.test_page).status_code, 200)
        token, oauth = secrets.token_urlsafe(32), CONTRACT.provider
        with self._hop("3 authorize"):
            answer = self.site.authorize(oauth.client_id, own, oauth.scope, callback.state(CONTRACT, token))
            _expect(answer.status_code, 302)
            target = answer.headers["Location"]
        with self._hop("4 callback, token, identity"), http.session() as asked:
            page = asked.get(target, timeout=SECONDS)
            told = callback.result(page.text) or {}
            _expect(bool(told.get("credentialSecret")), True)
        chat = RocketChat(CONTRACT.chat.url, timeout=SECONDS)
        with self._hop("5 log-in of the chat"):
            credential = {"credentialToken": token, "credentialSecret": told["credentialSecret"]}
            chat.credentials = chat.login({"oauth": credential})
        with self._hop("6 session"):
            _expect(chat.me()["username"], one.username)
            self.room = chat.get("rooms.info", roomName=self.room_name)["room"]["_id"]
        return chat

    def _connected(self) -> ClientConnection:
        base, held = CONTRACT.chat.url, self.chat.credentials
        assert held is not None  # noqa: S101 - `_signed_in` gives them
        with self._hop("7 socket"):
            self.socket = connect(
                f"ws{base.removeprefix('http')}/websocket",
                origin=Origin(base),
                proxy=None,
                ssl=http.authorities() if base.startswith("https") else None,
                open_timeout=SECONDS,
                # The server's own pings are answered below, as Meteor's client does.
                ping_interval=None,
            )
            threading.Thread(target=self._listen, args=(self.socket,), daemon=True).start()
            self.socket.send(json.dumps({"msg": "connect", "version": "1", "support": ["1"]}))
            self._call("login", {"resume": held.token})
            parameters = [self.room, False]
            self.socket.send(
                json.dumps({"msg": "sub", "id": "1", "name": "stream-room-messages", "params": parameters})
            )
            self._heard(lambda told: told.get("msg") == "ready")
        return self.socket

    def _call(self, method: str, parameter: dict[str, Any]) -> None:
        """A DDP method, until its result."""
        number = self._ask(method, parameter)
        answer = self._heard(lambda told: told.get("msg") == "result" and told.get("id") == number)
        if "error" in answer:
            raise HopError(f"{method}: {answer['error'].get('error')}")

    def _ask(self, method: str, parameter: dict[str, Any]) -> str:
        """Send a DDP method; the number that its result will carry."""
        assert self.socket is not None  # noqa: S101 - asked only while it is open
        number = secrets.token_hex(4)
        self.socket.send(json.dumps({"msg": "method", "id": number, "method": method, "params": [parameter]}))
        return number

    def _heard(self, wanted: Any) -> dict[str, Any]:
        """The first message of DDP that is wanted. Raises HopError where it does not come in time."""
        until = time.monotonic() + SECONDS
        while True:
            try:
                told = self.inbox.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise HopError(f"nothing over the socket within {SECONDS:.0f} s") from None
            if wanted(told):
                return told

    def _listen(self, connection: ClientConnection) -> None:
        """Hear everything, whether somebody waits or not; pings are answered, messages of others dropped."""
        own = f"temp {self.number} "
        with suppress(WebSocketException, OSError):
            for raw in connection:
                told: dict[str, Any] = json.loads(raw)
                if told.get("msg") == "ping":
                    connection.send(json.dumps({"msg": "pong"}))
                elif told.get("msg") != "changed" or own in str(raw):
                    self.inbox.put(told)


def _expect(seen: object, wanted: object) -> None:
    if seen != wanted:
        raise HopError(f"{seen!r}, not {wanted!r}")


def _cause(error: Exception) -> Exception:
    """One text for one cause: names and numbers of a single person taken out."""
    text = error.found if isinstance(error, BesedkaError) else f"{type(error).__name__}: {error}"
    return RuntimeError(re.sub(r"[0-9a-f]{8,}|'[^']*'", "…", text)[:200])
