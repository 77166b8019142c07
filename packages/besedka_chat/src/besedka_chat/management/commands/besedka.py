"""`manage.py besedka < request.json`: makes and removes temporary users for the suite.

The row `manage` of `[site.adapter]` in besedka.toml names this command.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from besedka_chat.conf import chat_settings
from besedka_chat.roster import RosterError, ensure_users, read_roster, remove_users


class Command(BaseCommand):
    help = (
        'One JSON object on stdin: {"action": "ensure_users", "users": [...]} '
        'or {"action": "remove_users", "usernames": [...]}.'
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write("\n".join(_done(json.load(sys.stdin))) or "users: nothing to change")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CommandError(f"besedka: {error!r}; expected: {self.help}") from None


def _done(asked: dict[str, Any]) -> list[str]:
    if asked["action"] == "remove_users":
        return remove_users(asked["usernames"])
    if asked["action"] != "ensure_users":
        raise RosterError(f"found action {asked['action']!r}")
    rows = read_roster(io.StringIO(json.dumps(asked["users"])))
    prefix = chat_settings().temporary_prefix
    if others := [row["username"] for row in rows if not row["username"].startswith(prefix)]:
        raise RosterError(f"found {others}, only names that begin with {prefix} are made here")
    return ensure_users(rows)
