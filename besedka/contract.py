"""The contract: a typed model of besedka.toml.

The model is frozen and refuses unknown keys, so a misspelt row is an error and never a silent default.
Passwords and secrets are `SecretStr`: they do not appear in a repr, a log or a traceback.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from besedka import address, address_mistakes, mistakes, setting_mistakes, ways
from besedka.adapter import TEMPORARY_PREFIX, Adapter, Features, Selectors
from besedka.consistency import COMMON_ROLE, Rows, problems
from besedka.names import is_secret, service_key
from besedka.overlays import merged, read, table
from besedka.reverse_proxy import ReverseProxy
from besedka.values import (
    Address,
    Email,
    Flag,
    Line,
    Machine,
    Port,
    RedirectUri,
    Release,
    RootedPath,
    SettingValue,
    ShownLine,
    Template,
)

_BESIDE_THE_PACKAGE = Path(__file__).resolve().parent.parent
# The checkout; for a package that pip has installed elsewhere, the folder that the command runs in.
PROJECT_ROOT = _BESIDE_THE_PACKAGE if (_BESIDE_THE_PACKAGE / "besedka.toml").exists() else Path.cwd()
CONTRACT_FILE = PROJECT_ROOT / "besedka.toml"
CONTRACT_ENV = "BESEDKA_CONTRACT"
OVERLAYS_ENV = "BESEDKA_CONTRACT_OVERLAYS"

# What somebody is on the site: a free name, made known by a user who has it.
Role = Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=100)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1, ignored_types=(cached_property,))


class _WithPassword(_Table):
    password: SecretStr
    password_env: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_one(cls, row: Any) -> Any:
        if not isinstance(row, dict) or row.get("password"):
            return row
        variable = str(row.get("password_env") or "")
        if not os.environ.get(variable):
            named = variable or "password_env"
            raise ValueError(f"there is no password: write it here, or set {named}")
        return row | {"password": os.environ[variable]}

    @property
    def secret(self) -> str:
        """The password in clear text: from the environment variable `password_env` if that is set."""
        return os.environ.get(self.password_env or "") or self.password.get_secret_value()


class Site(_Table):
    """The Django site: its address and the pages the suite opens.

    A site without an integrated page, or without tokens for the chat, may leave out their addresses: the test
    page stands for the one, and nothing is asked of the other.
    """

    url: Address
    test_page: RootedPath
    integrated_page: RootedPath
    chat_auth_path: RootedPath
    login_path: RootedPath
    adapter: Adapter = Adapter()
    selectors: Selectors = Selectors()
    features: Features = Features()

    @model_validator(mode="before")
    @classmethod
    def _lacking(cls, raw: Any) -> Any:
        features = table(raw, "features")
        lacks = [name for name in ("integrated_page", "chat_token") if features.get(name) is False]
        rows = {"integrated_page": "integrated_page", "chat_token": "chat_auth_path"}
        return {rows[name]: raw.get("test_page", "/") for name in lacks} | raw if lacks else raw

    def below(self, path: str) -> str:
        """The path as an address has it, where the whole site lies below a path of its host."""
        return address.path(self.url) + path

    @property
    def chat_pages(self) -> tuple[str, ...]:
        """The pages that show the chat."""
        return tuple(dict.fromkeys((self.test_page, self.integrated_page)))


class ChatAdmin(_WithPassword):
    """Rocket.Chat's own administrator: a user of the site, or somebody who is none."""

    username: str
    email: Email
    full_name: str | None = None


class Chat(_Table):
    """Rocket.Chat: address, the version the project targets, and its administrator.

    `version` None takes the one that is there: the bundle's, the client's, the server's, the compose file's.
    `sso` is how people are signed in: by Custom OAuth, by its server-side flow of 8.7 (`oauth-modern`), or by
    Rocket.Chat's iframe authentication (`iframe-auth`). The settings that it needs follow from it (ways.py).
    `patience`: seconds that the first load of its client may take, until the message box. It takes 12 to 14 s
    on two quiet cores (measured on 6.13.0). It takes over 30 s on two loaded five times over. Every wait for
    the client is taken from it.
    """

    url: Address
    version: Release | None = None
    sso: Literal["oauth", "oauth-modern", "iframe-auth"] = "oauth"
    patience: Annotated[int, Field(ge=1, strict=True)] = 120
    development_hosts: tuple[Machine, ...] = ()
    admin: ChatAdmin


class Services(_Table):
    """Ports of docker-compose.local.yml, each for one service."""

    postgres: Port
    redis: Port
    mongo: Port
    rocketchat: Port

    @model_validator(mode="after")
    def _differ(self) -> Self:
        ports: dict[int, str] = {}
        for name, port in self.model_dump().items():
            if ports.setdefault(port, name) != name:
                raise ValueError(
                    f"{port} is the port of {ports[port]} and of {name}; two cannot listen there"
                )
        return self


