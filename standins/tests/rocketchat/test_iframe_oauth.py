"""SSO inside a frame, in a browser: `call-custom-oauth-login` and iframe authentication.

apps/meteor/client/startup/iframeCommands.ts, app/custom-oauth/client/CustomOAuth.ts, Meteor's oauth_client.js;
app/ui-utils/client/lib/IframeLogin.ts. The provider's authorize page sends the browser back at once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from besedka.contract import Contract

from .around import IN_THE_CLIENT, Around, frame_settings, serving
from .provider import CLIENT_ID, OAuth, identity

pytestmark = pytest.mark.conformance


@dataclass(frozen=True)
class Site(Around):
    """The page around a chat; `authorized` holds the queries of the provider's authorize page."""

    authorized: list[dict[str, str]]


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def unopened(oauth: OAuth, page: Page, origin: str, contract: Contract) -> Site:
    """A chat that may be framed, with an authorize page that sends the browser back at once; not yet loaded."""
    page.set_default_timeout(contract.chat.patience * 1000)
    for name, value in frame_settings(origin).items():
        oauth.chat.set(name, value)
    oauth.provider.identity = (200, identity())
    site = Site(page, oauth.chat, [])

    def authorize(route: Route) -> None:
        query = dict(parse_qsl(urlsplit(route.request.url).query))
        site.authorized.append(query)
        back = f"{query['redirect_uri']}?code=the-code&state={query['state']}"
        route.fulfill(status=302, headers={"Location": back})

    page.route(f"{oauth.provider.url}/oauth/authorize*", authorize)
    page.goto(origin)
    return site


@pytest.fixture
def site(unopened: Site) -> Site:
    """The same, with nobody signed in."""
    unopened.show("/channel/general?layout=embedded")
    unopened.hear("Custom_Script_Logged_Out")
    return unopened


def _state(query: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(query["state"]))
    return found


def _finish(site: Site) -> None:
    site.hear("Custom_Script_Logged_In")
    site.chat.forget(str(site.user()))


@pytest.mark.trap("OAuth", "the authorize address and `state`")
def test_the_frame_signs_in_and_comes_back_where_it_was_told(site: Site) -> None:
    """No PKCE, no nonce; the parameters in this order, `state` as Meteor writes it; layout kept (2.3, 3.2)."""
    back = f"{site.chat.url}/channel/general?layout=embedded"
    site.tell(externalCommand="call-custom-oauth-login", service="tempbesedka", redirectUrl=back)
    _finish(site)
    site.hear("room-opened")
    assert site.inside.url == back
    (query,) = site.authorized
    assert list(query) == ["client_id", "redirect_uri", "response_type", "state", "scope"]
    assert (query["client_id"], query["response_type"], query["scope"]) == (CLIENT_ID, "code", "openid")
    assert query["redirect_uri"] == f"{site.chat.url}/_oauth/tempbesedka"
    state = _state(query)
    assert set(state) == {"loginStyle", "credentialToken", "isCordova", "redirectUrl"}
    assert (state["loginStyle"], state["redirectUrl"]) == ("redirect", back)
    heard = site.page.evaluate("heard.filter((m) => m.event === 'custom-oauth-callback')")
    assert heard == [], "an answer comes in popup style only"


@pytest.mark.trap("Iframe", "no redirectUrl: /home, layout lost")
@pytest.mark.parametrize("redirect_url", [None, "https://elsewhere.test/", "http://127.0.0.1"])
def test_another_address_is_replaced_and_the_layout_lost(site: Site, redirect_url: str | None) -> None:
    """It has to begin with Site_Url and a slash (iframeCommands.ts)."""
    more = {"redirectUrl": redirect_url} if redirect_url else {}
    site.tell(externalCommand="call-custom-oauth-login", service="tempbesedka", **more)
    _finish(site)
    assert _state(site.authorized[0])["redirectUrl"] == f"{site.chat.url}/"
    site.inside.wait_for_url(f"{site.chat.url}/home")


@pytest.mark.trap("Iframe", "services by lower-case name, else silence")
def test_a_service_goes_by_its_lower_case_name(site: Site) -> None:
    """Another name is met with silence: nothing happens, nothing is said (iframeCommands.ts)."""
    asked: list[str] = []
    site.page.on(
        "request", lambda request: asked.append(request.url) if request.is_navigation_request() else None
    )
    for name in ("Besedka", "none", ""):
        site.tell(externalCommand="call-custom-oauth-login", service=name)
    # The next command goes the same way, after them; its room comes after several answers of the server.
    site.tell(externalCommand="login-with-token", token=site.chat.anna.token)
    site.hear("room-opened")
    expect(site.frame.get_by_role("textbox", name="general")).to_be_enabled(timeout=IN_THE_CLIENT)
    assert asked == []


def _by_iframe(site: Site, answer: dict[str, Any] | None) -> list[str]:
    """Switch iframe authentication on, with a site that answers so; the methods of its API's requests.

    Before the client's first load: it keeps settings, and one that was off in its copy stays off for the next
    load too (IframeLogin.ts; measured on 6.5.3).
    """
    asked: list[str] = []
    headers = {"Access-Control-Allow-Origin": site.chat.url, "Access-Control-Allow-Credentials": "true"}

    def api(route: Route) -> None:
        asked.append(route.request.method)
        if answer is None:
            route.fulfill(status=401, headers=headers)
        else:
            route.fulfill(status=200, headers=headers, json=answer)

    site.page.route("http://127.0.0.1:1/api", api)
    site.page.route("http://127.0.0.1:1/login", lambda route: route.fulfill(body="<h1>of the site</h1>"))
    for name, value in (
        ("Accounts_iframe_enabled", True),
        ("Accounts_iframe_url", "http://127.0.0.1:1/login"),
        ("Accounts_Iframe_api_url", "http://127.0.0.1:1/api"),
        ("Accounts_Iframe_api_method", "POST"),
    ):
        site.chat.set(name, value)
    site.show("/channel/general?layout=embedded")
    return asked


@pytest.mark.trap("Iframe", "iframe authentication asks the site")
def test_iframe_authentication_asks_the_site_first(unopened: Site) -> None:
    """`{loginToken}` is a resume token; the log-in page is not seen (IframeLogin.ts, tryLogin)."""
    asked = _by_iframe(unopened, {"loginToken": unopened.chat.anna.token})
    unopened.hear("Custom_Script_Logged_In")
    assert unopened.user() == unopened.chat.anna.user_id
    # It is asked twice in a load (measured on 6.13.0).
    assert set(asked) == {"POST"}


@pytest.mark.trap("Iframe", "else it shows the site's page")
def test_iframe_authentication_shows_the_page_of_the_site_otherwise(unopened: Site) -> None:
    """In place of the form; `login-with-token` from there signs in, a bad one is a login-error (IframeLogin.ts)."""
    _by_iframe(unopened, None)
    # By its address: a title came after 6.5.3.
    unopened.frame.locator('iframe[src="http://127.0.0.1:1/login"]').wait_for()
    expect(unopened.frame.get_by_role("textbox")).to_have_count(0)
    unopened.tell(event="login-with-token", loginToken="wrong")
    unopened.page.wait_for_function("heard.some((m) => m.event === 'login-error')")
    unopened.tell(event="login-with-token", loginToken=unopened.chat.boris.token)
    unopened.hear("Custom_Script_Logged_In")
    assert unopened.user() == unopened.chat.boris.user_id
