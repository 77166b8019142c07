"""What the stand-in is told: the environment as the real server reads it, and a few options of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from standins.rocketchat.bundle import Bundle

# Traits of our own web client by mood (`client/mood.js`); `real` has all that cost little time.
MOODS = {name: (name,) for name in ("slow", "late", "mute", "early", "previous", "twice", "mangled")} | {
    "real": ("early", "previous", "twice", "mangled")
}
_YES = ("yes", "true", "1")


class ConfigError(Exception):
    """A value that cannot be used; the text says which, what was found and what is wanted."""


@dataclass(frozen=True)
class Config:
    """One process's configuration. `environ` is kept for settings given by name (`OVERWRITE_SETTING_...`)."""

    mongo_url: str
    root_url: str
    port: int = 3000
    bind_ip: str = "0.0.0.0"  # noqa: S104 - Meteor's own default
    version: str = "7.7.1"
    movable_clock: bool = False
    unlimited_logins: bool = False
    chat_client: Bundle | None = None
    client_mood: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The imitated version as numbers."""
        return tuple(int(part) for part in self.version.split("."))

    def since(self, *version: int) -> bool:
        """Whether the imitated version is this one or later: `since(7, 6)`."""
        return self.numbers >= version

    @property
    def path_prefix(self) -> str:
        """Meteor's ROOT_URL_PATH_PREFIX: the path of ROOT_URL at the boot, which `Site_Url` never changes
        (`packages/webapp/webapp_server.js`; `app/lib/server/startup/settingsOnLoadSiteUrl.ts`)."""
        return urlsplit(self.root_url).path.rstrip("/")

    def _yes(self, name: str) -> bool:
        return self.environ.get(name, "").lower() in _YES

    @property
    def test_mode(self) -> bool:
        """Any non-empty TEST_MODE switches off second factor, rate limit and the settings' debounce."""
        return bool(self.environ.get("TEST_MODE"))

    @property
    def create_tokens_for_users(self) -> bool:
        return self._yes("CREATE_TOKENS_FOR_USERS")

    @property
    def unsafe_query(self) -> bool:
        """`query` and `fields` in the URL: before 7.0 always, then by a variable, gone in 9.0."""
        if self.since(9):
            return False
        return not self.since(7) or self._yes("ALLOW_UNSAFE_QUERY_AND_FIELDS_API_PARAMS")

    @property
    def watches_database(self) -> bool:
        """Database watchers are on before 7.7.0, off by default there, gone in 8.0 (PR #35981)."""
        if self.since(7, 7):
            off = self.environ.get("DISABLE_DB_WATCHERS", "").lower()
            return not self.since(8) and off in ("false", "no")
        return not self._yes("DISABLE_DB_WATCHERS")

    @property
    def forwarded_count(self) -> int:
        return int(self.environ.get("HTTP_FORWARDED_COUNT") or 0)

    @property
    def ping_seconds(self) -> int:
        """Silence before Meteor's ping: 15 s; the tests of many stacks shorten it by a variable of ours."""
        return int(self.environ.get("TEST_PING_SECONDS") or 15)

    @property
    def max_resume_tokens(self) -> int:
        return int(self.environ.get("MAX_RESUME_LOGIN_TOKENS") or 50)


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "") or str(default)
    if not text.isdigit() or int(text) > 65535:
        raise ConfigError(f"{name}={text!r}: found something else than a number from 0 to 65535")
    return int(text)


def read_client(folder: str) -> Bundle:
    """The client in that folder; raises ConfigError."""
    try:
        return Bundle.find(Path(folder))
    except (ValueError, OSError) as error:
        raise ConfigError(f"--chat-client {folder}: {error}") from error


def _imitated(version: str | None, client: Bundle | None) -> str:
    """What was asked for, else the client's, which crashes on answers of another major version."""
    served = client.version if client else None
    if version and served and version.partition(".")[0] != served.partition(".")[0]:
        raise ConfigError(f"--chat-client is the client of {served}, which --version {version} cannot serve")
    return version or served or "7.7.1"


def read_config(
    environ: Mapping[str, str],
    version: str | None,
    chat_client: str | None,
    client_mood: str | None = None,
    **own: bool,
) -> Config:
    """Check the environment; `own` are the stand-in's own switches. Raises ConfigError."""
    mongo_url = environ.get("MONGO_URL", "")
    if not mongo_url.startswith(("mongodb://", "mongodb+srv://")):
        raise ConfigError(f"MONGO_URL={mongo_url!r}: wanted mongodb://host:port/database?replicaSet=name")
    if version and not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ConfigError(f"--version {version!r}: wanted three numbers, e.g. 7.7.1")
    client = read_client(chat_client) if chat_client else None
    port = _number(environ, "PORT", 3000)
    _number(environ, "HTTP_FORWARDED_COUNT", 0)
    _number(environ, "MAX_RESUME_LOGIN_TOKENS", 50)
    return Config(
        mongo_url=mongo_url,
        root_url=(environ.get("ROOT_URL") or f"http://localhost:{port}").rstrip("/"),
        port=port,
        bind_ip=environ.get("BIND_IP") or "0.0.0.0",  # noqa: S104
        version=_imitated(version, client),
        chat_client=client,
        client_mood=MOODS[client_mood] if client_mood else (),
        environ=environ,
        **own,
    )