class User(_WithPassword):
    """A canonical user: an account on the site, and the rooms that are this user's in the chat."""

    username: Annotated[str, Field(max_length=150)]  # Django's own limit
    role: Role
    email: Email
    full_name: Line
    channels: tuple[str, ...]
    chat_roles: tuple[str, ...] = ("user",)


class Channel(_Table):
    """A room of the chat.

    `name` stands in the address, `label` is the button of the site. `fname`, a field of Rocket.Chat's own, is
    what it shows in place of the name. `roles` None means that every user may enter. Where `read_only` only
    administrators and the room's own owners and moderators write (permission `post-readonly`).
    """

    name: str
    fname: str | None = None
    label: ShownLine
    private: Flag
    default: Flag
    read_only: Flag = False
    roles: tuple[Role, ...] | None = None

    @property
    def path(self) -> str:
        """Where Rocket.Chat shows the room: `/group/` for private ones, `/channel/` for public ones."""
        return f"/{'group' if self.private else 'channel'}/{quote(self.name, safe='')}"

    @property
    def shown(self) -> str:
        """What Rocket.Chat calls the room in front of people."""
        return self.fname or self.name

    def admits(self, role: Role) -> bool:
        """Whether a user of that role belongs here."""
        return self.roles is None or role in self.roles


class Provider(_Table):
    """The OAuth provider as Rocket.Chat's Custom OAuth has to know it.

    Field names follow Rocket.Chat's setting suffixes (server/lib/oauth/addOAuthService.ts) but for a few.
    `name` is brought to the form of Rocket.Chat's key: `Besedka-SSO` is read as `besedkasso`. `avatar_field`
    is empty where there is no picture. `more_redirect_uris`: others of the application, to the letter.
    """

    name: Annotated[str, AfterValidator(service_key)]
    url: Address
    client_id: Line
    client_secret: SecretStr
    client_secret_env: str | None = None
    authorize_path: RootedPath
    token_path: RootedPath
    identity_path: RootedPath
    scope: str
    access_token_param: Annotated[str, Field(pattern=r"^[\w.~-]+$")]
    login_style: Literal["redirect", "popup"]
    button_label_text: Line
    merge_users: Flag
    show_button: Flag
    merge_users_distinct_services: Flag
    token_sent_via: Literal["header", "payload"]
    identity_token_sent_via: Literal["default", "header", "payload"]
    key_field: Literal["username", "email"]
    username_field: Template
    email_field: Template
    name_field: Template
    avatar_field: Annotated[str, Field(min_length=0)] = ""
    # Of an empty text: a role without groups.
    groups: dict[str, Annotated[str, Field(min_length=0)]] = {}
    more_redirect_uris: tuple[RedirectUri, ...] = ()

    @property
    def secret(self) -> str:
        """The client secret in clear text: from the environment variable `client_secret_env` if set."""
        return os.environ.get(self.client_secret_env or "") or self.client_secret.get_secret_value()


