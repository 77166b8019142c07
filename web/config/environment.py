"""What the site is told by its environment, read once and checked before Django starts.

The site holds no user, channel, password or client of its own: its starter says so here. Every
problem found is reported in one message (found, expected, where, next step), never as a traceback.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from besedka_chat.conf import PATIENCE_SECONDS, Channel, read_channels

NEXT_STEP = (
    "set the variables above and start again; the stack's start-up passes all of them, "
    "web/config/environment.py says what each one means"
)


class EnvironmentProblemError(Exception):
    """The environment cannot run the site. `str()` is the whole message for the operator."""

    def __init__(self, problems: list[str]) -> None:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(
            "The site cannot start: its environment is incomplete or wrong.\n"
            f"{listed}\n"
            "  where: environment of the process (web/config/environment.py)\n"
            f"  next:  {NEXT_STEP}"
        )


@dataclass(frozen=True)
class Environment:
    """All settings of the site, typed. URLs have no trailing slash."""

    secret_key: str
    site_url: str
    chat_url: str
    chat_internal_url: str
    allowed_hosts: tuple[str, ...]
    database: dict[str, Any]
    redis_url: str | None
    client_id: str
    client_secret: str
    service: str
    scopes: tuple[str, ...]
    login_style: str
    sso: str
    create_tokens: dict[str, str] | None
    button_label: str
    redirect_uri: str
    channels: tuple[Channel, ...]
    groups: dict[str, tuple[str, ...]]
    password_iterations: int | None
    chat_patience: int
    identity_fields: dict[str, str]
    access_token_param: str
    paths: dict[str, str]
    django_settings: dict[str, Any]

    def chat(self) -> dict[str, Any]:
        """`BESEDKA_CHAT` of Django's settings, which the package besedka-chat reads."""
        return {
            "SITE_URL": self.site_url,
            "CHAT_URL": self.chat_url,
            "CHAT_INTERNAL_URL": self.chat_internal_url,
            "CLIENT_ID": self.client_id,
            "CLIENT_SECRET": self.client_secret,
            "SERVICE": self.service,
            "SCOPES": self.scopes,
            "LOGIN_STYLE": self.login_style,
            "SSO": self.sso,
            "CREATE_TOKENS": self.create_tokens,
            "BUTTON_LABEL": self.button_label,
            "REDIRECT_URI": self.redirect_uri,
            "CHANNELS": [asdict(channel) for channel in self.channels],
            "GROUPS": self.groups,
            "PATIENCE": self.chat_patience,
            "FULL_NAME_FIELD": "full_name",
            "ROLE_FIELD": "role",
            "IDENTITY_FIELDS": self.identity_fields,
            "ACCESS_TOKEN_PARAM": self.access_token_param,
        }


_MAKER = 'an object with "user_id", "token" and, from 8.0 on, "secret"'


@dataclass
class _Reader:
    """Collects every problem instead of stopping at the first."""

    source: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def needed(self, name: str, expected: str) -> str:
        value = self.source.get(name, "").strip()
        if not value:
            self.problems.append(f"{name}: found nothing, expected {expected}")
        return value

    def url(self, name: str, default: str | None = None, *, below: bool = False) -> str:
        """An address; only one that may lie `below` another carries a path."""
        expected = "an address such as http://127.0.0.1:8001"
        value = (self.source.get(name, "").strip() or default or "").rstrip("/")
        if not value:
            return self.needed(name, expected)
        parts = urlsplit(value)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.query
            or (parts.path and not below)
        ):
            self.problems.append(f"{name}: found {value!r}, expected {expected}")
        return value

    def json(self, name: str, expected: str) -> Any:
        text = self.needed(name, expected)
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            self.problems.append(f"{name}: found text that is not JSON ({error}), expected {expected}")
            return None

    def number(self, name: str) -> int | None:
        text = self.source.get(name, "").strip()
        if not text:
            return None
        if not text.isdecimal() or int(text) < 1:
            self.problems.append(f"{name}: found {text!r}, expected a whole number from 1 up")
            return None
        return int(text)


def _channels(reader: _Reader) -> tuple[Channel, ...]:
    rows = reader.json("CHAT_CHANNELS", "a JSON list of rooms")
    return () if rows is None else read_channels(rows, reader.problems, "CHAT_CHANNELS")


def _groups(reader: _Reader) -> dict[str, tuple[str, ...]]:
    expected = 'a JSON object such as {"owner":"admin,vip","user":"user"}'
    rows = reader.json("CHAT_GROUPS", expected)
    if rows is None:
        return {}
    if not isinstance(rows, dict):
        reader.problems.append(f"CHAT_GROUPS: found {type(rows).__name__}, expected {expected}")
        return {}
    return {
        role: tuple(group.strip() for group in str(groups).split(",") if group.strip())
        for role, groups in rows.items()
    }


