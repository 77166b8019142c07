"""A stack that faults may break: every way in, each with its undo."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Self

from pymongo import MongoClient
from pymongo.database import Database

from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.contract import Contract, SettingValue
from besedka.errors import BesedkaError
from besedka.rocketchat import provider
from besedka.rocketchat.rest import RocketChat
from besedka.stack.embedded import EmbeddedStack
from besedka.stack.model import Stack

Document = dict[str, Any]
# Rocket.Chat rebuilds the log-in service some two seconds after the last write to one of its rows.
HEALING_SECONDS = 10.0


class FaultError(BesedkaError):
    """A fault could not be put in, or could not be taken back."""

    exit_status = 55


@dataclass
class Patient:
    """An embedded stack with every way to break it; each is a context manager that heals on leaving."""

    running: EmbeddedStack
    contract: Contract
    stack: Stack
    admin: RocketChat
    mongo: Database[Document]

    @classmethod
    @contextmanager
    def of(cls, running: EmbeddedStack, contract: Contract) -> Iterator[Self]:
        """The patient for a stack of our own. Any other stack is refused: faults lose data."""
        stack = running.stack
        if stack is None or stack.kind != "embedded" or stack.mongo_url is None:
            raise FaultError(
                "a fault may not be put into this stack",
                expected="an embedded stack that this run has started",
                where=stack.kind if stack else "a stack that was never started",
                next_step="run the faults without --stack",
            )
        here = stack.contract(contract)
        account = here.chat.admin
        admin = RocketChat.sign_in(stack.chat_url, account.username, account.secret)
        with MongoClient[Document](stack.mongo_url, directConnection=True) as client:
            yield cls(running, here, stack, admin, client.get_default_database("rocketchat"))

    def examine(self) -> Report:
        """Ask doctor, without a temporary user."""
        return examine(self.stack, self.contract, write=False)

    def set(self, setting_id: str, value: SettingValue) -> None:
        """Write a setting as an administrator does."""
        self.admin.post(f"settings/{setting_id}", value=value)

    @contextmanager
    def setting(self, setting_id: str, wrong: SettingValue) -> Iterator[None]:
        """A setting of Rocket.Chat holds another value."""
        right = self.admin.get(f"settings/{setting_id}")["value"]
        self.set(setting_id, wrong)
        try:
            yield
        finally:
            self.set(setting_id, right)

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

    @contextmanager
    def column(self, table: str, key: tuple[str, object], column: str, wrong: object) -> Iterator[None]:
        """One value in the site's database."""
        identifier, value = key
        where = f"FROM {table} WHERE {identifier} = ?"
        with closing(self._site_database()) as database:
            rows = database.execute(f"SELECT id, {column} {where}", (value,)).fetchall()
        if len(rows) != 1:
            raise FaultError(
                f"{len(rows)} rows",
                expected="one row",
                where=f"{table}, {identifier}",
                next_step="mend the fault",
            )
        row_id, right = rows[0]
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

    def wait_until_healed(self) -> Report:
        """Doctor's report once it is clean, or the last one after ten seconds."""
        deadline = time.monotonic() + HEALING_SECONDS
        report = self.examine()
        while report.findings and time.monotonic() < deadline:
            report = self.examine()
        return report

    def _write(self, table: str, column: str, row_id: int, value: object) -> None:
        statement = f"UPDATE {table} SET {column} = ? WHERE id = ?"  # noqa: S608 - names from this package
        with closing(self._site_database()) as database, database:
            database.execute(statement, (value, row_id))

    def _site_database(self) -> sqlite3.Connection:
        return sqlite3.connect(str(self.stack.site_database_url).removeprefix("sqlite:///"))

    @staticmethod
    def _no_document(collection: str, query: Document) -> FaultError:
        return FaultError(
            "the healthy stack lacks the document that the fault changes",
            expected=f"a document like {query}",
            where=collection,
            next_step="run doctor on the healthy stack",
        )
