"""REST routes and DDP methods of the stand-in, declared where they are written.

A REST handler takes a `Call` and returns the fields of the success envelope. A method handler takes a `Call`
and the method's parameters and returns its result. Both raise `RocketError` for a refusal: REST shows it as
400 with `error` and `errorType`, DDP as an `error` object (Rocket.Chat `apps/meteor/app/api/server/api.ts`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from standins.rocketchat.documents import Document
from standins.rocketchat.errors import RocketError, forbidden
from standins.rocketchat.server import Server

RestHandler = Callable[["Call"], Awaitable[Any]]
MethodHandler = Callable[..., Awaitable[Any]]


@dataclass
class Call:
    """One REST request or DDP method call.

    `user` is the whole user document, None for an anonymous caller. `token_hash` is the hashed log-in
    token of the session. `address` is what rate limits and the second factor's fingerprint see.
    """

    server: Server
    user: Document | None = None
    token_hash: str | None = None
    query: dict[str, str] = field(default_factory=dict)
    body: Document = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"

    @property
    def me(self) -> Document:
        """The caller's user document; raises error-invalid-user for nobody's session."""
        if self.user is None:
            raise RocketError("error-invalid-user", "Invalid user")
        return self.user

    @property
    def uid(self) -> str:
        """Id of the signed-in user; only for handlers that require one."""
        return str(self.me["_id"])

    async def may(self, permission: str, rid: str | None = None) -> bool:
        """Whether the caller holds the permission, in this room if one is named."""
        return await self.server.may(self.user, permission, rid)


@dataclass(frozen=True)
class Route:
    """A REST route under /api/v1: who may call it and what it demands.

    Without one of `permissions` the route itself refuses (`error-unauthorized`), before the second factor.
    Before 7.0 its handler did, with the error that `older` makes (apps/meteor/app/api/server/v1 of 6.5.3 and
    7.7.1). Without `needs` the handler refuses, as `API.v1.unauthorized()`.
    """

    path: str
    verb: str
    handler: RestHandler
    auth: bool = True
    permissions: tuple[str, ...] = ()
    two_factor: bool = False
    needs: str = ""
    older: Callable[[], Exception] = forbidden


ROUTES: dict[tuple[str, str], Route] = {}
METHODS: dict[str, MethodHandler] = {}
ANONYMOUS_METHODS: set[str] = set()


def route(path: str, *verbs: str, **demands: Any) -> Callable[[RestHandler], RestHandler]:
    """Declare a REST handler, e.g. `@route("channels.join", "POST")`; `:name` parts land in `call.query`.

    `demands` are Route's: `auth=False`, `permissions=("access-permissions",)`, `two_factor=True`, `needs`.
    """

    def declare(handler: RestHandler) -> RestHandler:
        ROUTES.update({(path, verb): Route(path, verb, handler, **demands) for verb in verbs})
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
