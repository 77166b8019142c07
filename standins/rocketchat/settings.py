"""Rocket.Chat's settings: rows in Mongo, and the copy in memory that alone is effective.

A write through the API changes `value` in Mongo and the copy. A write straight into Mongo changes
nothing here until a restart, unless database watchers run (see `Config.watches_database`). Values are
not checked against the row's type. Without a licence a row marked `enterprise` reads as its
`invalidValue` whatever it holds (`app/settings/server/CachedSettings.ts`, `ee/app/settings/server`).
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from standins.rocketchat.clock import Clock
from standins.rocketchat.config import Config
from standins.rocketchat.documents import random_id
from standins.rocketchat.hub import Hub

Row = dict[str, Any]
Watcher = Callable[[str, Any], object]
# The second holds what a web client reads beside the first, the third what a contract may declare as well.
_DATA = [Path(__file__).with_name(f"settings-{part}.json") for part in ("7.7.1", "6.5.3", "7.7.1-more")]
# Rows that came with a later version, by the first that has them.
_LATER = {
    "email_available_for_OAuth_users": (6, 13),
    # server/settings/oauth.ts; the release has pull request 40721.
    "Accounts_OAuth_Use_Modern_Flow": (8, 7),
}
# False once Site_Url has changed, back again included: administrators are asked about it
# (server/settings/misc.ts of 6.5.3 and 7.7.1; seen on a running 6.5.3).
_VERIFIED = "Deployment_FingerPrint_Verified"
_WATCH_SECONDS = 0.3
_PUBLIC_FIELDS = ("enterprise", "invalidValue", "modules", "_updatedAt")
# `server/settings/settingsRegenerator.ts` removes rows that lack all of these.
_MARKS = ("value", "type", "public", "packageValue", "blocked", "sorter", "i18nLabel")
_log = logging.getLogger("settings")


def setting_row(
    setting_id: str, kind: str, default: Any, *, group: str = "", section: str = "", **more: Any
) -> Row:
    """A registered row without its times; `more` overrides or adds fields (public, enterprise, ...)."""
    row: Row = {"_id": setting_id, "value": default, "packageValue": default, "valueSource": "packageValue"}
    row |= {"type": kind, "sorter": 0, "autocomplete": True, "i18nLabel": setting_id}
    row |= dict.fromkeys(("public", "hidden", "blocked", "secret", "requiredOnWizard"), False)
    row |= {"i18nDescription": f"{setting_id}_Description"}
    row |= {name: value for name, value in (("group", group), ("section", section)) if value}
    return row | more


def packaged_rows(config: Config) -> Iterable[Row]:
    """Rows that a fresh server registers by itself."""
    # The only defaults that are no constants; pictures are for who is signed in since 6.12 (PR #33035).
    made: Row = {"Site_Url": config.root_url, "uniqueID": random_id()}
    made["Accounts_AvatarBlockUnauthenticatedAccess"] = config.since(6, 12)
    for part in (part for file in _DATA for part in json.loads(file.read_text(encoding="utf-8"))["groups"]):
        place = {"group": part["group"], "section": part["section"]}
        for setting_id, kind, public, default, *more in part["settings"]:
            if all(config.since(*version) for end, version in _LATER.items() if setting_id.endswith(end)):
                fields = place | {"public": public} | (more[0] if more else {})
                yield setting_row(setting_id, kind, made.get(setting_id, default), **fields)


def _parse(text: str, kind: str) -> Any:
    """An environment value in the row's type (`app/settings/server/functions/convertValue.ts`)."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    with contextlib.suppress(ValueError):
        return int(text) if kind == "int" else text
    return text


def _is_public(row: Row) -> bool:
    return bool(row.get("public")) and not row.get("hidden")


