"""The chat inside somebody's page, in a browser: commands in, events out, and both gates.

apps/meteor/client/startup/iframeCommands.ts, client/lib/utils/fireGlobalEvent.ts, client/startup/
loginViaQuery.ts. The page around the frame is the test's own, on another port and so of another origin.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page

from .chat import Chat
from .client import Client

pytestmark = pytest.mark.contract

_PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>around</title><iframe id="chat"></iframe><script>
window.heard = [];
addEventListener('message', ({ data, origin }) => heard.push({ ...data, origin }));
const frame = document.querySelector('#chat');
window.show = (url) => { frame.src = url; };
window.tell = (command) => frame.contentWindow.postMessage(command, '*');
</script>"""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where the page around the frame comes from."""

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
    yield f"http://127.0.0.1:{server.server_port}"
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
        found: str | None = self.page.frames[1].evaluate("localStorage.getItem('Meteor.userId')")
        return found

    def log_in(self, person: Client) -> None:
        self.tell(externalCommand="login-with-token", token=person.token)
        self.hear("Custom_Script_Logged_In")


@pytest.fixture
def around(changeable: Chat, page: Page, origin: str) -> Around:
    """A chat that may be framed, hears this origin only, and answers."""
    for name, value in (
        ("Iframe_Restrict_Access", False),
        ("Iframe_Integration_receive_enable", True),
        ("Iframe_Integration_receive_origin", f"http://127.0.0.1:1,{origin}"),
        ("Iframe_Integration_send_enable", True),
        ("Iframe_Integration_send_target_origin", "*"),
        ("API_Enable_Rate_Limiter", False),
        ("DDP_Rate_Limit_Connection_By_Method_Enabled", False),
    ):
        changeable.set(name, value)
    page.goto(origin)
    return Around(page, changeable)


def test_the_order_of_the_events(around: Around) -> None:
    """startup, then Logged_Out; after a log-in Logged_In, then room-opened; all from the chat's origin."""
    around.show("/channel/general?layout=embedded")
    assert around.hear("Custom_Script_Logged_Out")[0] == "startup"
    # Not somebody lasting: the log-out at the end takes the token along.
    around.log_in(around.chat.person())
    wanted = ["startup", "Custom_Script_Logged_Out", "Custom_Script_Logged_In", "room-opened"]
    assert [name for name in around.hear("room-opened") if name in wanted] == wanted
    assert around.page.evaluate("[...new Set(heard.map((m) => m.origin))]") == [around.chat.url]
    around.tell(externalCommand="logout")
    heard = around.hear("Custom_Script_On_Logout")
    assert heard.index("Custom_Script_On_Logout") > heard.index("room-opened")


def test_login_with_token_signs_in(around: Around) -> None:
    """A resume token; no answer but the event, and a composer where somebody is a member."""
    around.show("/channel/general?layout=embedded")
    around.hear("Custom_Script_Logged_Out")
    around.log_in(around.chat.anna)
    around.frame.locator('[name="msg"]').wait_for()
    assert around.user() == around.chat.anna.user_id


def test_a_wrong_token_is_met_with_silence(around: Around) -> None:
    """Nothing is sent back and nobody is signed in; the next token is as good as ever."""
    around.show("/home")
    before = around.hear("Custom_Script_Logged_Out")
    around.tell(externalCommand="login-with-token", token="no such token")
    around.log_in(around.chat.anna)
    after = around.hear("Custom_Script_Logged_In")
    assert set(after) - set(before) <= {"Custom_Script_Logged_In", "status-changed", "unread-changed"}
    assert around.user() == around.chat.anna.user_id


@pytest.mark.parametrize("gate", ["origin", "switch"])
def test_commands_of_others_are_not_heard(around: Around, origin: str, gate: str) -> None:
    """Iframe_Integration_receive_origin and …_receive_enable; only the console says so, and only of the first."""
    if gate == "origin":
        # Neither a part of an origin nor one behind a space in the list counts.
        around.chat.set("Iframe_Integration_receive_origin", f"http://127.0.0.1, {origin}")
    else:
        around.chat.set("Iframe_Integration_receive_enable", False)
    around.show("/home")
    around.hear("Custom_Script_Logged_Out")
    messages: list[str] = []
    around.page.on("console", lambda message: messages.append(message.text))
    around.tell(externalCommand="login-with-token", token=around.chat.anna.token)
    # A message of our own comes through the same queue after the command, which was decided by then.
    around.page.frames[1].evaluate(
        "new Promise((done) => { addEventListener('message', done, {once: true}); postMessage('x', '*') })"
    )
    assert [text for text in messages if "Origin not allowed" in text] == (
        [f"Origin not allowed {origin}"] if gate == "origin" else []
    )
    assert around.user() is None


def test_an_unknown_command_is_named_in_the_console(around: Around) -> None:
    around.show("/home")
    around.hear("Custom_Script_Logged_Out")
    with around.page.expect_console_message(lambda message: "Command not allowed" in message.text):
        around.tell(externalCommand="no-such-command")


def test_without_the_switch_nothing_is_sent(around: Around) -> None:
    """Iframe_Integration_send_enable."""
    around.chat.set("Iframe_Integration_send_enable", False)
    around.show("/home")
    around.frame.get_by_role("textbox", name="Password").wait_for()
    assert around.page.evaluate("heard") == []


def test_a_resume_token_in_the_address_signs_in(around: Around) -> None:
    """`?resumeToken=` on any page, straight into the room; the layout stays (loginViaQuery.ts)."""
    person = around.chat.anna
    around.show(f"/channel/general?layout=embedded&resumeToken={person.token}")
    around.hear("room-opened")
    around.frame.locator('[name="msg"]').wait_for()
    assert around.user() == person.user_id
    assert "layout=embedded" in around.page.frames[1].url
