"""Layer `sso`, the pages: what the site shows a signed-in user before any script runs."""

from __future__ import annotations

from html.parser import HTMLParser

import requests

from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, answer, finding
from besedka.checks.registry import Check, names, register
from besedka.checks.temporary import visitor
from besedka.contract import Contract


class _Page(HTMLParser):
    """Sources of a page's frames, and the text of each button with the channel it switches to."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[str] = []
        self.buttons: dict[str, str] = {}
        self._channel: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag == "iframe":
            self.frames.append(fields.get("src") or "")
        if fields.get("data-channel"):
            self._channel = str(fields["data-channel"])
            self.buttons[self._channel] = ""

    def handle_data(self, data: str) -> None:
        if self._channel is not None:
            self.buttons[self._channel] = (self.buttons[self._channel] + data).strip()

    def handle_endtag(self, tag: str) -> None:
        self._channel = None


def _read(response: requests.Response) -> _Page:
    page = _Page()
    page.feed(response.text)
    return page


def _frame_findings(name: str, examination: Examination, response: requests.Response) -> list[Finding]:
    contract = examination.contract
    place = f"{response.url.partition('?')[0]}, signed in"
    room = f"{contract.chat.url}{contract.default_channel.path}"
    expected = f"one frame on {room}?layout=embedded"
    if response.status_code != 200:
        return [finding(f"{name}.status", str(response.status_code), "200", place, "read Daphne's log")]
    frames = _read(response).frames
    if len(frames) != 1:
        fix = "is the template the one of web/templates/chat?"
        return [finding(f"{name}.no_frame", f"{len(frames)} frames", expected, place, fix)]
    address, _, query = frames[0].partition("?")
    if address != room or "layout=embedded" not in query:
        fix = "CHAT_URL and CHAT_CHANNELS of the site must be the contract's; without layout the menus show"
        return [finding(f"{name}.frame", frames[0], expected, place, fix)]
    return []


def _test_page(examination: Examination) -> Answer:
    """Does the test page show the default room in a frame?"""
    response = visitor(examination).site.get(examination.contract.site.test_page)
    found = _frame_findings("sso.test_page", examination, response)
    return answer(found, evidence="one frame, embedded")


def _integrated_page(examination: Examination) -> Answer:
    """Does the integrated page show the frame, and buttons for this user's rooms alone?"""
    contract = examination.contract
    response = visitor(examination).site.get(contract.site.integrated_page)
    found = _frame_findings("sso.integrated_page", examination, response)
    wanted = {channel.name: channel.label for channel in contract.channels if channel.admits("user")}
    buttons = _read(response).buttons
    if not found and buttons != wanted:
        place = f"{contract.site.url}{contract.site.integrated_page} as a user without a role"
        fix = "CHAT_CHANNELS of the site must be [[channels]] of besedka.toml"
        found = [finding("sso.integrated_page.buttons", str(buttons), str(wanted), place, fix)]
    watched = [f"channels.{name}.label" for name in wanted]
    return answer(found, evidence=", ".join(buttons.values()), watched=watched)


def declare(contract: Contract) -> None:
    """Declare the checks; they need the temporary user's session."""
    if "sso.test_page" in names():
        return
    kinds = ("status", "no_frame", "frame")
    rows = (
        ("sso.test_page", _test_page, kinds),
        ("sso.integrated_page", _integrated_page, (*kinds, "buttons")),
    )
    for name, ask, ends in rows:
        question = (ask.__doc__ or "").strip()
        register(Check(name, "sso", question, ask, ("sso.user",), (), ends))
