"""`/api/v1/auth/rocket/`: who the bearer of a token is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from besedka.contract import Contract, User
from besedka.rocketchat import identity as identities
from besedka.site import Site
from besedka.site_database import SiteDatabase
from fixtures.features import DOES_NOT_APPLY
from tests.api.answer import expect_json, expect_status
from tests.api.conftest import OAuthFlow
from tests.cases import USERNAMES, scope_of_nobody

pytestmark = pytest.mark.api


def assert_json_refusal(contract: Contract, answer: requests.Response, status: int) -> None:
    """That status with JSON; of a site that is not ours any refusal, also without a word (its decorators')."""
    if not contract.site.features.own_urls:
        assert answer.status_code in {400, 401, 403}, f"answered {answer.status_code}"
        assert not answer.content or expect_json(answer), answer.text
        return
    expect_status(answer, status)
    assert "error" in expect_json(answer), f"a refusal without an error: {answer.text}"


@pytest.mark.parametrize("username", USERNAMES)
@pytest.mark.parametrize("sent_via", ["header", "payload"])
def test_the_bearer_is_named(
    username: str,
    sent_via: str,
    contract: Contract,
    flow: Callable[[User], OAuthFlow],
    site_data: SiteDatabase,
) -> None:
    user = contract.user(username)
    asked = contract.provider.identity_token_sent_via
    asked = contract.provider.token_sent_via if asked == "default" else asked
    if sent_via != asked and not contract.site.features.own_urls:
        pytest.skip(f"{DOES_NOT_APPLY}Rocket.Chat sends the token by {asked}")
    walk = flow(user)

    answer = walk.site.identity(walk.token(), sent_via=sent_via)  # type: ignore[arg-type]

    expect_status(answer, 200)
    identity = expect_json(answer)
    assert isinstance(identity.get("id"), str), "1 and '1' are different users to Rocket.Chat"
    own, role = contract.provider, contract.site.adapter.site_role(user.role)
    wanted = {
        "id": {row.username: str(row.id) for row in site_data.users()}[username],
        own.username_field: username,
        own.email_field: user.email,
        own.name_field: user.full_name,
    }
    if contract.site.features.groups:
        wanted |= {"role": role, "roles": [role], "groups": contract.groups_of(user.role)}
    found = {name: identities.value(identity, name) for name in filter(None, (*wanted, own.avatar_field))}
    missing = sorted(name for name, value in found.items() if value is None)
    assert not missing, f"identity lacks {missing}"
    other = {name: found[name] for name, value in wanted.items() if name and found[name] != value}
    assert not other, f"identity says {other} of {username}"
    avatar = found.get(own.avatar_field, "http")
    assert avatar.startswith("http"), f"no address: {avatar}"


def test_no_token_is_refused_in_json(contract: Contract) -> None:
    assert_json_refusal(contract, Site.of(contract).identity(None), 401)


def test_an_invented_token_is_refused_in_json(contract: Contract) -> None:
    assert_json_refusal(contract, Site.of(contract).identity("invented"), 401)


def test_a_session_cookie_is_no_token(contract: Contract, test_user_flow: OAuthFlow) -> None:
    answer = test_user_flow.site.get(contract.provider.identity_path)

    assert_json_refusal(contract, answer, 401)


@pytest.mark.feature("oauth_tables", "own_urls")
def test_a_token_of_another_scope_is_refused(
    temp_user: Callable[..., User], flow: Callable[[User], OAuthFlow], site_data: SiteDatabase
) -> None:
    walk = flow(temp_user())
    token = walk.token()
    site_data.rescope_token(token, scope_of_nobody(walk.contract))

    assert_json_refusal(walk.contract, walk.site.identity(token), 403)


@pytest.mark.feature("oauth_tables")
def test_an_expired_token_is_refused(
    temp_user: Callable[..., User], flow: Callable[[User], OAuthFlow], site_data: SiteDatabase
) -> None:
    walk = flow(temp_user())
    token = walk.token()
    site_data.expire_token(token)

    assert_json_refusal(walk.contract, walk.site.identity(token), 401)
