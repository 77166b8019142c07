"""The third way in: Rocket.Chat's page asks the site who is there, and signs that person in by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from besedka.contract import Contract, User
from besedka.pages.patience import PATIENCE
from besedka.pages.site import ChatPage, ChatTestPage, IntegratedPage
from besedka.rocketchat.rest import Credentials, RocketChat
from fixtures.features import DOES_NOT_APPLY
from fixtures.users import SiteSession
from tests.cases import BOTH_PAGES, in_fewest_rooms, two_users

pytestmark = [pytest.mark.e2e, pytest.mark.feature("notices")]


@pytest.fixture
def asked_of(contract: Contract) -> str:
    """The address of the site that Rocket.Chat asks."""
    if contract.chat.sso != "iframe-auth":
        pytest.skip(f"{DOES_NOT_APPLY}people are signed in by {contract.chat.sso}")
    return str(contract.settings["Accounts_Iframe_api_url"])


def whose(contract: Contract, page: ChatPage) -> str:
    session = page.wait_for_chat().session()
    assert session is not None, "the frame is not signed in"
    return str(
        RocketChat(contract.chat.url, Credentials(session["userId"], session["token"])).me()["username"]
    )


@BOTH_PAGES
def test_the_chat_asks_the_site_and_nobody_walks_the_oauth_chain(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    asked_of: str,
    contract: Contract,
    person: Callable[..., Page],
) -> None:
    user = in_fewest_rooms(contract)
    browser_page = person(user)
    asked: list[str] = []
    browser_page.context.on("request", lambda request: asked.append(request.url))
    page: ChatPage = page_class(browser_page, contract)

    page.open()

    assert whose(contract, page) == user.username
    # Meteor's client asks twice in a load (measured on 6.13.0).
    assert 1 <= asked.count(asked_of) <= 2, f"the site was asked {asked.count(asked_of)} times"
    walked = [url for url in asked if contract.provider.authorize_path in url or "/_oauth/" in url]
    assert walked == []
    expect(page.problem).to_be_hidden()


@BOTH_PAGES
def test_somebody_who_was_signed_in_to_the_chat_before_makes_way(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    asked_of: str,
    contract: Contract,
    person: Callable[..., Page],
    sign_in: Callable[[User], SiteSession],
) -> None:
    first, second = two_users(contract)
    browser_page = person(first)
    page: ChatPage = page_class(browser_page, contract).open()
    assert whose(contract, page) == first.username
    # Nothing on the site remembers for whom the chat was signed in.
    browser_page.evaluate("() => localStorage.clear()")
    browser_page.context.clear_cookies()
    browser_page.context.add_cookies(sign_in(second).cookies)  # type: ignore[arg-type]

    assert whose(contract, page.open()) == second.username
    assert page.frame.url == f"{contract.chat.url}{contract.default_channel.path}?layout=embedded"


def test_an_address_that_does_not_answer_is_named(
    asked_of: str, contract: Contract, person: Callable[..., Page]
) -> None:
    browser_page = person(in_fewest_rooms(contract))
    browser_page.route(asked_of, lambda route: route.fulfill(status=401, json={"error": "not_signed_in"}))
    browser_page.clock.install()
    page = ChatTestPage(browser_page, contract).open()
    page.expect_state("signing-in")
    # The log-in page of the site, inside the chat's: each event of this load, which begins the wait anew, has come.
    expect(page.frame_element.content_frame.locator("iframe")).to_be_attached(timeout=PATIENCE.load)

    browser_page.clock.run_for(contract.chat.patience * 1000)

    page.expect_state("stopped")
    expect(page.problem).to_contain_text("Accounts_Iframe_api_url")
