"""The site's own pages: the isolated chat page and the integrated one; the log-in is `besedka.pages.login`.

What is looked at or pressed on them is found by `[site.selectors]`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from playwright.sync_api import Frame, Locator, Page, Response, expect
from playwright.sync_api import TimeoutError as LateError

from besedka import address
from besedka.adapter import Selectors
from besedka.contract import Channel, Contract
from besedka.pages import out_of_sight
from besedka.pages.patience import PATIENCE
from besedka.pages.refusals import Refusals
from besedka.pages.rocketchat_frame import DECIDED_MILLISECONDS, RocketChatFrame
from besedka.pages.script_errors import ScriptErrors

# A page that has waited in vain shows its panel and goes on listening. A slow chat may still come, so it gets
# this much longer. One that has given up or has proof, and a frame that holds an error page, get none.
GRACE_MILLISECONDS = 10_000
# How often the frame is looked at for an error page of the browser; the page itself hears nothing of it.
LOOK_MILLISECONDS = 250
# The page's script runs before its `load` event and says its state first of all.
BEGUN_MILLISECONDS = 5_000
# A log-out opens a page; where a script does it without one, this is what is lost.
LEFT_MILLISECONDS = 2_000
AWAITING_CLICK = "awaiting-click"
# The page gives up at the third log-in page, after two refusals. Each is a start of the client. On a loaded
# machine 59 s and 66 s passed before the third (6.5.3, measured). One start is given 120 s.
_LOADS_UNTIL = {"stopped": 3}
_DECIDED_STATES = ("ready", "stopped", "signed-out", AWAITING_CLICK)


class SitePage:
    """A page of the site, with the header that all of them have."""

    def __init__(self, page: Page, contract: Contract) -> None:
        self.page = page
        self.contract = contract

    @property
    def selectors(self) -> Selectors:
        """What is particular about the site's pages."""
        return self.contract.site.selectors

    def row(self, name: str) -> str:
        """What to say where a selector finds nothing."""
        leads = {"log_out": f": [site.adapter] logout_path {self.contract.site.adapter.logout_path}"}
        value = getattr(self.selectors, name) or f"by where it leads{leads.get(name, '')}"
        return f"[site.selectors] {name} ({value}) finds nothing on {self.page.url.partition('?')[0]}"

    @property
    def chat_button(self) -> Locator:
        """The link that leads to the chat."""
        site = self.contract.site
        linked = [path for own in site.chat_pages for path in self._as_linked(own)]
        links = [f'a[href="{link}"]' for path in linked for link in (site.below(path), site.url + path)]
        return self.page.locator(self.selectors.chat_link or ", ".join(links)).first

    @property
    def log_out_button(self) -> Locator:
        """What signs out of the site: the button of a form, or a link."""
        found = []
        for path in self._as_linked(self.contract.site.adapter.logout_path):
            form = f'form[action$="{path}"]'
            found.append(f'{form} [type="submit"], {form} button:not([type]), a[href$="{path}"]')
        return self.page.locator(self.selectors.log_out or ", ".join(found)).first

    def _as_linked(self, path: str) -> tuple[str, ...]:
        """The path of a page of the site as the page that is open links to it."""
        here = urlsplit(self.page.url).path.removeprefix(address.path(self.contract.site.url))
        return address.as_linked(path, here)

    def sign_out(self) -> None:
        """Press log-out and wait for a page that no longer offers it.

        One that asks once more, as django-allauth's, is told so.
        """
        expect(self.log_out_button, self.row("log_out")).to_be_attached(timeout=DECIDED_MILLISECONDS)
        with (
            suppress(LateError),
            self.page.expect_event("framenavigated", self._is_main, timeout=LEFT_MILLISECONDS),
        ):
            self.log_out_button.click()
        path = urlsplit(self.page.url).path
        own = map(self.contract.site.below, self._as_linked(self.contract.site.adapter.logout_path))
        if path in own:
            form = f'form[method="post" i]:is([action$="{path}"], [action=""], :not([action]))'
            self.page.locator(f'{form} [type="submit"], {form} button:not([type])').last.click()
        expect(self.log_out_button).to_have_count(0)

    def _is_main(self, frame: Frame) -> bool:
        return frame == self.page.main_frame


