"""Faults of rooms, accounts and memberships."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault

_ROOMS = "rocketchat_room"
_LIMIT = "Block_Multiple_Failed_Logins_Attempts_Until_Block_by_User"
_TWIN = {"_id": "kP3sYtWq8RbN5vXzA", "name": f"{names.PRIVATE.name}-chat", "t": "c", "usersCount": 0}


def _room(name: str, room: str, update: dict[str, Any], cause: str) -> Fault:
    return Fault(name, f"rooms.{cause}", lambda one: one.changed(_ROOMS, {"name": room}, update))


def _account(name: str, update: dict[str, Any], cause: str) -> Fault:
    query = {"username": names.PLAIN.username}
    return Fault(name, f"rooms.{cause}", lambda one: one.changed("users", query, update))


def _unsubscribed(username: str, room: str) -> Fault:
    query = {"u.username": username, "name": room}
    return Fault(
        f"{username}_unsubscribed_from_{room}",
        "rooms.members.missing",
        lambda one: one.removed("rocketchat_subscription", query),
    )


@contextmanager
def _invited(one: BreakableStack) -> Iterator[None]:
    user = one.admin.get("users.info", username=names.OTHER.username)["user"]
    one.admin.post("groups.invite", roomName=names.PRIVATE.name, userId=user["_id"])
    try:
        yield
    finally:
        one.admin.post("groups.kick", roomName=names.PRIVATE.name, userId=user["_id"])


@contextmanager
def _locked_out(one: BreakableStack) -> Iterator[None]:
    """As many failed log-ins as the limit says, a moment ago."""
    events, limit = one.mongo["rocketchat_server_events"], one.admin.get(f"settings/{_LIMIT}")["value"]
    mark = {"t": "failed-login-attempt", "ip": "203.0.113.9", "u": {"username": names.PLAIN.username}}
    log_ins = events.find({"t": "login", "u.username": names.PLAIN.username})
    # Failures before the last log-in do not count, and another fault may have moved Rocket.Chat's clock.
    moment = max([datetime.now(UTC), *(row["ts"].replace(tzinfo=UTC) for row in log_ins)])
    events.insert_many([mark | {"_id": secrets.token_hex(8), "ts": moment} for _ in range(limit)])
    try:
        yield
    finally:
        events.delete_many({"ip": mark["ip"]})


def _to_be_adopted(one: BreakableStack) -> AbstractContextManager[None]:
    """An account that SSO has never met, made by hand: its next sign-in meets the page "Reset password"."""
    link = f"services.{one.contract.provider.name}"
    update = {"$set": {"emails.0.verified": False}, "$unset": {link: 1}}
    return one.changed("users", {"username": names.PLAIN.username}, update)


def _in_capitals(one: BreakableStack) -> AbstractContextManager[None]:
    """An account that somebody made with the same address in other letters, and that SSO has never met."""
    link, user = f"services.{one.contract.provider.name}", names.PLAIN
    row = {"address": user.email.upper(), "verified": True}
    update = {"$set": {"emails": [row], "services.password": {"bcrypt": "$2b$10$"}}, "$unset": {link: 1}}
    return one.changed("users", {"username": user.username}, update)


@contextmanager
def _stranger(one: BreakableStack) -> Iterator[None]:
    made = one.admin.post(
        "users.create",
        username="stranger",
        name="Stranger",
        email="stranger@elsewhere.example",
        password=secrets.token_urlsafe(),
    )
    try:
        one.admin.post("groups.invite", roomName=names.PRIVATE.name, userId=made["user"]["_id"])
        yield
    finally:
        one.admin.post("users.delete", username="stranger", confirmRelinquish=True)


FAULTS = (
    *(
        _unsubscribed(user.username, channel.name)
        for user, channel in names.CONTRACT.subscriptions
        if channel.private or (channel, user) == (names.DEFAULT, names.PLAIN)
    ),
    Fault("outsider_in_vip", "rooms.outsiders.member", _invited),
    Fault("stranger_in_vip", "rooms.outsiders.stranger", _stranger),
    Fault("vip_chat_beside_vip", "rooms.exist.twin", lambda one: one.inserted(_ROOMS, _TWIN)),
    _room("vip_renamed", names.PRIVATE.name, {"$set": {"name": "salon"}}, "exist.missing"),
    _room("vip_open_to_all", names.PRIVATE.name, {"$set": {"t": "c"}}, "kind.public"),
    _room("vip_archived", names.PRIVATE.name, {"$set": {"archived": True}}, "kind.archived"),
    _room(
        "vip_asks_for_a_join_code", names.PRIVATE.name, {"$set": {"joinCodeRequired": True}}, "kind.join_code"
    ),
    _room(
        "owner_muted_in_vip", names.PRIVATE.name, {"$set": {"muted": [names.MEMBER.username]}}, "kind.muted"
    ),
    _room("general_read_only", names.DEFAULT.name, {"$set": {"ro": True}}, "kind.read_only"),
    _room("general_is_no_default", names.DEFAULT.name, {"$unset": {"default": 1}}, "default.missing"),
    _room("vip_is_a_default", names.PRIVATE.name, {"$set": {"default": True}}, "default.extra"),
    Fault(
        "account_renamed_behind_its_memberships",
        "integrity.subscriptions.mixed",
        lambda one: one.changed(
            "users", {"username": names.PLAIN.username}, {"$set": {"username": "temp_moved"}}
        ),
        ("rooms.accounts.missing",),
    ),
    _account("account_deactivated", {"$set": {"active": False}}, "accounts.inactive"),
    _account("account_without_its_mark_of_active", {"$unset": {"active": 1}}, "accounts.inactive"),
    Fault("account_locked_after_failures", "integrity.users_locked.failures", _locked_out),
    _account(
        "account_told_to_reset_its_password", {"$set": {"requirePasswordChange": True}}, "accounts.reset"
    ),
    _account("account_with_another_email", {"$set": {"emails": [{"address": "x@y.z"}]}}, "accounts.email"),
    _account("account_with_another_name", {"$set": {"name": "Кто-то"}}, "accounts.name"),
    Fault(
        "administrator_with_an_unverified_address",
        "rooms.verified.administrator",
        lambda one: one.changed(
            "users", {"username": one.contract.chat.admin.username}, {"$set": {"emails.0.verified": False}}
        ),
    ),
    Fault("account_that_sso_adopts_by_an_unverified_address", "rooms.verified.user", _to_be_adopted),
    Fault("account_that_sso_adopts_by_other_letters", "rooms.verified.letters", _in_capitals),
    _account("account_with_an_unverified_address", {"$set": {"emails.0.verified": False}}, "verified.user"),
    _account("account_without_any_role", {"$unset": {"roles": 1}}, "roles.none"),
    _account("account_without_its_role", {"$set": {"roles": ["guest"]}}, "roles.missing"),
    _account("administrator_too_many", {"$push": {"roles": "admin"}}, "roles.too_many"),
)
