"""Log-ins that fail because of the person: the page says, in Russian, what that person can do.

Everybody here is a temporary user, who goes with the test. What Rocket.Chat answers to too many log-ins is put
into the browser: its limit counts addresses, and the other tests come from the same one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from besedka.contract import Contract, User
from besedka.pages.login import LoginPage
from besedka.pages.patience import PATIENCE
from besedka.pages.site import AWAITING_CLICK, ChatPage, ChatTestPage, IntegratedPage
from besedka.rocketchat.rest import RocketChat, RocketChatError
from besedka.site_database import SiteDatabase
from fixtures.features import DOES_NOT_APPLY
from fixtures.users import Manage, SiteSession, sso_headless, user_row
from tests.cases import BOTH_PAGES

pytestmark = [pytest.mark.e2e, pytest.mark.feature("notices")]

_BLOCK = "Block_Multiple_Failed_Logins_"
# Meteor's own words for the sixth log-in of ten seconds (accounts-base; measured on 6.13.0).
_TOO_MANY = {
    "error": "too-many-requests",
    "reason": "Error, too many requests. Please slow down. You must wait 9 seconds before trying again.",
    "details": {"timeToReset": 9000},
    "errorType": "Meteor.Error",
}


def opened(page: ChatPage) -> ChatPage:
    """The page, with its click where the log-in opens a window."""
    provider = page.contract.provider
    page.open()
    if provider.login_style == "popup" and isinstance(page, ChatTestPage):
        page.expect_state(AWAITING_CLICK)
        page.chat.provider_button(provider.button_label_text).click()
    return page


@pytest.fixture
def known(
    temp_user: Callable[..., User], sign_in: Callable[[User], SiteSession], contract: Contract
) -> Callable[[], tuple[User, str]]:
    """Make a temporary user who has signed in to the chat before; gives the account's id, too."""

    def make() -> tuple[User, str]:
        user = temp_user()
        return user, sso_headless(contract, sign_in(user)).user_id

    return make


@pytest.fixture
def refused(contract: Contract, person: Callable[..., Page]) -> Callable[..., None]:
    """Open the page as that user and read what it says in place of the chat; the chat stays out."""

    def look(page_class: type[ChatTestPage] | type[IntegratedPage], user: User, says: str) -> None:
        if contract.provider.login_style == "popup" and page_class is ChatTestPage:
            pytest.skip(f"{DOES_NOT_APPLY}the chat's own form tells who has clicked (measured on 6.5.3)")
        page: ChatPage = page_class(person(user), contract).open()
        page.expect_state("stopped")
        expect(page.problem).to_contain_text(says)
        expect(page.problem.get_by_role("button", name="Попробовать ещё раз")).to_be_visible()
        page.chat.expect_signed_out()

    return look


@pytest.mark.feature("login_notices")
def test_a_wrong_password_says_what_to_look_at(
    contract: Contract, temp_user: Callable[..., User], visitor: Page
) -> None:
    user = temp_user()
    page = LoginPage(visitor, contract).open()

    page.submit(user.username, f"not {user.secret}")

    expect(page.problem).to_contain_text("Проверьте раскладку и регистр букв")
    expect(page.problem).to_contain_text("администратора сайта")
    expect(page.log_out_button).to_have_count(0)


@pytest.mark.feature("login_notices")
def test_who_is_switched_off_on_the_site_is_told_so_and_only_by_the_right_password(
    contract: Contract,
    temp_user: Callable[..., User],
    manage: Manage,
    site_data: SiteDatabase,
    visitor: Page,
) -> None:
    user = temp_user()
    manage("ensure_users", stdin=json.dumps([user_row(contract, user) | {"active": False}]))
    if any(row.is_active for row in site_data.users() if row.username == user.username):
        pytest.skip(f"{DOES_NOT_APPLY}the site's command does not take `active`")
    page = LoginPage(visitor, contract).open()

    page.submit(user.username, f"not {user.secret}")
    expect(page.problem).to_contain_text("Неверный логин или пароль")
    page.submit(user.username, user.secret)

    expect(page.problem).to_have_text(
        "Эта учётная запись отключена. Попросите администратора сайта включить её."
    )
    expect(page.log_out_button).to_have_count(0)


@BOTH_PAGES
def test_who_is_deactivated_in_the_chat_is_told_whom_to_ask(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    known: Callable[[], tuple[User, str]],
    refused: Callable[..., None],
    chat_admin: RocketChat,
) -> None:
    user, chat_id = known()
    chat_admin.post("users.update", userId=chat_id, data={"active": False})

    refused(
        page_class, user, "Ваша учётная запись в чате отключена. Попросите администратора чата включить её."
    )


@BOTH_PAGES
def test_a_name_that_is_locked_after_wrong_passwords_still_signs_in(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    known: Callable[[], tuple[User, str]],
    person: Callable[..., Page],
    chat_admin: RocketChat,
) -> None:
    """Rocket.Chat locks the name that is typed with a password; SSO types none (seen on a running 6.5.3)."""

    def setting(name: str) -> Any:
        return chat_admin.get(f"settings/{_BLOCK}{name}")["value"]

    if not setting("Enabled") or not setting("By_User"):
        pytest.skip(f"{DOES_NOT_APPLY}the chat locks nobody out ({_BLOCK}Enabled, {_BLOCK}By_User)")
    user, _ = known()
    guess = {"user": user.username, "password": "a guess"}
    for _ in range(int(setting("Attempts_Until_Block_by_User"))):
        with pytest.raises(RocketChatError):
            RocketChat(contract.chat.url).login(guess)
    with pytest.raises(RocketChatError, match="error-login-blocked-for-user"):
        RocketChat(contract.chat.url).login(guess)

    page_class(person(user), contract).open().wait_for_chat()


@BOTH_PAGES
def test_who_is_in_no_room_is_told_how_to_get_in(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    known: Callable[[], tuple[User, str]],
    person: Callable[..., Page],
    chat_admin: RocketChat,
) -> None:
    user, chat_id = known()
    for room in contract.default_channels:
        family = "groups" if room.private else "channels"
        found = chat_admin.get("rooms.info", roomName=room.name)["room"]
        chat_admin.post(f"{family}.kick", roomId=found["_id"], userId=chat_id)

    page = opened(page_class(person(user), contract))

    page.expect_state("ready")

    expect(page.problem).to_contain_text(contract.default_channel.label)
    expect(page.problem).to_contain_text("попросите администратора чата добавить вас")
    if not contract.default_channel.private:
        page.chat.join()
        expect(page.problem).to_be_hidden()
        page.wait_for_chat()


def test_too_many_log_ins_say_how_long_to_wait(
    contract: Contract, temp_user: Callable[..., User], person: Callable[..., Page]
) -> None:
    if contract.provider.login_style == "popup" or contract.chat.sso != "oauth":
        pytest.skip(f"{DOES_NOT_APPLY}the chat's page signs in by another call, or says it itself")
    browser_page = person(temp_user())
    answer = {"message": json.dumps({"msg": "result", "id": "1", "error": _TOO_MANY}), "success": True}
    browser_page.route("**/api/v1/method.callAnon/login", lambda route: route.fulfill(json=answer))

    page = ChatTestPage(browser_page, contract).open()

    page.expect_state("stopped")
    expect(page.problem).to_contain_text("Подождите полминуты и попробуйте ещё раз")
    browser_page.unroute("**/api/v1/method.callAnon/login")
    page.problem.get_by_role("button", name="Попробовать ещё раз").click()
    expect(page.problem).to_be_hidden(timeout=PATIENCE.load)
    page.wait_for_chat()
