"""Addresses whose letters differ by case alone: contract, site, administrator and account, each in its own."""

from __future__ import annotations

from typing import Any

import pytest

from besedka.checks.finding import Severity
from besedka.checks.letter_case import email_case, same_mailbox
from besedka.contract import Contract, User

SMALL, CAPITALS, DOMAIN = "someone@besedka.example", "SomeOne@Besedka.Example", "someone@BESEDKA.example"


def judged(
    contract: Contract,
    told: str,
    account: str,
    at_the_site: str | None = None,
    admin: str = "",
    **provider: Any,
) -> list[tuple[str, str, Severity]]:
    """What is seen, expected and how bad it is; `admin` is the address Rocket.Chat was started with."""
    user: User = contract.users[0].model_copy(update={"email": told})
    own = {"email": admin, "username": user.username if admin else "somebody.else"}
    chat = contract.chat.model_copy(update={"admin": contract.chat.admin.model_copy(update=own)})
    changed = contract.model_copy(
        update={"chat": chat, "provider": contract.provider.model_copy(update=provider)}
    )
    found = email_case(changed, user, {account}, at_the_site)
    return [(one.seen.rpartition(" ")[2], one.expected, one.severity) for one in found]


@pytest.mark.parametrize(
    ("one", "other"), [(SMALL, SMALL), (CAPITALS, CAPITALS), (SMALL, DOMAIN), (DOMAIN, SMALL)]
)
def test_the_same_letters_or_another_domains_case_are_right(contract: Contract, one: str, other: str) -> None:
    assert same_mailbox(one, other)
    assert judged(contract, one, other) == []


@pytest.mark.parametrize(("told", "account"), [(SMALL, CAPITALS), (CAPITALS, SMALL)])
def test_other_letters_are_told_as_they_are(contract: Contract, told: str, account: str) -> None:
    assert judged(contract, told, account) == [(account, told, Severity.NOTE)]
    assert judged(contract, told, account, admin="other@x") == [(account, told, Severity.NOTE)]


@pytest.mark.parametrize(("told", "account"), [(SMALL, CAPITALS), (CAPITALS, SMALL)])
def test_the_letters_of_the_site_or_of_the_first_administrator_are_right(
    contract: Contract, told: str, account: str
) -> None:
    assert judged(contract, told, account, at_the_site=account) == []
    assert judged(contract, told, account, admin=account) == []
    assert judged(contract, told, account, at_the_site="another@besedka.example") == [
        (account, told, Severity.NOTE)
    ]


@pytest.mark.parametrize(("told", "account"), [(SMALL, CAPITALS), (CAPITALS, SMALL), (SMALL, DOMAIN)])
def test_without_merging_the_letters_of_the_site_decide(contract: Contract, told: str, account: str) -> None:
    assert judged(contract, told, account, merge_users=False) == [(account, told, Severity.RISK)]
    assert judged(contract, told, account, admin=account, merge_users=False) == [
        (account, told, Severity.RISK)
    ]
    assert judged(contract, told, account, at_the_site=account, merge_users=False) == []


def test_who_is_found_by_address_is_found_in_any_case(contract: Contract) -> None:
    assert judged(contract, SMALL, CAPITALS, key_field="email", merge_users=False) == []
