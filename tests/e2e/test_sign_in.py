"""Every canonical user is signed in to the chat inside the frame, without a click."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from besedka.contract import Contract
from besedka.pages.login import LoginPage
from besedka.pages.patience import PATIENCE
from besedka.pages.site import ChatTestPage
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import Credentials, RocketChat
from besedka.site import Site
from besedka.site_database import SiteDatabase
from besedka.stacks.services import own_tokens
from fixtures.features import DOES_NOT_APPLY
from fixtures.report import Prove
from tests.cases import USERNAMES, asked_to_log_in, in_any_language, in_fewest_rooms, in_most_rooms

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("username", USERNAMES)
def test_opening_the_chat_signs_the_user_in(
    username: str,
    contract: Contract,
    chat_test: Callable[..., ChatTestPage],
    chat_data: ChatDatabase,
    site_data: SiteDatabase,
    proves: Prove,
) -> None:
    proves("signed_in", username)
    page = chat_test(contract.user(username))

    chat = page.wait_for_chat()

    session = chat.session()
    assert session is not None, "the frame keeps no log-in token"
    me = RocketChat(contract.chat.url, Credentials(session["userId"], session["token"])).me()
    assert me["username"] == username
    landing = f"{contract.chat.url}{contract.default_channel.path}?layout=embedded"
    assert page.frame.url == landing
    by_window = contract.provider.login_style == "popup"
    assert len(page.windows) == by_window, f"{len(page.windows)} windows were opened"

    assert len(chat_data.users_named(username)) == 1, f"more than one account is called {username}"
    account = chat_data.user(username)
    assert account is not None
    assert account["_id"] == session["userId"]
    if own_tokens.needed(contract):
        assert "password" in account["services"], "the site makes accounts with a password that nobody knows"
        assert contract.provider.name not in account["services"], (
            "it is linked by a service that is not there"
        )
        return
    linked = account["services"][contract.provider.name]
    site_ids = {user.username: str(user.id) for user in site_data.users()}
    assert str(linked["id"]) == site_ids[username], "the chat account is linked to somebody else on the site"
    if contract.site.features.oauth_tables:
        tokens = {token.token for token in site_data.access_tokens(username)}
        assert linked["accessToken"] in tokens, "Rocket.Chat holds no access token that the site issued"
    else:
        answer = Site.of(contract).identity(linked["accessToken"])
        assert answer.status_code == 200, f"the site does not know Rocket.Chat's token: {answer.status_code}"


@pytest.mark.parametrize("locale", ["ru-RU", "en-US", "de-DE"])
def test_a_visitor_logs_in_on_the_site_and_arrives_in_the_chat(
    locale: str, contract: Contract, new_browser: Callable[..., object]
) -> None:
    page: Page = new_browser(locale=locale).new_page()  # type: ignore[attr-defined]
    chat_page = ChatTestPage(page, contract).open()
    expect(page).to_have_url(asked_to_log_in(contract, contract.site.test_page))
    user = in_fewest_rooms(contract)

    LoginPage(page, contract).sign_in(user)

    expect(page).to_have_url(contract.site.url + contract.site.test_page)
    chat_page.wait_for_chat()
    assert page.evaluate("() => navigator.language") == locale


def test_the_frame_walks_the_whole_chain_of_sso(contract: Contract, person: Callable[..., Page]) -> None:
    if contract.chat.sso == "iframe-auth":
        pytest.skip(f"{DOES_NOT_APPLY}the chat asks the site by itself (test_iframe_auth.py)")
    page = person(in_fewest_rooms(contract))
    visited: list[str] = []
    page.on("framenavigated", lambda frame: visited.append(frame.url) if frame.parent_frame else None)
    asked: list[str] = []
    # Of the whole context, because the hops may be in a window of their own.
    page.context.on(
        "request", lambda request: asked.append(request.url) if request.is_navigation_request() else None
    )

    ChatTestPage(page, contract).open().wait_for_chat()

    site, chat = contract.site.url, contract.chat.url
    hops = [url.partition("?")[0] for url in asked]
    if contract.chat.sso == "oauth-modern":
        begun = f"{chat}/oauth/{contract.provider.name}"
        assert hops.index(begun) < hops.index(f"{site}{contract.provider.authorize_path}")
    authorize = f"{site}{contract.provider.authorize_path}"
    callback = f"{chat}/_oauth/{contract.provider.name}"
    landing = f"{chat}{contract.default_channel.path}"
    assert hops.count(authorize) == 1, f"authorize was asked {hops.count(authorize)} times: {hops}"
    assert hops.index(authorize) < hops.index(callback)
    assert hops[-1] == (callback if contract.provider.login_style == "popup" else landing)
    assert visited[-1] == f"{landing}?layout=embedded"


def test_the_chat_stays_signed_in_after_a_reload(
    contract: Contract, chat_test: Callable[..., ChatTestPage]
) -> None:
    page = chat_test(in_fewest_rooms(contract))
    before = page.wait_for_chat().session()
    authorizations: list[str] = []
    page.page.on(
        "request",
        lambda request: (
            authorizations.append(request.url) if contract.provider.authorize_path in request.url else None
        ),
    )

    page.page.reload()

    assert page.wait_for_chat().session() == before
    assert authorizations == [], "a stored session must not start SSO again"


def test_the_header_leads_to_the_chat(contract: Contract, person: Callable[..., Page]) -> None:
    if contract.site.selectors.chat_link is False:
        pytest.skip(f"{DOES_NOT_APPLY}the site has no chat_link ([site.selectors])")
    page = person(in_most_rooms(contract))
    page.goto(contract.site.url)

    chat_page = ChatTestPage(page, contract)
    expect(chat_page.chat_button, chat_page.row("chat_link")).to_be_attached()
    chat_page.chat_button.click()

    ends = "|".join(map(in_any_language, contract.site.chat_pages))
    expect(page).to_have_url(
        re.compile(f"^{re.escape(contract.site.url)}({ends})([?#].*)?$"), timeout=PATIENCE.load
    )
