"""`manage.py ensure_oauth_application`: makes or repairs the chat's OAuth application."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from besedka_chat.application import ensure_application


class Command(BaseCommand):
    help = "Make the chat's OAuth application what BESEDKA_CHAT says; prints one line per change."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("\n".join(ensure_application()) or "application: nothing to change")
