"""`manage.py remove_users temp_a temp_b`: removes temporary users."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from besedka_chat.roster import RosterError, remove_users


class Command(BaseCommand):
    help = "Remove users named temp_*; refuses every other name and then removes none."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("usernames", nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = remove_users(options["usernames"])
        except RosterError as error:
            raise CommandError(str(error)) from None
        self.stdout.write("\n".join(lines))
