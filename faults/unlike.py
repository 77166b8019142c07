"""Faults of rooms, people and links that Rocket.Chat takes for something else than the contract means."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from besedka.contract import Channel, Contract, User
from faults.breakable_stack import BreakableStack, Document
from faults.fault import Fault

_ROOMS, _USERS = "rocketchat_room", "users"


def private_room(contract: Contract) -> Channel:
    """The first room that is not open to all."""
    return next(channel for channel in contract.channels if channel.private)


def plain_user(contract: Contract) -> User:
    """Somebody without rights: the last user."""
    return contract.users[-1]


def _room(name: str, which: Callable[[Contract], Channel], update: Document) -> Fault:
    def breaking(one: BreakableStack) -> AbstractContextManager[None]:
        return one.changed(_ROOMS, {"name": which(one.contract).name}, update)

    return Fault(name, "integrity.room_kinds.other", breaking)


def _link_of_a_sign_in(one: BreakableStack) -> AbstractContextManager[None]:
    """What a sign-in leaves where the identity view answers numbers."""
    user, service = plain_user(one.contract), one.contract.provider.name
    number = int(one.site_value("accounts_user", ("username", user.username)))
    # A token that has ended by now.
    link = {"id": number, "accessToken": "a-token-of-the-site", "expiresAt": 1.0}
    return one.changed(_USERS, {"username": user.username}, {"$set": {f"services.{service}": link}})


def _address_at_the_site(one: BreakableStack) -> AbstractContextManager[None]:
    user = plain_user(one.contract)
    return one.column("accounts_user", ("username", user.username), "email", user.email.upper())


def _address_in_the_chat(one: BreakableStack) -> AbstractContextManager[None]:
    user = plain_user(one.contract)
    row: dict[str, Any] = {"address": user.email.upper(), "verified": True}
    return one.changed(_USERS, {"username": user.username}, {"$set": {"emails": [row]}})


FAULTS = (
    _room("private_room_as_a_direct_message", private_room, {"$set": {"t": "d"}}),
    _room("default_room_as_a_livechat", lambda contract: contract.default_channel, {"$set": {"t": "l"}}),
    _room("private_room_of_no_kind", private_room, {"$unset": {"t": 1}}),
    Fault("sso_link_of_a_site_that_answers_numbers", "integrity.sso_links.id_type", _link_of_a_sign_in),
    Fault("address_in_capitals_at_the_site", "site.accounts.email_case", _address_at_the_site),
    Fault("address_in_capitals_in_the_chat", "rooms.accounts.email_case", _address_in_the_chat),
)
