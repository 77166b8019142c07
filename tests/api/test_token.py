"""`/o/token/`: one access token for one code, to the right client only."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from besedka.contract import Contract, User
from besedka.site import Site
from besedka.site_database import SiteDatabase
from tests.api.answer import expect_json, expect_status
from tests.api.conftest import OAuthFlow
from tests.cases import in_fewest_rooms

pytestmark = pytest.mark.api


@pytest.mark.feature("oauth_tables")
@pytest.mark.parametrize("sent_via", ["header", "payload"])
def test_a_code_buys_an_access_token(
    sent_via: str, contract: Contract, test_user_flow: OAuthFlow, site_data: SiteDatabase
) -> None:
    user = in_fewest_rooms(contract)
    code = test_user_flow.code()

    answer = test_user_flow.exchange(code, sent_via=sent_via)

    expect_status(answer, 200)
    body = expect_json(answer)
    assert "access_token" in body, f"the answer names no access_token: {', '.join(sorted(body))}"
    assert body["token_type"] == "Bearer"
    assert set(body["scope"].split()) == set(contract.provider.scope.split())
    assert body["expires_in"] >= 10, (
        f"the token ends after {body['expires_in']} s, before anybody asks with it"
    )
    stored = {token.token: token for token in site_data.access_tokens(user.username)}
    assert body["access_token"] in stored, "the token has no row of this user: somebody makes tokens up"
    assert stored[body["access_token"]].application_client_id == contract.provider.client_id
    assert code not in {grant.code for grant in site_data.grants(user.username)}


def test_no_pkce_is_demanded_of_rocketchat(test_user_flow: OAuthFlow) -> None:
    answer = test_user_flow.exchange(test_user_flow.code())

    assert "Code verifier required" not in answer.text, "PKCE is demanded, and Custom OAuth cannot do it"
    expect_status(answer, 200)


def test_a_code_works_once(test_user_flow: OAuthFlow) -> None:
    code = test_user_flow.code()
    expect_status(test_user_flow.exchange(code), 200)

    again = test_user_flow.exchange(code)

    expect_status(again, 400)
    assert again.json()["error"] == "invalid_grant"


@pytest.mark.feature("oauth_tables")
def test_an_expired_code_is_refused(
    temp_user: Callable[..., User], flow: Callable[[User], OAuthFlow], site_data: SiteDatabase
) -> None:
    walk = flow(temp_user())
    code = walk.code()
    site_data.expire_grant(code)

    answer = walk.exchange(code)

    expect_status(answer, 400)
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("sent_via", ["header", "payload"])
def test_a_wrong_secret_is_refused(sent_via: str, test_user_flow: OAuthFlow) -> None:
    answer = test_user_flow.exchange(test_user_flow.code(), client_secret="wrong", sent_via=sent_via)

    expect_status(answer, 401)
    assert answer.json()["error"] == "invalid_client"


def test_an_unknown_client_is_refused(test_user_flow: OAuthFlow) -> None:
    answer = test_user_flow.exchange(test_user_flow.code(), client_id="nobody")

    expect_status(answer, 401)
    assert answer.json()["error"] == "invalid_client"


def test_a_wrong_redirect_uri_is_refused(contract: Contract, test_user_flow: OAuthFlow) -> None:
    wrong = f"{contract.chat.url}/_oauth/other"

    answer = test_user_flow.exchange(test_user_flow.code(), redirect_uri=wrong)

    expect_status(answer, 400)
    assert answer.json()["error"] in {"invalid_grant", "invalid_request"}


def test_an_invented_code_is_refused(test_user_flow: OAuthFlow) -> None:
    answer = test_user_flow.exchange("invented")

    expect_status(answer, 400)
    assert expect_json(answer)["error"] == "invalid_grant"


def test_get_is_not_allowed(contract: Contract) -> None:
    expect_status(Site.of(contract).get(contract.provider.token_path), 405)
