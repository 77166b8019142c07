"""Who sees badly, or has no mouse, can use the chat's pages: rules of axe, names, keys, words that are announced.

axe-core looks at the site's own pages; what is in the frame is Rocket.Chat's.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from besedka.contract import Contract, User
from besedka.pages.site import ChatPage, ChatTestPage, IntegratedPage
from tests.cases import BOTH_PAGES, in_fewest_rooms, in_most_rooms

pytestmark = [pytest.mark.e2e, pytest.mark.feature("notices")]

# More than the header and the buttons of all rooms; the frame's own controls come before its message box.
TABS = 60
PROOF = {"silence": ["Iframe_Integration_send_enable = false"], "commands": []}
# Of a state: what a screen reader finds in the page's main part.
CONNECTING = """
- main:
  - status: Соединяемся с чатом…
  - iframe
"""
CANNOT = """
- main:
  - status: Чат не может открыться
  - alert:
    - paragraph: /Чат так работать не может/
    - list:
      - listitem: Iframe_Integration_send_enable = false
    - paragraph:
      - button "Попробовать ещё раз"
      - link "Открыть вход в чат"
  - iframe
"""
READY = """
- main:
  - status: Чат готов
  - iframe
"""
SIGNED_OUT = """
- main:
  - status: Вы вышли с сайта
  - alert:
    - paragraph: Вы вышли с сайта. Войдите снова, и чат откроется.
    - paragraph:
      - link "Войти на сайт"
"""


def _violations(page: Page) -> list[str]:
    """What axe calls wrong, with the element; each rule of axe's default set, the frame's inside left out."""
    found = Axe().run(page, options={"iframes": False}).response
    assert found["passes"], "axe has looked at nothing"
    return [f"{row['id']}: {row['nodes'][0]['html']}" for row in found["violations"]]


def _waiting(
    browser_page: Page, page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract
) -> ChatPage:
    """A page whose chat is refused by the browser; five seconds later the site proves why.

    The clock is the real one: axe itself waits by timers.
    """
    browser_page.route(contract.chat.url + "/**", lambda route: route.abort())
    browser_page.route("**/chat/api/proof/", lambda route: route.fulfill(json=PROOF))
    return page_class(browser_page, contract).open()


@BOTH_PAGES
def test_a_page_that_works_breaks_no_rule_of_axe(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    chat_page: Callable[..., ChatPage],
) -> None:
    page: ChatPage = chat_page(page_class, in_most_rooms(contract))

    assert _violations(page.page) == []
    expect(page.page.get_by_role("main")).to_match_aria_snapshot(READY)


@BOTH_PAGES
def test_each_state_on_the_way_has_its_names_and_breaks_no_rule(
    page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract, person: Callable[..., Page]
) -> None:
    page = _waiting(person(in_fewest_rooms(contract)), page_class, contract)
    main = page.page.get_by_role("main")
    expect(main).to_match_aria_snapshot(CONNECTING)
    assert _violations(page.page) == []

    expect(page.problem).to_be_visible()

    expect(main).to_match_aria_snapshot(CANNOT)
    assert _violations(page.page) == []


def test_a_session_that_ended_is_said_with_a_way_back(
    contract: Contract, chat_test: Callable[[User], ChatTestPage]
) -> None:
    page = chat_test(in_fewest_rooms(contract))
    page.wait_for_chat()

    page.page.context.clear_cookies()
    page.page.evaluate("window.dispatchEvent(new Event('focus'))")

    page.expect_state("signed-out")
    expect(page.page.get_by_role("main")).to_match_aria_snapshot(SIGNED_OUT)
    assert _violations(page.page) == []


@BOTH_PAGES
def test_keys_alone_lead_to_the_message_box(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    chat_page: Callable[..., ChatPage],
) -> None:
    page: ChatPage = chat_page(page_class, in_most_rooms(contract))
    chat = page.chat
    page.page.evaluate("document.activeElement.blur()")

    passed = 0
    while passed < TABS and not chat.composer.evaluate("box => box === document.activeElement"):
        page.page.keyboard.press("Tab")
        passed += 1

    expect(chat.composer).to_be_focused()
    page.page.keyboard.type("набрано без мыши")
    expect(chat.composer).to_have_value("набрано без мыши")
    chat.composer.fill("")


def test_what_the_status_says_is_announced(contract: Contract, person: Callable[..., Page]) -> None:
    page = _waiting(person(in_fewest_rooms(contract)), ChatTestPage, contract)
    # WAI-ARIA 1.2: `status` is polite, `alert` assertive, unless an attribute says otherwise.
    heard = "node => ({live: node.getAttribute('aria-live'), hidden: !!node.closest('[aria-hidden=true]')})"

    assert page.status.evaluate(heard) == {"live": None, "hidden": False}
    page.status.evaluate(
        "node => { window.said = []; new MutationObserver(() => window.said.push(node.textContent))"
        ".observe(node, {childList: true, characterData: true, subtree: true}) }"
    )
    expect(page.problem).to_be_visible()

    assert page.problem.evaluate(heard) == {"live": None, "hidden": False}
    assert page.page.evaluate("window.said")[-1] == "Чат не может открыться"
