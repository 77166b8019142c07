"""Every value of the contract beside what the stack has: expected, stored in Mongo, effective by REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from besedka.checks import roster
from besedka.checks.compare import shown
from besedka.checks.examination import Examination
from besedka.contract import Contract
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
    rows = [*_settings(examination.contract, stored, effective), *_people(examination.contract, here, told)]
    return {"unread": unread, "values": rows}


def _read(source: str, read: Callable[[], Any], unread: dict[str, str]) -> Any:
    """What was read, None where it could not be; why stands in `unread` then."""
    try:
        return read()
    except (BesedkaError, LookupError) as error:
        unread[source] = error.found if isinstance(error, BesedkaError) else str(error)
        return None


def _settings(contract: Contract, stored: Any, effective: Any) -> Iterator[dict[str, Any]]:
    for setting_id, expected in {**contract.settings, **provider.settings(contract)}.items():
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
        yield {"name": setting_id, **seen, "agrees": agrees}


def _may_be_hidden(stored: Any, setting_id: str) -> bool:
    """Whether REST may be silent about it because it never shows a hidden setting."""
    return stored is None or bool(stored.get(setting_id, {}).get("hidden"))


def _people(
    contract: Contract, stored: roster.Roster | None, effective: roster.Roster | None
) -> Iterator[dict[str, Any]]:
    for user in contract.users:
        for field, expected, read in _of_account(user.chat_roles, user.email, user.full_name):
            found = [_account(rows, user.username, read) for rows in (stored, effective)]
            yield _row(f"users.{user.username}.{field}", expected, *found)
        for room in contract.channels:
            inside = [_member(rows, user.username, room.name) for rows in (stored, effective)]
            yield _row(f"members.{user.username}.{room.name}", room.name in user.channels, *inside)
    for room in contract.channels:
        for field in ("private", "default"):
            found = [_room(rows, room.name, field) for rows in (stored, effective)]
            yield _row(f"channels.{room.name}.{field}", getattr(room, field), *found)


def _of_account(
    roles: tuple[str, ...], email: str, name: str
) -> Iterator[tuple[str, Any, Callable[[roster.Account], Any]]]:
    yield "chat_roles", sorted(roles), lambda account: sorted(account.roles)
    yield "email", email.lower(), lambda account: next(iter(account.emails), NOTHING)
    yield "full_name", name, lambda account: account.name


def _row(name: str, expected: Any, stored: Any, effective: Any) -> dict[str, Any]:
    agrees = all(value in (expected, UNREAD) for value in (stored, effective))
    return {"name": name, "expected": expected, "stored": stored, "effective": effective, "agrees": agrees}


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
