"""How a setting is written: by its route, or by the administration's method where Rocket.Chat hides it.

The route neither lists nor writes a hidden one. The method does, live (seen on a running 6.5.3;
saveSettings.ts, 6.x and 7.x, looks for `blocked` alone). What such a one holds MongoDB alone tells.
"""

from __future__ import annotations

from typing import Any

from besedka.provision import workspace
from besedka.provision.documents import Documents
from besedka.provision.repairs_of_settings import SETTINGS
from besedka.provision.session import Session
from besedka.rocketchat import catalogue


def write(session: Session, version: str, name: str, value: Any) -> None:
    """Write one; raises a BesedkaError where it is refused."""
    if _is_hidden(version, name):
        session.method("saveSettings", [{"_id": name, "value": value}])
        return
    with workspace.moving(session, name):
        session.post(f"settings/{name}", value=value)


def held(documents: Documents | None, version: str, name: str) -> dict[str, Any]:
    """What MongoDB holds of a hidden setting; nothing of any other, or where it is out of reach."""
    if documents is None or not _is_hidden(version, name):
        return {}
    return {row["_id"]: row.get("value") for row in documents.rows(SETTINGS) if row["_id"] == name}


def _is_hidden(version: str, name: str) -> bool:
    known = catalogue.for_version(version).setting(name)
    return known is not None and known.hidden