class Settings:
    """`get(id)` is a dictionary look-up; unknown ids give None."""

    def __init__(self, db: AsyncDatabase[Row], config: Config, clock: Clock, hub: Hub) -> None:
        self.collection = db["rocketchat_settings"]
        self._config, self._clock, self._hub = config, clock, hub
        self._rows: dict[str, Row] = {}
        self._watchers: list[Watcher] = []
        self._poll: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Boot: drop rows that are none, read the rest, register what is missing, apply the environment."""
        await self.collection.delete_many({mark: {"$exists": False} for mark in _MARKS})
        self._rows = {row["_id"]: row async for row in self.collection.find()}
        await self.register(packaged_rows(self._config))
        if self._config.watches_database:
            self._poll = asyncio.create_task(self._follow())

    async def register(self, rows: Iterable[Row]) -> None:
        """Insert rows that are missing; existing values stay, but `OVERWRITE_SETTING_<id>` wins over both."""
        now, environ = self._clock.now(), self._config.environ
        missing: dict[str, Row] = {}
        for row in rows:
            setting_id = row["_id"]
            stored = self._rows.get(setting_id)
            if stored is None or "packageValue" not in stored:
                if setting_id in environ:
                    value = _parse(environ[setting_id], row["type"])
                    row |= {"value": value, "packageValue": value, "processEnvValue": value}
                row |= {"ts": now, "createdAt": now, "_updatedAt": now}
                if stored is None:
                    missing[setting_id] = row
                else:
                    row["value"] = stored.get("value", row["value"])
                    await self.collection.replace_one({"_id": setting_id}, row)
                self._rows[setting_id] = stored = row
            forced = environ.get(f"OVERWRITE_SETTING_{setting_id}")
            if forced is not None:
                value = _parse(forced, row["type"])
                change = {"value": value, "processEnvValue": value, "valueSource": "processEnvValue"}
                differs = any(stored.get(name) != given for name, given in change.items())
                stored |= change
                if differs and setting_id not in missing:
                    await self.collection.update_one({"_id": setting_id}, {"$set": change})
        if missing:
            await self.collection.insert_many(missing.values())
        for row in missing.values():
            self._announce(row)

    def get(self, setting_id: str) -> Any:
        """The effective value."""
        return self.effective(self._rows.get(setting_id, {}))

    def effective(self, row: Row) -> Any:
        """A row's value as an unlicensed server reads it."""
        return row.get("invalidValue") if row.get("enterprise") else row.get("value")

    def ids(self) -> list[str]:
        """All ids in the order of registration."""
        return list(self._rows)

    def public_rows(self) -> list[Row]:
        """What every client gets: `{_id, value, _updatedAt, ...}` of public rows that are not hidden."""
        return [self._public(row) for row in self._rows.values() if _is_public(row)]

    def private_rows(self) -> list[Row]:
        """The rows that the administration pages get beside the public ones."""
        return [row for row in self._rows.values() if not row.get("public") and not row.get("hidden")]

    def _public(self, row: Row) -> Row:
        fields = {name: row[name] for name in _PUBLIC_FIELDS if name in row}
        return {"_id": row["_id"], "value": self.effective(row), **fields}

    async def set(self, setting_id: str, value: Any, *, hidden: bool = False) -> bool:
        """Write `value` alone; False if there is no such row or it is blocked, or hidden unless `hidden`."""
        change = {"$set": {"value": value, "_updatedAt": self._clock.now()}}
        open_row = {"_id": setting_id, "blocked": {"$ne": True}}
        open_row |= {} if hidden else {"hidden": {"$ne": True}}
        before = self._rows.get(setting_id, {}).get("value")
        found = await self.collection.find_one_and_update(open_row, change, return_document=True)
        if found is not None:
            self._rows[setting_id] = found
            self._announce(found)
            if setting_id == "Site_Url" and value != before:
                await self.force(_VERIFIED, False)
        return found is not None

    async def force(self, setting_id: str, value: Any) -> None:
        """Write a value of the server's own, hidden or not."""
        await self.collection.update_one({"_id": setting_id}, {"$set": {"value": value}})
        self._rows[setting_id] = self._rows[setting_id] | {"value": value}
        self._announce(self._rows[setting_id])

    async def remove(self, main: str) -> None:
        """Remove a row and those that belong to it, `<main>-<suffix>`."""
        for setting_id in [known for known in self._rows if known == main or known.startswith(f"{main}-")]:
            row = self._rows.pop(setting_id)
            await self.collection.delete_one({"_id": setting_id})
            if row.get("public"):
                self._publish("removed", row)

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher(id, value)` after each change that is effective."""
        self._watchers.append(watcher)

    def _publish(self, action: str, row: Row) -> None:
        self._hub.publish("stream-notify-all", "public-settings-changed", action, self._public(row))

    def _announce(self, row: Row) -> None:
        if _is_public(row):
            self._publish("updated", row)
        self._hub.publish("stream-notify-logged", "private-settings-changed", "updated", row)
        for watcher in self._watchers:
            watcher(row["_id"], self.effective(row))

    async def _follow(self) -> None:
        """Stands for the change streams of versions whose database watchers are on."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                await self.read_again()
            except PyMongoError as error:
                _log.warning("settings were not re-read: %s", error)

    async def read_again(self) -> None:
        """Take over what somebody else has written; a row that a call changes meanwhile is newer."""
        before = dict(self._rows)
        for row in await self.collection.find().to_list():
            known = self._rows.get(row["_id"])
            meanwhile = known is not before.get(row["_id"])
            if not meanwhile and (known is None or known.get("value") != row.get("value")):
                self._rows[row["_id"]] = row
                self._announce(row)
