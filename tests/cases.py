"""Cases that tests are parametrized with: who, and who in which room, from the contract."""

from __future__ import annotations

from besedka import contract
from besedka.contract import Contract, User

_CONTRACT = contract.load()

USERNAMES = [user.username for user in _CONTRACT.users]
ROOMS = [channel.name for channel in _CONTRACT.channels]
MEMBERSHIPS = [(user.username, channel.name) for user, channel in _CONTRACT.subscriptions]
EXCLUSIONS = [
    (user.username, channel.name)
    for user in _CONTRACT.users
    for channel in _CONTRACT.channels
    if channel.name not in user.channels
]


def in_most_rooms(contract: Contract) -> User:
    """The canonical user who may enter the most rooms; the first one, where several may."""
    return max(contract.users, key=lambda user: len(user.channels))


def in_fewest_rooms(contract: Contract) -> User:
    """The canonical user who may enter the fewest rooms; the last one, where several may."""
    return min(reversed(contract.users), key=lambda user: len(user.channels))
