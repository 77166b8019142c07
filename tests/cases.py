"""Cases that tests are parametrized with: who, and who in which room, from the contract."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from besedka import address, contract
from besedka.contract import Channel, Contract, User
from besedka.pages.site import ChatTestPage, IntegratedPage
from fixtures.features import DOES_NOT_APPLY

CONTRACT = contract.load()
# A role decides about rooms, so one user of each is every user's case.
_OF_EACH_ROLE = list({user.role: user for user in reversed(CONTRACT.users)}.values())[::-1]

INTEGRATED = pytest.mark.feature("integrated_page")
BOTH_PAGES = pytest.mark.parametrize(
    "page_class", [ChatTestPage, pytest.param(IntegratedPage, marks=INTEGRATED)]
)
USERNAMES = [user.username for user in CONTRACT.users]
_READ_ONLY = {channel.name for channel in CONTRACT.channels if channel.read_only}
# Members who find no message box: administrators write in each room (`post-readonly`).
READERS = [
    (user.username, name)
    for user in _OF_EACH_ROLE
    for name in user.channels
    if name in _READ_ONLY and "admin" not in user.chat_roles
]
MEMBERSHIPS = [
    (user.username, name)
    for user in _OF_EACH_ROLE
    for name in user.channels
    if (user.username, name) not in READERS
]
# Anybody may look into a public room.
EXCLUSIONS = [
    (user.username, channel.name)
    for user in _OF_EACH_ROLE
    for channel in CONTRACT.channels
    if channel.private and channel.name not in user.channels and not CONTRACT.is_administrator(user.username)
]


def scope_of_nobody(contract: Contract) -> str:
    """A scope that the provider does not know."""
    return f"not_{contract.provider.scope.split()[0]}"


def first_roles(contract: Contract) -> list[str]:
    """The roles in the chat of an account that SSO makes."""
    setting = "Accounts_Registration_AuthenticationServices_Default_Roles"
    return str(contract.settings.get(setting, "user")).split(",")


def in_most_rooms(contract: Contract) -> User:
    """The canonical user who may enter the most rooms; the first one, where several may."""
    return max(contract.users, key=lambda user: len(user.channels))


def in_fewest_rooms(contract: Contract) -> User:
    """The canonical user who may enter the fewest rooms; the last one, where several may."""
    return min(reversed(contract.users), key=lambda user: len(user.channels))


def two_users(contract: Contract) -> tuple[User, User]:
    """Two canonical users, those of the fewest rooms; the test is skipped where there is one alone."""
    if len(contract.users) < 2:
        pytest.skip(f"{DOES_NOT_APPLY}the contract has one user")
    first, second, *_ = sorted(contract.users, key=lambda user: len(user.channels))
    return first, second


def rooms_of(contract: Contract, user: User) -> list[Channel]:
    """The user's rooms, the one that the pages open last; the test is skipped where there is one alone."""
    rooms = [channel for channel in contract.channels if channel.name in user.channels]
    if len(rooms) < 2:
        pytest.skip(f"{DOES_NOT_APPLY}nobody may enter two rooms")
    return sorted(rooms, key=lambda room: room == contract.default_channel)


def in_any_language(path: str) -> str:
    """The pattern of a path that may begin with another language than the contract's own does."""
    spoken = address.language(path)
    return rf"(?:/[\w-]+)?{re.escape(path.removeprefix(f'/{spoken}'))}" if spoken else re.escape(path)


def asked_to_log_in(contract: Contract, path: str) -> re.Pattern[str]:
    """The log-in's address with the way back to that page, whatever the site calls it: `next` to Django."""
    # The path of the page is percent-encoded as it stands in an address, and once more within the query.
    login, back = in_any_language(contract.site.login_path), re.escape(quote(contract.site.below(path)))
    return re.compile(rf"^{re.escape(contract.site.url)}{login}\?\w+=(http[^&]+)?{back}$")
