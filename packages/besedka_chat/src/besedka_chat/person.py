"""What the chat is told of a user, whatever the site's user model is."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from besedka_chat.conf import chat_settings


def username(user: Any) -> str:
    """Name in the chat."""
    return str(getattr(user, chat_settings().username_field))


def email(user: Any) -> str:
    """Address of the field that Django calls EMAIL_FIELD; "" where there is none."""
    return str(getattr(user, get_user_model().get_email_field_name(), "") or "")


def full_name(user: Any) -> str:
    """Name to show: the named field, else `get_full_name()`, else the name in the chat."""
    named = chat_settings().full_name_field
    found = getattr(user, named) if named else getattr(user, "get_full_name", str)()
    return str(found or username(user))


def role(user: Any) -> str:
    """The user's role, which decides groups and channels; DEFAULT_ROLE where the model has none."""
    chat = chat_settings()
    return str(getattr(user, chat.role_field) or chat.default_role) if chat.role_field else chat.default_role
