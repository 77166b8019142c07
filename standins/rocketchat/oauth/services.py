"""The providers that settings describe, and the rows that clients see of them.

`server/lib/oauth/updateOAuthServices.ts` and `server/configuration/oauth.ts`: the rows of
`meteor_accounts_loginServiceConfiguration` follow the settings. They wait half a second per setting (none
under TEST_MODE) and two seconds after the last. A provider that was enabled once stays known to the process.
Without its row, its callback and its access tokens are refused.
"""

import asyncio
import json
import logging
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from standins.rocketchat.clock import Clock, Timer
from standins.rocketchat.config import Config
from standins.rocketchat.documents import random_id
from standins.rocketchat.errors import PlainError
from standins.rocketchat.hub import Hub
from standins.rocketchat.oauth.provider import new_client
from standins.rocketchat.settings import Row, Settings, setting_row

COLLECTION = "meteor_accounts_loginServiceConfiguration"
PREFIX = "Accounts_OAuth_Custom-"
# The switch of the flow (8.7) is no service; what Rocket.Chat itself makes of that row is unknown.
_MAIN = re.compile(r"^Accounts_OAuth_(?!Use_Modern_Flow$)(Custom-)?[a-z0-9_]+$", re.IGNORECASE)
_LOWER_CASE = re.compile(r"^Accounts_OAuth_Custom-[a-z0-9_]+")
_FIELDS = json.loads(Path(__file__).with_name("fields.json").read_text(encoding="utf-8"))["fields"]
_SETTLED_SECONDS = 2.0
_log = logging.getLogger("oauth")


def setting_name(name: str) -> str:
    """`Besedka` of `besedka`: lower case, nothing but letters, digits and underscores, capitalised."""
    return re.sub(r"[^a-z0-9_]", "", name.lower()).capitalize()


def provider_rows(name: str, environ: dict[str, str], *, premium: bool = False) -> list[Row]:
    """The setting rows of one provider; `environ` holds initial values by suffix, `""` the main one.

    `premium`: without a licence the main row reads as false, as from 9.0 on (pull request 42477).
    """
    main, section = PREFIX + setting_name(name), f"Custom OAuth: {setting_name(name)}"
    common: dict[str, Any] = {"group": "OAuth", "section": section, "persistent": True}
    enabled, label = environ.get("") == "true", {"i18nLabel": "Accounts_OAuth_Custom_Enable"}
    bound: dict[str, Any] = (
        {"enterprise": True, "modules": ["oauth-enterprise"], "invalidValue": False} if premium else {}
    )
    rows = [setting_row(main, "boolean", enabled, **common, **label, **bound)]
    for suffix, _, kind, default, *more in _FIELDS:
        given: Any = environ.get(f"_{suffix}")
        given = (given == "true") if kind == "boolean" else given
        fields = common | {"i18nLabel": f"Accounts_OAuth_Custom_{suffix.title()}"} | (more[0] if more else {})
        rows.append(setting_row(f"{main}-{suffix}", kind, given or default, **fields))
    return rows


class Services:
    """`known` are the providers enabled since the start, by service key."""

    def __init__(
        self, db: AsyncDatabase[dict[str, Any]], config: Config, settings: Settings, clock: Clock, hub: Hub
    ) -> None:
        self.collection, self.client = db[COLLECTION], new_client()
        self._users = db["users"]
        self.known: dict[str, dict[str, Any]] = {}
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
                values = {it.removeprefix(key): value for it, value in environ.items() if it.startswith(key)}
                await self._settings.register(provider_rows(name, values, premium=self._config.since(9)))
        await self.update()
        self._settings.watch(self._changed)

    async def add(self, name: str) -> None:
        """Register a provider's settings; values that exist stay."""
        await self._settings.register(provider_rows(name, {}, premium=self._config.since(9)))

    async def remove(self, name: str) -> None:
        """Remove a provider's settings; whatever row is still there stays, as nothing takes it away then.

        So does an enabled one, and one disabled less than two seconds before (measured on 6.5.3;
        unknown for later versions), and one without settings (measured on 6.13.0).
        """
        await self._settings.remove(PREFIX + setting_name(name))

    async def find(self, service: str) -> dict[str, Any]:
        """The configuration of a provider that is known and has its row; raises PlainError without.

        Client id and secret are the row's at every exchange, however written; all else is what the process
        keeps since the settings last changed (`getAccessToken` and `configure` of
        `app/custom-oauth/server/custom_oauth_server.js`).
        """
        row = await self.collection.find_one({"service": service})
        if row is None:
            raise PlainError(f"Service {service} not configured")
        return self.known[service] | {"clientId": row.get("clientId"), "secret": row.get("secret")}

    async def public_rows(self) -> list[dict[str, Any]]:
        """The rows without secrets, as anybody may read them."""
        return await self.collection.find({}, {"secret": 0}).to_list()

    def _changed(self, setting_id: str, value: Any) -> None:
        if setting_id.startswith("Accounts_OAuth_"):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._later(self._per_setting + _SETTLED_SECONDS, self.update)
        if _LOWER_CASE.match(setting_id) and not value:
            self._later(self._per_setting, self._remove, setting_id.removeprefix(PREFIX).lower())

    def _later(self, seconds: float, work: Any, *args: str) -> Timer:
        def begin() -> None:
            task = asyncio.get_running_loop().create_task(self._guarded(work(*args)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return self._clock.call_later(seconds, begin)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except PyMongoError:
            _log.exception("login services were not updated")

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
                if custom and service not in self.known:
                    await self._link_once(service)
                await self._store(service, self._read(setting_id, service, custom))
            else:
                await self._remove(service)

    def _read(self, setting_id: str, service: str, custom: bool) -> dict[str, Any]:
        get = self._settings.get
        data = {"clientId": get(f"{setting_id}_id"), "secret": get(f"{setting_id}_secret")}
        if custom:
            data = {"custom": True} | {key: get(f"{setting_id}-{suffix}") for suffix, key, *_ in _FIELDS}
        data = {key: value for key, value in data.items() if value is not None}
        if custom:
            self.known[service] = data | {"service": service}
        return data

    async def _link_once(self, service: str) -> None:
        """One account for one identity (`accounts-oauth`, registerService; measured on 6.13.0)."""
        try:
            await self._users.create_index([(f"services.{service}.id", 1)], unique=True, sparse=True)
        except PyMongoError as error:
            _log.warning("two accounts have one identity of %s: %s", service, error)

    async def _store(self, service: str, data: dict[str, Any]) -> None:
        old = await self.collection.find_one({"service": service})
        if old is not None and all(old.get(key) == value for key, value in data.items()):
            return
        row_id = old["_id"] if old else random_id()
        change = {"$set": data, "$setOnInsert": {"_id": row_id}}
        await self.collection.update_one({"service": service}, change, upsert=True)
        fields = {key: value for key, value in data.items() if key != "secret"} | {"service": service}
        self._hub.publish_document("changed" if old else "added", COLLECTION, row_id, fields)

    async def _remove(self, service: str) -> None:
        row = await self.collection.find_one_and_delete({"service": service})
        if row is not None:
            self._hub.publish_document("removed", COLLECTION, row["_id"])
