"""Addresses in other letters than the site's: what SSO makes of the account, and who says and mends it."""

from __future__ import annotations

from typing import Any

import pytest

from besedka import contract as contracts
from besedka.provision import repairs_of_data
from besedka.provision.repairs_of_data import Data
from besedka.rocketchat import adoption
from besedka.stacks import environment

CONTRACT = contracts.load(contracts.CONTRACT_FILE)
USER, SERVICE = CONTRACT.users[-1], CONTRACT.provider.name
PASSWORD = {"password": {"bcrypt": "$2b$10$"}}
CAPITALS = USER.email.upper()
NAME, _, DOMAIN = USER.email.partition("@")


def account(address: str, services: dict[str, Any] | None = None) -> dict[str, Any]:
    emails = [{"address": address, "verified": True}, {"address": "second@else.example"}]
    services = PASSWORD if services is None else services
    return {"_id": "u", "username": USER.username, "emails": emails, "services": services}


@pytest.mark.parametrize(
    ("kept", "at_the_site", "becomes"),
    [
        (account(USER.email), None, None),
        (account(CAPITALS), None, USER.email),
        (account(CAPITALS), CAPITALS, None),
        (account(USER.email), CAPITALS, CAPITALS),
        # The site may make a domain small; where it is read, its letters are known.
        (account(f"{NAME}@{DOMAIN.upper()}"), None, None),
        (account(f"{NAME}@{DOMAIN.upper()}"), USER.email, USER.email),
        (account(CAPITALS, PASSWORD | {SERVICE: {"id": "5"}}), None, None),
        (account(CAPITALS, {}), None, None),
        (account("another@else.example"), None, None),
        (account(USER.email), "another@else.example", None),
    ],
)
def test_an_address_is_written_as_the_site_sends_it(
    kept: dict[str, Any], at_the_site: str | None, becomes: str | None
) -> None:
    found = adoption.respelt(kept, SERVICE, USER.email, at_the_site)

    if becomes is None:
        assert found is None
    else:
        assert found == [{"address": becomes, "verified": True}, {"address": "second@else.example"}]


def test_provisioning_writes_it_once() -> None:
    rows = [account(CAPITALS)]
    data = Data(lambda name: rows if name == "users" else [])

    (action,) = repairs_of_data.of_letters(data, CONTRACT, {})

    assert action.kind == "document"
    rows[0]["emails"] = adoption.respelt(rows[0], SERVICE, USER.email, None)
    again = Data(lambda name: rows if name == "users" else [])
    assert list(repairs_of_data.of_letters(again, CONTRACT, {})) == []


def test_an_administrator_is_made_with_the_letters_of_the_site() -> None:
    owner = CONTRACT.user(CONTRACT.chat.admin.username)
    spelt = owner.model_copy(update={"email": owner.email.upper()})
    others = [user for user in CONTRACT.users if user != owner]
    contract = CONTRACT.model_copy(update={"users": (spelt, *others)})

    told = environment.chat(contract, mongo_url="", oplog_url="", port=1)

    assert told["ADMIN_EMAIL"] == spelt.email
