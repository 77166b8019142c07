"""A new user's first sign-in creates the chat account and joins only the default room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from besedka.contract import Contract, User
from besedka.pages.site import ChatTestPage
from besedka.rocketchat.database import ChatDatabase
from besedka.site_database import SiteDatabase
from tests.cases import first_roles

pytestmark = pytest.mark.e2e


def test_the_first_sign_in_creates_the_account_and_the_second_finds_it(
    contract: Contract,
    temp_user: Callable[..., User],
    chat_test: Callable[..., ChatTestPage],
    chat_data: ChatDatabase,
    site_data: SiteDatabase,
) -> None:
    user = temp_user()
    assert chat_data.user(user.username) is None

    first = chat_test(user).wait_for_chat().session()

    account = chat_data.user(user.username)
    verified = contract.settings.get("Accounts_Verify_Email_For_External_Accounts", True)
    assert account is not None
    assert account["name"] == user.full_name
    assert [(row["address"], row["verified"]) for row in account["emails"]] == [(user.email, verified)]
    assert account["roles"] == first_roles(contract)
    site_ids = {row.username: str(row.id) for row in site_data.users()}
    assert str(account["services"][contract.provider.name]["id"]) == site_ids[user.username]
    known = {channel.name for channel in contract.channels}
    rooms = {subscription["name"] for subscription in chat_data.subscriptions(user.username)}
    assert rooms & known == {channel.name for channel in contract.default_channels}

    second = chat_test(user).wait_for_chat().session()

    assert first is not None
    assert second is not None
    assert first["userId"] == second["userId"] == account["_id"]
    assert first["token"] != second["token"], "two browsers must not share one session"
    assert len(chat_data.users_named(user.username)) == 1
    assert {row["name"] for row in chat_data.subscriptions(user.username)} == rooms
