"""The providers that settings describe, and the rows that clients see of them.

`server/lib/oauth/updateOAuthServices.ts` and `server/configuration/oauth.ts`: half a second per setting and
two seconds after the last of them (no half second under TEST_MODE) the rows of
`meteor_accounts_loginServiceConfiguration` follow the settings. A provider that was enabled once stays
known to the process; without its row, its callback and its access tokens are refused.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import httpx
from pymongo.errors import PyMongoError

from standins.rocketchat.documents import random_id
from standins.rocketchat.oauth.provider import new_client
from standins.rocketchat.settings import setting_row

if TYPE_CHECKING:
    from pymongo.asynchronous.database import AsyncDatabase

    from standins.rocketchat.clock import Clock, Timer
    from standins.rocketchat.config import Config
    from standins.rocketchat.hub import Hub
    from standins.rocketchat.settings import Row, Settings

COLLECTION = "meteor_accounts_loginServiceConfiguration"
PREFIX = "Accounts_OAuth_Custom-"
_MAIN = re.compile(r"^(Accounts_OAuth_|Accounts_OAuth_Custom-)[a-z0-9_]+$", re.IGNORECASE)
_LOWER_CASE = re.compile(r"^Accounts_OAuth_Custom-[a-z0-9_]+")
_log = logging.getLogger("oauth")

# (suffix, key of the service row, type, default, more): `server/lib/oauth/addOAuthService.ts`.
_PREMIUM = {"enterprise": True, "modules": ["oauth-enterprise"]}
_SAMPLE = '{\n\t"rocket-admin": "admin",\n\t"tech-support": "support"\n}'
FIELDS: tuple[tuple[str, str, str, Any, dict[str, Any]], ...] = (
    ("url", "serverURL", "string", "", {"i18nLabel": "URL"}),
    ("token_path", "tokenPath", "string", "/oauth/token", {}),
    ("token_sent_via", "tokenSentVia", "select", "payload", {"values": ["header", "payload"]}),
    (
        "identity_token_sent_via",
        "identityTokenSentVia",
        "select",
        "default",
        {"values": ["default", "header", "payload"]},
    ),
    ("identity_path", "identityPath", "string", "/me", {}),
    ("authorize_path", "authorizePath", "string", "/oauth/authorize", {}),
    ("scope", "scope", "string", "openid", {}),
    ("access_token_param", "accessTokenParam", "string", "access_token", {}),
    ("id", "clientId", "string", "", {}),
    ("secret", "secret", "string", "", {"secret": True}),
    ("login_style", "loginStyle", "select", "popup", {"values": ["redirect", "popup", ""]}),
    ("button_label_text", "buttonLabelText", "string", "", {}),
    ("button_label_color", "buttonLabelColor", "string", "#FFFFFF", {}),
    ("button_color", "buttonColor", "string", "#1d74f5", {}),
    ("key_field", "keyField", "select", "username", {"values": ["username", "email"]}),
    ("username_field", "usernameField", "string", "", {}),
    ("email_field", "emailField", "string", "", {}),
    ("name_field", "nameField", "string", "", {}),
    ("avatar_field", "avatarField", "string", "", {}),
    ("roles_claim", "rolesClaim", "string", "roles", {**_PREMIUM, "invalidValue": "roles"}),
    ("groups_claim", "groupsClaim", "string", "groups", {**_PREMIUM, "invalidValue": "groups"}),
    ("map_channels", "mapChannels", "boolean", False, {**_PREMIUM, "invalidValue": False}),
    ("merge_roles", "mergeRoles", "boolean", False, {**_PREMIUM, "invalidValue": False}),
    ("roles_to_sync", "rolesToSync", "string", "", {**_PREMIUM, "invalidValue": ""}),
    ("merge_users", "mergeUsers", "boolean", False, {}),
    ("merge_users_distinct_services", "mergeUsersDistinctServices", "boolean", False, {}),
    ("show_button", "showButton", "boolean", True, {}),
    ("groups_channel_map", "channelsMap", "code", _SAMPLE, {}),
    ("channels_admin", "channelsAdmin", "string", "rocket.cat", {}),
)


def setting_name(name: str) -> str:
    """`Besedka` of `besedka`: lower case, nothing but letters, digits and underscores, capitalised."""
    return re.sub(r"[^a-z0-9_]", "", name.lower()).capitalize()


def provider_rows(name: str, environ: dict[str, str]) -> list[Row]:
    """The setting rows of one provider; `environ` holds initial values by suffix, `""` the main one."""
    main, section = PREFIX + setting_name(name), f"Custom OAuth: {setting_name(name)}"
    enabled = environ.get("") == "true"
    common: dict[str, Any] = {"group": "OAuth", "section": section, "persistent": True}
    rows = [setting_row(main, "boolean", enabled, **common, i18nLabel="Accounts_OAuth_Custom_Enable")]
    for suffix, _, kind, default, more in FIELDS:
        given: Any = environ.get(f"_{suffix}")
        given = (given == "true") if kind == "boolean" else given
        label = {"i18nLabel": f"Accounts_OAuth_Custom_{suffix.title()}"}
        rows.append(setting_row(f"{main}-{suffix}", kind, given or default, **(common | label | more)))
    return rows


class Services:
    """`known` are the providers enabled since the start, by service key."""

    def __init__(
        self, db: AsyncDatabase[dict[str, Any]], config: Config, settings: Settings, clock: Clock, hub: Hub
    ) -> None:
        self.collection = db[COLLECTION]
        self.known: dict[str, dict[str, Any]] = {}
        self.client: httpx.AsyncClient = new_client()
        self._config, self._settings, self._clock, self._hub = config, settings, clock, hub
        self._timer: Timer | None = None
        self._per_setting = 0.0 if config.test_mode else 0.5
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Boot: providers given by environment, then the rows, at once."""
        environ, marker = self._config.environ, "Accounts_OAuth_Custom_"
        for key in environ:
            name = key.removeprefix(marker)
            if key.startswith(marker) and re.fullmatch(r"[a-zA-Z0-9-]+", name):
                values = {
                    other.removeprefix(key): environ[other] for other in environ if other.startswith(key)
                }
                await self._settings.register(provider_rows(name, values))
        await self.update()
        self._settings.watch(self._changed)

    async def add(self, name: str) -> None:
        """Register a provider's settings; values that exist stay."""
        await self._settings.register(provider_rows(name, {}))

    async def remove(self, name: str) -> None:
        """Remove a provider's settings; its row follows when the settings' changes take effect."""
        main = PREFIX + setting_name(name)
        await self._settings.remove(main)
        self._changed(main, False)
        service = setting_name(name).lower()
        self._clock.call_later(self._per_setting + 2.0, lambda: self._run(self._remove(service)))

    async def find(self, service: str) -> dict[str, Any] | None:
        """The configuration of a provider that is known and has its row."""
        row = await self.collection.find_one({"service": service})
        return None if row is None or service not in self.known else self.known[service]

    async def public_rows(self) -> list[dict[str, Any]]:
        """The rows without secrets, as anybody may read them."""
        return [row async for row in self.collection.find({}, {"secret": 0})]

    def _changed(self, setting_id: str, value: Any) -> None:
        per_setting = self._per_setting
        if setting_id.startswith("Accounts_OAuth_"):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._clock.call_later(per_setting + 2.0, lambda: self._run(self.update()))
        if _LOWER_CASE.match(setting_id) and not value:
            service = setting_id.removeprefix(PREFIX).lower()
            self._clock.call_later(per_setting, lambda: self._run(self._remove(service)))

    def _run(self, work: Any) -> None:
        async def guarded() -> None:
            try:
                await work
            except PyMongoError:
                _log.exception("login services were not updated")

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def update(self) -> None:
        """Make the rows follow every boolean setting that looks like a provider, ghosts included."""
        for setting_id in self._settings.ids():
            value = self._settings.get(setting_id)
            if not _MAIN.match(setting_id) or not isinstance(value, bool):
                continue
            custom = setting_id.startswith(PREFIX)
            name = setting_id.removeprefix(PREFIX if custom else "Accounts_OAuth_")
            service = "meteor-developer" if name == "Meteor" else name.lower()
            if value:
                await self._store(service, self._read(setting_id, service, custom))
            else:
                await self._remove(service)

    def _read(self, setting_id: str, service: str, custom: bool) -> dict[str, Any]:
        get = self._settings.get
        if custom:
            data = {"custom": True} | {key: get(f"{setting_id}-{suffix}") for suffix, key, *_ in FIELDS}
            data = {key: value for key, value in data.items() if value is not None}
            self.known[service] = data | {"service": service}
            return data
        data = {"clientId": get(f"{setting_id}_id"), "secret": get(f"{setting_id}_secret")}
        return {key: value for key, value in data.items() if value is not None}

    async def _store(self, service: str, data: dict[str, Any]) -> None:
        old = await self.collection.find_one({"service": service})
        if old is not None and all(old.get(key) == value for key, value in data.items()):
            return
        row_id = old["_id"] if old else random_id()
        await self.collection.update_one(
            {"service": service}, {"$set": data, "$setOnInsert": {"_id": row_id}}, upsert=True
        )
        fields = {key: value for key, value in data.items() if key != "secret"} | {"service": service}
        self._hub.publish_document("changed" if old else "added", COLLECTION, row_id, fields)

    async def _remove(self, service: str) -> None:
        row = await self.collection.find_one_and_delete({"service": service})
        if row is not None:
            self._hub.publish_document("removed", COLLECTION, row["_id"])
