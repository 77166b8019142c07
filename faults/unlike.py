"""Faults of rooms, people and links that Rocket.Chat takes for something else than the contract means."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from besedka.contract import Channel, Contract, User
from faults.breakable_stack import BreakableStack, Document
from faults.fault import Fault
from faults.proxy import Forward, Reply, Request, Rule

_ROOMS, _USERS = "rocketchat_room", "users"
_SSRF = "error-ssrf-validation-failed"


def private_room(contract: Contract) -> Channel:
    """The first room that is not open to all."""
    return next(channel for channel in contract.channels if channel.private)


def plain_user(contract: Contract) -> User:
    """Somebody without rights: the last user."""
    return contract.users[-1]


def _room(name: str, which: Callable[[Contract], Channel], update: Document, kind: str = "other") -> Fault:
    def breaking(one: BreakableStack) -> AbstractContextManager[None]:
        return one.changed(_ROOMS, {"name": which(one.contract).name}, update)

    return Fault(name, f"integrity.room_kinds.{kind}", breaking)


def _link_of_a_sign_in(one: BreakableStack) -> AbstractContextManager[None]:
    """What a sign-in leaves where the identity view answers numbers."""
    user, service = plain_user(one.contract), one.contract.provider.name
    number = int(one.site_value("accounts_user", ("username", user.username)))
    # A token that has ended by now.
    link = {"id": number, "accessToken": "a-token-of-the-site", "expiresAt": 1.0}
    return one.changed(_USERS, {"username": user.username}, {"$set": {f"services.{service}": link}})


@contextmanager
def _address_at_the_site(one: BreakableStack) -> Iterator[None]:
    """Of somebody whom SSO has met."""
    user, service = plain_user(one.contract), one.contract.provider.name
    number = one.site_value("accounts_user", ("username", user.username))
    link = {"$set": {f"services.{service}": {"id": str(number)}}}
    capitals = one.column("accounts_user", ("username", user.username), "email", user.email.upper())
    with one.changed(_USERS, {"username": user.username}, link), capitals:
        yield


def _address_in_the_chat(one: BreakableStack) -> AbstractContextManager[None]:
    """Of an account that SSO has adopted: one that it has not would lose its password."""
    user, service = plain_user(one.contract), one.contract.provider.name
    number = one.site_value("accounts_user", ("username", user.username))
    row: dict[str, Any] = {"address": user.email.upper(), "verified": True}
    update = {"$set": {"emails": [row], f"services.{service}": {"id": str(number)}}}
    return one.changed(_USERS, {"username": user.username}, update)


def _membership(name: str, cause: str, update: Document) -> Fault:
    def breaking(one: BreakableStack) -> AbstractContextManager[None]:
        room, user = one.contract.default_channel.name, plain_user(one.contract).username
        return one.changed("rocketchat_subscription", {"u.username": user, "name": room}, update)

    return Fault(name, cause, breaking)


@contextmanager
def _banned(one: BreakableStack) -> Iterator[None]:
    """What `rooms.banUser` of 8.x leaves: the row stays, and nobody counts or lists the member."""
    room = one.mongo[_ROOMS].find_one({"name": one.contract.default_channel.name}) or {}
    user = {"username": plain_user(one.contract).username}
    row = {"rid": room["_id"], "u.username": user["username"]}
    with (
        one.changed("rocketchat_subscription", row, {"$set": {"status": "BANNED"}}),
        one.changed("users", user, {"$pull": {"__rooms": room["_id"]}}),
        one.changed(_ROOMS, {"_id": room["_id"]}, {"$inc": {"usersCount": -1}}),
    ):
        yield


def _refused_as_ssrf(one: BreakableStack) -> AbstractContextManager[None]:
    """The callback of an 8.2.0 that takes the site's address for one of its own network.

    https://github.com/RocketChat/Rocket.Chat/issues/39328: the handshake ends with this word, and the
    callback shows its page all the same.
    """
    path = f"/_oauth/{one.contract.provider.name}"
    own = one.contract.provider

    def treat(request: Request, forward: Forward) -> Reply | None:
        state = json.loads(base64.b64decode(f"{request.query['state']}==="))
        text = f"Failed to complete OAuth handshake with {own.name} at {own.url}{own.token_path}. {_SSRF}"
        credential = {"error": {"message": text}}
        row = {"key": state["credentialToken"], "credential": credential, "createdAt": datetime.now(UTC)}
        one.mongo["meteor_oauth_pendingCredentials"].insert_one(row | {"_id": f"ssrf{len(text)}{id(row)}"})
        # The site is never asked.
        bare = request.target.replace("code=", "error=")
        return forward(replace(request, target=bare))

    return one.ruled("chat", Rule(lambda request: request.path == path and "state" in request.query, treat))


FAULTS = (
    Fault(
        "workspace_asks_whether_it_has_moved",
        "integrity.banners.moved",
        lambda one: one.setting("Deployment_FingerPrint_Verified", False),
    ),
    _room("private_room_as_a_direct_message", private_room, {"$set": {"t": "d"}}),
    _room("default_room_as_a_livechat", lambda contract: contract.default_channel, {"$set": {"t": "l"}}),
    _room("private_room_of_no_kind", private_room, {"$unset": {"t": 1}}),
    _room("private_room_as_a_discussion", private_room, {"$set": {"prid": "GENERAL"}}, "discussion"),
    _membership("membership_that_is_an_invitation", "rooms.open.invited", {"$set": {"status": "INVITED"}}),
    Fault(
        "private_room_without_its_name",
        "integrity.room_names.nameless",
        lambda one: one.changed(_ROOMS, {"name": private_room(one.contract).name}, {"$unset": {"name": 1}}),
    ),
    Fault("member_banned_from_a_room", "rooms.members.banned", _banned),
    Fault(
        "default_room_is_federated",
        "rooms.open.federated",
        lambda one: one.changed(
            _ROOMS, {"name": one.contract.default_channel.name}, {"$set": {"federated": True}}
        ),
    ),
    Fault(
        "role_of_users_looked_for_in_rooms",
        "integrity.role_scopes.other",
        lambda one: one.changed("rocketchat_roles", {"_id": "user"}, {"$set": {"scope": "Subscriptions"}}),
    ),
    Fault(
        "permission_of_members_gone",
        "rooms.permissions.cannot_read",
        lambda one: one.removed("rocketchat_permissions", {"_id": "view-c-room"}),
    ),
    Fault(
        "permission_of_members_emptied",
        "rooms.permissions.cannot_read",
        lambda one: one.changed("rocketchat_permissions", {"_id": "view-p-room"}, {"$set": {"roles": []}}),
    ),
    Fault(
        "permission_of_members_as_a_text",
        "rooms.permissions.cannot_read",
        lambda one: one.changed(
            "rocketchat_permissions", {"_id": "view-c-room"}, {"$set": {"roles": "user"}}
        ),
    ),
    Fault(
        "every_permission_gone",
        "rooms.permissions.cannot_read",
        # The next start of Rocket.Chat makes it anew.
        lambda one: one.removed_all("rocketchat_permissions", {}),
        ("rooms.permissions.cannot_read",),
    ),
    Fault(
        "migration_broke_off",
        "integrity.migration.locked",
        lambda one: one.changed("migrations", {"_id": "control"}, {"$set": {"locked": True}}),
    ),
    Fault("rocketchat_refuses_a_private_address", "sso.callback.ssrf", _refused_as_ssrf),
    Fault("sso_link_of_a_site_that_answers_numbers", "integrity.sso_links.id_type", _link_of_a_sign_in),
    Fault("address_in_capitals_at_the_site", "site.accounts.email_case", _address_at_the_site),
    Fault("address_in_capitals_in_the_chat", "rooms.accounts.email_case", _address_in_the_chat),
)
