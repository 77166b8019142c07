"""What a log-in leaves in Rocket.Chat's database, run headless: authorize, callback, log-in, session."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
import requests

from besedka.contract import Contract, User
from besedka.rocketchat import callback as oauth_callback
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.site_database import SiteDatabase
from besedka.stacks.services import own_tokens
from fixtures.features import DOES_NOT_APPLY
from tests.api.answer import asked, described, expect_status
from tests.api.conftest import OAuthFlow

pytestmark = pytest.mark.api


def callback_config(answer: requests.Response) -> dict[str, object]:
    """The JSON in the callback page's `#config`."""
    found = oauth_callback.result(answer.text)
    assert found, f"the callback is not Rocket.Chat's page: {asked(answer)} answered {described(answer)}"
    return found


@pytest.mark.feature("oauth_tables")
def test_a_login_links_the_account_and_stores_a_hashed_session(
    contract: Contract,
    temp_user: Callable[..., User],
    flow: Callable[[User], OAuthFlow],
    chat_data: ChatDatabase,
    site_data: SiteDatabase,
) -> None:
    if own_tokens.needed(contract):
        pytest.skip(f"{DOES_NOT_APPLY}nobody logs in by OAuth")
    user = temp_user()
    walk = flow(user)
    credential_token = secrets.token_urlsafe(32)
    sent_on = walk.authorize(state=oauth_callback.state(contract, credential_token))
    expect_status(sent_on, 302)

    callback = requests.get(sent_on.headers["Location"], timeout=10)

    config = callback_config(callback)
    expect_status(callback, 200)
    assert config["setCredentialToken"] is True, f"Rocket.Chat got no identity from the site: {config}"
    chat = RocketChat(contract.chat.url)
    oauth = {"credentialToken": credential_token, "credentialSecret": config["credentialSecret"]}
    credentials = chat.login({"oauth": oauth})
    me = chat.as_user(credentials).me()["username"]
    assert me == user.username, f"the session of {user.username} belongs to {me}"
    named = [account["username"] for account in chat_data.users_named(user.username)]
    assert named == [user.username], f"accounts of one name: {named}"
    account = chat_data.user(user.username)
    assert account is not None
    linked = account["services"].get(contract.provider.name)
    assert linked, "the account is not linked to the site's"
    assert linked["username"] == user.username
    known = {channel.name for channel in contract.channels}
    rooms = {row["name"] for row in chat_data.subscriptions(user.username)} & known
    wanted = {channel.name for channel in contract.default_channels}
    assert rooms == wanted, f"a new account is a member of {rooms}"
    held = linked["accessToken"]
    assert held in {token.token for token in site_data.access_tokens(user.username)}
    assert site_data.grants(user.username) == []
    stored = [token["hashedToken"] for token in account["services"]["resume"]["loginTokens"]]
    assert len(stored) == 1
    assert credentials.token not in stored, "the token is stored in clear"
    assert account["type"] == "user"
    assert account["active"] is True


def test_a_callback_with_an_invented_code_signs_nobody_in(contract: Contract) -> None:
    token = secrets.token_urlsafe(32)
    address = f"{contract.chat.url}/_oauth/{contract.provider.name}"

    callback = requests.get(
        address, params={"code": "invented", "state": oauth_callback.state(contract, token)}, timeout=10
    )

    assert callback.status_code == 200, "the callback answers 200 whatever happens"
    assert callback_config(callback)["setCredentialToken"] is False


def test_canonical_accounts_carry_what_the_contract_says(contract: Contract, chat_data: ChatDatabase) -> None:
    for user in contract.users:
        account = chat_data.user(user.username)
        assert account is not None, f"{user.username} has no account in the chat"
        roles = set(account["roles"])
        assert roles == set(user.chat_roles), f"{user.username} has the roles {sorted(roles)}"
        addresses = [row["address"].lower() for row in account["emails"]]
        assert addresses == [user.email.lower()], f"{user.username} has the addresses {addresses}"
        assert account["active"], f"{user.username} is deactivated"
