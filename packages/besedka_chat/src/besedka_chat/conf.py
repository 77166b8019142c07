"""`BESEDKA_CHAT` of Django's settings: typed, checked, with defaults. README.md has the table of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from besedka_chat.tokens import TokenMaker

# A cold client of Rocket.Chat takes up to two minutes on a loaded machine (measured on 6.13.0).
PATIENCE_SECONDS = 120
LOGIN_STYLES = ("redirect", "popup")
# Fields of the identity answer that Rocket.Chat finds by a name of its own settings (`…-username_field`, …).
IDENTITY_FIELDS = ("username", "email", "full_name", "avatar_url")
# How the chat is signed in: Custom OAuth, the server-side flow of Rocket.Chat 8.7, or iframe authentication.
WAYS = ("oauth", "oauth-modern", "iframe-auth")
_CHANNELS = 'a list such as [{"name": "general", "label": "Общий", "default": True}] with exactly one default'
_MAKER = 'an object with "user_id" and "token" of an administrator of the chat, and "secret" from 8.0 on'
_GROUPS = 'an object such as {"owner": ["admin", "vip"], "user": ["user"]}'


@dataclass(frozen=True)
class Channel:
    """A chat room that the site offers a button for. `roles` None: everybody may enter."""

    name: str
    label: str
    private: bool = False
    default: bool = False
    roles: frozenset[str] | None = None

    @property
    def path(self) -> str:
        """Path in the chat, without the site's room list: private rooms live under /group/."""
        return f"/{'group' if self.private else 'channel'}/{quote(self.name, safe='')}?layout=embedded"

    def admits(self, role: str) -> bool:
        """Tell whether a user of that role gets a button."""
        return self.roles is None or role in self.roles


@dataclass(frozen=True)
class ChatSettings:
    """All rows, typed. Addresses have no trailing slash. A field of users that is "" does not exist."""

    site_url: str
    chat_url: str
    chat_internal_url: str
    client_id: str
    client_secret: str
    service: str
    scopes: tuple[str, ...]
    login_style: str
    sso: str
    button_label: str
    redirect_uri: str
    channels: tuple[Channel, ...]
    groups: dict[str, tuple[str, ...]]
    patience: int
    username_field: str
    full_name_field: str
    role_field: str
    default_role: str
    temporary_prefix: str
    identity_fields: dict[str, str]
    access_token_param: str
    token_maker: TokenMaker | None

    @property
    def default_channel(self) -> Channel:
        """The channel that a visit without a wish opens."""
        return next(channel for channel in self.channels if channel.default)


@dataclass
class _Reader:
    """Takes rows out of `BESEDKA_CHAT` and collects every problem instead of stopping at the first."""

    rows: dict[str, Any]
    problems: list[str] = field(default_factory=list)

    def wrong(self, name: str, found: object, expected: str) -> None:
        self.problems.append(f"{name}: found {found!r}, expected {expected}")

    def text(self, name: str, default: str | None = None, *, secret: bool = False) -> str:
        """A text; without a default one that is not empty."""
        value = self.rows.pop(name, default)
        if not isinstance(value, str) or (default is None and not value):
            shown = type(value).__name__ if secret else value
            self.wrong(name, shown, "a text that is not empty" if default is None else "a text")
            return ""
        return value

    def url(self, name: str, default: str | None = None) -> str:
        value = self.text(name, default).rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query):
            self.wrong(name, value, "an address such as http://127.0.0.1:8001")
        return value


def read_channels(rows: Any, problems: list[str], name: str = "CHANNELS") -> tuple[Channel, ...]:
    """Rooms of `[{"name", "label", "private", "default", "roles"}, …]`; what is wrong goes to `problems`."""
    try:
        channels = tuple(
            Channel(
                name=str(row["name"]),
                label=str(row["label"]),
                private=bool(row.get("private", False)),
                default=bool(row.get("default", False)),
                roles=None if row.get("roles") is None else frozenset(row["roles"]),
            )
            for row in rows
        )
    except (AttributeError, KeyError, TypeError) as error:
        problems.append(f"{name}: found a row it cannot read ({error!r}), expected {_CHANNELS}")
        return ()
    if sum(channel.default for channel in channels) != 1:
        problems.append(f"{name}: found no single default channel, expected {_CHANNELS}")
    return channels


def _token_maker(reader: _Reader) -> TokenMaker | None:
    rows = reader.rows.pop("CREATE_TOKENS", None)
    if rows is None:
        return None
    texts = isinstance(rows, Mapping) and all(isinstance(value, str) for value in rows.values())
    if not texts or not {"user_id", "token"} <= set(rows) <= {"user_id", "token", "secret"}:
        reader.wrong("CREATE_TOKENS", sorted(rows) if isinstance(rows, Mapping) else rows, _MAKER)
        return None
    return TokenMaker(**rows)


