"""The two chat pages as the server sends them: one document, one frame on the right room, buttons that lead there."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from besedka.checks.page_document import unusual
from besedka.checks.reloading import reloads
from besedka.contract import Contract, User
from fixtures.users import SiteSession
from tests.api.answer import expect_status
from tests.cases import CONTRACT, DOES_NOT_APPLY, INTEGRATED, in_most_rooms

pytestmark = pytest.mark.api

BOTH_PAGES = pytest.mark.parametrize(
    "path", [CONTRACT.site.test_page, pytest.param(CONTRACT.site.integrated_page, marks=INTEGRATED)]
)


class Page(HTMLParser):
    """Tags that matter here, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def tags(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.found if tag == name]

    def switchers(self) -> dict[str, tuple[str, str]]:
        """Room → (tag that switches to it, path that it leads to)."""
        return {
            attributes["data-channel"]: (tag, attributes.get("data-path", "").partition("?")[0])
            for tag, attributes in self.found
            if "data-channel" in attributes
        }


@BOTH_PAGES
def test_the_page_is_its_visitors_alone(
    path: str, contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    answer = sign_in(in_most_rooms(contract)).site.get(path)

    expect_status(answer, 200)
    found = [f"{one.code}: {one.seen}" for one in unusual(path, answer, path)]
    assert found == [], "\n".join(found)


def test_each_process_of_the_site_knows_its_visitor(
    contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    """A connection that is kept open would stay with one process."""
    visitor, alone = sign_in(in_most_rooms(contract)).site, {"Connection": "close"}

    for _ in range(8):
        expect_status(visitor.request("GET", contract.site.test_page, headers=alone), 200)


@pytest.mark.feature("own_urls")
@BOTH_PAGES
def test_no_page_asks_for_https_of_a_plain_http_frame(
    path: str, contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    """Browsers spare loopback alone: on any other host the frame stays empty."""
    answer = sign_in(in_most_rooms(contract)).site.get(path)

    expect_status(answer, 200)
    policy = answer.headers.get("Content-Security-Policy", "")
    plain = f"{contract.site.url} {contract.chat.url}".count("http://")
    assert not plain or "upgrade-insecure-requests" not in policy, f"the page asks for https: {policy}"


@BOTH_PAGES
def test_the_page_stays_until_its_visitor_leaves(
    path: str, contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    answer = sign_in(in_most_rooms(contract)).site.get(path)

    expect_status(answer, 200)
    assert reloads("page", answer, path) == [], "a browser loads the page anew, and the chat in it"


@BOTH_PAGES
def test_the_page_is_one_document_with_one_frame_on_the_default_room(
    path: str, contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    answer = sign_in(in_most_rooms(contract)).site.get(path)

    expect_status(answer, 200)
    page = Page(answer.text)
    assert len(page.tags("html")) == len(page.tags("body")) == 1, "one document inside another"
    frames = page.tags("iframe")
    if not frames and not contract.site.features.own_urls:
        pytest.skip(f"{DOES_NOT_APPLY}a script makes the frame")
    addresses = [frame.get("src") for frame in frames]
    room = f"{contract.chat.url}{contract.default_channel.path}?layout=embedded"
    assert addresses == [room], f"frames on {addresses}, not one on {room}"
    named = contract.site.selectors.frame_id
    assert named in {None, frames[0].get("id")}, f"[site.selectors] names {named}, the frame is {frames[0]}"


@INTEGRATED
@pytest.mark.skipif(
    "switcher" in CONTRACT.site.selectors.model_fields_set,
    reason=f"{DOES_NOT_APPLY}a switcher of the site's own",
)
def test_each_switcher_is_a_button_that_leads_to_its_room(
    contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    user = in_most_rooms(contract)
    answer = sign_in(user).site.get(contract.site.integrated_page)

    expect_status(answer, 200)
    found = Page(answer.text).switchers()
    wanted = {
        channel.name: ("button", channel.path)
        for channel in contract.channels
        if channel.name in user.channels
    }
    assert found == wanted, f"the page switches by {found}, not by {wanted}"
