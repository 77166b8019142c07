"""The app, and where its system checks are registered."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register


class BesedkaChatConfig(AppConfig):
    name = "besedka_chat"
    label = "besedka_chat"
    verbose_name = "Чат"

    def ready(self) -> None:
        from besedka_chat.checks import CHECKS  # noqa: PLC0415 - wants the user model, which is loaded now

        for check in CHECKS:
            register(check, "besedka_chat")
