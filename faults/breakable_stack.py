"""A stack that faults may break: every way in, each with its undo."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import requests
from pymongo import MongoClient
from pymongo.database import Database

from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.contract import Contract
from besedka.errors import BesedkaError
from besedka.rocketchat import provider
from besedka.rocketchat.rest import RocketChat
from besedka.stacks.embedded import EmbeddedStack
from besedka.stacks.model import Stack
from besedka.values import SettingValue
from faults.proxied import ProxiedStack
from faults.proxy import Rule

Document = dict[str, Any]
HEALING_SECONDS = 10.0
# Rocket.Chat rebuilds the log-in service two seconds after the last write to one of the provider's rows
# (`services/custom-oauth`, a debounce). Nobody waits for that here: the stand-in's clock is moved on.
REBUILD_SECONDS = 3.0
MONGO_MILLISECONDS = 2000
LOGIN_SERVICES = "meteor_accounts_loginServiceConfiguration"
_COLOUR = "#0b5ed7"


class FaultError(BesedkaError):
    """A fault could not be put in, or could not be taken back."""

    exit_status = 55


def refused(where: str) -> FaultError:
    """The error for a stack that is not ours to break: faults lose data."""
    return FaultError(
        "a fault may not be put into this stack",
        expected="an embedded stack that this run has started",
        where=where,
        next_step="leave --stack out: pytest -m faults starts stacks of its own",
    )


@dataclass
class BreakableStack:
    """An embedded stack with every way to break it; each is a context manager that heals on leaving."""

    running: EmbeddedStack
    contract: Contract
    stack: Stack
    admin: RocketChat
    mongo: Database[Document]
    # Whether doctor may let a temporary user sign in, which takes a second.
    signs_in: bool = False

    @classmethod
    @contextmanager
    def of(cls, running: EmbeddedStack, contract: Contract) -> Iterator[Self]:
        """The breakable for a stack of our own. Any other stack is refused: faults lose data."""
        stack = running.stack
        if stack is None or stack.kind != "embedded" or stack.mongo_url is None:
            raise refused(stack.kind if stack else "a stack that was never started")
        here = stack.contract(contract)
        account = here.chat.admin
        admin = RocketChat.sign_in(stack.chat_url, account.username, account.secret)
        with MongoClient[Document](
            stack.mongo_url, directConnection=True, serverSelectionTimeoutMS=MONGO_MILLISECONDS
        ) as client:
            yield cls(running, here, stack, admin, client.get_default_database("rocketchat"))

    def examine(self) -> Report:
        """Ask doctor; a temporary user signs in only under a fault of the SSO hops."""
        target = replace(self.stack.target, may_write=self.signs_in, manage=self.running.manage)
        return examine(target, self.contract)

    def set(self, setting_id: str, value: SettingValue) -> None:
        """Write a setting as an administrator does; a row of the provider is live on return."""
        self.admin.post(f"settings/{setting_id}", value=value)
        if setting_id.startswith(provider.base_id(self.contract.provider)):
            self.move_clock(REBUILD_SECONDS)

    def move_clock(self, seconds: float) -> None:
        """Move the stand-in's clock on: what it would do after that time is done now.

        Rocket.Chat itself has no such thing; a breakable stack is embedded, where it is our stand-in.
        """
        answer = requests.post(
            f"{self.stack.chat_url}/__standin__/clock",
            json={"advance_seconds": seconds},
            timeout=HEALING_SECONDS,
        )
        answer.raise_for_status()

    @contextmanager
    def setting(self, setting_id: str, wrong: SettingValue) -> Iterator[None]:
        """A setting of Rocket.Chat holds another value."""
        right = self.admin.get(f"settings/{setting_id}")["value"]
        self.set(setting_id, wrong)
        try:
            yield
        finally:
            self.set(setting_id, right)

    @contextmanager
    def settled(self) -> Iterator[None]:
        """No rebuild of the log-in service is under way, which would undo a fault of its row.

        A rebuild follows each write to a setting of the provider. A colour that the contract says nothing
        about shows when it has been.
        """
        with self.setting(self.row("button_color"), _COLOUR):
            query = {"service": self.contract.provider.name, "buttonColor": _COLOUR}
            self.running.processes["rocketchat"].wait_until(
                lambda: self.mongo[LOGIN_SERVICES].find_one(query) is not None,
                budget=HEALING_SECONDS,
                expected="a log-in service made of the settings as they are now",
            )
            yield

    def row(self, suffix: str) -> str:
        """Id of a row of the OAuth provider."""
        return f"{provider.base_id(self.contract.provider)}-{suffix}"

    @contextmanager
    def inserted(self, collection: str, document: Document) -> Iterator[None]:
        """A document more."""
        self.mongo[collection].insert_one(dict(document))
        try:
            yield
        finally:
            self.mongo[collection].delete_one({"_id": document["_id"]})

    @contextmanager
    def removed(self, collection: str, query: Document) -> Iterator[None]:
        """A document less."""
        document = self.mongo[collection].find_one_and_delete(query)
        if document is None:
            raise self._no_document(collection, query)
        try:
            yield
        finally:
            self.mongo[collection].insert_one(document)

    @contextmanager
    def removed_all(self, collection: str, query: Document) -> Iterator[None]:
        """Every document of the query less, as a careless script or a partial restore leaves it."""
        kept = list(self.mongo[collection].find(query))
        if not kept:
            raise self._no_document(collection, query)
        self.mongo[collection].delete_many(query)
        try:
            yield
        finally:
            self.mongo[collection].insert_many(kept)

    @contextmanager
    def changed(self, collection: str, query: Document, update: Document) -> Iterator[None]:
        """A document changed by a Mongo update, behind Rocket.Chat's back."""
        document = self.mongo[collection].find_one(query)
        if document is None:
            raise self._no_document(collection, query)
        self.mongo[collection].update_one({"_id": document["_id"]}, update)
        try:
            yield
        finally:
            self.mongo[collection].replace_one({"_id": document["_id"]}, document)

    def site_value(self, table: str, key: tuple[str, object], column: str = "id") -> Any:
        """One value of the one row of that key in the site's database. Raises FaultError."""
        identifier, value = key
        statement = f"SELECT {column} FROM {table} WHERE {identifier} = ?"  # noqa: S608 - names from this package
        with closing(self._site_database()) as database:
            found = database.execute(statement, (value,)).fetchall()
        if len(found) != 1:
            raise FaultError(
                f"{len(found)} rows",
                expected="one row",
                where=f"{table}, {identifier}",
                next_step="run doctor on the healthy stack, then mend the fault that names its row so",
            )
        return found[0][0]

    def site_row(self, table: str, key: tuple[str, object]) -> Document:
        """A whole row of the site's database, its columns by name."""
        asked = f"SELECT * FROM {table} WHERE {key[0]} = ?"  # noqa: S608 - names from this package
        with closing(self._site_database()) as database:
            database.row_factory = sqlite3.Row
            return dict(database.execute(asked, (key[1],)).fetchone())

    @contextmanager
    def column(self, table: str, key: tuple[str, object], column: str, wrong: object) -> Iterator[None]:
        """One value in the site's database."""
        row_id = self.site_value(table, key)
        right = self.site_value(table, ("id", row_id), column)
        self._write(table, column, row_id, wrong)
        try:
            yield
        finally:
            self._write(table, column, row_id, right)

    @contextmanager
    def stopped(self, service: str) -> Iterator[None]:
        """A service does not run."""
        self.running.processes[service].stop()
        try:
            yield
        finally:
            self.running.restart(service)

    @contextmanager
    def site_told(self, **settings: object) -> Iterator[None]:
        """The site is started again with other settings of Django, as after a careless change of them."""
        environment = self.running.site_environment
        right = dict(environment)
        told = json.loads(right.get("SITE_SETTINGS") or "{}") | settings
        environment["SITE_SETTINGS"] = json.dumps(told)
        try:
            self.running.restart("site")
            yield
        finally:
            environment.clear()
            environment.update(right)
            self.running.restart("site")

    @contextmanager
    def ruled(self, service: str, *rules: Rule) -> Iterator[None]:
        """The proxy before `site` or `chat` follows these rules."""
        if not isinstance(self.running, ProxiedStack):
            raise FaultError(
                f"nothing stands before {service} that could follow a rule",
                expected="a stack whose services stand behind proxies",
                where=self.stack.folder,
                next_step="start the stack with faults.fresh.FreshStacks",
            )
        with ExitStack() as held:
            for rule in rules:
                held.enter_context(self.running.proxies[service].ruled(rule))
            yield

    @contextmanager
    def rows(self, table: str, *rows: Document) -> Iterator[None]:
        """Rows more in the site's database, all with the same columns and an `id`."""
        columns = ", ".join(rows[0])
        marks = ", ".join("?" for _ in rows[0])
        into = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - names from this package
        with closing(self._site_database()) as database, database:
            database.executemany(into, [tuple(row.values()) for row in rows])
        try:
            yield
        finally:
            gone = f"DELETE FROM {table} WHERE id = ?"  # noqa: S608 - names from this package
            with closing(self._site_database()) as database, database:
                database.executemany(gone, [(row["id"],) for row in rows])

    @contextmanager
    def emptied(self, table: str) -> Iterator[None]:
        """No row in a table of the site's database."""
        with closing(self._site_database()) as database, database:
            kept = database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - names from this package
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - names from this package
        try:
            yield
        finally:
            if kept:
                marks = ", ".join("?" for _ in kept[0])
                with closing(self._site_database()) as database, database:
                    database.executemany(f"INSERT INTO {table} VALUES ({marks})", kept)  # noqa: S608 - as above

    @contextmanager
    def table_renamed(self, table: str, away: str) -> Iterator[None]:
        """A table of the site's database is not there under its name."""
        self._rename(table, away)
        try:
            yield
        finally:
            self._rename(away, table)

    @contextmanager
    def seen_at(self, **addresses: str) -> Iterator[None]:
        """Doctor is given other addresses of the stack: fields of `Stack`."""
        right = self.stack
        self.stack = replace(right, **addresses)  # type: ignore[arg-type]
        try:
            yield
        finally:
            self.stack = right

    @property
    def site_file(self) -> Path:
        """The file of the site's database."""
        return Path(str(self.stack.site_database_url).removeprefix("sqlite:///"))

    def wait_until_healed(self) -> Report:
        """Doctor's report once it is clean, or the last one after ten seconds."""
        deadline = time.monotonic() + HEALING_SECONDS
        report = self.examine()
        while report.findings and time.monotonic() < deadline:
            report = self.examine()
        return report

    def _write(self, table: str, column: str, row_id: object, value: object) -> None:
        statement = f"UPDATE {table} SET {column} = ? WHERE id = ?"  # noqa: S608 - names from this package
        with closing(self._site_database()) as database, database:
            database.execute(statement, (value, row_id))

    def _rename(self, table: str, new: str) -> None:
        with closing(self._site_database()) as database, database:
            database.execute(f"ALTER TABLE {table} RENAME TO {new}")

    def _site_database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.site_file)

    @staticmethod
    def _no_document(collection: str, query: Document) -> FaultError:
        return FaultError(
            "the healthy stack lacks the document that the fault changes",
            expected=f"a document like {query}",
            where=collection,
            next_step="run doctor on the healthy stack",
        )
