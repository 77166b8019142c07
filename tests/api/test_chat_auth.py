"""`/chat/api/auth/`: a log-in token of Rocket.Chat, for the signed-in user alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from besedka.contract import Contract, User
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.site import Site
from besedka.stacks.services import own_tokens
from fixtures.features import DOES_NOT_APPLY
from fixtures.users import SiteSession, chat_token
from tests.api.answer import expect_json, expect_status
from tests.cases import USERNAMES, first_roles

pytestmark = [pytest.mark.api, pytest.mark.feature("chat_token")]


@pytest.mark.parametrize("username", USERNAMES)
def test_the_token_is_a_session_of_this_user(
    username: str, contract: Contract, sign_in: Callable[[User], SiteSession]
) -> None:
    answer = sign_in(contract.user(username)).site.get(contract.site.chat_auth_path)

    credentials = chat_token(contract, answer)
    client = RocketChat(contract.chat.url)
    me = client.as_user(
        credentials if credentials.user_id else client.login({"resume": credentials.token})
    ).me()
    said = contract.site.adapter.chat_auth.username
    assert me["username"] == username
    assert not said or answer.json()[said] == username
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_site_needs_no_admin_rights_for_it(
    contract: Contract,
    temp_user: Callable[..., User],
    sign_in: Callable[[User], SiteSession],
    chat_data: ChatDatabase,
) -> None:
    if own_tokens.needed(contract):
        pytest.skip(f"{DOES_NOT_APPLY}an administrator of the chat makes the tokens")
    user = temp_user()
    assert chat_data.user(user.username) is None

    sign_in(user).site.get(contract.site.chat_auth_path)

    account = chat_data.user(user.username)
    assert account is not None
    assert account["roles"] == first_roles(contract)
    assert account["services"][contract.provider.name]["id"]
    known = {channel.name for channel in contract.channels}
    rooms = {row["name"] for row in chat_data.subscriptions(user.username)} & known
    assert rooms == {channel.name for channel in contract.default_channels}


def test_an_anonymous_caller_gets_json_and_never_a_page(contract: Contract) -> None:
    answer = Site.of(contract).get(contract.site.chat_auth_path)

    expect_status(answer, 401)
    assert contract.site.adapter.chat_auth.token not in expect_json(answer)
