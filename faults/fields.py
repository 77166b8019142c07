"""Faults of single fields: of the shape, kind or name that Rocket.Chat does not read as it was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from faults.breakable_stack import BreakableStack, Document
from faults.fault import Fault
from faults.people import member, plain_user, private_room

_ROOMS, _MEMBERSHIPS, _USERS = "rocketchat_room", "rocketchat_subscription", "users"
_ROLES = "rocketchat_roles"


def _account(name: str, cause: str, update: Callable[[BreakableStack], Document], *also: str) -> Fault:
    """The plain user's account says another thing."""

    @contextmanager
    def breaking(one: BreakableStack) -> Iterator[None]:
        with one.changed(_USERS, {"username": plain_user(one).username}, update(one)):
            yield

    return Fault(name, cause, breaking, also)


def _membership(name: str, cause: str, values: Document) -> Fault:
    """The row of a private room's first member says another thing; None takes a field out."""
    update = {"$set" if value is not None else "$unset": {key: value} for key, value in values.items()}

    @contextmanager
    def breaking(one: BreakableStack) -> Iterator[None]:
        room = private_room(one)
        query = {"u.username": member(one, room).username, "name": room.name}
        with one.changed(_MEMBERSHIPS, query, update):
            yield

    return Fault(name, f"integrity.{cause}", breaking)


@contextmanager
def _default_as_text(one: BreakableStack) -> Iterator[None]:
    query = {"name": one.contract.default_channel.name}
    with one.changed(_ROOMS, query, {"$set": {"default": "true"}}):
        yield


@contextmanager
def _count_as_text(one: BreakableStack) -> Iterator[None]:
    query = {"name": one.contract.default_channel.name}
    with one.changed(_ROOMS, query, {"$set": {"msgs": "7"}}):
        yield


@contextmanager
def _muted_as_text(one: BreakableStack) -> Iterator[None]:
    room = private_room(one)
    with one.changed(_ROOMS, {"name": room.name}, {"$set": {"muted": "nobody"}}):
        yield


@contextmanager
def _retention_as_text(one: BreakableStack) -> Iterator[None]:
    room = private_room(one)
    with one.changed(_ROOMS, {"name": room.name}, {"$set": {"retention": "30 days"}}):
        yield


@contextmanager
def _role_gone(one: BreakableStack) -> Iterator[None]:
    role = next(role for user in one.contract.users for role in user.chat_roles if role != "admin")
    with one.removed(_ROLES, {"_id": role}):
        yield


def _set(**values: Any) -> Callable[[BreakableStack], Document]:
    return lambda one: {"$set": values}


def _token(**values: Any) -> Callable[[BreakableStack], Document]:
    """One session more, which is so."""
    token = {"hashedToken": "ofASessionThatHasEnded", "when": datetime.now(UTC)} | values
    return lambda one: {"$push": {"services.resume.loginTokens": token}}


FAULTS = (
    _account("account_with_its_roles_as_text", "integrity.shapes.wrong", _set(roles="user")),
    _account(
        "account_with_its_address_as_text",
        "integrity.shapes.wrong",
        lambda one: {"$set": {"emails": plain_user(one).email}},
    ),
    _account(
        "account_with_a_list_of_addresses",
        "integrity.shapes.wrong",
        lambda one: {"$set": {"emails": [plain_user(one).email]}},
    ),
    _account(
        "account_with_its_tokens_as_text",
        "integrity.shapes.wrong",
        _set(**{"services.resume.loginTokens": "x"}),
    ),
    _account(
        "account_whose_tokens_have_text_for_dates", "integrity.users_ids.dates", _token(when="2025-06-21")
    ),
    _account("account_whose_tokens_have_no_hash", "integrity.users_ids.tokens", _token(hashedToken=7)),
    _account(
        "account_whose_link_is_a_text",
        "integrity.shapes.wrong",
        lambda one: {"$set": {f"services.{one.contract.provider.name}": "5"}},
    ),
    _membership("membership_answered_at_a_text", "shapes.wrong", {"lr": "2025-06-21"}),
    Fault("room_whose_count_is_a_text", "integrity.shapes.wrong", _count_as_text),
    Fault("room_with_its_muted_as_text", "integrity.shapes.wrong", _muted_as_text),
    Fault("room_with_its_retention_as_text", "integrity.shapes.wrong", _retention_as_text),
    _account("account_of_an_app", "rooms.accounts.kind", _set(type="app")),
    _account("account_without_a_type", "rooms.accounts.kind", lambda one: {"$unset": {"type": 1}}),
    _account("account_of_a_bot", "rooms.accounts.kind", _set(type="bot")),
    _account(
        "account_without_a_username",
        "rooms.accounts.nameless",
        lambda one: {"$unset": {"username": 1}},
    ),
    _account(
        "member_missing_among_the_members",
        "integrity.room_links.unlisted",
        lambda one: {"$unset": {"__rooms": 1}},
    ),
    Fault("default_room_marked_by_text", "rooms.default.missing", _default_as_text),
    _membership("membership_of_another_kind", "subscriptions.stale", {"t": "c"}),
    _membership("membership_under_an_old_name", "subscriptions.stale", {"name": "the-old-name"}),
    _membership("membership_without_a_kind", "subscriptions.stale", {"t": None}),
    Fault("role_of_rocketchat_gone", "integrity.roles.gone", _role_gone),
)
