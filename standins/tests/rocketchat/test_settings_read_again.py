"""The stand-in's settings where somebody writes while they are read again (versions that watch MongoDB)."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from pymongo.asynchronous.database import AsyncDatabase

from standins.rocketchat.clock import Clock
from standins.rocketchat.config import Config
from standins.rocketchat.hub import Hub
from standins.rocketchat.settings import Row, Settings

NAME = "Iframe_Restrict_Access"


class Collection:
    """MongoDB's collection of settings, and a call that comes while it is read."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {NAME: {"_id": NAME, "value": True}}
        self.meanwhile: Any = None

    def find(self) -> Collection:
        return self

    async def to_list(self) -> list[Row]:
        read = [dict(row) for row in self.rows.values()]
        if self.meanwhile:
            await self.meanwhile
        return read

    async def find_one_and_update(self, asked: Row, change: Row, **_: Any) -> Row:
        self.rows[NAME] = self.rows[NAME] | change["$set"]
        return dict(self.rows[NAME])


def settings(collection: Collection) -> Settings:
    database = cast("AsyncDatabase[Row]", {"rocketchat_settings": collection})
    return Settings(database, cast("Config", None), Clock(), Hub())


def test_a_value_that_a_call_sets_meanwhile_stays() -> None:
    async def asked() -> list[Any]:
        kept = settings(collection := Collection())
        await kept.read_again()
        collection.meanwhile = kept.set(NAME, False)
        await kept.read_again()
        return [kept.get(NAME), collection.rows[NAME]["value"]]

    assert asyncio.run(asked()) == [False, False]


def test_what_somebody_else_has_written_counts() -> None:
    async def asked() -> list[Any]:
        kept = settings(collection := Collection())
        await kept.read_again()
        collection.rows[NAME] = {"_id": NAME, "value": False}
        before = kept.get(NAME)
        await kept.read_again()
        return [before, kept.get(NAME)]

    assert asyncio.run(asked()) == [True, False]
