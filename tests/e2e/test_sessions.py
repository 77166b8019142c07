"""Signing out, switching users, sessions that end, and Rocket.Chat's own log-out."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from besedka.contract import Contract, User
from besedka.pages.patience import PATIENCE
from besedka.pages.rocketchat_frame import RocketChatFrame
from besedka.pages.site import ChatPage, ChatTestPage, IntegratedPage
from besedka.rocketchat.rest import Credentials, RocketChat, RocketChatError
from fixtures.features import DOES_NOT_APPLY
from fixtures.users import SiteSession
from tests.cases import BOTH_PAGES, asked_to_log_in, in_fewest_rooms, two_users

pytestmark = pytest.mark.e2e


def whose(contract: Contract, chat: RocketChatFrame) -> str:
    """Who the frame's token says it is, asked at Rocket.Chat."""
    session = chat.session()
    assert session is not None, "the frame is not signed in"
    client = RocketChat(contract.chat.url, Credentials(session["userId"], session["token"]))
    return str(client.me()["username"])


@BOTH_PAGES
def test_an_anonymous_visitor_is_led_to_the_login(
    page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract, visitor: Page
) -> None:
    page: ChatPage = page_class(visitor, contract)
    page.open()

    expect(visitor).to_have_url(asked_to_log_in(contract, page.path))
    expect(page.frame_element).to_have_count(0)


@pytest.mark.feature("chat_logout", "notices")
@BOTH_PAGES
def test_signing_out_of_the_site_signs_the_chat_out(
    page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract, person: Callable[..., Page]
) -> None:
    page: ChatPage = page_class(person(in_fewest_rooms(contract)), contract)
    session = page.open().wait_for_chat().session()
    assert session is not None

    page.sign_out()

    expect(page.status).to_have_text("Вы вышли с сайта и из чата.", timeout=PATIENCE.load)
    page.page.goto(contract.chat.url + "/home")
    chat = RocketChatFrame(page.page)
    chat.expect_signed_out()
    client = RocketChat(contract.chat.url, Credentials(session["userId"], session["token"]))
    with pytest.raises(RocketChatError) as refusal:
        client.me()
    assert refusal.value.status == 401, "the token of the ended session still works"


@pytest.mark.feature("user_switch")
@BOTH_PAGES
def test_another_user_in_the_same_browser_gets_their_own_chat(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    person: Callable[..., Page],
    sign_in: Callable[[User], SiteSession],
) -> None:
    first, second = two_users(contract)
    browser_page = person(first)
    page: ChatPage = page_class(browser_page, contract)
    assert whose(contract, page.open().wait_for_chat()) == first.username

    browser_page.context.clear_cookies()
    browser_page.context.add_cookies(sign_in(second).cookies)  # type: ignore[arg-type]

    assert whose(contract, page.open().wait_for_chat()) == second.username


@pytest.mark.feature("session_endpoint", "notices")
@BOTH_PAGES
def test_a_session_that_ends_while_the_page_is_open_is_noticed(
    page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract, person: Callable[..., Page]
) -> None:
    page: ChatPage = page_class(person(in_fewest_rooms(contract)), contract)
    page.open().wait_for_chat()

    page.page.context.clear_cookies()
    page.page.evaluate("() => window.dispatchEvent(new Event('focus'))")

    page.expect_state("signed-out")
    expect(page.status).to_have_text("Вы вышли с сайта")
    link = page.problem.get_by_role("link", name="Войти на сайт")
    expect(link).to_have_attribute("href", re.compile(re.escape(quote(page.path, safe=""))))
    page.chat.expect_signed_out()


@BOTH_PAGES
def test_rocketchats_own_logout_is_healed_by_a_reload(
    page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract, person: Callable[..., Page]
) -> None:
    if contract.chat.sso == "iframe-auth":
        pytest.skip(f"{DOES_NOT_APPLY}the chat signs itself in again at once")
    user = in_fewest_rooms(contract)
    browser_page = person(user)
    page: ChatPage = page_class(browser_page, contract)
    page.open().wait_for_chat()
    # An open page would sign in again, and the tab with it, before anybody sees that they were out.
    browser_page.goto("about:blank")
    # The embedded layout has no menu, so the user logs out in a tab of Rocket.Chat itself.
    own_tab = browser_page.context.new_page()
    own_tab.goto(contract.chat.url + contract.default_channel.path)
    tab = RocketChatFrame(own_tab)
    tab.expect_member_of(contract.default_channel.shown)
    tab.log_out()
    tab.expect_signed_out()
    own_tab.close()

    assert whose(contract, page.open().wait_for_chat()) == user.username
    expect(page.chat.sidebar).to_have_count(0)
