"""A page of another origin around the chat's frame: it keeps what it hears and passes on what it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Frame, FrameLocator, Page

from .chat import Chat
from .client import Client

# Milliseconds until a client that is loaded has drawn another page.
IN_THE_CLIENT = 30_000
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>around</title><iframe id="chat"></iframe><script>
window.heard = [];
addEventListener('message', ({ data, origin }) => heard.push({ ...data, origin }));
const frame = document.querySelector('#chat');
window.show = (url) => { frame.src = url; };
window.tell = (command) => frame.contentWindow.postMessage(command, '*');
</script>"""


@contextmanager
def serving() -> Iterator[str]:
    """The origin of the page around, on a port of its own, for the length of a `with` block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(_PAGE.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Around:
    """The page around the frame."""

    page: Page
    chat: Chat

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("#chat")

    @property
    def inside(self) -> Frame:
        """The chat's own window."""
        return self.page.frames[1]

    def show(self, path: str) -> None:
        self.page.evaluate("url => show(url)", f"{self.chat.url}{path}")

    def tell(self, **command: Any) -> None:
        self.page.evaluate("command => tell(command)", command)

    def hear(self, event: str) -> list[str]:
        """Wait for an event; the names of all that came so far, each where it came first."""
        self.page.wait_for_function("name => heard.some((m) => m.eventName === name)", arg=event)
        names: list[str] = self.page.evaluate("heard.map((m) => m.eventName)")
        return list(dict.fromkeys(names))

    def user(self) -> str | None:
        """Who is signed in inside the frame, by the client's own storage."""
        found: str | None = self.inside.evaluate("localStorage.getItem('Meteor.userId')")
        return found

    def log_in(self, person: Client) -> None:
        self.tell(externalCommand="login-with-token", token=person.token)
        self.hear("Custom_Script_Logged_In")


def frame_settings(origin: str) -> dict[str, Any]:
    """Settings with which a chat may be framed, hears this origin only, and answers."""
    return {
        "Iframe_Restrict_Access": False,
        # The client leaves /home for the first channel at once.
        "First_Channel_After_Login": "",
        "Iframe_Integration_receive_enable": True,
        "Iframe_Integration_receive_origin": f"http://127.0.0.1:1,{origin}",
        "Iframe_Integration_send_enable": True,
        "Iframe_Integration_send_target_origin": "*",
        "API_Enable_Rate_Limiter": False,
        "DDP_Rate_Limit_Connection_By_Method_Enabled": False,
    }