def _groups(reader: _Reader) -> dict[str, tuple[str, ...]]:
    rows = reader.rows.pop("GROUPS", {})
    if not isinstance(rows, Mapping) or any(isinstance(groups, str) for groups in rows.values()):
        reader.wrong("GROUPS", rows, _GROUPS)
        return {}
    return {str(role): tuple(map(str, groups)) for role, groups in rows.items()}


def _identity_fields(reader: _Reader) -> dict[str, str]:
    """What the identity answer calls each of its fields; "" leaves a field out."""
    rows = reader.rows.pop("IDENTITY_FIELDS", {})
    known = isinstance(rows, Mapping) and set(rows) <= set(IDENTITY_FIELDS)
    if not known or not all(isinstance(row, str) for row in rows.values()):
        reader.wrong("IDENTITY_FIELDS", rows, f"names for some of {', '.join(IDENTITY_FIELDS)}")
        return {}
    return {name: rows.get(name, name) for name in IDENTITY_FIELDS}


def _scopes(reader: _Reader) -> tuple[str, ...]:
    rows = reader.rows.pop("SCOPES", ["read"])
    if not isinstance(rows, list | tuple) or not rows or not all(isinstance(row, str) for row in rows):
        reader.wrong("SCOPES", rows, 'a list such as ["read"]')
        return ()
    return tuple(rows)


def _patience(reader: _Reader) -> int:
    value = reader.rows.pop("PATIENCE", PATIENCE_SECONDS)
    if not isinstance(value, int) or value < 1:
        reader.wrong("PATIENCE", value, "whole seconds from 1 up")
    return value


def _field(reader: _Reader, name: str, default: str) -> str:
    """Name of a field or property of the user model; "" for none."""
    value = reader.text(name, default)
    model = get_user_model()
    # A plain attribute of the class, or a field, which newer versions of Django make an attribute as well.
    known = {one.name for one in model._meta.get_fields()}
    if value and value not in known and not hasattr(model, value):
        reader.wrong(name, value, f"a field or property of {model.__name__}")
    return value


def _service(reader: _Reader) -> str:
    value = reader.text("SERVICE", "besedka")
    if value != value.lower():
        # Rocket.Chat lower-cases the name of a Custom OAuth service (apps/meteor/app/custom-oauth/server).
        reader.wrong("SERVICE", value, "the name in small letters, as Rocket.Chat keeps it")
    return value


def read(rows: Any) -> tuple[ChatSettings, list[str]]:
    """Read and check every row of `BESEDKA_CHAT`; the second value names every problem."""
    if not isinstance(rows, Mapping):
        reader = _Reader({}, [f"found {type(rows).__name__}, expected an object"])
    else:
        reader = _Reader(dict(rows))
    chat_url = reader.url("CHAT_URL")
    service = _service(reader)
    style = reader.text("LOGIN_STYLE", "redirect")
    if style not in LOGIN_STYLES:
        reader.wrong("LOGIN_STYLE", style, " or ".join(LOGIN_STYLES))
    way = reader.text("SSO", "oauth")
    if way not in WAYS:
        reader.wrong("SSO", way, " or ".join(WAYS))
    found = ChatSettings(
        site_url=reader.url("SITE_URL"),
        chat_url=chat_url,
        chat_internal_url=reader.url("CHAT_INTERNAL_URL", chat_url),
        client_id=reader.text("CLIENT_ID"),
        client_secret=reader.text("CLIENT_SECRET", secret=True),
        service=service,
        scopes=_scopes(reader),
        login_style=style,
        sso=way,
        button_label=reader.text("BUTTON_LABEL", service),
        redirect_uri=reader.text("REDIRECT_URI", f"{chat_url}/_oauth/{service}"),
        channels=read_channels(
            reader.rows.pop("CHANNELS", [{"name": "general", "label": "Общий", "default": True}]),
            reader.problems,
        ),
        groups=_groups(reader),
        patience=_patience(reader),
        username_field=_field(reader, "USERNAME_FIELD", get_user_model().USERNAME_FIELD),
        full_name_field=_field(reader, "FULL_NAME_FIELD", ""),
        role_field=_field(reader, "ROLE_FIELD", ""),
        default_role=reader.text("DEFAULT_ROLE", "user"),
        temporary_prefix=reader.text("TEMPORARY_PREFIX", "temp_") or "temp_",
        identity_fields=_identity_fields(reader),
        access_token_param=reader.text("ACCESS_TOKEN_PARAM", "access_token"),
        token_maker=_token_maker(reader),
    )
    reader.problems += [f"{name}: found a row that nobody reads; is it misspelt?" for name in reader.rows]
    return found, [f"BESEDKA_CHAT, {problem}" for problem in reader.problems]


@lru_cache(maxsize=1)
def chat_settings() -> ChatSettings:
    """The settings of this site; ImproperlyConfigured names every row that is wrong."""
    found, problems = read(getattr(settings, "BESEDKA_CHAT", None))
    if problems:
        raise ImproperlyConfigured("\n".join(problems))
    return found


def _forget(**_changed: object) -> None:
    chat_settings.cache_clear()


# Tests change settings; a running site does not.
setting_changed.connect(_forget)