class ChatPage(SitePage):
    """What both chat pages share: the frame and the status line."""

    def __init__(self, page: Page, contract: Contract, path: str) -> None:
        super().__init__(page, contract)
        self.path = path
        self._begun: float | None = None
        # By event: the window of a log-in closes itself before anybody could count the open ones.
        self.windows: list[Page] = []
        self.answer: Response | None = None
        self.refusals = Refusals(page, contract.chat.url)
        self.script_errors = ScriptErrors(page, contract.site.url, contract.chat.url)
        page.on("popup", self._opened)

    def _opened(self, window: Page) -> None:
        self.windows.append(window)

    def open(self, query: str = "") -> Self:
        """Go there; a signed-out visitor is led to the log-in. `query` begins with `?`.

        `answer` is the page's own, after all redirects.
        """
        self._begun = time.monotonic()
        # Not its `load`, which waits for the chat's frame.
        address = self.contract.site.url + self.path + query
        self.answer = self.page.goto(address, wait_until="domcontentloaded")
        return self

    @property
    def status(self) -> Locator:
        """The line that says how far the sign-in is."""
        return self.page.get_by_role("status")

    @property
    def problem(self) -> Locator:
        """The panel that says what is missing and what to check."""
        return self.page.get_by_role("alert")

    @property
    def frame_element(self) -> Locator:
        """The iframe itself."""
        return self.page.locator(self.selectors.frame)

    @property
    def _shown(self) -> Locator:
        """The iframe, once what hides or makes it has been pressed; of a page that has been loaded."""
        if self.selectors.opener and not self.frame_element.is_visible():
            opener = self.page.locator(self.selectors.opener).first
            expect(opener, self.row("opener")).to_be_visible(timeout=PATIENCE.step)
            opener.click()
        return self.frame_element

    @property
    def switcher(self) -> Locator:
        """What holds the buttons of the rooms."""
        return self.page.locator(self.selectors.switcher)

    def expect_state(self, state: str) -> None:
        """The page's own word for where it stands: `ready`, `signed-out`, `stopped`, …

        Of a page that has no words, only `ready` can be asked: the frame shows a message box.
        """
        if self.selectors.state:
            limit = PATIENCE.load * _LOADS_UNTIL.get(state, 1)
            expect(self.frame_element).to_have_attribute(self.selectors.state, state, timeout=limit)
        else:
            assert state == "ready", f"a page without [site.selectors] state is never {state}"  # noqa: S101
            self._await_message_box()

    @property
    def frame(self) -> Frame:
        """The chat's frame. Where it has the state of besedka-chat, it comes with the page or never."""
        missing = f"{self.row('frame')}: is this the chat page, and what does it say?"
        comes_with_the_page = self.selectors.state == Selectors().state and not self.selectors.opener
        expect(self._shown, missing).to_be_attached(
            timeout=DECIDED_MILLISECONDS if comes_with_the_page else PATIENCE.step
        )
        frame = self.frame_element.element_handle().content_frame()
        assert frame is not None, f"{self.selectors.frame} holds no document"  # noqa: S101
        return frame

    @property
    def chat(self) -> RocketChatFrame:
        """Rocket.Chat inside the frame."""
        return RocketChatFrame(self.frame)

    def command(self, **command: str) -> None:
        """Tell the chat something, as the page's script does: `externalCommand="go", path="/channel/…"`."""
        self.frame_element.evaluate("(frame, told) => frame.contentWindow.postMessage(told, '*')", command)

    def wait_for_chat(self, room: str | None = None) -> RocketChatFrame:
        """Wait until the frame is signed in and shows the room (by default the default channel).

        A failure carries what the page itself says is missing: it knows the settings to check.
        """
        chat = self.chat
        self._expect_signed_in()
        try:
            shown = self.contract.channel(room).shown if room else self.contract.default_channel.shown
            chat.expect_member_of(shown)
        except AssertionError as error:
            error.add_note(self._explanation(self._state))
            raise
        self._expect_seen()
        if self._begun is not None:
            PATIENCE.note(time.monotonic() - self._begun)
            self._begun = None
        return chat

    def _expect_seen(self) -> None:
        """A browser loads what nobody sees all the same."""
        why = out_of_sight.rule(self.frame_element, DECIDED_MILLISECONDS)
        assert not why, (  # noqa: S101
            f"the chat is signed in, in a frame that nobody sees: {why}. What shows it when it is "
            "pressed is [site.selectors] opener"
        )
        over = out_of_sight.over(self.frame_element, DECIDED_MILLISECONDS)
        covered = f"the chat is signed in, in a frame that nobody sees: {over} stands over it"
        assert not over, covered  # noqa: S101

    def expect_room(self, channel: Channel) -> None:
        """The frame is at the room's address, and the room is writable there, unless the contract says
        otherwise.

        The address is the proof. Rocket.Chat's event `room-opened` comes late, twice, never, or with the name
        of an earlier room (measured on 6.13.0).
        """
        address = self.contract.chat.url + channel.path
        self.frame.wait_for_url(
            lambda url: url.partition("?")[0] == address, timeout=PATIENCE.step, wait_until="commit"
        )
        if channel.read_only:
            self.chat.expect_open()
        else:
            self.chat.expect_member_of(channel.shown)

    def enter(self, channel: Channel) -> RocketChatFrame:
        """Let the chat go to the room as Rocket.Chat's command does, and wait until it shows it."""
        self.command(externalCommand="go", path=f"{channel.path}?layout=embedded")
        self.expect_room(channel)
        return self.chat

    def _expect_signed_in(self) -> None:
        """The page says `ready`. Whatever else it comes to is a failure at once, with the page's reason."""
        if not self.selectors.state:
            self._await_message_box()
            return
        begun = self._in_state(f"[{self.selectors.state}]")
        silent = (
            "the page's own script does not run: look for a failed request in the console of the evidence. "
            f"A page without {self.selectors.state} on its frame needs [site.selectors] state = false"
        )
        try:
            expect(begun).to_be_attached(timeout=BEGUN_MILLISECONDS)
        except AssertionError as error:
            raise AssertionError(self.script_errors.sentence() or silent) from error
        self._await_decision(or_panel=True, timeout=PATIENCE.load)
        state = self._state
        if state not in _DECIDED_STATES and not self._frame_failed and not self._proved:
            self._await_decision(or_panel=False, timeout=GRACE_MILLISECONDS)
            state = self._state
        if state == AWAITING_CLICK:
            self._click_and_wait()
            state = self._state
        # What is said below is of the state that was judged, not of what it may have become since.
        if state != "ready":
            raise self._not_signed_in(state)
        style = self.contract.provider.login_style
        assert style == "popup" or not self.windows, f"a window was opened: the log-in style is not {style}"  # noqa: S101

    def _click_and_wait(self) -> None:
        """Sign in as a person does where the log-in opens a window: one click, and it closes itself."""
        self.chat.provider_button(self.contract.provider.button_label_text).click()
        with suppress(AssertionError):
            self.expect_state("ready")

    def _await_decision(self, *, or_panel: bool, timeout: float) -> None:
        """Return when the page has decided, the frame has failed, or time is up: the caller asks which."""
        ends = [f'[{self.selectors.state}="{state}"]' for state in _DECIDED_STATES] + ["[data-proved]"]
        decided = self._in_state(", ".join(ends))
        has_panel = or_panel and self.contract.site.features.notices
        awaited = expect(decided.or_(self.problem).first if has_panel else decided)
        until = time.monotonic() + timeout / 1000
        while time.monotonic() < until and not self._frame_failed:
            with suppress(AssertionError):
                awaited.to_be_attached(timeout=LOOK_MILLISECONDS)
                return

    def _await_message_box(self) -> None:
        """The frame's own state decides: its message box comes, or the browser refuses the frame."""
        until = time.monotonic() + PATIENCE.load / 1000
        while time.monotonic() < until and not self._frame_failed:
            with suppress(AssertionError):
                expect(self.chat.composer).to_be_attached(timeout=LOOK_MILLISECONDS)
                return
        raise self._not_signed_in("the frame's")

    def _in_state(self, attributes: str) -> Locator:
        """The frame, once it has one of these attributes."""
        return self.frame_element.and_(self.page.locator(attributes))

    @property
    def _state(self) -> str:
        return self.frame_element.get_attribute(self.selectors.state or "data-state") or "none"

    @property
    def _proved(self) -> bool:
        """The site knows for certain that the chat cannot come."""
        return self.frame_element.get_attribute("data-proved") is not None

    @property
    def _frame_failed(self) -> bool:
        """Chromium shows a page of its own where the answer was refused, or forbids being framed."""
        return self.frame.url.startswith("chrome-error:")

    def _not_signed_in(self, state: str) -> AssertionError:
        """The failure, which begins with what Rocket.Chat told the browser, where it told anything."""
        explanation = self._explanation(state)
        why = self.refusals.sentence() or self.script_errors.sentence()
        if why:
            return AssertionError(f"the chat is not signed in: {why}\n{explanation}")
        return AssertionError(f"the chat is not signed in\n{explanation}")

    def _explanation(self, state: str) -> str:
        """What can be seen: the page's state, its panel, and the address that the frame ended at."""
        address, _, _ = self.frame.url.partition("?")
        lines = [f"state of the page: {state}", f"the frame is at: {address}"]
        if self._frame_failed:
            lines.append("the browser refused the frame's document: no answer, or framing is forbidden")
        if self.contract.site.features.notices and self.problem.is_visible():
            lines.append(f"the page says: {self.problem.inner_text()}")
        return "\n".join(lines)


