"""Every value of the contract beside what the stack has: expected, stored in Mongo, effective by REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from besedka.checks import roster
from besedka.checks.compare import shown
from besedka.checks.examination import Examination
from besedka.checks.report import contract_values
from besedka.contract import Contract, User
from besedka.errors import BesedkaError
from besedka.rocketchat import provider
from besedka.rocketchat.settings import fulfils
from besedka.target import Target

UNREAD = "not read"
NOTHING = "nothing"


def held(target: Target, contract: Contract) -> dict[str, Any]:
    """`values`: name, expected, stored, effective, and whether both are as expected.

    `unread` says why a source could not be read. Secrets are told by their fingerprints.
    """
    examination = Examination(target.read_only, target.moved(contract))
    unread: dict[str, str] = {}
    try:
        version = _read("REST", lambda: str(examination.info["version"]), unread) or UNREAD
        stored = _read("Mongo", lambda: examination.stored, unread)
        effective = _read("REST", lambda: examination.effective, unread)
        here = told = None
        # Rocket.Chat keeps no copy of accounts and rooms: what is stored is what is effective.
        if target.mongo_url:
            here = told = _read("Mongo", lambda: examination.roster, unread)
        else:
            told = _read("REST", lambda: examination.roster, unread)
    finally:
        examination.close()
    if not target.mongo_url:
        unread["Mongo"] = "no --mongo-url"
    contract = examination.contract
    rows = {row["name"]: row for row in of_settings(contract, stored, effective)}
    rows |= {row["name"]: row for row in _people(contract, here, told)}
    # Asked by nobody in particular, Rocket.Chat names its version without the last number.
    rows["chat.version"] = _row("chat.version", contract.chat.version, UNREAD, version)
    rows["chat.version"]["agrees"] |= str(contract.chat.version).startswith(version)
    values = [rows.get(name) or _unread(contract, name) for name in contract_values(contract)]
    return {"unread": unread, "values": values}


def _read(source: str, read: Callable[[], Any], unread: dict[str, str]) -> Any:
    """What was read, None where it could not be; why stands in `unread` then."""
    try:
        return read()
    except (BesedkaError, LookupError) as error:
        unread[source] = error.found if isinstance(error, BesedkaError) else str(error)
        return None


def of_settings(contract: Contract, stored: Any, effective: Any) -> Iterator[dict[str, Any]]:
    """The required settings and the provider's rows; None for what could not be read."""
    base = provider.base_id(contract.provider)
    wanted = {f"settings.{name}": (name, value) for name, value in contract.settings.items()}
    wanted |= {
        f"provider.{suffix}": (f"{base}-{suffix}", value)
        for suffix, value in provider.values(contract).items()
    }
    for name_of_value, (setting_id, expected) in wanted.items():
        seen: dict[str, Any] = {"expected": shown(setting_id, expected)}
        agrees = True
        for name, rows in (("stored", stored), ("effective", effective)):
            if rows is None:
                seen[name] = UNREAD
                continue
            row = rows.get(setting_id)
            there = setting_id in rows
            if name == "effective" and not there and _may_be_hidden(stored, setting_id):
                seen[name] = UNREAD
                continue
            value = row.get("value") if name == "stored" and row is not None else row
            seen[name] = shown(setting_id, value) if there else NOTHING
            agrees = agrees and there and fulfils(setting_id, value, expected)
        yield {"name": name_of_value, "setting": setting_id, **seen, "agrees": agrees}


def _may_be_hidden(stored: Any, setting_id: str) -> bool:
    """Whether REST may be silent about it because it never shows a hidden setting."""
    return stored is None or bool(stored.get(setting_id, {}).get("hidden"))


def _people(
    contract: Contract, stored: roster.Roster | None, effective: roster.Roster | None
) -> Iterator[dict[str, Any]]:
    for user in contract.users:
        for field, expected, read in _of_account(user):
            found = [_account(rows, user.username, read) for rows in (stored, effective)]
            yield _row(f"users.{user.username}.{field}", expected, *found)
        for room in contract.channels:
            inside = [_member(rows, user.username, room.name) for rows in (stored, effective)]
            yield _row(f"members.{user.username}.{room.name}", room.name in user.channels, *inside)
    for room in contract.channels:
        for field in ("name", "private", "default"):
            found = [_room(rows, room.name, field) for rows in (stored, effective)]
            yield _row(f"channels.{room.name}.{field}", getattr(room, field), *found)


def _of_account(user: User) -> Iterator[tuple[str, Any, Callable[[roster.Account], Any]]]:
    yield "username", user.username, lambda account: account.username
    yield "chat_roles", sorted(user.chat_roles), lambda account: sorted(account.roles)
    yield "email", user.email.lower(), lambda account: next(iter(account.emails), NOTHING)
    yield "full_name", user.full_name, lambda account: account.name


def _row(name: str, expected: Any, stored: Any, effective: Any) -> dict[str, Any]:
    agrees = all(value in (expected, UNREAD) for value in (stored, effective))
    return {"name": name, "expected": expected, "stored": stored, "effective": effective, "agrees": agrees}


def _unread(contract: Contract, name: str) -> dict[str, Any]:
    """A value that neither Mongo nor REST shows: what is expected, or that it is a secret."""
    table, _, field = name.partition(".")
    if name.rpartition(".")[2] == "password":
        expected: Any = "a secret"
    elif table == "users":
        username, _, field = field.rpartition(".")
        expected = getattr(next(user for user in contract.users if user.username == username), field)
    elif table == "channels":
        room, _, field = field.rpartition(".")
        expected = getattr(contract.channel(room), field)
    elif name.startswith("provider.groups."):
        expected = contract.provider.groups[field.removeprefix("groups.")]
    else:
        expected = contract
        for part in name.split("."):
            expected = getattr(expected, part)
    return _row(name, expected, UNREAD, UNREAD)


def _account(rows: roster.Roster | None, username: str, read: Callable[[roster.Account], Any]) -> Any:
    if rows is None:
        return UNREAD
    account = rows.accounts.get(username.lower())
    return NOTHING if account is None else read(account)


def _member(rows: roster.Roster | None, username: str, room: str) -> Any:
    if rows is None:
        return UNREAD
    there = rows.rooms.get(room)
    return NOTHING if there is None else username in there.members


def _room(rows: roster.Roster | None, room: str, field: str) -> Any:
    if rows is None:
        return UNREAD
    there = rows.rooms.get(room)
    return NOTHING if there is None else getattr(there, field)
