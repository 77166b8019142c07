"""The log-in style that opens a window: the page asks for a click, and the window closes itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from besedka.contract import Contract
from besedka.pages.site import AWAITING_CLICK, ChatTestPage
from tests.cases import USERNAMES

pytestmark = [pytest.mark.e2e, pytest.mark.feature("notices")]


@pytest.fixture
def label(contract: Contract) -> str:
    """What stands on the button that opens the window."""
    if contract.provider.login_style != "popup":
        pytest.skip("does not apply: the log-in style opens no window")
    return contract.provider.button_label_text


def test_the_page_says_that_a_click_is_needed_and_opens_nothing_by_itself(
    label: str, contract: Contract, chat_test: Callable[..., ChatTestPage]
) -> None:
    page = chat_test(contract.users[0])

    page.expect_state(AWAITING_CLICK)

    expect(page.status).to_have_text(f"Нажмите «{label}» в окне чата: вход откроется в новом окне.")
    expect(page.chat.provider_button(label)).to_be_visible()
    expect(page.problem).to_be_hidden()
    assert page.windows == []


@pytest.mark.parametrize("username", USERNAMES)
def test_one_click_signs_the_user_in(
    label: str, username: str, contract: Contract, chat_test: Callable[..., ChatTestPage]
) -> None:
    page = chat_test(contract.user(username))

    page.wait_for_chat()

    assert len(page.windows) == 1
    assert page.windows[0].is_closed(), "the window of the log-in stays open"
    expect(page.status).to_have_text("Чат готов")


def test_a_window_that_is_closed_by_hand_leaves_the_button_where_it_was(
    label: str, contract: Contract, chat_test: Callable[..., ChatTestPage]
) -> None:
    page = chat_test(contract.users[0])
    page.expect_state(AWAITING_CLICK)
    # The first hop of the window: Playwright is not asked about those that a redirect leads to.
    by_server = f"{contract.chat.url}/oauth/{contract.provider.name}"
    by_client = f"{contract.site.url}{contract.provider.authorize_path}*"
    slow = by_server if contract.chat.sso == "oauth-modern" else by_client
    page.page.context.route(slow, lambda route: route.fulfill(body="not yet"))
    with page.page.expect_popup() as opened:
        page.chat.provider_button(label).click()
    opened.value.close()
    page.page.context.unroute(slow)

    page.wait_for_chat()

    assert len(page.windows) == 2
