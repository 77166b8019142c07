"""`--client-mood`: our own web client, as awkward as the real one was seen to be (6.5.3, 6.13.0)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page

from besedka.stacks.services.chat_client import MOODS as OFFERED
from standins.rocketchat.config import MOODS

from .around import Around, frame_settings, serving
from .chat import Chat
from .standin import ADMIN, ADMIN_PASSWORD, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "is about an option of the stand-in"
_EMBEDDED = "?layout=embedded"


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with serving() as address:
        yield address


@contextmanager
def _served(standins: Standins, page: Page, origin: str, mood: str) -> Iterator[Around]:
    """A page around a chat whose client has that mood."""
    with standins.running(options=("--client-mood", mood)) as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD)
        for name, value in frame_settings(origin).items():
            chat.set(name, value)
        page.goto(origin)
        yield Around(page, chat)


def _rooms(around: Around) -> list[str]:
    """The rooms that `room-opened` named, in order."""
    named: list[str] = around.page.evaluate(
        "heard.filter((m) => m.eventName === 'room-opened').map((m) => m.data.name)"
    )
    return named


def _go(around: Around, room: str) -> None:
    """Send the command and wait until the frame shows the room, which is the one proof that it did."""
    around.tell(externalCommand="go", path=f"/channel/{room}{_EMBEDDED}")
    around.frame.get_by_role("textbox", name=f"Message #{room}").wait_for()


def test_every_mood_is_offered() -> None:
    assert tuple(MOODS) == OFFERED


def test_previous_names_the_room_before(standins: Standins, page: Page, origin: str) -> None:
    """A first visit names itself; of revisits the first names nothing, each later one the one before (6.13.0)."""
    with _served(standins, page, origin, "previous") as around:
        person = around.chat.person()
        rooms = [around.chat.room(person)["name"] for _ in range(2)]
        around.show(f"/channel/{rooms[0]}{_EMBEDDED}")
        around.hear("Custom_Script_Logged_Out")
        around.log_in(person)
        around.hear("room-opened")
        for name in (rooms[1], rooms[0], rooms[1], rooms[0]):
            _go(around, name)
        page.wait_for_function("heard.filter((m) => m.eventName === 'room-opened').length >= 4")
        assert _rooms(around) == [rooms[0], rooms[1], rooms[0], rooms[1]]


def test_mute_never_says_that_a_room_is_open(standins: Standins, page: Page, origin: str) -> None:
    with _served(standins, page, origin, "mute") as around:
        around.show(f"/channel/general{_EMBEDDED}")
        around.hear("Custom_Script_Logged_Out")
        around.log_in(around.chat.person())
        around.frame.get_by_role("textbox", name="Message #general").wait_for()
        around.tell(externalCommand="set-user-status", status="busy")
        around.page.wait_for_function("heard.some((m) => m.eventName === 'status-changed')")
        assert _rooms(around) == []


def test_early_says_signed_out_before_startup(standins: Standins, page: Page, origin: str) -> None:
    with _served(standins, page, origin, "early") as around:
        around.show(f"/channel/general{_EMBEDDED}")
        heard = around.hear("startup")
        assert heard.index("Custom_Script_Logged_Out") < heard.index("startup")


@pytest.mark.parametrize(("mood", "event", "seconds"), [("late", "room-opened", 3), ("slow", "startup", 10)])
def test_it_takes_its_time(
    standins: Standins, page: Page, origin: str, mood: str, event: str, seconds: float
) -> None:
    """`late`: the room is long shown. `slow`: nothing is heard or said before."""
    with _served(standins, page, origin, mood) as around:
        person = around.chat.person()
        began = time.monotonic()
        around.show(f"/channel/general{_EMBEDDED}")
        if mood == "late":
            around.hear("Custom_Script_Logged_Out")
            around.log_in(person)
            around.frame.get_by_role("textbox", name="Message #general").wait_for()
            began = time.monotonic() - 1
        around.hear(event)
        assert time.monotonic() - began >= seconds


def test_twice_logs_in_twice_and_mangled_keeps_the_token(standins: Standins, page: Page, origin: str) -> None:
    """`?layout=embedded&resumeToken=T?layout=embedded`, measured on 6.13.0; two log-in calls per load."""
    with _served(standins, page, origin, "real") as around:
        person, calls = around.chat.person(), []
        page.on(
            "websocket",
            lambda socket: socket.on(
                "framesent", lambda text: calls.append(text) if '"method":"login"' in str(text) else None
            ),
        )
        around.show(f"/channel/general{_EMBEDDED}&resumeToken={person.token}")
        around.hear("Custom_Script_Logged_In")
        around.frame.get_by_role("textbox", name="Message #general").wait_for()
        page.wait_for_function("heard.some((m) => m.eventName === 'room-opened')")
        assert around.inside.evaluate("location.search") == (
            f"{_EMBEDDED}&resumeToken={person.token}{_EMBEDDED}"
        )
        assert len(calls) == 2
