"""The chat inside somebody's page, in a browser: commands in, events out, and both gates.

apps/meteor/client/startup/iframeCommands.ts, client/lib/utils/fireGlobalEvent.ts, client/startup/
loginViaQuery.ts. The page around the frame is the test's own, on another port and so of another origin.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from besedka.contract import Contract

from .around import IN_THE_CLIENT, Around, frame_settings, serving
from .chat import Chat, eventually
from .versions import at

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where the page around the frame comes from."""
    with serving() as address:
        yield address


@pytest.fixture
def around(changeable: Chat, page: Page, origin: str, contract: Contract) -> Around:
    """A chat that may be framed, hears this origin only, and answers, in its own time."""
    page.set_default_timeout(contract.chat.patience * 1000)
    for name, value in frame_settings(origin).items():
        changeable.set(name, value)
    page.goto(origin)
    return Around(page, changeable)


@pytest.mark.trap("Iframe", "order of the events")
def test_the_order_of_the_events(around: Around) -> None:
    """startup and Logged_Out, in no fixed order; then Logged_In, then room-opened; all from the chat's origin.

    `startup` waits for the page to be loaded, Logged_Out does not (client/startup/startup.ts, appRoot.tsx):
    Logged_Out came first on a loaded machine, measured on 6.13.0.
    """
    around.show("/channel/general?layout=embedded")
    around.hear("startup")
    around.hear("Custom_Script_Logged_Out")
    # Not somebody lasting: the log-out at the end takes the token along.
    around.log_in(around.chat.person())
    wanted = ["startup", "Custom_Script_Logged_Out", "Custom_Script_Logged_In", "room-opened"]
    heard = list(dict.fromkeys(name for name in around.hear("room-opened") if name in wanted))
    assert [sorted(heard[:2]), heard[2:]] == [sorted(wanted[:2]), wanted[2:]]
    assert around.page.evaluate("[...new Set(heard.map((m) => m.origin))]") == [around.chat.url]
    around.tell(externalCommand="logout")
    heard = around.hear("Custom_Script_On_Logout")
    assert heard.index("Custom_Script_On_Logout") > heard.index("room-opened")


@pytest.mark.trap("Iframe", "login-with-token")
def test_login_with_token_signs_in(around: Around) -> None:
    """A resume token; no answer but the event, and a composer where somebody is a member."""
    around.show("/channel/general?layout=embedded")
    around.hear("Custom_Script_Logged_Out")
    around.log_in(around.chat.anna)
    around.frame.locator('[name="msg"]').wait_for()
    assert around.user() == around.chat.anna.user_id


@pytest.mark.trap("Iframe", "a wrong token is met with silence")
def test_a_wrong_token_is_met_with_silence(around: Around) -> None:
    """Nothing is sent back and nobody is signed in; the next token is as good as ever."""
    around.show("/home")
    before = around.hear("Custom_Script_Logged_Out")
    around.tell(externalCommand="login-with-token", token="no such token")
    around.log_in(around.chat.anna)
    after = around.hear("Custom_Script_Logged_In")
    assert set(after) - set(before) <= {"Custom_Script_Logged_In", "status-changed", "unread-changed"}
    assert around.user() == around.chat.anna.user_id


@pytest.mark.trap("Iframe", "both gates of commands")
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


@pytest.mark.trap("Iframe", "the gate of events")
def test_without_the_switch_nothing_is_sent(around: Around) -> None:
    """Iframe_Integration_send_enable."""
    around.chat.set("Iframe_Integration_send_enable", False)
    around.show("/home")
    around.frame.get_by_role("textbox", name="Password").wait_for()
    assert around.page.evaluate("heard") == []


@pytest.mark.trap("Iframe", "resumeToken is taken out of the address")
def test_a_resume_token_in_the_address_signs_in(around: Around) -> None:
    """`?resumeToken=` on any page, straight into the room; the layout stays (loginViaQuery.ts)."""
    person = around.chat.anna
    around.show(f"/channel/general?layout=embedded&resumeToken={person.token}")
    around.hear("room-opened")
    around.frame.locator('[name="msg"]').wait_for()
    assert around.user() == person.user_id
    asked = urlsplit(around.inside.url).query
    assert (asked == "layout=embedded") is at(around.chat.version, "resumeToken leaves the address")


@pytest.mark.trap("Iframe", "resumeToken over another session")
def test_a_resume_token_takes_the_place_of_another_session(around: Around) -> None:
    """Another user was signed in before (loginViaQuery.ts calls loginWithToken whatever the session is)."""
    first, second = around.chat.anna, around.chat.boris
    around.show(f"/channel/general?layout=embedded&resumeToken={first.token}")
    around.hear("room-opened")
    assert around.user() == first.user_id
    around.show(f"/channel/general?layout=embedded&resumeToken={second.token}")
    around.page.wait_for_function("heard.filter((m) => m.eventName === 'room-opened').length > 1")
    assert around.user() == second.user_id


@pytest.mark.trap("Iframe", "go")
def test_go_changes_the_room_and_keeps_the_layout(around: Around) -> None:
    """Navigation inside the client: no page is loaded, the query stays (iframeCommands.ts, go)."""
    room = around.chat.room(around.chat.anna)
    # Not by a token in the address, which stays there before 7.0 (loginViaQuery.ts).
    around.show("/channel/general?layout=embedded")
    around.hear("Custom_Script_Logged_Out")
    around.log_in(around.chat.anna)
    around.hear("room-opened")
    around.inside.evaluate("window.untouched = true")
    around.tell(externalCommand="go", path=f"/channel/{room['name']}")
    around.inside.wait_for_url(f"**/channel/{room['name']}**")
    expect(around.frame.get_by_role("textbox", name=room["name"])).to_be_enabled(timeout=IN_THE_CLIENT)
    address = urlsplit(around.inside.url)
    assert (address.path, address.query) == (f"/channel/{room['name']}", "layout=embedded")
    assert around.inside.evaluate("window.untouched") is True


def test_set_user_status_sets_it(around: Around) -> None:
    """As users.setStatus does (iframeCommands.ts)."""
    person = around.chat.person()
    around.show(f"/channel/general?layout=embedded&resumeToken={person.token}")
    around.hear("room-opened")
    around.tell(externalCommand="set-user-status", status="busy")
    eventually(lambda: person.get("me").body["status"] == "busy", "the status is set")


@pytest.mark.trap("Iframe", "logout")
def test_logout_ends_the_token(around: Around) -> None:
    """The log-in page at /home, its query lost; the token is dead (iframeCommands.ts, logout)."""
    person = around.chat.person()
    around.show(f"/channel/general?layout=embedded&resumeToken={person.token}")
    around.hear("room-opened")
    around.tell(externalCommand="logout")
    around.hear("Custom_Script_Logged_Out")
    # The event comes up to a second before the client goes there (measured on 6.13.0).
    around.inside.wait_for_url("**/home")
    assert around.user() is None
    eventually(lambda: person.get("me").status == 401, "the token is dead")
