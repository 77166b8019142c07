"""The row of room buttons under any order of clicks, events and log-outs: it never says what is not so.

No stack is needed: a page of this test stands for the site, another for the chat. The chat's events are all that
Rocket.Chat was seen to do: early, late, twice, never, of an earlier room, of a room without a button (6.13.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Frame, Page, Route, expect

from besedka.contract import PROJECT_ROOT

pytestmark = pytest.mark.e2e

# One site, two origins, as a site and its chat on one host.
SITE, CHAT = "http://besedka.test:8001", "http://besedka.test:3000"
ROOMS = ("one", "two", "three")
SCRIPTS = PROJECT_ROOT / "packages/besedka_chat/src/besedka_chat/static/besedka_chat/js"
USER = "7"

_BUTTONS = "".join(
    f'<button type="button" data-channel="{room}" data-path="/channel/{room}" '
    f'aria-pressed="{str(room == ROOMS[0]).lower()}">{room}</button>'
    for room in ROOMS
)
_SITE = f"""<!doctype html><script src="/js/inbox.js"></script>
<div id="chatChannels" role="group">{_BUTTONS}</div><p id="chatStatus" role="status"></p>
<section id="chatProblem" role="alert" hidden><p id="chatProblemText"></p><ul id="chatProblemHints"></ul>
<a id="chatProblemLogin"></a><button id="chatProblemRetry"></button><a id="chatProblemOpen"></a></section>
<iframe id="rocketChatFrame" src="{CHAT}/channel/{ROOMS[0]}" data-chat-url="{CHAT}" data-user-id="{USER}"
 data-frame-url="{CHAT}/channel/{ROOMS[0]}" data-patience="120" data-proof-url="/proof" data-session-url="/session"
 data-auth-url="/auth" data-csrf-cookie="csrftoken" data-csrf-header="X-CSRFToken" data-login-url="/login/"></iframe>
<script>localStorage.setItem("besedka.chat.user", "{USER}")</script>
<script type="module" src="/js/chat-integrated.js"></script>"""
# It goes where it is told, as Rocket.Chat's router does at once, and keeps what it was told.
_CHAT = """<!doctype html><script>
window.told = [];
window.addEventListener("message", ({data}) => {
  window.told.push(data.externalCommand);
  if (data.externalCommand === "go") history.pushState(null, "", data.path);
});
window.say = (eventName, data) => parent.postMessage({eventName, data}, "*");
</script>"""

_NAMES = st.sampled_from([*ROOMS, "of-others"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("click"), st.sampled_from(ROOMS)),
        st.tuples(st.just("room-opened"), _NAMES),
        st.tuples(st.just("Custom_Script_Logged_In"), st.none()),
        st.tuples(st.just("Custom_Script_Logged_Out"), st.none()),
    ),
    max_size=14,
)


def _answer(route: Route) -> None:
    url = route.request.url
    if url.startswith(CHAT):
        route.fulfill(content_type="text/html", body=_CHAT)
    elif "/js/" in url:
        route.fulfill(content_type="text/javascript", body=(SCRIPTS / Path(url).name).read_text("utf-8"))
    elif url.endswith("/session"):
        route.fulfill(json={"id": USER, "username": "somebody"})
    elif url.endswith("/auth"):
        route.fulfill(json={"loginToken": "token"})
    elif url.endswith("/proof"):
        route.fulfill(json={"silence": [], "commands": []})
    else:
        route.fulfill(content_type="text/html", body=_SITE)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        context.route("**", _answer)
        yield context.new_page()


def _frame(page: Page) -> Frame:
    found = page.locator("iframe").element_handle().content_frame()
    assert found is not None
    found.wait_for_function("() => window.say")
    return found


def _pressed(page: Page) -> list[str]:
    return page.get_by_role("group").locator('[aria-pressed="true"]').all_inner_texts()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_buttons_address_and_frame_agree_with_the_last_click(
    page: Page, steps: list[tuple[str, str | None]]
) -> None:
    page.goto(f"{SITE}/chat/integrated/")
    expect(page.get_by_role("status")).to_have_text("Соединяемся с чатом…")
    chosen, clicks = ROOMS[0], 0

    for act, room in steps:
        if act == "click":
            chosen, clicks = str(room), clicks + 1
            page.get_by_role("button", name=chosen, exact=True).click()
            assert page.url == f"{SITE}/chat/integrated/?channel={chosen}", "a reload would lead elsewhere"
        else:
            _frame(page).evaluate("([name, room]) => window.say(name, room && {name: room})", [act, room])
        assert _pressed(page) == [chosen]

    # In the end the chat is signed in, whatever it was before.
    frame = page.locator("iframe")
    while frame.get_attribute("data-state") != "ready":
        _frame(page).evaluate("() => window.say('Custom_Script_Logged_In')")
        page.evaluate("() => new Promise((done) => setTimeout(done))")
    _frame(page).wait_for_url(f"{CHAT}/channel/{chosen}", wait_until="commit")
    assert _pressed(page) == [chosen]
    assert _frame(page).evaluate("() => told.filter((one) => one === 'go').length") <= clicks + 1
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_button_that_is_pressed_leads_back_from_where_the_chat_went_itself(page: Page) -> None:
    page.goto(f"{SITE}/chat/integrated/")
    chat = _frame(page)
    chat.evaluate("() => window.say('Custom_Script_Logged_In')")
    expect(page.locator("iframe")).to_have_attribute("data-state", "ready")
    chat.evaluate("() => history.pushState(null, '', '/channel/of-others')")

    page.get_by_role("button", name=ROOMS[0], exact=True).click()

    chat.wait_for_url(f"{CHAT}/channel/{ROOMS[0]}", wait_until="commit")