def _table(reader: _Reader, name: str, example: str) -> dict[str, Any]:
    """A JSON object that may be absent: SITE_SETTINGS, SITE_PATHS, CHAT_IDENTITY_FIELDS."""
    if not reader.source.get(name, "").strip():
        return {}
    expected = f"a JSON object such as {example}"
    rows = reader.json(name, expected)
    if rows is not None and not isinstance(rows, dict):
        reader.problems.append(f"{name}: found {type(rows).__name__}, expected {expected}")
    return rows if isinstance(rows, dict) else {}


def _database(reader: _Reader, site_dir: Path) -> dict[str, Any]:
    folder = Path(reader.source.get("BESEDKA_SITE_DATA", "").strip() or site_dir / "var")
    url = reader.source.get("DATABASE_URL", "").strip() or f"sqlite:///{folder.absolute() / 'site.sqlite3'}"
    try:
        database: dict[str, Any] = {**dj_database_url.parse(url)}
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError) as error:
        # Without the value itself: it may hold a password.
        reader.problems.append(
            f"DATABASE_URL: cannot be read ({type(error).__name__}), expected postgres://… or sqlite:///…"
        )
        return {}
    if database["ENGINE"].endswith("sqlite3"):
        if database["NAME"] != ":memory:":
            try:
                Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                reader.problems.append(
                    f"BESEDKA_SITE_DATA or DATABASE_URL: found a folder that cannot be made ({error}), "
                    "expected a writable one"
                )
        # IMMEDIATE: a writer waits for its turn (`timeout`, seconds) in place of failing in mid-transaction.
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;",
        }
    return database


def _host(url: str) -> str:
    """The host as it stands in a request: IPv6 between brackets."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name


def read_environment(source: Mapping[str, str], site_dir: Path) -> Environment:
    """Read and check everything; `site_dir` holds the default data folder `var`.

    Raises EnvironmentProblemError naming every problem at once.
    """
    reader = _Reader(source)
    site_url = reader.url("SITE_URL", below=True)
    chat_url = reader.url("CHAT_URL", below=True)
    service = source.get("OAUTH_SERVICE", "").strip() or "besedka"
    extra_hosts = [host.strip() for host in source.get("ALLOWED_HOSTS", "").split(",") if host.strip()]
    hosts = [
        _host(site_url),
        "127.0.0.1",
        "localhost",
        "host.docker.internal",
        *extra_hosts,
    ]
    environment = Environment(
        secret_key=reader.needed("DJANGO_SECRET_KEY", "a long random text"),
        site_url=site_url,
        chat_url=chat_url,
        chat_internal_url=reader.url("CHAT_INTERNAL_URL", default=chat_url or "http://unset", below=True),
        allowed_hosts=tuple(dict.fromkeys(host for host in hosts if host)),
        database=_database(reader, site_dir),
        redis_url=source.get("REDIS_URL", "").strip() or None,
        client_id=reader.needed("OAUTH_CLIENT_ID", "the client id that the chat uses"),
        client_secret=reader.needed("OAUTH_CLIENT_SECRET", "the plain client secret that the chat uses"),
        service=service,
        scopes=tuple(source.get("OAUTH_SCOPE", "").split()) or ("read",),
        login_style=source.get("OAUTH_LOGIN_STYLE", "").strip() or "redirect",
        sso=source.get("CHAT_SSO", "").strip() or "oauth",
        create_tokens=reader.json("CHAT_CREATE_TOKENS", _MAKER) if source.get("CHAT_CREATE_TOKENS") else None,
        button_label=source.get("OAUTH_BUTTON_LABEL", "").strip() or service,
        redirect_uri=source.get("OAUTH_REDIRECT_URI", "").strip() or f"{chat_url}/_oauth/{service}",
        channels=_channels(reader),
        groups=_groups(reader),
        password_iterations=reader.number("PASSWORD_ITERATIONS"),
        chat_patience=reader.number("CHAT_PATIENCE") or PATIENCE_SECONDS,
        identity_fields=_table(reader, "CHAT_IDENTITY_FIELDS", '{"username":"login"}'),
        access_token_param=source.get("OAUTH_ACCESS_TOKEN_PARAM", "").strip() or "access_token",
        paths=_table(reader, "SITE_PATHS", '{"login":"/konto/login/"}'),
        django_settings=_table(reader, "SITE_SETTINGS", '{"X_FRAME_OPTIONS":"DENY"}'),
    )
    if reader.problems:
        raise EnvironmentProblemError(reader.problems)
    return environment
