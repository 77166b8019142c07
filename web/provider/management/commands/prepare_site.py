"""`manage.py prepare_site < users.json`: everything between an empty database and a running site."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from besedka_chat.application import ensure_application
from besedka_chat.roster import RosterError, ensure_users, read_roster
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from provider.template_database import copy_template, fresh_sqlite_path, save_template


class Command(BaseCommand):
    help = (
        "migrate + ensure_oauth_application + ensure_users (JSON list on stdin; [] for none) in one process."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--template",
            type=Path,
            help="ready-made empty SQLite file: used when it fits today's migrations, else made",
        )

        parser.add_argument(
            "--migrated",
            action="store_true",
            help="the database was copied from a migrated one: do not look for migrations to run",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rows = read_roster(sys.stdin)
            if not options["migrated"]:
                self._migrate(options["template"])
            lines = ensure_application() + ensure_users(rows)
        except (RosterError, DatabaseError) as error:
            raise CommandError(f"The site was not prepared. {error}") from None
        self.stdout.write("\n".join(lines) or "application, users: nothing to change")

    def _migrate(self, template: Path | None) -> None:
        fresh = fresh_sqlite_path()
        if fresh and template and copy_template(template, fresh):
            self.stdout.write(f"database: copied from {template}")
            return
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                # Only this connection, only now: an interrupted preparation is begun again anyway.
                cursor.execute("PRAGMA synchronous = OFF")
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        self.stdout.write("database: migrated")
        if fresh and template:
            save_template(template)
            self.stdout.write(f"database: template saved to {template}")
