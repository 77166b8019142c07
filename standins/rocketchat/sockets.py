"""The sockets: SockJS's WebSocket transport under /sockjs, and the bare one at /websocket.

Frames after SockJS 1.x: `o` opens, `a["..."]` carries DDP texts, `h` is a heartbeat, `c[code,"reason"]`
closes. The polling transports are not offered: /sockjs/info says that WebSocket is there. A client that falls
back all the same gets 404, as from a server behind `DISABLE_SOCKJS`.
"""

import asyncio
import json
import secrets

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from standins.rocketchat.api import client_address
from standins.rocketchat.ddp import Connection
from standins.rocketchat.server import Server

# Meteor's heartbeat: a ping after `Config.ping_seconds`, the end 15 s later. SockJS has its own, every 25 s.
_SILENCE_SECONDS = 15
_SOCKJS_SECONDS = 25
_MAX_FRAME = 2_000_000
_ANY = {"Access-Control-Allow-Origin": "*"}
_IFRAME = "<!DOCTYPE html><title>SockJS</title><p>WebSocket is the only transport here.</p>"


async def info(_request: Request) -> Response:
    entropy = secrets.randbelow(2**32)
    body = {"websocket": True, "origins": ["*:*"], "cookie_needed": False, "entropy": entropy}
    return JSONResponse(body, headers=_ANY | {"Cache-Control": "no-store, no-cache, must-revalidate"})


async def polling(_request: Request) -> Response:
    return PlainTextResponse("404 Not Found\n", 404, _ANY)


class _Socket:
    """Carries one Connection over one WebSocket, with SockJS's frames around the texts or without."""

    def __init__(self, websocket: WebSocket, *, framed: bool) -> None:
        server: Server = websocket.app.state.server
        peer = websocket.client.host if websocket.client else "127.0.0.1"
        address = client_address(server, websocket.headers, peer)
        self.websocket, self.framed = websocket, framed
        self.ping_seconds = server.config.ping_seconds
        self.connection = Connection(server, address, dict(websocket.headers))

    async def serve(self) -> None:
        """Until either side ends it; nothing of the connection is left afterwards."""
        await self.websocket.accept()
        work = (self._read(), self._write(), self.connection.closed.wait())
        tasks: list[asyncio.Task[object]] = [asyncio.create_task(one) for one in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.connection.end()

    async def _write(self) -> None:
        try:
            if self.framed:
                await self.websocket.send_text("o")
            while (text := await self._next()) is not None:
                await self.websocket.send_text(text)
            await self.websocket.close(3000 if self.framed else 1000)
        except (WebSocketDisconnect, RuntimeError, OSError):
            return

    async def _next(self) -> str | None:
        """The next frame: a queued text, or SockJS's heartbeat when there is none for a while."""
        wait = _SOCKJS_SECONDS if self.framed else None
        try:
            text = await asyncio.wait_for(self.connection.outgoing.get(), wait)
        except TimeoutError:
            return "h"
        return text if text is None or not self.framed else f"a{json.dumps([text], ensure_ascii=False)}"

    async def _read(self) -> None:
        pinged = False
        while True:
            try:
                silence = _SILENCE_SECONDS if pinged else self.ping_seconds
                frame = await asyncio.wait_for(self.websocket.receive(), silence)
            except TimeoutError:
                if pinged or self.connection.session is None:
                    return
                pinged = True
                self.connection.send({"msg": "ping"})
                continue
            pinged = False
            if frame["type"] == "websocket.disconnect":
                return
            data = frame.get("text")
            text = data if data is not None else (frame.get("bytes") or b"").decode("utf-8", "replace")
            if len(text) > _MAX_FRAME:
                await self.websocket.close(1009, "message too big")
                return
            for message in self._unpack(text):
                if message is None:
                    await self.websocket.close(3000, "Broken framing.")
                    return
                await self.connection.receive(message)

    def _unpack(self, text: str) -> list[str] | list[None]:
        """The DDP texts of an incoming frame; `[None]` for a SockJS frame that is none."""
        if not self.framed or not text:
            return [] if self.framed else [text]
        try:
            messages = json.loads(text)
        except (ValueError, RecursionError):
            return [None]
        messages = messages if isinstance(messages, list) else [messages]
        return [one if isinstance(one, str) else json.dumps(one) for one in messages]


async def sockjs_socket(websocket: WebSocket) -> None:
    await _Socket(websocket, framed=True).serve()


async def bare_socket(websocket: WebSocket) -> None:
    await _Socket(websocket, framed=False).serve()


routes = [
    WebSocketRoute("/websocket", bare_socket),
    WebSocketRoute("/sockjs/websocket", bare_socket),
    WebSocketRoute("/sockjs/{server}/{session}/websocket", sockjs_socket),
    *(Route(path, lambda _: PlainTextResponse("Welcome to SockJS!\n")) for path in ("/sockjs", "/sockjs/")),
    Route("/sockjs/info", info),
    Route("/sockjs/iframe.html", lambda _: HTMLResponse(_IFRAME)),
    Route("/sockjs/{server}/{session}/{transport}", polling, methods=["GET", "POST", "OPTIONS"]),
]
