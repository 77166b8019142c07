"""Cases that tests are parametrized with: who, and who in which room, from the contract."""

from __future__ import annotations

from besedka import contract

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
