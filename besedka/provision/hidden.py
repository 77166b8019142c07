"""Settings that Rocket.Chat hides: the route of settings neither lists nor writes them.

The administration's own method writes them, live (seen on a running 6.5.3; saveSettings.ts, 6.x to 8.x, which looks
for `blocked` alone). What they hold is told by MongoDB alone.
"""

from __future__ import annotations

from typing import Any

from besedka.provision.documents import Documents
from besedka.provision.repairs_of_settings import SETTINGS
from besedka.provision.session import Session
from besedka.rocketchat import catalogue


def is_hidden(version: str, name: str) -> bool:
    """Whether that version hides the setting."""
    known = catalogue.for_version(version).setting(name)
    return known is not None and known.hidden


def write(session: Session, name: str, value: Any) -> None:
    """Write one by the method; raises a BesedkaError where it is refused."""
    session.method("saveSettings", [{"_id": name, "value": value}])


def stored(documents: Documents | None, version: str, name: str) -> dict[str, Any]:
    """What MongoDB holds of a hidden setting; nothing of any other, or where it is out of reach."""
    if documents is None or not is_hidden(version, name):
        return {}
    return {name: row.get("value") for row in documents.rows(SETTINGS) if row["_id"] == name}
