"""Makes users what a list says, and removes temporary ones; used by the management commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from django.contrib.auth import get_user_model
from django.db import transaction

from besedka_chat.conf import chat_settings

FIELDS = frozenset({"username", "role", "email", "full_name", "password", "active"})


class RosterError(ValueError):
    """The list of users cannot be used; the text says which row and why."""


def read_roster(stream: TextIO) -> list[dict[str, Any]]:
    """Read `[{"username", "role", "email", "full_name", "password", "active"}, ...]`; only the first must be.

    Raises RosterError for any other text, before a single user is touched.
    """
    try:
        rows = json.load(stream)
    except ValueError as error:
        raise RosterError(
            f"users: found text that is not JSON ({error}), expected a list of objects"
        ) from None
    if not isinstance(rows, list):
        raise RosterError(f"users: found {type(rows).__name__}, expected a list of objects")
    return [_checked(number, row) for number, row in enumerate(rows, 1)]


def _checked(number: int, row: Any) -> dict[str, Any]:
    where = f"users, row {number}"
    if not isinstance(row, dict) or not isinstance(row.get("username"), str) or not row["username"]:
        raise RosterError(f"{where}: found no username, expected an object with one")
    unknown = sorted(set(row) - FIELDS)
    if unknown:
        raise RosterError(
            f"{where} ({row['username']}): found unknown keys {unknown}, expected {sorted(FIELDS)}"
        )
    role = row.get("role", chat_settings().default_role)
    if not isinstance(role, str) or not role.strip():
        raise RosterError(f"{where} ({row['username']}): found role {role!r}, expected a word")
    active = row.get("active", True)
    if not isinstance(active, bool):
        raise RosterError(f"{where} ({row['username']}): found active {active!r}, expected true or false")
    texts = {key: "" if value is None else str(value) for key, value in row.items()}
    return texts | {"role": role, "active": active}


@contextmanager
def _writing() -> Iterator[None]:
    """One transaction that begins with a write, of nothing.

    SQLite refuses at once ("database is locked") where a transaction has read before it writes and somebody
    has written since; one that begins with a write waits its turn.
    """
    with transaction.atomic():
        get_user_model()._default_manager.filter(**{_key(): ""}).update(**{_key(): ""})
        yield


@_writing()
def ensure_users(rows: list[dict[str, Any]]) -> list[str]:
    """Create or repair each user; one line for each change, none when nothing differed. All or nothing."""
    _set_aside(rows)
    return [line for row in rows for line in _ensure(row)]


def _set_aside(rows: list[dict[str, Any]]) -> None:
    """Take the e-mail from each user of the list whose e-mail is to be another one's of the list.

    A site may keep addresses unique; then none of them could be given its own first.
    """
    model = get_user_model()
    field = model.get_email_field_name()
    if field not in {one.name for one in model._meta.concrete_fields}:
        return
    wanted = {row["email"].lower(): row["username"].lower() for row in rows if row.get("email")}
    for row in rows:
        user = model._default_manager.filter(**{f"{_key()}__iexact": row["username"]}).first()
        owner = wanted.get((getattr(user, field) or "").lower()) if user else None
        if user and row.get("email") and owner not in {None, row["username"].lower()}:
            model._default_manager.filter(pk=user.pk).update(**{field: f"{user.pk}@set-aside.invalid"})


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    """What the row says, by the names of the user model's own fields; a field that it lacks is left out."""
    chat, model = chat_settings(), get_user_model()
    places = {
        "username": chat.username_field,
        "role": chat.role_field,
        "email": model.get_email_field_name(),
        "full_name": chat.full_name_field,
    }
    writable = {field.name for field in model._meta.concrete_fields}
    found: dict[str, Any] = {places[key]: value for key, value in row.items() if places.get(key) in writable}
    # Django's own models keep the name to show in two fields, which `get_full_name()` joins.
    if not chat.full_name_field and "full_name" in row and {"first_name", "last_name"} <= writable:
        found["first_name"], _, found["last_name"] = row["full_name"].partition(" ")
    return found | ({"is_active": row.get("active", True)} if "is_active" in writable else {})


def _ensure(row: dict[str, Any]) -> list[str]:
    name, model = row["username"], get_user_model()
    user = model._default_manager.filter(**{f"{_key()}__iexact": name}).first()
    created = user is None
    user = user or model()
    changes: list[str] = []
    for field, value in _fields(row).items():
        found = getattr(user, field)
        if found != value:
            changes.append(f"user {name}: {field} {found!r} -> {value!r}")
            setattr(user, field, value)
    password = row.get("password")
    if password and (created or not user.check_password(password)):
        user.set_password(password)
        changes.append(f"user {name}: password differs, set")
    elif created:
        user.set_unusable_password()
    if created:
        changes = [f"user {name}: created, role {row['role']}"]
    if changes:
        user.save()
    return changes


def _key() -> str:
    """The field by which a user is found; RosterError where the name in the chat is only computed."""
    key, model = chat_settings().username_field, get_user_model()
    if key not in {field.name for field in model._meta.concrete_fields}:
        raise RosterError(
            f"users: found BESEDKA_CHAT['USERNAME_FIELD'] = {key!r}, a property of {model.__name__}; "
            "expected a field: users cannot be found or made by a property"
        )
    return key


@_writing()
def remove_users(names: list[str]) -> list[str]:
    """Delete temporary users with all their tokens; one line each. RosterError for every other name."""
    prefix = chat_settings().temporary_prefix
    refused = [name for name in names if not name.startswith(prefix)]
    if refused:
        raise RosterError(
            f"users to remove: found {refused}, expected only names that begin with {prefix}; "
            "nothing was removed"
        )
    lines = []
    for name in names:
        # Locked, because a page that is still open may be given one more token while its user is removed.
        user = get_user_model()._default_manager.select_for_update().filter(**{_key(): name}).first()
        if user is None:
            lines.append(f"user {name}: not there")
        else:
            user.delete()
            lines.append(f"user {name}: removed")
    return lines
