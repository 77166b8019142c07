"""One DDP connection: handshake, methods, subscriptions (Meteor's `ddp-server/livedata_server.js`, DDP 1).

Messages of a connection are handled one after the other. What goes out is queued. A client that does not read
is dropped when its queue is full, so that it holds nobody else up.
"""

import asyncio
import logging
import re
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from standins.rocketchat.api import run_method
from standins.rocketchat.documents import Document, ejson_dumps, ejson_loads, random_id
from standins.rocketchat.envelope import error_document
from standins.rocketchat.errors import RocketError
from standins.rocketchat.presence import went_offline, went_online
from standins.rocketchat.publications import Stop, publish, publish_user
from standins.rocketchat.registry import Call
from standins.rocketchat.server import Server
from standins.rocketchat.sessions import user_by_hash

QUEUE_LENGTH = 1000
_log = logging.getLogger("ddp")


@dataclass
class Subscription:
    """What a client listens to; `stops` end it."""

    name: str
    params: list[Any]
    stops: list[Stop] = field(default_factory=list)

    def stop(self) -> None:
        while self.stops:
            self.stops.pop()()


def _has_unknown_type(message: Document) -> bool:
    """An EJSON type that is not known, where types count (ddp-common, parseDDP; measured on 6.5.3)."""
    waiting = [message.get(name) for name in ("fields", "params", "result")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.keys() == {"$type", "$value"} and not _is_object_id(value):
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False


def _is_object_id(value: Document) -> bool:
    """The only type that Meteor's server knows (mongo-id)."""
    return value["$type"] == "oid" and re.fullmatch("[0-9a-fA-F]{24}", str(value["$value"])) is not None


class _Encoder:
    """The text of a message that many connections get, worked out once."""

    def __init__(self) -> None:
        self._message: Document | None = None
        self._text = ""

    def __call__(self, message: Document) -> str:
        if message is not self._message:
            self._message, self._text = message, ejson_dumps(message)
        return self._text


_encode = _Encoder()


class Connection:
    """A client's session. `outgoing` holds ready DDP texts, None for the end; `closed` ends it at once."""

    def __init__(self, server: Server, address: str, headers: dict[str, str]) -> None:
        self.server, self.address, self.headers = server, address, headers
        self.outgoing: asyncio.Queue[str | None] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.session: str | None = None
        self.uid: str | None = None
        self.token_hash: str | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self._in_method = self._token_is_dead = False
        self._forget_token: Stop = lambda: None
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the incoming messages, at most until the connection ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, message: Document) -> None:
        """Queue a message; a client that lags QUEUE_LENGTH messages behind is disconnected instead."""
        if self.outgoing.qsize() >= QUEUE_LENGTH:
            if not self.closed.is_set():
                _log.warning("connection %s does not read: dropped", self.session)
            self.close()
        else:
            self.outgoing.put_nowait(_encode(message))

    def close(self) -> None:
        """Have the socket closed at once, whatever is still queued."""
        self.closed.set()

    async def end(self) -> None:
        """The socket is gone: stop every subscription."""
        for sub_id in list(self.subscriptions):
            self._stop(sub_id)
        for task in self._tasks:
            task.cancel()
        await self._sign(None, None)

    async def receive(self, text: str | bytes) -> None:
        """Handle one incoming DDP text; never raises for what a client sent."""
        try:
            message = ejson_loads(text)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self.send({"msg": "error", "reason": "Bad request"})
            return
        if _has_unknown_type(message):
            self.send({"msg": "error", "reason": "Parse error"})
            return
        kind = message.get("msg")
        # What JavaScript takes for false counts as no `msg`.
        if not kind and not isinstance(kind, list | dict):
            self._refuse("Bad request", message)
        elif kind == "connect":
            self._connect(message)
        elif self.session is None:
            self._refuse("Must connect first", message)
        elif kind == "ping":
            self._echo("pong", message)
        elif kind == "sub":
            await self._sub(message)
        elif kind == "unsub":
            self._unsub(message)
        elif kind == "method":
            await self._method(message)
        elif kind != "pong":
            self._refuse("Bad request", message)

    def _echo(self, kind: str, message: Document) -> None:
        """Nothing for an id that is no text: ddp-common's stringifyDDP sends no such message.

        An empty list or object is true in JavaScript, and no text (asked of a running 6.5.3).
        """
        its_id = message.get("id")
        if isinstance(its_id, str) or not (its_id or isinstance(its_id, list | dict)):
            self.send({"msg": kind} | ({"id": message["id"]} if "id" in message else {}))

    def _refuse(self, reason: str, message: Any) -> None:
        self.send({"msg": "error", "reason": reason, "offendingMessage": message})

    def _connect(self, message: Document) -> None:
        support = message.get("support")
        if self.session is not None:
            self._refuse("Already connected", message)
        elif message.get("version") == "1" and isinstance(support, list) and "1" in support:
            self.session = random_id()
            self.send({"msg": "connected", "session": self.session})
        else:
            self.send({"msg": "failed", "version": "1"})
            self.outgoing.put_nowait(None)

    async def user(self) -> Document | None:
        """The signed-in user as Mongo has them now; None once the token is gone or expired."""
        return await user_by_hash(self.server, self.token_hash, self.uid) if self.uid else None

    async def _method(self, message: Document) -> None:
        name, params, call_id = message.get("method"), message.get("params", []), message.get("id")
        if not isinstance(name, str) or not isinstance(call_id, str) or not isinstance(params, list):
            self._refuse("Malformed method invocation", message)
            return
        call = Call(self.server, headers=self.headers, address=self.address, user=await self.user())
        call.token_hash = self.token_hash if call.user else None
        self._in_method = True
        frame = await run_method(call, self.session or "", call_id, name, params)
        self._in_method = False
        if frame.get("result", False) is None:
            del frame["result"]
        await self._sign(call.user["_id"] if call.user else None, call.token_hash)
        self.send(frame)
        self.send({"msg": "updated", "methods": [call_id]})
        if self._token_is_dead:
            self.close()

    async def _sign(self, uid: str | None, token_hash: str | None) -> None:
        """Take over who a method left signed in; the streams of the one before are asked for again."""
        if (uid, token_hash) == (self.uid, self.token_hash):
            return
        before = self.uid
        if before is not None:
            self._forget_token()
            await went_offline(self.server, before)
        self.uid, self.token_hash, self._token_is_dead = uid, token_hash, False
        if uid is not None:
            self._forget_token = self.server.hub.subscribe("tokens", str(token_hash), self._token_died)
            await publish_user(self)
            await went_online(self.server, uid)
        if before not in {None, uid}:
            for sub_id, subscription in list(self.subscriptions.items()):
                if subscription.name.startswith("stream-"):
                    subscription.stop()
                    await self._start(sub_id, subscription)

    def _token_died(self, _message: Document) -> None:
        """Meteor closes connections whose token is removed; the one that signs itself out goes on."""
        if self._in_method:
            self._token_is_dead = True
        else:
            self.close()

    async def _sub(self, message: Document) -> None:
        sub_id, name, params = message.get("id"), message.get("name"), message.get("params", [])
        if not isinstance(sub_id, str) or not isinstance(name, str) or not isinstance(params, list):
            self._refuse("Malformed subscription", message)
            return
        if sub_id not in self.subscriptions:
            self.subscriptions[sub_id] = subscription = Subscription(name, params)
            if await self._start(sub_id, subscription):
                self.send({"msg": "ready", "subs": [sub_id]})

    async def _start(self, sub_id: str, subscription: Subscription) -> bool:
        try:
            await publish(self, subscription.stops, subscription.name, subscription.params)
        except RocketError as error:
            self._stop(sub_id)
            self.send({"msg": "nosub", "id": sub_id, "error": error_document(error)})
            return False
        return True

    def _unsub(self, message: Document) -> None:
        sub_id = message.get("id")
        if isinstance(sub_id, str):
            self._stop(sub_id)
        self._echo("nosub", message)

    def _stop(self, sub_id: str) -> None:
        subscription = self.subscriptions.pop(sub_id, None)
        if subscription is not None:
            subscription.stop()
