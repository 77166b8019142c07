"""The URL table: what each address answers to a stranger and to somebody signed in, no redirect followed."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from besedka.address import language
from besedka.contract import Contract, User
from besedka.site import Site
from fixtures.users import SiteSession
from tests.api.answer import expect_status
from tests.cases import CONTRACT, USERNAMES, in_fewest_rooms, in_most_rooms

pytestmark = pytest.mark.api

SITE, PROVIDER = CONTRACT.site, CONTRACT.provider
LOGIN = SITE.login_path
INTEGRATED, CHAT_TOKEN, OWN = (
    pytest.mark.feature(name) for name in ("integrated_page", "chat_token", "own_urls")
)
# Pages whose paths begin with their language: the home page leads to the visitor's.
HOME = f"/{SPOKEN}/" if (SPOKEN := language(LOGIN)) else "/"
SESSION = pytest.mark.feature("session_endpoint")
PAGES = [SITE.test_page, pytest.param(SITE.integrated_page, marks=INTEGRATED)]
# path, anonymous status and where a redirect leads, signed-in status and where a redirect leads
NAMED = [
    pytest.param(LOGIN, 200, None, 302, "/", marks=OWN),
    pytest.param(SITE.test_page, 302, LOGIN, 200, None),
    pytest.param(SITE.integrated_page, 302, LOGIN, 200, None, marks=INTEGRATED),
    pytest.param(SITE.chat_auth_path, 401, None, 200, None, marks=CHAT_TOKEN),
    pytest.param(SITE.adapter.session_path or "/", 401, None, 200, None, marks=SESSION),
    pytest.param(PROVIDER.identity_path, 401, None, 401, None, marks=OWN),
    pytest.param(SITE.adapter.status_place or "/", 200, None, 200, None, marks=OWN),
    pytest.param(PROVIDER.authorize_path, 302, LOGIN, 400, None),
    pytest.param(PROVIDER.token_path, 405, None, 405, None),
]
# Addresses of the site itself; the contract may have given one to a page of its own.
UNNAMED = [
    pytest.param("/", 302, HOME, 302, HOME) if HOME != "/" else pytest.param("/", 200, None, 200, None),
    pytest.param("/chat/", 302, SITE.integrated_page, 302, SITE.integrated_page, marks=OWN),
    pytest.param("/api/chat/auth/", 404, None, 404, None, marks=OWN),
    pytest.param("/api/v1/auth/rocket/identity/", 404, None, 404, None, marks=OWN),
    pytest.param("/o/userinfo/", 404, None, 404, None, marks=OWN),
    pytest.param("/no/such/page/", 404, None, 404, None),
]
TAKEN = {row.values[0] for row in NAMED}
TABLE = [*NAMED, *(row for row in UNNAMED if row.values[0] not in TAKEN)]


def assert_answers(site: Site, path: str, status: int, target: str | None) -> None:
    answer = site.get(path)
    expect_status(answer, status)
    location = answer.headers.get("Location")
    # A site may lie below a path of its host.
    led = urlsplit(location).path.removeprefix(SITE.below("")) if location else None
    assert led == target, f"GET {path} leads to {led}, not to {target}"
    if led == LOGIN:
        back = parse_qs(urlsplit(location).query).get("next")
        assert back == [SITE.below(path)], f"after the log-in GET {path} leads on to {back}"


@pytest.mark.parametrize(("path", "status", "target", "_signed_in", "_target"), TABLE)
def test_anonymous_request(
    path: str, status: int, target: str | None, _signed_in: int, _target: str | None, contract: Contract
) -> None:
    assert_answers(Site.of(contract), path, status, target)


@pytest.mark.parametrize(("path", "_status", "_target", "status", "target"), TABLE)
def test_somebody_signed_in(
    path: str,
    _status: int,
    _target: str | None,
    status: int,
    target: str | None,
    contract: Contract,
    sign_in: Callable[[User], SiteSession],
) -> None:
    assert_answers(sign_in(in_fewest_rooms(contract)).site, path, status, target)


@OWN
@pytest.mark.parametrize("path", PAGES)
def test_the_chat_pages_hold_the_frame(
    path: str, contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    answer = sign_in(in_most_rooms(contract)).site.get(path)

    expect_status(answer, 200)
    page = answer.text
    assert page.count("<html") == page.count("<body") == 1, f"{path} is not one page"
    frames = [tag for tag in re.findall(r"<iframe\b[^>]*>", page) if contract.chat.url in tag]
    assert len(frames) == 1, f"{path} holds {len(frames)} frames of the chat"
    wanted = f"{contract.chat.url}{contract.default_channel.path}?layout=embedded"
    assert wanted in frames[0].replace("&amp;", "&"), f"{path} does not show {wanted}: {frames[0]}"


@INTEGRATED
@OWN
@pytest.mark.parametrize("username", USERNAMES)
def test_the_integrated_page_has_a_button_for_each_room_of_the_user(
    username: str, contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    user = contract.user(username)
    answer = sign_in(user).site.get(contract.site.integrated_page)

    expect_status(answer, 200)
    buttons = re.findall(r'(<button\b[^>]*\bdata-channel="([^"]*)"[^>]*>)', answer.text)
    offered = [name for tag, name in buttons if "disabled" not in tag]
    rooms = [channel.name for channel in contract.channels if channel.name in user.channels]
    assert offered == rooms, f"the page has buttons for {offered}, {username} is in {rooms}"


@OWN
@pytest.mark.parametrize("path", [HOME, LOGIN, *PAGES])
def test_pages_load_nothing_from_elsewhere(
    path: str, contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    site = sign_in(in_most_rooms(contract)).site
    answer = (Site.of(contract) if path == LOGIN else site).get(path)

    expect_status(answer, 200)
    foreign = answer.text.replace(contract.site.url, "").replace(contract.chat.url, "")
    assert 'src="http' not in foreign
    assert 'src="//' not in foreign
    assert '<link rel="stylesheet" href="http' not in foreign
