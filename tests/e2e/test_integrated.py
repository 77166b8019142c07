"""The integrated page: one button per room the user may enter, switching without reloading Rocket.Chat."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from besedka.contract import Contract, User
from besedka.pages.site import IntegratedPage
from besedka.rocketchat.rest import Credentials, RocketChat
from tests.cases import DOES_NOT_APPLY, EXCLUSIONS, INTEGRATED, USERNAMES, in_most_rooms, rooms_of

pytestmark = [pytest.mark.e2e, INTEGRATED]
ROOM_LINKS = pytest.mark.feature("room_links")


@pytest.mark.parametrize("username", USERNAMES)
def test_each_user_gets_the_buttons_of_their_rooms(
    username: str, contract: Contract, at_home: Callable[[User], IntegratedPage]
) -> None:
    user = contract.user(username)
    page = at_home(user)

    chat = page.wait_for_chat()

    expect(page.switcher, page.row("switcher")).to_be_attached()
    expected = [channel.label for channel in contract.channels if channel.name in user.channels]
    # The text itself: a style may write it in capitals.
    assert [" ".join(text.split()) for text in page.room_buttons.all_text_contents()] == expected
    session = chat.session()
    assert session is not None
    me = RocketChat(contract.chat.url, Credentials(session["userId"], session["token"])).me()
    assert me["username"] == username


def test_switching_rooms_does_not_reload_rocketchat(
    contract: Contract, at_home: Callable[[User], IntegratedPage]
) -> None:
    user = in_most_rooms(contract)
    rooms = rooms_of(contract, user)
    page = at_home(user)
    chat = page.chat
    chat.frame.evaluate("() => { window.stillTheSamePage = true; }")

    for channel in rooms:
        page.room_button(channel.label).click()
        page.expect_room(channel)
        page.expect_chosen(channel)
        assert chat.frame.evaluate("() => window.stillTheSamePage") is True, "the frame was loaded anew"
        assert page.frame.url == f"{contract.chat.url}{channel.path}?layout=embedded"


@pytest.mark.parametrize("order", [(0, 1, 2, 0), (1, 0, 1, 2)], ids=str)
def test_four_fast_clicks_end_where_the_last_one_pointed(
    order: tuple[int, ...], contract: Contract, at_home: Callable[[User], IntegratedPage]
) -> None:
    user = in_most_rooms(contract)
    rooms = rooms_of(contract, user)
    clicks = [rooms[number % len(rooms)] for number in order]
    page = at_home(user)
    labels = [channel.label for channel in clicks]

    milliseconds = page.switcher.evaluate(
        """(row, labels) => {
            const start = performance.now();
            for (const label of labels) {
                [...row.querySelectorAll('button')].find((b) => b.textContent.trim() === label).click();
            }
            return performance.now() - start;
        }""",
        labels,
    )

    assert milliseconds < 1000
    page.expect_room(clicks[-1])
    page.expect_chosen(clicks[-1])
    page.enter(contract.default_channel)


@ROOM_LINKS
def test_a_reload_stays_signed_in_and_a_link_opens_its_room(
    contract: Contract, integrated: Callable[..., IntegratedPage]
) -> None:
    user = in_most_rooms(contract)
    room = rooms_of(contract, user)[0].name
    page = integrated(user, f"?channel={quote(room)}")
    before = page.wait_for_chat(room).session()

    page.page.reload()

    assert page.wait_for_chat(room).session() == before


@ROOM_LINKS
def test_a_link_to_a_room_of_others_leads_nowhere(
    contract: Contract, integrated: Callable[..., IntegratedPage]
) -> None:
    if not EXCLUSIONS:
        pytest.skip(f"{DOES_NOT_APPLY}everybody may enter every room")
    username, room = EXCLUSIONS[-1]
    page = integrated(contract.user(username), f"?channel={quote(room)}")

    assert page.answer is not None
    assert page.answer.status in {403, 404}, f"the page of another's room answers {page.answer.status}"
    expect(page.frame_element).to_have_count(0)
