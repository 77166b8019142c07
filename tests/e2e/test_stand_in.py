"""Where a stand-in takes Rocket.Chat's place, the run and the page say so, and only there."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import Page

from besedka.contract import Contract
from besedka.pages.rocketchat_frame import RocketChatFrame
from besedka.stacks.model import Stack

pytestmark = pytest.mark.e2e

NAME = "Rocket.Chat stand-in"


def test_the_page_says_what_it_is(stack: Stack, contract: Contract, visitor: Page) -> None:
    is_stand_in = not stack.service("rocketchat").real
    # Nothing of Rocket.Chat's own client is changed, by whatever server: there only the server says it.
    says_so = not stack.client_is_real

    # Not the root: before the page's load event the client of 6.13.0 goes on from there in vain (measured).
    visitor.goto(f"{contract.chat.url}/home", wait_until="domcontentloaded")
    RocketChatFrame(visitor).expect_signed_out()

    assert (NAME in visitor.title()) is says_so
    assert visitor.get_by_text(NAME, exact=True).is_visible() is says_so
    server = requests.get(f"{contract.chat.url}/api/info", timeout=10).headers.get("X-Stand-In", "")
    assert (NAME in server) is is_stand_in
