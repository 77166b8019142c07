"""Nothing covers the chat, and nothing goes wrong unseen; and a chat that cannot come says so."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Page, Request, Route, TimeoutError, expect  # noqa: A004 - Playwright's

from besedka.contract import Contract
from besedka.pages.site import ChatPage, ChatTestPage, IntegratedPage
from besedka.stacks.model import Stack
from fixtures.evidence import ELSEWHERE, Recorder
from tests.cases import BOTH_PAGES, in_fewest_rooms, in_most_rooms

pytestmark = pytest.mark.e2e

NOTICES = pytest.mark.feature("notices")
DOUBT_MILLISECONDS = 5_000
TYPING_MILLISECONDS = 15_000
BEGUN_MILLISECONDS = 1_000
PAUSED_SECONDS = 1.0
# It takes a fraction of a second; a frame that loads is given thirty.
REFUSED_SECONDS = 10.0
DESKTOP, PHONE = (1280, 800), (390, 844)


@BOTH_PAGES
def test_nothing_covers_the_message_box(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    chat_page: Callable[..., ChatPage],
) -> None:
    page: ChatPage = chat_page(page_class, in_most_rooms(contract))
    chat, usual = page.chat, page.page.viewport_size

    for width, height in (DESKTOP, PHONE):
        page.page.set_viewport_size({"width": width, "height": height})
        box = chat.composer.bounding_box()
        assert box is not None
        centre = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        assert centre["y"] < height, f"at {width} × {height} the message box is below the visible page"
        on_top = page.frame_element.evaluate(
            "(frame, {x, y}) => document.elementFromPoint(x, y) === frame", centre
        )
        assert on_top, f"at {width} × {height} something covers the message box"
        frame_box = page.frame_element.bounding_box()
        assert frame_box is not None
        assert min(frame_box["width"], frame_box["height"]) > 300
    assert usual is not None
    page.page.set_viewport_size(usual)


@BOTH_PAGES
def test_text_that_is_being_typed_stays(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    returning: Callable[..., Page],
) -> None:
    # A clock that is moved can never be put right again.
    page: ChatPage = page_class(returning(in_most_rooms(contract), apart=True), contract)
    page.page.clock.install()
    chat = page.open().wait_for_chat()
    loads: list[str] = []
    chat.composer.press_sequentially("Не дописано")
    page.page.on("request", lambda request: loads.append(request.url) if _navigates(request) else None)

    # Every timer of the page and of the chat that is due within these seconds goes off.
    page.page.clock.run_for(TYPING_MILLISECONDS)

    # What a timer has begun to load is asked for a moment later.
    if not loads:
        with suppress(TimeoutError):
            page.page.wait_for_event("request", _navigates, timeout=BEGUN_MILLISECONDS)
    assert loads == [], "the frame was loaded anew while somebody typed"
    expect(chat.composer).to_have_value("Не дописано")


def _navigates(request: Request) -> bool:
    return request.is_navigation_request()


# What Rocket.Chat's own client says of itself on a healthy server. On 6.5.3 it says three things. It makes a
# deprecated call. It asks for a stream of signed-in users before anybody is (minified, that error is called
# `r`). A feature is off (app/autotranslate/client/lib/autotranslate.ts prints that instead of showing it).
_OF_THE_CLIENT = (
    r"warning: MessageType\.render is deprecated",
    r"(page)?error: (r|.*\[not-allowed\].*)$",
    r"error: .*\[error-[a-z-]+-disabled\]$",
)


@BOTH_PAGES
def test_no_console_error_no_failed_request_no_404(
    page_class: type[ChatTestPage] | type[IntegratedPage],
    contract: Contract,
    person: Callable[..., Page],
    recorder: Recorder,
    stack: Stack,
) -> None:
    first: ChatPage = page_class(person(in_most_rooms(contract)), contract)
    first.open().wait_for_chat()

    # Not a reload: it would cut off what the chat is asking just then, as when another's message has come.
    # The browser counts that as a failure.
    second: ChatPage = page_class(first.page.context.new_page(), contract)
    second.open().wait_for_chat()

    known = _OF_THE_CLIENT if stack.client_is_real else ()
    said = [line for line in recorder.console if not any(re.match(words, line) for words in known)]
    said = [line for line in said if not line.endswith(ELSEWHERE)]
    assert said == [], f"the console says {said}"
    # A site may load its libraries from elsewhere.
    own = (contract.site.url, contract.chat.url)
    failures = [line for line in recorder.failures if any(url in line for url in own)]
    assert failures == [], f"requests failed: {failures}"


@NOTICES
@BOTH_PAGES
def test_a_chat_that_takes_long_is_waited_for_and_nobody_is_accused(
    page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract, person: Callable[..., Page]
) -> None:
    browser_page = person(in_fewest_rooms(contract))
    browser_page.route(contract.chat.url + "/**", lambda route: route.abort())
    browser_page.clock.install()
    page: ChatPage = page_class(browser_page, contract)

    page.open()

    expect(page.status).to_have_text("Соединяемся с чатом…")
    # The page's own clock is moved, so that its seconds cost none.
    with browser_page.expect_response(re.compile(r"/chat/api/proof/")):
        browser_page.clock.run_for(DOUBT_MILLISECONDS)
    expect(page.status).to_have_text(
        f"Чат загружается. Первая загрузка бывает долгой: ждём до {contract.chat.patience} с…"
    )
    expect(page.problem).to_be_hidden()
    browser_page.clock.run_for(contract.chat.patience * 1000)
    expect(page.problem).to_contain_text("Iframe_Integration_send_enable")
    expect(page.problem).to_contain_text("Iframe_Restrict_Access")
    button = page.problem.get_by_role("link", name="Открыть вход в чат")
    expect(button).to_have_attribute("href", f"{contract.chat.url}/home")


@NOTICES
@BOTH_PAGES
def test_a_chat_that_cannot_come_is_named_within_seconds(
    page_class: type[ChatTestPage] | type[IntegratedPage], contract: Contract, person: Callable[..., Page]
) -> None:
    browser_page = person(in_fewest_rooms(contract))
    browser_page.route(contract.chat.url + "/**", lambda route: None)
    proof = {"silence": ["Iframe_Integration_send_enable = false"], "commands": ["не про молчание"]}
    browser_page.route("**/chat/api/proof/", lambda route: route.fulfill(json=proof))
    browser_page.clock.install()
    page: ChatPage = page_class(browser_page, contract)
    page.open()
    expect(page.status).to_have_text("Соединяемся с чатом…")

    browser_page.clock.run_for(DOUBT_MILLISECONDS)

    expect(page.problem.get_by_role("listitem")).to_have_text(proof["silence"])
    began = time.monotonic()
    with pytest.raises(AssertionError, match="send_enable = false"):
        page.wait_for_chat()
    assert time.monotonic() - began < REFUSED_SECONDS, "what is proved was waited for"


@NOTICES
def test_a_frame_that_the_browser_refuses_is_not_waited_for(
    contract: Contract, person: Callable[..., Page]
) -> None:
    browser_page = person(in_fewest_rooms(contract))
    # The page would ask for proof after some seconds, which never pass on a clock that stands still.
    browser_page.clock.install()
    browser_page.clock.pause_at(time.time() + PAUSED_SECONDS)
    browser_page.route(contract.chat.url + "/**", lambda route: route.abort())
    page = ChatTestPage(browser_page, contract).open()

    began = time.monotonic()
    with pytest.raises(AssertionError, match="the browser refused the frame's document"):
        page.wait_for_chat()

    assert time.monotonic() - began < REFUSED_SECONDS, "the frame was waited for like one that loads"
    expect(page.status).to_have_text("Соединяемся с чатом…")


@NOTICES
def test_an_authorization_that_fails_does_not_loop(contract: Contract, person: Callable[..., Page]) -> None:
    browser_page = person(in_fewest_rooms(contract))
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=302, headers={"Location": f"{contract.chat.url}/home?layout=embedded"})

    browser_page.route(re.compile(re.escape(contract.provider.authorize_path)), refuse)
    page = ChatTestPage(browser_page, contract).open()

    page.expect_state("stopped")
    expect(page.problem).to_contain_text("Accounts_OAuth_Custom-…-id и -secret")
    assert 1 <= len(asked) <= 2, f"authorize was asked {len(asked)} times"