class ChatTestPage(ChatPage):
    """`/chat/test/`: SSO by Rocket.Chat's own `call-custom-oauth-login`."""

    def __init__(self, page: Page, contract: Contract) -> None:
        super().__init__(page, contract, contract.site.test_page)


class IntegratedPage(ChatPage):
    """`/chat/integrated/`: one button per room, SSO by `login-with-token`."""

    def __init__(self, page: Page, contract: Contract) -> None:
        super().__init__(page, contract, contract.site.integrated_page)

    @property
    def room_buttons(self) -> Locator:
        """The switcher's buttons, in order."""
        return self.switcher.get_by_role("button")

    def room_button(self, label: str) -> Locator:
        """The switcher's button of one room."""
        return self.switcher.get_by_role("button", name=label, exact=True)

    def expect_chosen(self, channel: Channel) -> None:
        """The room's button is the one that is pressed, where the switcher says so (`aria-pressed`)."""
        if not self.switcher.locator("[aria-pressed]").count():
            return
        button = self.room_button(channel.label)
        expect(button).to_have_attribute("aria-pressed", "true", timeout=PATIENCE.load)
        expect(self.switcher.locator('[aria-pressed="true"]')).to_have_count(1)

    def enter(self, channel: Channel) -> RocketChatFrame:
        """Press the room's button and wait until the chat shows the room and the page says so."""
        button = self.room_button(channel.label)
        expect(button, self.row("switcher")).to_be_attached(timeout=DECIDED_MILLISECONDS)
        button.click()
        self.expect_room(channel)
        self.expect_chosen(channel)
        return self.chat


def main_page(contract: Contract) -> type[ChatTestPage] | type[IntegratedPage]:
    """The page that people use: the integrated one, or the other where the site has none."""
    return IntegratedPage if contract.site.features.integrated_page else ChatTestPage
