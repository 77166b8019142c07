"""The server-side OAuth flow of 8.7, and Custom OAuth without a licence in 9.0; on a stand-in of that version.

Sources stand in `standins/rocketchat/oauth/modern.py`, with what is unknown.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from .chat import Chat
from .provider import CLIENT_ID, CLIENT_SECRET, SERVICE, OAuth, connect, identity, providing
from .standin import ADMIN, ADMIN_PASSWORD, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "wants servers of other versions"
SETTING = "Accounts_OAuth_Use_Modern_Flow"
TWO_FACTOR = "Accounts_TwoFactorAuthentication_Enabled"


@pytest.fixture
def modern(standins: Standins) -> Iterator[OAuth]:
    with providing() as provider, standins.running(version="8.7.0") as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        connect(chat, provider)
        chat.set(SETTING, True)
        chat.set(TWO_FACTOR, False)
        yield OAuth(chat, provider)


def begun(oauth: OAuth, browser: requests.Session) -> dict[str, str]:
    """The query with which the browser is sent to the provider."""
    answer = browser.get(f"{oauth.chat.url}/oauth/{SERVICE}", allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(oauth.provider.url)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def back(oauth: OAuth, browser: requests.Session, **query: str) -> requests.Response:
    return browser.get(f"{oauth.chat.url}/_oauth/{SERVICE}", params=query, allow_redirects=False)


def test_a_browser_is_sent_with_a_challenge_and_comes_home_with_a_code(modern: OAuth) -> None:
    browser, person = requests.Session(), identity()
    modern.provider.identity = (200, person)
    query = begun(modern, browser)

    answer = back(modern, browser, code="the-code", state=query["state"])

    assert answer.headers["Location"].startswith(f"{modern.chat.url}/home?loginCode=")
    assert query["redirect_uri"] == f"{modern.chat.url}/_oauth/{SERVICE}"
    assert query["code_challenge_method"] == "S256"
    form = modern.provider.last("/token").form
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    # Whatever token_sent_via says.
    assert (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["loginCode"][0]
    client = modern.chat.anybody()
    assert client.login({"loginCode": code}).status == 200
    assert client.get("me").body["username"] == person["username"]
    assert modern.chat.anybody().login({"loginCode": code}).status == 401, "a code is good once"


def test_token_sent_via_decides_about_the_identity_request(modern: OAuth) -> None:
    modern.configure(token_sent_via="header", identity_token_sent_via="payload")
    browser = requests.Session()
    modern.provider.identity = (200, identity())

    back(modern, browser, code="the-code", state=begun(modern, browser)["state"])

    assert modern.provider.last("/identity").headers["authorization"] == "Bearer provider-token"
    assert "client_secret" in modern.provider.last("/token").form


def test_a_state_of_another_browser_leads_to_the_log_in(modern: OAuth) -> None:
    state = begun(modern, requests.Session())["state"]

    for query in ({"code": "the-code", "state": state}, {"error": "access_denied", "state": state}):
        answer = back(modern, requests.Session(), **query)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/login")


def test_a_failed_exchange_is_an_error_page(modern: OAuth) -> None:
    browser = requests.Session()
    query = begun(modern, browser)
    modern.provider.token = (401, {"error": "invalid_client"})

    assert back(modern, browser, code="the-code", state=query["state"]).status_code == 500


def test_the_second_factor_gets_a_page_of_its_own(modern: OAuth) -> None:
    modern.chat.set(TWO_FACTOR, True)
    browser = requests.Session()
    modern.provider.identity = (200, identity())

    answer = back(modern, browser, code="the-code", state=begun(modern, browser)["state"])

    assert urlsplit(answer.headers["Location"]).path.startswith("/2fa/email/")


def test_a_popup_hands_the_token_to_its_opener(modern: OAuth) -> None:
    modern.configure(login_style="popup")
    browser = requests.Session()
    modern.provider.identity = (200, identity())

    answer = back(modern, browser, code="the-code", state=begun(modern, browser)["state"])

    assert '"externalCommand": "login-with-token"' in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("script-src 'nonce-")


def test_while_it_is_off_the_old_flow_answers(modern: OAuth) -> None:
    modern.chat.set(SETTING, False)

    assert modern.come_back(identity())[1].status == 200
    assert (
        requests.get(f"{modern.chat.url}/oauth/{SERVICE}", timeout=5)
        .headers["Content-Type"]
        .startswith("text/html")
    )


@pytest.mark.parametrize("version", ["7.7.1", "8.6.0"])
def test_an_older_one_has_no_such_setting(standins: Standins, version: str) -> None:
    with standins.running(version=version) as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        assert chat.admin.get(f"settings/{SETTING}").status == 400


def test_custom_oauth_without_a_licence_has_no_effect_in_9_0(standins: Standins) -> None:
    """Pull request 42477: no service comes of the switch, and none is added."""
    with standins.running(version="9.0.0", Accounts_OAuth_Custom_Tempbesedka="true") as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        assert chat.service(SERVICE) is None
        answer = chat.admin.post("settings.addCustomOAuth", {"name": "another"})
        assert answer.body["errorType"] == "error-action-not-allowed"
