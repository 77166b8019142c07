"""The hops of a log-in answer at once: each visitor waits for all of them, one after the other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
import requests

from besedka import address, http
from besedka.checks.patience import SLOW_SECONDS
from besedka.contract import Contract
from besedka.site import Site
from tests.api.answer import expect_status
from tests.api.conftest import OAuthFlow
from tests.cases import in_fewest_rooms

pytestmark = pytest.mark.api

# The matrix of faults waits for less (tests/faults/inner_child.py).
limit = SLOW_SECONDS
_SCRIPT = re.compile(r'<script[^>]*\ssrc="([^"]+)"')


@pytest.fixture
def walk(contract: Contract) -> OAuthFlow:
    """The walk of one user who waits no longer than twice that time."""
    user = in_fewest_rooms(contract)
    site = Site.of(contract, timeout=2 * limit)
    site.sign_in(user.username, user.secret, email=user.email)
    return OAuthFlow(contract, site)


def _authorized(walk: OAuthFlow) -> float:
    began = time.monotonic()
    expect_status(walk.authorize(), 302)
    return time.monotonic() - began


def _exchanged(walk: OAuthFlow) -> float:
    return _seconds(walk.exchange(walk.code()))


def _named(walk: OAuthFlow) -> float:
    return _seconds(walk.site.identity(walk.token()))


def _page_of_the_log_in(walk: OAuthFlow) -> float:
    anybody = Site.of(walk.contract, timeout=2 * limit)
    return _seconds(anybody.get(walk.contract.site.login_path))


def _signed_in(walk: OAuthFlow) -> float:
    user = in_fewest_rooms(walk.contract)
    site = Site.of(walk.contract, timeout=2 * limit)
    site.sign_in(user.username, user.secret, email=user.email)
    assert site.accepted is not None
    return site.accepted.elapsed.total_seconds()


def _test_page(walk: OAuthFlow) -> float:
    return _seconds(walk.site.get(walk.contract.site.test_page))


def _room(walk: OAuthFlow) -> float:
    chat = walk.contract.chat.url
    return _seconds(http.get(chat + walk.contract.default_channel.path, timeout=2 * limit))


def _scripts(walk: OAuthFlow) -> float:
    """The slowest script of the chat's page; without one, the page itself."""
    page = http.get(walk.contract.chat.url + walk.contract.default_channel.path, timeout=2 * limit)
    sources = [urljoin(page.url, source) for source in _SCRIPT.findall(page.text)]
    own = [source for source in sources if address.origin(source) == address.origin(page.url)]
    return max((_seconds(http.get(source, timeout=2 * limit)) for source in own), default=_seconds(page))


def _seconds(answered: requests.Response) -> float:
    expect_status(answered, 200)
    return answered.elapsed.total_seconds()


HOPS: dict[str, Callable[[OAuthFlow], float]] = {
    "log-in page": _page_of_the_log_in,
    "log-in": _signed_in,
    "authorize": _authorized,
    "token": _exchanged,
    "identity": _named,
    "test page": _test_page,
    "room": _room,
    "client": _scripts,
}


@pytest.mark.parametrize("hop", HOPS.values(), ids=HOPS)
def test_nobody_waits_for_a_hop_of_the_log_in(hop: Callable[[OAuthFlow], float], walk: OAuthFlow) -> None:
    seconds = hop(walk)
    # On a busy machine one answer may be late.
    if seconds > limit:
        seconds = min(seconds, hop(walk))

    assert seconds <= limit, f"answered after {seconds:.1f} s, not within {limit:g} s"