class Contract(_Table):
    """Everything the stack must look like."""

    site: Site
    chat: Chat
    services: Services
    users: tuple[User, ...]
    channels: tuple[Channel, ...]
    provider: Provider
    settings: dict[str, SettingValue]
    proxy: ReverseProxy | None = None

    @model_validator(mode="before")
    @classmethod
    def _identity(cls, raw: Any) -> Any:
        """The identity endpoint's path may stand in the adapter, where the other paths of a site stand."""
        path = table(raw, "site", "adapter").get("identity_path")
        if not path or not isinstance(raw.get("provider"), dict):
            return raw
        return raw | {"provider": raw["provider"] | {"identity_path": path}}

    @model_validator(mode="before")
    @classmethod
    def _way_in(cls, raw: Any) -> Any:
        """The settings that follow from `[chat] sso`; a row of the contract's own wins."""
        if not table(raw, "chat") or not isinstance(raw.get("settings", {}), dict):
            return raw
        return raw | {"settings": ways.settings(raw) | raw.get("settings", {})}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        opened = self.default_channel.name if self.default_channels else None
        told = (self.chat.admin, self.provider.groups, self.settings, self.site.adapter)
        rows = Rows(self.users, self.channels, opened, *told)
        found = problems(rows)
        said = {text.partition(":")[0] for text in found}
        found += [
            *(text for text in self._adapter_problems() if text.partition(":")[0] not in said),
            *address_mistakes.problems(self),
            *setting_mistakes.problems(self),
        ]
        if found:
            raise ValueError("\n".join(found))
        return self

    def _adapter_problems(self) -> list[str]:
        adapter, roles = self.site.adapter, sorted({user.role for user in self.users})
        named = adapter.visitor
        problems = [
            f"site.adapter.roles.{role}: no user has the role {role!r}; roles are {', '.join(roles)}"
            for role in adapter.roles
            if role not in roles
        ]
        if named is not None and named not in {user.username for user in self.users}:
            problems.append(f"site.adapter.visitor: {named!r} is none of [[users]]")
        for number, user in enumerate(self.users, 1):
            if user.username.lower().startswith(TEMPORARY_PREFIX):
                row = f"users.{number} ({user.username}).username"
                problems.append(
                    f"{row}: accounts named {TEMPORARY_PREFIX}… are the tests' own, and are removed"
                )
        return problems

    @property
    def default_channels(self) -> tuple[Channel, ...]:
        """The rooms every account joins when it is created."""
        return tuple(channel for channel in self.channels if channel.default)

    @property
    def default_channel(self) -> Channel:
        """The room that the site's pages open: the default room after log-in, else the first default room."""
        first = self.settings.get("First_Channel_After_Login")
        return max(self.default_channels, key=lambda channel: channel.name == first)

    @property
    def common_role(self) -> Role:
        """The role that may enter the fewest rooms: what a newcomer has. `user` where several are alike."""
        roles = sorted({user.role for user in self.users}, key=lambda role: (role != COMMON_ROLE, role))
        return min(roles, key=lambda role: sum(channel.admits(role) for channel in self.channels))

    def groups_of(self, role: Role) -> list[str]:
        """The groups that the site answers for somebody of that role."""
        groups = self.provider.groups.get(role, self.provider.groups.get(COMMON_ROLE, ""))
        return [name.strip() for name in groups.split(",") if name.strip()]

    def is_administrator(self, username: str) -> bool:
        """Whether that is Rocket.Chat's own administrator, who belongs in every room."""
        return username.lower() == self.chat.admin.username.lower()

    def user(self, username: str) -> User:
        """The canonical user of that name; KeyError if there is none."""
        return {user.username: user for user in self.users}[username]

    def channel(self, name: str) -> Channel:
        """The channel of that name; KeyError if there is none."""
        return {channel.name: channel for channel in self.channels}[name]

    @property
    def subscriptions(self) -> tuple[tuple[User, Channel], ...]:
        """Who belongs where: one pair per membership."""
        return tuple((user, self.channel(name)) for user in self.users for name in user.channels)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every password and secret in clear text, for scrubbing evidence."""
        return (
            self.provider.secret,
            self.chat.admin.secret,
            *(user.secret for user in self.users),
            *(str(value) for name, value in self.settings.items() if is_secret(name)),
        )

    @property
    def own_provider_url(self) -> str | None:
        """Where Rocket.Chat's server reaches the site, if that is not where browsers do."""
        return self.provider.url if self.provider.url != self.site.url else None

    def at(self, *, site_url: str, chat_url: str, provider_url: str | None = None) -> Contract:
        """The same contract on other addresses, e.g. the free ports of an embedded stack.

        `site_url` and `chat_url` are what a browser opens. `provider_url` is where Rocket.Chat's *server*
        reaches the site, which differs when Rocket.Chat runs in a container.
        """
        site_url, chat_url = address.normal(site_url), address.normal(chat_url)
        moved = ways.moved(self.settings, self.site.url, site_url)
        if "Site_Url" in self.settings:
            moved["Site_Url"] = chat_url
        return self.model_copy(
            update={
                "site": self.site.model_copy(update={"url": site_url}),
                "chat": self.chat.model_copy(update={"url": chat_url}),
                "provider": self.provider.model_copy(
                    update={"url": address.normal(provider_url or site_url)}
                ),
                "settings": self.settings | moved,
            }
        )


def load(path: Path | None = None, overlays: Sequence[Path] | None = None) -> Contract:
    """Read the contract from `path`, from the file that `BESEDKA_CONTRACT` names, or from besedka.toml.

    `overlays` change it (`besedka/overlays.py`); without them those that `BESEDKA_CONTRACT_OVERLAYS` lists,
    separated as in PATH. Raises ContractError naming each wrong key with its place in the file.
    """
    path = path or Path(os.environ.get(CONTRACT_ENV) or CONTRACT_FILE)
    if overlays is None:
        listed = os.environ.get(OVERLAYS_ENV, "").split(os.pathsep)
        overlays = [Path(name) for name in listed if name]
    raw = merged(read(path), overlays)
    try:
        return Contract.model_validate(raw)
    except ValidationError as error:
        places = ", ".join(map(str, (path, *overlays)))
        raise mistakes.as_error(error, raw, places, Contract) from None
