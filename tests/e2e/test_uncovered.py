"""Nothing covers the chat, and nothing goes wrong unseen; and a chat that cannot come says so."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from besedka.contract import Contract
from besedka.pages.site import FRAME_ID, ChatPage, ChatTestPage, IntegratedPage
from fixtures.evidence import Recorder

pytestmark = pytest.mark.e2e

BOTH_PAGES = pytest.mark.parametrize("page_class", [ChatTestPage, IntegratedPage])
MISSING_MILLISECONDS = 15_000


@BOTH_PAGES
@pytest.mark.parametrize("viewport", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
def test_nothing_covers_the_message_box(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    viewport: tuple[int, int],
    contract: Contract,
    person: Callable[..., Page],
) -> None:
    size = {"width": viewport[0], "height": viewport[1]}
    page: ChatPage = page_class(person(contract.user("owner"), viewport=size), contract)
    chat = page.open().wait_for_chat()

    box = chat.composer.bounding_box()
    assert box is not None
    centre = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    assert centre["y"] < size["height"], "the message box is below the visible page"
    on_top = page.page.evaluate("({x, y}) => document.elementFromPoint(x, y)?.id", centre)

    assert on_top == FRAME_ID
    frame_box = page.page.locator(f"#{FRAME_ID}").bounding_box()
    assert frame_box is not None
    assert frame_box["width"] > 300
    assert frame_box["height"] > 300


@BOTH_PAGES
def test_no_console_error_no_failed_request_no_404(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    person: Callable[..., Page],
    recorder: Recorder,
) -> None:
    page: ChatPage = page_class(person(contract.user("owner")), contract)

    page.open().wait_for_chat()
    page.page.reload()
    page.wait_for_chat()

    assert recorder.console == []
    assert recorder.failures == []


@BOTH_PAGES
def test_a_chat_that_never_answers_is_named_within_seconds(
    page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract, person: Callable[..., Page]
) -> None:
    browser_page = person(contract.user("test_user"))
    browser_page.route(contract.chat.url + "/**", lambda route: route.abort())
    page: ChatPage = page_class(browser_page, contract)

    page.open()

    expect(page.problem).to_contain_text("Iframe_Integration_send_enable", timeout=MISSING_MILLISECONDS)
    expect(page.problem).to_contain_text("Iframe_Restrict_Access")
    button = page.problem.get_by_role("link", name="Открыть вход в чат")
    expect(button).to_have_attribute("href", f"{contract.chat.url}/home")


def test_an_authorization_that_fails_does_not_loop(contract: Contract, person: Callable[..., Page]) -> None:
    browser_page = person(contract.user("test_user"))
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=302, headers={"Location": f"{contract.chat.url}/home?layout=embedded"})

    browser_page.route(re.compile(re.escape(contract.provider.authorize_path)), refuse)
    page = ChatTestPage(browser_page, contract).open()

    page.expect_state("stopped")
    expect(page.problem).to_contain_text("Accounts_OAuth_Custom-…-id и -secret")
    assert 1 <= len(asked) <= 2, f"authorize was asked {len(asked)} times"
