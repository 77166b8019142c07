"""REST routes and DDP methods of the stand-in, declared where they are written.

A REST handler takes a `Call` and returns the fields of the success envelope; a method handler takes a
`Call` and the method's parameters and returns its result. Both raise `RocketError` for a refusal:
REST shows it as 400 with `error` and `errorType`, DDP as an `error` object
(Rocket.Chat `apps/meteor/app/api/server/api.ts`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

Document = dict[str, Any]
RestHandler = Callable[["Call"], Awaitable[Document]]
MethodHandler = Callable[..., Awaitable[Any]]


class RocketError(Exception):
    """A Meteor.Error: `code` (string, or 403 as an int for log-in failures), `reason`, `details`.

    `status` is the HTTP status REST answers with; DDP ignores it.
    """

    def __init__(self, code: str | int, reason: str = "", details: Any = None, *, status: int = 400) -> None:
        self.code = code
        self.reason = reason
        self.details = details
        self.status = status
        super().__init__(f"{reason} [{code}]")


@dataclass
class Call:
    """One REST request or DDP method call.

    `user` is the whole user document, None for an anonymous caller. `token_hash` is the hashed log-in
    token of the session. `address` is what rate limits and the second factor's fingerprint see.
    `connection` is the DDP connection, None over REST.
    """

    server: Server
    user: Document | None = None
    token_hash: str | None = None
    query: dict[str, str] = field(default_factory=dict)
    body: Document = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    connection: Any = None

    @property
    def uid(self) -> str:
        """Id of the signed-in user; only for handlers that require one."""
        if self.user is None:
            raise RocketError("error-invalid-user", "Invalid user")
        return str(self.user["_id"])


@dataclass(frozen=True)
class Route:
    """A REST route under /api/v1: who may call it and what it demands."""

    path: str
    verb: str
    handler: RestHandler
    auth: bool = True
    permissions: tuple[str, ...] = ()
    two_factor: bool = False


ROUTES: dict[tuple[str, str], Route] = {}
METHODS: dict[str, MethodHandler] = {}
ANONYMOUS_METHODS: set[str] = set()


def route(
    path: str, *verbs: str, auth: bool = True, permissions: tuple[str, ...] = (), two_factor: bool = False
) -> Callable[[RestHandler], RestHandler]:
    """Declare a REST handler, e.g. `@route("channels.join", "POST")`; `:name` parts land in `call.query`."""

    def declare(handler: RestHandler) -> RestHandler:
        for verb in verbs:
            ROUTES[(path, verb)] = Route(path, verb, handler, auth, permissions, two_factor)
        return handler

    return declare


def method(name: str, *, anonymous: bool = False) -> Callable[[MethodHandler], MethodHandler]:
    """Declare a DDP method, reachable by socket, `method.call` and, if `anonymous`, `method.callAnon`."""

    def declare(handler: MethodHandler) -> MethodHandler:
        METHODS[name] = handler
        if anonymous:
            ANONYMOUS_METHODS.add(name)
        return handler

    return declare
