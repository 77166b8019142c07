"""The site's log-in: in one page, or in two with the name first."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from playwright.sync_api import Locator, expect

from besedka.adapter import Selectors
from besedka.contract import User
from besedka.pages.patience import PATIENCE
from besedka.pages.rocketchat_frame import DECIDED_MILLISECONDS
from besedka.pages.site import SitePage

_NAMES = 'input[type="text"], input[type="email"], input:not([type])'
_NAME_FIRST = f'form[method="post" i]:has({_NAMES})'
_PASSWORD = 'input[type="password"]'  # noqa: S105 - a field
# Playwright has names of headers in small letters.
_LED_ON = ("hx-redirect", "hx-location")
_SENDS = '[type="submit"], button:not([type])'


class LoginPage(SitePage):
    """Where visitors say who they are."""

    def open(self) -> Self:
        """Go there directly."""
        self.page.goto(self._address)
        return self

    @property
    def _address(self) -> str:
        return self.contract.site.url + self.contract.site.login_path

    @property
    def form(self) -> Locator:
        """The form with a password, whatever else the page asks; else the one that asks for a name first.

        With two passwords an account is made, and not signed in to.
        """
        own = self.page.locator(self.selectors.login_form)
        if self.selectors.login_form != Selectors().login_form:
            return own.first
        if own.count() > 1:
            own = own.filter(has_not=self.page.locator(_PASSWORD).nth(1))
        if own.count():
            return own.first
        return own.or_(self.page.locator(_NAME_FIRST)).first

    def sign_in(self, user: User) -> None:
        """Fill the form and send it, by name; by address where it asks for one, or refuses the name."""
        expect(self.form, self.row("login_form")).to_be_attached(timeout=DECIDED_MILLISECONDS)
        if self._asks_for_email() or not self._accepted(user.username, user.secret):
            self._accepted(user.email, user.secret)

    @property
    def problem(self) -> Locator:
        """What the form says is wrong."""
        return self.page.get_by_role("alert")

    def _accepted(self, name: str, password: str) -> bool:
        """Whether the answer is no longer a page of the log-in; else it is open again as it was."""
        begun = self.page.url
        asked = self.submit(name, password)
        path = urlsplit(self.page.url).path
        if path not in {urlsplit(self._address).path, asked}:
            return True
        # A home page that asks strangers for their name is another page to who is signed in.
        self.page.wait_for_load_state("domcontentloaded")
        if self.log_out_button.count():
            return True
        if not self.name_field.is_visible():
            # With what the address says of the page to lead back to.
            self.page.goto(begun)
        return False

    def submit(self, name: str, password: str) -> str:
        """Fill the form as it is told and send it, whatever comes of it; the path where the password was."""
        self.name_field.fill(name)
        secret = self.form.locator(_PASSWORD).first
        if not secret.is_visible():
            self.form.locator(_SENDS).locator("visible=true").first.click()
            secret = self.page.locator(_PASSWORD).locator("visible=true").first
            expect(secret, self.row("login_form")).to_be_attached()
        asked = urlsplit(self.page.url).path
        secret.fill(password)
        sends = self.form.locator(_SENDS).locator("visible=true").first
        htmx = bool(self.form.get_attribute("hx-post") or self.form.get_attribute("data-hx-post"))
        if htmx or self.contract.site.adapter.login_call:
            self._sent_by_script(sends, _LED_ON if htmx else ())
            return asked
        with self.page.expect_navigation(timeout=PATIENCE.step, wait_until="commit"):
            sends.click()
        return asked

    def _sent_by_script(self, button: Locator, led_by: tuple[str, ...]) -> None:
        """Press it; a script's call is answered, and where it was a success another page opens.

        Without `led_by`, headers of which a success has one, it is one by its status.
        """
        begun = self.page.url
        with self.page.expect_response(
            lambda one: one.request.method == "POST", timeout=PATIENCE.step
        ) as told:
            button.click()
        led = not led_by or any(name in told.value.headers for name in led_by)
        if told.value.ok and led:
            self.page.wait_for_url(lambda url: url != begun, timeout=PATIENCE.step, wait_until="commit")

    def _asks_for_email(self) -> bool:
        named = (self.name_field.get_attribute(one) or "" for one in ("type", "autocomplete", "name"))
        return any("mail" in text.lower() for text in named)

    @property
    def name_field(self) -> Locator:
        """Where the form asks who it is."""
        return self.form.locator(_NAMES).first

    def sign_in_as(self, user: User) -> None:
        """Sign in, until a page offers to sign out."""
        self.sign_in(user)
        expect(self.log_out_button, self.row("log_out")).to_be_attached()
