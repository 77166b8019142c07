"""Whom and what faults of the data are about: people and rooms of the contract, by what they are to it."""

from __future__ import annotations

from besedka.contract import Channel, User
from faults.breakable_stack import BreakableStack


def plain_user(one: BreakableStack) -> User:
    """The canonical user of the fewest rooms."""
    return min(one.contract.users, key=lambda user: (len(user.channels), user.username))


def private_room(one: BreakableStack) -> Channel:
    """The first room that is kept for some."""
    return next(channel for channel in one.contract.channels if channel.private)


def member(one: BreakableStack, room: Channel) -> User:
    """The first canonical user who belongs in that room."""
    return next(user for user in one.contract.users if room.name in user.channels)
