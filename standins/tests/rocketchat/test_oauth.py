"""Custom OAuth between server and provider: callback, token and identity requests, errors.

apps/meteor/app/custom-oauth/server/custom_oauth_server.js; Meteor's oauth and oauth2 packages.
"""

from __future__ import annotations

import base64

import pytest
import requests

from .chat import Chat, collection, eventually
from .client import Json
from .provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    MAIN,
    SERVICE,
    OAuth,
    connect,
    identity,
    page_config,
    providing,
)
from .standin import ADMIN, ADMIN_PASSWORD, Standins
from .versions import at

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "its provider is the test's own, and the clock is moved"


def _refused(oauth: OAuth, **query: str) -> str:
    """Message of a log-in after a callback that went wrong; the callback itself is 200."""
    token, state = oauth.state()
    config = page_config(oauth.callback(state, **query))
    assert config["setCredentialToken"] is False
    assert "credentialSecret" not in config
    client, answer = oauth.claim(token, None)
    assert (answer.status, client.user_id) == (401, None)
    return str(answer.body["message"])


def _kept(oauth: OAuth) -> str:
    """What Mongo keeps of a callback that went wrong, until it is claimed; the claim says nothing."""
    token, state = oauth.state()
    assert page_config(oauth.callback(state))["setCredentialToken"] is False
    with collection(oauth.chat.mongo_url, "meteor_oauth_pendingCredentials") as rows:
        row = rows.find_one({"key": token}) or {}
    assert oauth.claim(token, None)[1].status == 401
    return str(row["credential"]["error"]["message"])


def test_the_whole_round_signs_in(oauth: OAuth) -> None:
    """Callback, then `login {oauth: {credentialToken, credentialSecret}}` (oauth_server.js)."""
    person = identity()
    client, answer = oauth.come_back(person)
    assert answer.status == 200
    me = client.get("me").body
    assert (me["username"], me["name"], me["email"]) == (
        person["username"],
        person["full_name"],
        person["email"],
    )
    assert me.get("isOAuthUser", False) is at(oauth.chat.version, "isOAuthUser in me")
    assert me["roles"] == ["user"]


def test_the_client_signs_in_by_method_call(oauth: OAuth) -> None:
    """`method.callAnon/login`, whose `type` is the service (client/meteorOverrides/ddpOverREST.ts)."""
    oauth.provider.identity = (200, identity())
    token, state = oauth.state()
    secret = page_config(oauth.callback(state))["credentialSecret"]
    credential = {"oauth": {"credentialToken": token, "credentialSecret": secret}}
    result = oauth.chat.anybody().method("login", credential)["result"]
    assert result["type"] == "tempbesedka"
    assert set(result) == {"id", "token", "tokenExpires", "type"}
    assert set(result["tokenExpires"]) == {"$date"}
    oauth.chat.forget(result["id"])


@pytest.mark.trap("OAuth", "escaped JSON and a script by style")
def test_the_callback_hands_over_a_secret(oauth: OAuth) -> None:
    """The page's JSON and its script, by style (oauth_server.js, end_of_*_response)."""
    oauth.provider.identity = (200, identity())
    for style, extra in (
        ("redirect", {"redirectUrl": f"{oauth.chat.url}/channel/general?layout=embedded"}),
        ("popup", {}),
    ):
        token, state = oauth.state(loginStyle=style, **extra)
        answer = oauth.callback(state)
        config = page_config(answer)
        assert answer.headers["Content-Type"].startswith("text/html")
        assert config["setCredentialToken"] is True
        assert config["credentialToken"] == token
        assert config["credentialSecret"]
        assert config["storagePrefix"] == "Meteor.oauth.credentialSecret-"
        assert config["isCordova"] is False
        script = f"/packages/oauth/end_of_{style}_response.js"
        assert script in answer.text
        assert oauth.chat.anybody().request("GET", script).status == 200
        if style == "redirect":
            assert config["redirectUrl"] == extra["redirectUrl"]


@pytest.mark.trap("OAuth", "a foreign redirectUrl")
def test_a_foreign_redirect_url_is_replaced(oauth: OAuth) -> None:
    """It must begin with ROOT_URL (oauth_server.js, renderOauthResults)."""
    oauth.provider.identity = (200, identity())
    _, state = oauth.state(redirectUrl="http://evil.test/")
    config = page_config(oauth.callback(state))
    assert config["redirectUrl"] == f"{oauth.chat.url}/"
    assert config["setCredentialToken"] is False


