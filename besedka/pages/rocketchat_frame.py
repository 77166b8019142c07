"""Rocket.Chat as a person sees it, in the frame or in a tab of its own.

Roles and hooks were measured on Rocket.Chat's web client 6.5.3 and 6.13.0. They agree with its own page
objects (`apps/meteor/tests/e2e/page-objects/fragments/home-content.ts`). Its words are looked for only where
there is no other sign: the language is the browser's or the user's, and there are sixty of them.
"""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Frame, Locator, Page, expect

from besedka.pages.patience import PATIENCE

# What is on the page already and will not change by itself.
DECIDED_MILLISECONDS = 2_000

# How much of a page is quoted.
_WORDS = 200
# The one hook that the message box has had in every version.
_BOX = 'textarea[name="msg"]'
# The title of a page that has nothing to show (`@rocket.chat/fuselage`, StatesTitle). Rocket.Chat's own page
# objects find it so too: its words are of the user's language, and it was no heading in older versions.
_NOTHING_TO_SHOW = ".rcx-states__title"
_USER_MENU = ":is([data-qa=sidebar-avatar-button],button[aria-haspopup]:has([data-username]))"


class RocketChatFrame:
    """One Rocket.Chat client: the frame of a chat page, or a whole page."""

    def __init__(self, frame: Frame | Page) -> None:
        self.frame = frame

    # --- what is on the page

    @property
    def composer(self) -> Locator:
        """The message box. It exists for non-members too, but disabled."""
        return self.frame.locator(_BOX)

    def _submit(self, box: str) -> Locator:
        """The last button of the group around the message box (`packages/ui-composer`, MessageComposer)."""
        group = self.frame.get_by_role("group").filter(has=self.frame.locator(box)).last
        return group.get_by_role("button").last

    @property
    def join_button(self) -> Locator:
        """`Join`, which stands where `Send` stands for members."""
        return self._submit(f"{_BOX}:disabled")

    @property
    def send_button(self) -> Locator:
        """`Send`; disabled until something is typed."""
        return self._submit(f"{_BOX}:enabled")

    def provider_button(self, label: str) -> Locator:
        """The button of a log-in service on Rocket.Chat's own log-in page."""
        return self.frame.get_by_role("button", name=label, exact=True)

    @property
    def room_not_found(self) -> Locator:
        """What stands in place of a room one may not see."""
        return self.frame.locator(_NOTHING_TO_SHOW)

    @property
    def password_demand(self) -> Locator:
        """The page "Reset password", which stands in the place of every room until a password is chosen.

        `packages/web-ui-registration`, ResetPasswordPage.tsx (6.5.3); the log-in's form asks for a name too.
        """
        form = self.frame.locator('form[aria-describedby="welcomeTitle"]:has(input[type="password"])')
        return form.filter(has_not=self.frame.locator('input[type="text"], input:not([type])'))

    @property
    def sidebar(self) -> Locator:
        """The list of rooms; absent in the embedded layout."""
        return self.frame.get_by_role("navigation")

    def composer_of(self, room: str) -> Locator:
        """The message box of one room, by the name it shows after a word of the language."""
        return self.frame.get_by_role("textbox", name=re.compile(rf"#{re.escape(room)}$"))

    def message(self, text: str) -> Locator:
        """The body of the message that holds `text`."""
        return self.frame.locator('[data-qa-type="message-body"]', has_text=text)

    # --- what a person does and sees

    def expect_member_of(self, room: str) -> None:
        """The room is open and writable: message box enabled, Send there, and then no Join.

        The order matters: while the room loads there is no Join button either.
        """
        box = self.composer_of(room)
        dialog = self.frame.get_by_role("dialog")
        shown = box.or_(self.room_not_found).or_(self.password_demand).or_(dialog).first
        try:
            expect(shown).to_be_visible(timeout=PATIENCE.load)
        except AssertionError as error:
            raise AssertionError(f"{room} does not open: the frame shows {self.words()!r}") from error
        if dialog.count() and not box.count():
            # While a dialog asks something, nothing else of the page has a role.
            raise AssertionError(f"a dialog of Rocket.Chat covers {room}: {dialog.first.inner_text()!r}")
        reset = (
            "Rocket.Chat shows its page 'Reset password' in place of every room: SSO adopted this account "
            "by an e-mail address that nobody had verified, or an administrator asked for a new password"
        )
        expect(self.password_demand, reset).to_have_count(0, timeout=DECIDED_MILLISECONDS)
        refused = f"Rocket.Chat refuses {room}: there is no such room, or this user is no member"
        expect(self.room_not_found, refused).to_have_count(0, timeout=DECIDED_MILLISECONDS)
        expect(box).to_be_enabled(timeout=PATIENCE.load)
        expect(self.send_button).to_be_visible()
        expect(self.join_button).to_have_count(0)

    def expect_open(self) -> None:
        """Some room is shown; below its messages is the message box, or that it is read only."""
        footer = self.frame.locator('[id^="chat-window-"]').locator("footer")
        expect(footer.or_(self.room_not_found).first).to_be_visible(timeout=PATIENCE.load)
        expect(self.room_not_found).to_have_count(0, timeout=DECIDED_MILLISECONDS)

    def expect_reader_of(self, room_id: str) -> None:
        """The room is open, and words stand in place of the message box; a member has no button beside them.

        `room_id`: Rocket.Chat's own. Its client marks the room's messages with it
        (`client/views/room/body/RoomBody.tsx`), and others may join there (`ComposerReadOnly.tsx`; 7.7.1).
        """
        footer = self.frame.locator(f'[id="chat-window-{room_id}"]').locator("footer")
        expect(footer).to_have_text(re.compile(r"\S"), timeout=PATIENCE.load)
        expect(footer.locator("button,textarea")).to_have_count(0)

    def words(self) -> str:
        """The first words of what is on the page."""
        return " ".join(self.frame.locator("body").inner_text().split())[:_WORDS]

    def join(self) -> None:
        """Press the button that a person who is no member is shown."""
        self.join_button.click(timeout=PATIENCE.load)

    def send(self, text: str) -> None:
        """Type a message, send it, and wait until the server has echoed it."""
        self.composer.fill(text)
        self.send_button.click()
        own = self.frame.locator('[data-qa-type="message"][data-own="true"]', has_text=text)
        expect(own).to_be_visible()
        expect(own).not_to_have_attribute("aria-busy", "true")

    def expect_message(self, text: str) -> None:
        """The message is on the page."""
        expect(self.message(text)).to_be_visible(timeout=PATIENCE.load)

    def session(self) -> dict[str, str] | None:
        """`{"userId", "token"}` that the client keeps in local storage, None when signed out."""
        stored: dict[str, Any] = self.frame.evaluate(
            "() => ({userId: localStorage.getItem('Meteor.userId'),"
            " token: localStorage.getItem('Meteor.loginToken')})"
        )
        if not stored["userId"] or not stored["token"]:
            return None
        return {"userId": str(stored["userId"]), "token": str(stored["token"])}

    def expect_signed_out(self) -> None:
        """The client keeps no token. Its log-in page is there, or the site's log-in page in a frame."""
        gone = "() => !localStorage.getItem('Meteor.loginToken')"
        self.frame.wait_for_function(gone, timeout=PATIENCE.load)
        expect(self.frame.locator(":is(form,iframe)").first).to_be_attached(timeout=PATIENCE.load)
        expect(self.composer).to_have_count(0)

    def log_out(self) -> None:
        """Rocket.Chat's own log-out: user menu, then its last entry. The embedded layout has no such menu.

        6.5.3 marks the menu's button. 6.13.0's client does not: it is the button with the person's picture.
        """
        self.frame.locator(_USER_MENU).first.click()
        self.frame.locator('[role="menuitemcheckbox"], [role="menuitem"]').last.click()
