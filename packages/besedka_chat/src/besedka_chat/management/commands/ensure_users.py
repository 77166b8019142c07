"""`manage.py ensure_users < users.json`: makes the site's users what the list says."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from besedka_chat.roster import RosterError, ensure_users, read_roster


class Command(BaseCommand):
    help = "Create or repair users from a JSON list on stdin; prints what it changed. Removes nobody."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = ensure_users(read_roster(sys.stdin))
        except RosterError as error:
            raise CommandError(str(error)) from None
        self.stdout.write("\n".join(lines) or "users: nothing to change")
