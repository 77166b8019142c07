"""The sockets: SockJS's WebSocket transport under /sockjs, and the bare one at /websocket.

Frames after SockJS 1.x: `o` opens, `a["..."]` carries DDP texts, `h` is a heartbeat, `c[code,"reason"]`
closes. The polling transports are not offered: /sockjs/info says that WebSocket is there, and a client that
falls back all the same gets 404, as from a server behind `DISABLE_SOCKJS`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from standins.rocketchat.api import client_address
from standins.rocketchat.ddp import Connection

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

# Meteor's heartbeat: a ping after 15 s of silence, the end after 15 more; SockJS's own one every 25 s.
_SILENCE_SECONDS = 15
_SOCKJS_SECONDS = 25
_MAX_FRAME = 2_000_000


async def info(_request: Request) -> Response:
    entropy = secrets.randbelow(2**32)
    body = {"websocket": True, "origins": ["*:*"], "cookie_needed": False, "entropy": entropy}
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store, no-cache, must-revalidate"}
    return JSONResponse(body, headers=headers)


async def greeting(_request: Request) -> Response:
    return PlainTextResponse("Welcome to SockJS!\n")


async def iframe(_request: Request) -> Response:
    return HTMLResponse("<!DOCTYPE html><title>SockJS</title><p>WebSocket is the only transport here.</p>")


async def polling(_request: Request) -> Response:
    return PlainTextResponse("404 Not Found\n", 404, {"Access-Control-Allow-Origin": "*"})


class _Socket:
    """Carries one Connection over one WebSocket, with SockJS's frames around the texts or without."""

    def __init__(self, websocket: WebSocket, *, framed: bool) -> None:
        server: Server = websocket.app.state.server
        peer = websocket.client.host if websocket.client else "127.0.0.1"
        address = client_address(server, websocket.headers, peer)
        self.websocket, self.framed = websocket, framed
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
            while True:
                text = await self._next()
                if text is None:
                    break
                await self.websocket.send_text(text)
            await self.websocket.close(1000 if not self.framed else 3000)
        except (WebSocketDisconnect, RuntimeError, OSError):
            return

    async def _next(self) -> str | None:
        """The next frame: a queued text, or SockJS's heartbeat when there is none for a while."""
        wait = _SOCKJS_SECONDS if self.framed else None
        try:
            text = await asyncio.wait_for(self.connection.outgoing.get(), wait)
        except TimeoutError:
            return "h"
        if text is None or not self.framed:
            return text
        return f"a{json.dumps([text], ensure_ascii=False)}"

    async def _read(self) -> None:
        pinged = False
        while True:
            try:
                frame = await asyncio.wait_for(self.websocket.receive(), _SILENCE_SECONDS)
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
                    await self.websocket.send_text('c[1007,"Broken framing."]')
                    return
                await self.connection.receive(message)

    def _unpack(self, text: str) -> list[str] | list[None]:
        """The DDP texts of an incoming frame; `[None]` for a SockJS frame that is none."""
        if not self.framed:
            return [text]
        if not text:
            return []
        try:
            messages = json.loads(text)
        except (ValueError, RecursionError):
            return [None]
        messages = messages if isinstance(messages, list) else [messages]
        return messages if all(isinstance(message, str) for message in messages) else [None]


async def sockjs_socket(websocket: WebSocket) -> None:
    await _Socket(websocket, framed=True).serve()


async def bare_socket(websocket: WebSocket) -> None:
    await _Socket(websocket, framed=False).serve()


routes = [
    WebSocketRoute("/websocket", bare_socket),
    WebSocketRoute("/sockjs/websocket", bare_socket),
    WebSocketRoute("/sockjs/{server}/{session}/websocket", sockjs_socket),
    Route("/sockjs", greeting),
    Route("/sockjs/", greeting),
    Route("/sockjs/info", info),
    Route("/sockjs/iframe.html", iframe),
    Route("/sockjs/{server}/{session}/{transport}", polling, methods=["GET", "POST", "OPTIONS"]),
]
