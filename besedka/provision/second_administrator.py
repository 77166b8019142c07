"""A second administrator for the length of one call: who changes what nobody may change on himself.

`users.update` refuses `verified` for one's own account with 400 `error-action-not-allowed` "Editing email
verification is not allowed". A new address without it stays unverified
(`apps/meteor/app/lib/server/functions/saveUser.js`; measured on 6.13.0). An account whose address is
unverified loses its password at its first SSO sign-in (`apps/meteor/server/configuration/accounts_meld.js`;
measured too).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from besedka.errors import BesedkaError
from besedka.provision.action import Action
from besedka.provision.errors import PersonNeededError
from besedka.provision.session import Session
from besedka.provision.state import State
from besedka.rocketchat import passwords
from besedka.rocketchat.rest import RocketChat


class OwnAddressError(PersonNeededError):
    """The administrator's own address stays unverified: nobody else could be made to verify it."""


OTHER_WAYS = (
    "let another administrator set address and «Email verified» (Administration → Workspace → Users → Edit); "
    "or open the link that Rocket.Chat mails (My Account → Profile); or, on an empty database, start "
    "Rocket.Chat with ADMIN_EMAIL_VERIFIED=true"
)
# `temp_`: doctor takes it for nobody who is there to stay.
NAME = "temp_second_administrator"


class _Place(Protocol):
    """What of `changes.Place` is needed here."""

    session: Session
    state: State


def change(place: _Place, action: Action) -> None:
    """Give the administrator his address, or mark the one that is there.

    Raises OwnAddressError where Rocket.Chat makes no second administrator.
    """
    name, wanted = action.target.lower(), action.after
    account = place.state.accounts[name]
    remove(place)
    # A domain that Rocket.Chat accepts.
    domain = (wanted.get("email") or account.email).rpartition("@")[2]
    with _borrowed(place.session, domain, passwords.fitting(place.state.settings)) as second:
        second.post("users.update", userId=account.id, data=wanted)
    place.state.accounts[name] = replace(account, **wanted)


def remove(place: _Place) -> None:
    """Delete the second administrator whom a run that was killed has left, if there is one."""
    left_over = place.state.accounts.pop(NAME, None)
    if left_over:
        place.session.post("users.delete", userId=left_over.id, confirmRelinquish=True)


@contextmanager
def _borrowed(session: Session, domain: str, password: str) -> Iterator[Session]:
    """A session of an administrator who is made for it and deleted afterwards."""
    try:
        made = session.post(
            "users.create",
            username=NAME,
            name=NAME,
            email=f"{NAME}@{domain}",
            password=password,
            roles=["admin"],
            # A verified address would have Rocket.Chat ask for a code by e-mail.
            verified=False,
            joinDefaultChannels=False,
            requirePasswordChange=False,
            sendWelcomeEmail=False,
        )
    except BesedkaError as error:
        raise OwnAddressError(
            f"Rocket.Chat makes no second administrator: {error.found}",
            expected="an administrator who verifies the address of the first one",
            where="POST /api/v1/users.create",
            next_step=OTHER_WAYS,
        ) from error
    try:
        chat = RocketChat.sign_in(session.url, NAME, password)
        yield Session(chat, NAME, session.version)
    finally:
        session.post("users.delete", userId=made["user"]["_id"], confirmRelinquish=True)