@pytest.mark.trap("OAuth", "a credential lives a minute")
def test_a_credential_needs_its_secret_and_lives_a_minute(oauth: OAuth) -> None:
    """pending_credentials.js; three minutes once it was used, for the second try of 2FA."""
    oauth.provider.identity = (200, identity())
    token, state = oauth.state()
    secret = page_config(oauth.callback(state))["credentialSecret"]
    for wrong in (None, "wrong"):
        assert oauth.claim(token, wrong)[1].status == 401
    oauth.chat.advance(61)
    assert oauth.claim(token, secret)[1].status == 401


@pytest.mark.trap("OAuth", "token request, payload")
def test_the_token_request_in_payload_mode(oauth: OAuth) -> None:
    """The default: id and secret in the form (custom_oauth_server.js, getAccessToken)."""
    oauth.provider.identity = (200, identity())
    _, state = oauth.state()
    oauth.callback(state)
    request = oauth.provider.last("/token")
    assert request.verb == "POST"
    assert request.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("Meteor")
    assert request.form == {
        "code": "the-code",
        "redirect_uri": f"{oauth.chat.url}/_oauth/tempbesedka",
        "grant_type": "authorization_code",
        "state": state,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    assert "authorization" not in request.headers


@pytest.mark.trap("OAuth", "token request, header")
def test_the_token_request_in_header_mode(oauth: OAuth) -> None:
    """Basic authentication, and neither id nor secret in the form (getAccessToken)."""
    oauth.configure(token_sent_via="header")
    oauth.provider.identity = (200, identity())
    oauth.callback(oauth.state()[1])
    request = oauth.provider.last("/token")
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {basic}"
    assert set(request.form) == {"code", "redirect_uri", "grant_type", "state"}


@pytest.mark.trap("OAuth", "identity request")
@pytest.mark.parametrize(
    ("token_via", "identity_via", "in_header"),
    [
        ("payload", "default", False),
        ("header", "default", True),
        ("payload", "header", True),
        ("header", "payload", False),
    ],
)
def test_the_identity_request(oauth: OAuth, token_via: str, identity_via: str, in_header: bool) -> None:
    """`default` is what token_sent_via says; the parameter is access_token_param (getIdentity)."""
    oauth.configure(token_sent_via=token_via, identity_token_sent_via=identity_via, access_token_param="tok")
    oauth.provider.identity = (200, identity())
    oauth.callback(oauth.state()[1])
    request = oauth.provider.last("/identity")
    assert request.verb == "GET"
    assert request.headers.get("authorization") == ("Bearer provider-token" if in_header else None)
    assert request.query == ({} if in_header else {"tok": "provider-token"})


@pytest.mark.trap("OAuth", "a row changed by hand")
def test_of_a_row_changed_by_hand_only_id_and_secret_count(oauth: OAuth) -> None:
    """They are read from the row at each exchange, the addresses from memory (getAccessToken, configure)."""
    oauth.provider.identity = (200, identity())
    by_hand = {"clientId": "by-hand", "secret": "written by hand", "tokenPath": "/nowhere"}
    with collection(oauth.chat.mongo_url, "meteor_accounts_loginServiceConfiguration") as rows:
        before = rows.find_one({"service": "tempbesedka"})
        assert before is not None
        rows.update_one({"_id": before["_id"]}, {"$set": by_hand})
        try:
            oauth.callback(oauth.state()[1])
        finally:
            rows.replace_one({"_id": before["_id"]}, before)
    form = oauth.provider.last("/token").form
    assert (form["client_id"], form["client_secret"]) == ("by-hand", "written by hand")


def test_absolute_paths_are_used_as_they_are(oauth: OAuth) -> None:
    """A path with a scheme ignores the service's URL (custom_oauth_server.js, configure)."""
    oauth.configure(url="http://127.0.0.1:1", token_path=f"{oauth.provider.url}/token")
    oauth.configure(identity_path=f"{oauth.provider.url}/identity")
    assert oauth.come_back(identity())[1].status == 200


@pytest.mark.trap("OAuth", "error of the handshake")
def test_a_refused_token_is_a_failed_handshake(oauth: OAuth) -> None:
    """Words of getAccessToken, with the status text or the provider's own error; they stay in Mongo."""
    where = f"Failed to complete OAuth handshake with tempbesedka at {oauth.provider.url}/token."
    oauth.provider.token = (401, {})
    assert _kept(oauth) == f"{where} Unauthorized"
    oauth.provider.token = (200, {"error": "invalid_grant"})
    assert _kept(oauth) == f"{where} invalid_grant"


@pytest.mark.trap("OAuth", "error of the identity")
def test_a_refused_identity_is_named(oauth: OAuth) -> None:
    """Words of getIdentity, in Mongo."""
    oauth.provider.identity = (403, {})
    expected = f"Failed to fetch identity from tempbesedka at {oauth.provider.url}/identity. Forbidden"
    assert _kept(oauth) == expected
    oauth.provider.identity = (200, "<html>no JSON</html>")
    assert _kept(oauth).startswith("Failed to fetch identity from tempbesedka at ")


@pytest.mark.trap("OAuth", "a failed handshake's text never arrives")
def test_why_a_handshake_failed_never_arrives(oauth: OAuth) -> None:
    """By REST, method.callAnon and socket (app/2fa/server/loginHandler.ts; measured on 6.13.0)."""
    oauth.provider.token = (401, {})
    token, state = oauth.state()
    oauth.callback(state)
    answer = oauth.claim(token, None)[1]
    assert (answer.status, answer.body["message"]) == (401, "")
    token, state = oauth.state()
    oauth.callback(state)
    claim = {"oauth": {"credentialToken": token, "credentialSecret": None}}
    assert oauth.chat.anybody().method("login", claim)["error"] == {}


@pytest.mark.trap("OAuth", "error of a missing field")
@pytest.mark.parametrize("field", ["username", "email"])
def test_a_configured_field_that_is_missing_is_named(oauth: OAuth, field: str) -> None:
    """`CustomOAuth: Failed to extract …` (transform_helpers.js); a missing name has fallbacks."""
    person = identity()
    del person[field]
    oauth.provider.identity = (200, person)
    assert f"CustomOAuth: Failed to extract {field}" in _kept(oauth)


def test_a_denied_authorization_signs_nobody_in(oauth: OAuth) -> None:
    """The provider sent the browser back with `error` (oauth_server.js)."""
    message = _refused(oauth, error="access_denied")
    assert message
    assert not oauth.provider.received, "no token was asked for"


@pytest.mark.trap("OAuth", "the callback is 200 whatever comes")
@pytest.mark.parametrize("state", ["", "no base64 !", base64.b64encode(b"null").decode()])
def test_the_callback_is_200_whatever_comes(oauth: OAuth, state: str) -> None:
    """Also without a state that can be read (oauth_server.js, middleware)."""
    assert page_config(oauth.callback(state))["setCredentialToken"] is False


@pytest.mark.trap("OAuth", "a callback that hangs")
@pytest.mark.parametrize("style", [{"loginStyle": "modal"}, {"loginStyle": None}, {"redirectUrl": None}])
def test_a_state_that_names_no_end_gets_no_answer(oauth: OAuth, style: Json) -> None:
    """Neither popup nor redirect, or redirect to nowhere: the caller waits (measured on 6.13.0)."""
    oauth.provider.identity = (200, identity())
    _hangs(oauth, oauth.state(**style)[1])


@pytest.mark.parametrize("state", [b"[]", b"{}", b"5"])
def test_a_state_that_names_nothing_gets_no_answer(oauth: OAuth, state: bytes) -> None:
    """JSON without a way to end is the same (measured on 6.5.3)."""
    _hangs(oauth, base64.b64encode(state).decode())


def _hangs(oauth: OAuth, state: str) -> None:
    query = {"code": "the-code", "state": state}
    with pytest.raises(requests.Timeout):
        requests.get(f"{oauth.chat.url}/_oauth/{SERVICE}", params=query, timeout=2)
    assert oauth.chat.anybody().request("GET", "/api/info").status == 200, "nobody else waits"


def test_the_site_url_of_now_is_where_the_provider_is_told_to_send_people(oauth: OAuth) -> None:
    """Site_Url counts at once, ROOT_URL only filled it the first time (measured on 6.13.0)."""
    oauth.provider.identity = (200, identity())
    oauth.chat.set("Site_Url", "http://elsewhere.example")

    def told() -> str:
        oauth.callback(oauth.state()[1])
        return str(oauth.provider.last("/token").form["redirect_uri"])

    eventually(lambda: told() == f"http://elsewhere.example/_oauth/{SERVICE}", "the new address counts")


@pytest.mark.trap("OAuth", "log-in by the provider's token")
def test_login_by_access_token(oauth: OAuth) -> None:
    """The server asks for the identity itself (registerAccessTokenService)."""
    person = identity()
    client, answer = oauth.by_access_token(person)
    assert answer.status == 200
    assert client.get("me").body["username"] == person["username"]
    assert [request.path for request in oauth.provider.received] == ["/identity"]
    assert oauth.by_access_token(person)[0].user_id == client.user_id


def test_access_tokens_of_unknown_services_and_without_a_life_are_refused(oauth: OAuth) -> None:
    """`Unexpected AccessToken service`; expiresIn is an integer (app/lib/server/oauth/oauth.js)."""
    body = {"serviceName": "nobody", "accessToken": "x", "expiresIn": 60}
    unknown = oauth.chat.anybody().post("login", body)
    assert (unknown.status, unknown.body["message"]) == (401, "Unexpected AccessToken service nobody")
    for life in (None, "60"):
        answer = oauth.chat.anybody().post("login", body | {"serviceName": "tempbesedka", "expiresIn": life})
        assert answer.status == 401


def test_a_disabled_service_signs_nobody_in(oauth: OAuth) -> None:
    """Its row is gone; the process still knows the provider (updateOAuthServices.ts)."""
    oauth.chat.set(MAIN, False)
    oauth.chat.advance(3)
    eventually(lambda: oauth.chat.service(SERVICE) is None, "the service goes")
    oauth.provider.identity = (200, identity())
    config = page_config(oauth.callback(oauth.state()[1]))
    assert config["setCredentialToken"] is False
    assert oauth.by_access_token(identity())[1].status == 401
    assert not oauth.provider.received


@pytest.mark.trap("Second factor", "e-mail 2FA blocks OAuth by default")
def test_email_2fa_blocks_oauth_under_default_settings(oauth: OAuth) -> None:
    """A log-in has no connection, so neither age nor memory counts (2fa/server/loginHandler.ts).

    Issues #21533 and #30130; the narrowest way out exists since 6.13 (PR #32945).
    """
    person = identity()
    enabled = "Accounts_TwoFactorAuthentication_By_Email_Enabled"
    with oauth.chat.past_the_second_factor():
        oauth.chat.set("Accounts_TwoFactorAuthentication_Enabled", True)
        oauth.chat.set(enabled, True)
        for _, answer in (oauth.come_back(person), oauth.by_access_token(person)):
            assert (answer.status, answer.body["error"]) == (401, "totp-required")
            assert answer.body["details"]["method"] == "email"
        _, without_address = oauth.by_access_token(identity(email=None))
        assert without_address.status == 401, "email_field is configured, so an identity needs one"
        if at(oauth.chat.version, "2FA exempts OAuth users"):
            oauth.chat.set("Accounts_twoFactorAuthentication_email_available_for_OAuth_users", False)
            assert oauth.come_back(person)[1].status == 200
        oauth.chat.set(enabled, False)


def test_an_unverified_address_is_not_blocked(oauth: OAuth) -> None:
    """Accounts_Verify_Email_For_External_Accounts decides whether 2FA finds an address (EmailCheck.ts)."""
    oauth.chat.set("Accounts_TwoFactorAuthentication_By_Email_Enabled", True)
    oauth.chat.set("Accounts_Verify_Email_For_External_Accounts", False)
    client, answer = oauth.come_back(identity())
    assert answer.status == 200
    assert oauth.user(client.user_id)["emails"][0]["verified"] is False


def test_a_user_of_the_site_is_refused_by_name_before_seven(standins: Standins) -> None:
    """Since 7.0 a log-in's Meteor.Error is masked (PR #32159); before, it says what is in the way."""
    with providing() as provider, standins.running(version="6.4.8") as standin:
        old = OAuth(Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url), provider)
        connect(old.chat, provider)
        local = old.chat.account()
        same = identity(username=local["username"])
        assert old.come_back(same)[1].body["message"] == "Username already exists."
        old.configure(merge_users_distinct_services=True)
        answer = old.come_back(same)[1].body
        assert answer["error"] == "CustomOAuth"
        assert answer["message"] == f"User with username {local['username']} already exists"
