"""Documents as Rocket.Chat keeps them, and an examination of a database that holds only those."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from besedka.checks.catalogue import checks_for
from besedka.checks.examination import Examination
from besedka.checks.finding import Findings, Skipped

NOW = datetime.now(UTC)
Row = dict[str, Any]
Make = Callable[..., Examination]


def codes(check: str, examination: Examination) -> list[str]:
    answered = next(row for row in checks_for(examination.contract) if row.name == check).ask(examination)
    assert not isinstance(answered, Skipped), answered
    return [found.code for found in answered.found] if isinstance(answered, Findings) else []


def user(name: str, **more: Any) -> Row:
    services = {"password": {"bcrypt": "$2b$…"}}
    raw = {"_id": f"id-{name}", "username": name, "type": "user", "createdAt": NOW, "services": services}
    return raw | {"emails": [{"address": f"{name}@besedka.com"}], "roles": ["user"], "active": True} | more


def room(name: str, **more: Any) -> Row:
    own_id = "GENERAL" if name == "general" else f"id-{name}"
    return {
        "_id": own_id,
        "name": name,
        "t": "c",
        "ts": NOW,
        "u": {"_id": "id-owner"},
        "usersCount": 0,
    } | more


def membership(username: str, rid: str, **more: Any) -> Row:
    raw = {"_id": f"{username}-{rid}", "rid": rid, "ts": NOW, "name": rid.lower(), "t": "c"}
    return raw | {"u": {"_id": f"id-{username}", "username": username}} | more


def setting(value: Any, kind: str = "string", **more: Any) -> Row:
    return {"value": value, "packageValue": value, "type": kind, "_updatedAt": NOW} | more


class Mongo:
    """What checks ask of the database itself."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"migration_is_locked": False} | answers

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.answers[name]


def severities(check: str, examination: Examination) -> list[str]:
    """How bad each finding of that check is, as it says itself."""
    answered = next(row for row in checks_for(examination.contract) if row.name == check).ask(examination)
    return [found.severity.value for found in answered.found] if isinstance(answered, Findings) else []
