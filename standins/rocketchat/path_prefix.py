"""A server below a path, as of ROOT_URL=https://host/chat (Meteor's `packages/webapp/webapp_server.js`).

Meteor takes the prefix off each request, WebSockets included (`packages/ddp-server/stream_server.js`). What
lies outside gets 404 "Unknown path", but for /favicon.ico and /robots.txt. Unmeasured on a running server.
"""

from urllib.parse import quote, unquote

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_OUTSIDE = ("/favicon.ico", "/robots.txt")


class PathPrefix:
    """ASGI middleware; `prefix` begins with `/`, does not end with one, and is written as in an address."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        # ASGI tells paths decoded.
        self.app, self.prefix = app, unquote(prefix)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or scope["path"] in _OUTSIDE:
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path != self.prefix and not path.startswith(f"{self.prefix}/"):
            if scope["type"] == "http":
                await PlainTextResponse("Unknown path", 404)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1000, "reason": None})
            return
        inner = path[len(self.prefix) :] or "/"
        # Starlette's own `root_path` would go on matching the whole path.
        await self.app(dict(scope) | {"path": inner, "raw_path": quote(inner).encode()}, receive, send)
