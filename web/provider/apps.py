"""App of the OAuth provider: the chat's application, the identity address, start-up."""

from __future__ import annotations

from django.apps import AppConfig


class ProviderConfig(AppConfig):
    name = "provider"
    verbose_name = "Вход в чат"
