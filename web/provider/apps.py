"""App of the site's start-up."""

from __future__ import annotations

from django.apps import AppConfig


class ProviderConfig(AppConfig):
    name = "provider"
    verbose_name = "Вход в чат"
