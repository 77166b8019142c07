"""Reads of the site's own database: OAuth application, grants, access tokens, users.

Tables and columns are those of `[site.adapter]`; the user table is the one that grants point to. SQLite is
opened read-only, PostgreSQL in a read-only transaction.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import sqlite3
import uuid
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from besedka import database_url
from besedka.adapter import TEMPORARY_PREFIX, Adapter, AdapterRowError, Column
from besedka.errors import ServiceUnreachableError

Row = dict[str, Any]


@dataclass(frozen=True)
class AccessToken:
    """A bearer token the site issued. `expires` is aware UTC."""

    token: str = field(repr=False)
    scope: str
    expires: datetime
    application_client_id: str


@dataclass(frozen=True)
class Grant:
    """An authorization code that has not been exchanged yet."""

    code: str = field(repr=False)
    redirect_uri: str
    scope: str
    expires: datetime
    application_client_id: str


@dataclass(frozen=True)
class Application:
    """A client of the site's OAuth provider; `client_secret` as stored, which may be a hash."""

    client_id: str
    client_secret: str = field(repr=False)
    client_type: str
    authorization_grant_type: str
    redirect_uris: tuple[str, ...]
    skip_authorization: bool
    hash_client_secret: bool
    name: str


# Far more than the 16 MiB that Django takes (ScryptPasswordHasher, work_factor).
_SCRYPT_BYTES = 256 * 1024 * 1024
_UUID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class SiteUser:
    """An account of the site; `password` is Django's encoded hash. `role` and `full_name` are
    None if there is no such column."""

    id: int | str
    username: str
    email: str
    is_active: bool
    role: str | None
    full_name: str | None
    password: str = field(repr=False)


def named(username: str, users: Collection[SiteUser]) -> SiteUser | None:
    """The account of that name; where there is none, one whose name differs in capitals alone."""
    return next((user for user in users if user.username == username), None) or next(
        (user for user in users if user.username.lower() == username.lower()), None
    )


class SiteDatabase:
    """The database behind a Django `DATABASE_URL`: `sqlite:///path` or `postgres://…`.

    Raises ServiceUnreachableError when it cannot be opened or a table is missing.
    """

    def __init__(self, url: str, *, adapter: Adapter | None = None, timeout: float = 5.0) -> None:
        self._timeout = timeout
        adapter = adapter or Adapter()
        self._tables, self._columns = adapter.tables, adapter.columns
        self._sqlite = url.startswith("sqlite:")
        # dj-database-url: three slashes for a relative path, four for an absolute one.
        self._file = database_url.file(url) if self._sqlite else ""
        self._url = url if self._sqlite else database_url.for_postgres(url)
        self._held: psycopg.Connection[Row] | None = None
        self.where = database_url.shown(url)

    def access_tokens(self, username: str | None = None) -> list[AccessToken]:
        """Access tokens of that user (None: of everybody), newest first."""
        rows = self._owned("access_token", username)
        return [
            AccessToken(row["token"], row["scope"], _moment(row["expires"]), row["client_id"]) for row in rows
        ]

    def grants(self, username: str | None = None) -> list[Grant]:
        """Codes issued and not exchanged, newest first."""
        return [
            Grant(row["code"], row["redirect_uri"], row["scope"], _moment(row["expires"]), row["client_id"])
            for row in self._owned("grant", username)
        ]

    def application(self, client_id: str) -> Application | None:
        """The OAuth application with that client id."""
        table = self._table("application")
        rows = self._rows(f"SELECT * FROM {table} WHERE client_id = ?", client_id)  # noqa: S608 - a table
        return _application(rows[0]) if rows else None

    def applications(self) -> list[Application]:
        """Every OAuth application."""
        table = self._table("application")
        return [_application(row) for row in self._rows(f"SELECT * FROM {table}")]  # noqa: S608 - a table

    def users(self) -> list[SiteUser]:
        """Every account, by id."""
        own = self._columns
        id_column = self._column("id")
        rows = self._rows(f"SELECT * FROM {self._user_table} ORDER BY {id_column}")  # noqa: S608 - names
        return [
            SiteUser(
                _as_told(row[id_column]),
                row[self._column("username")],
                row[self._column("email")],
                bool(row[own.is_active or "is_active"]) if self._has("is_active", own.is_active) else True,
                row[own.role or "role"] if self._has("role", own.role) else None,
                _joined(row, own.full_name or "full_name") if self._has("full_name", own.full_name) else None,
                row[self._column("password")],
            )
            for row in rows
        ]

    def is_empty(self) -> bool:
        """Whether it has no table at all: the site's migrations have never run on it, or it was lost."""
        if self._sqlite:
            return not (Path(self._file).exists() and self._rows("SELECT 1 FROM sqlite_master LIMIT 1"))
        own = "schemaname NOT IN ('pg_catalog', 'information_schema')"
        return not self._rows(f"SELECT 1 FROM pg_tables WHERE {own} LIMIT 1")  # noqa: S608 - no value in it

    @contextmanager
    def snapshot(self) -> Iterator[str]:
        """Let every read in the block see PostgreSQL as it is now; gives what `pg_dump --snapshot` takes."""
        try:
            connection = psycopg.connect(self._url, connect_timeout=int(self._timeout), row_factory=dict_row)
            with closing(connection):
                connection.read_only = True
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                row = connection.execute("SELECT pg_export_snapshot() AS name").fetchone()
                self._held = connection
                yield str(row["name"]) if row else ""
        except psycopg.Error as error:
            raise self._unreadable(database_url.driver_reason(error, self._url)) from error
        finally:
            self._held = None

    def expire_grant(self, code: str) -> None:
        """Let the code of a `temp_*` user be past its time; LookupError if there is no such code.

        This and the two below are the only writes: what a test cannot wait for, done to temporary users.
        """
        self._change_temporary("grant", "code", code, "expires", self._past())

    def expire_token(self, token: str) -> None:
        """Let the access token of a `temp_*` user be past its time; LookupError if there is none."""
        self._change_temporary("access_token", "token", token, "expires", self._past())

    def rescope_token(self, token: str, scope: str) -> None:
        """Give the access token of a `temp_*` user another scope; LookupError if there is none."""
        self._change_temporary("access_token", "token", token, "scope", scope)

    def _past(self) -> object:
        past = datetime(2000, 1, 1, tzinfo=UTC)
        return past.strftime("%Y-%m-%d %H:%M:%S") if self._sqlite else past

    def _change_temporary(self, row: str, key: str, identifier: str, column: str, value: object) -> None:
        table, name = self._table(row), self._column("username")
        sql = (
            f"UPDATE {table} SET {column} = ? WHERE {key} = ? AND user_id IN "  # noqa: S608 - names of ours
            f"(SELECT {self._column('id')} FROM {self._user_table} WHERE substr({name}, 1, ?) = ?)"
        )
        with self._connection(write=True) as connection:
            cursor = connection.cursor()
            values = (value, identifier, len(TEMPORARY_PREFIX), TEMPORARY_PREFIX)
            cursor.execute(self._dialect(sql), values)
            if cursor.rowcount != 1:
                raise LookupError(f"no row of {table} with that {key} belongs to a temp_* user")
            connection.commit()

    def _owned(self, row: str, username: str | None) -> list[Row]:
        sql = (
            f"SELECT t.*, a.client_id FROM {self._table(row)} t "  # noqa: S608 - table names
            f"JOIN {self._table('application')} a ON a.id = t.application_id "
            f"JOIN {self._user_table} u ON u.{self._column('id')} = t.user_id "
        )
        if username is None:
            return self._rows(sql + "ORDER BY t.id DESC")
        name = self._column("username")
        return self._rows(sql + f"WHERE u.{name} = ? ORDER BY t.id DESC", username)

    def _table(self, row: str) -> str:
        """The table of that row; AdapterRowError where the adapter names one that is not there."""
        name = str(getattr(self._tables, row))
        if row in self._tables.model_fields_set and not self._columns_of(name):
            raise AdapterRowError(f"adapter.tables.{row}", name, "the site's database has no such table")
        return name

    def _column(self, row: str) -> str:
        """The column of the user table for that row; AdapterRowError where there is none."""
        name = str(getattr(self._columns, row))
        self._has(row, name)
        return name

    def _has(self, row: str, column: Column | None) -> bool:
        """Whether the user table has it. AdapterRowError where the adapter, or Django, says so wrongly."""
        if column is False:
            return False
        known = self._columns_of(self._user_table)
        missing = [name for name in _names(column or row) if name not in known]
        if missing and column is not None:
            found = f"the table {self._user_table} has no column {missing[0]}"
            raise AdapterRowError(
                f"adapter.columns.{row}", column, found, expected=f"one of {', '.join(sorted(known))}"
            )
        return not missing

    def _columns_of(self, table: str) -> frozenset[str]:
        """The columns of a table, quoted names unquoted; none where there is no such table."""
        if table not in self._known_columns:
            name = table.rpartition(".")[2].strip('"')
            if self._sqlite:
                rows = self._rows("SELECT name FROM pragma_table_info(?)", name)
            else:
                # As a query finds the table: by the search path, unless a schema is named.
                rows = self._rows(
                    "SELECT attname AS name FROM pg_attribute "
                    "WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped",
                    table,
                )
            self._known_columns[table] = frozenset(str(row["name"]) for row in rows)
        return self._known_columns[table]

    @cached_property
    def _known_columns(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _user_table(self) -> str:
        if self._tables.user:
            return self._table("user")
        grants = self._table("grant")
        if self._sqlite:
            keys = self._rows("SELECT * FROM pragma_foreign_key_list(?)", grants)
            found = [row["table"] for row in keys if row["from"] == "user_id"]
        else:
            keys = self._rows(
                "SELECT c.confrelid::regclass::text AS name FROM pg_constraint c "
                "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] "
                "WHERE c.conrelid = to_regclass(?) AND c.contype = 'f' AND a.attname = 'user_id'",
                grants,
            )
            found = [row["name"] for row in keys]
        if not found:
            raise self._unreadable(
                f"table {grants} with its user is missing",
                "is this the site's DATABASE_URL, migrated, and are [site.adapter.tables] its tables? "
                "A site without django-oauth-toolkit "
                "says [site.features] oauth_tables = false, and names its users: [site.adapter] tables.user",
            )
        return str(found[0])

    def _rows(self, sql: str, *values: object) -> list[Row]:
        try:
            with self._connection() as connection:
                cursor = connection.cursor()
                cursor.execute(self._dialect(sql), values)
                return [dict(row) for row in cursor.fetchall()]
        except (sqlite3.Error, psycopg.Error) as error:
            raise self._unreadable(database_url.driver_reason(error, self._url)) from error

    def _dialect(self, sql: str) -> str:
        return sql if self._sqlite else sql.replace("?", "%s")

    @contextmanager
    def _connection(self, *, write: bool = False) -> Iterator[Any]:
        if self._sqlite:
            mode = "rw" if write else "ro"
            with closing(
                sqlite3.connect(f"file:{self._file}?mode={mode}", uri=True, timeout=self._timeout)
            ) as lite:
                lite.row_factory = sqlite3.Row
                yield lite
            return
        if self._held:
            yield self._held
            return
        connection = psycopg.connect(self._url, connect_timeout=int(self._timeout), row_factory=dict_row)
        with closing(connection):
            connection.read_only = not write
            yield connection

    def _unreadable(self, found: str, next_step: str = "") -> ServiceUnreachableError:
        return ServiceUnreachableError(
            f"the site's database cannot be read: {found}",
            expected="the migrated database of the running site",
            where=self.where,
            next_step=next_step
            or "is this the site's DATABASE_URL, is it migrated (`manage.py migrate --check`), "
            "and are [site.adapter.tables] of besedka.toml its tables?",
        )


def verified(secret: str, encoded: str) -> bool | None:
    """Django's comparison of a password with its hash; None for an algorithm that is not reckoned here.

    An unusable password begins with `!` (django/contrib/auth/hashers.py).
    """
    if encoded.startswith("!") or not encoded:
        return False
    algorithm, _, rest = encoded.partition("$")
    digest = rest.rpartition("$")[2]
    raw = _reckoned(algorithm, secret, rest)
    return None if raw is None else hmac.compare_digest(base64.b64encode(raw).decode().strip(), digest)


def _reckoned(algorithm: str, secret: str, rest: str) -> bytes | None:
    """The secret's digest by that algorithm and what stands behind it; None for any other algorithm."""
    fields = rest.split("$")
    if algorithm in {"pbkdf2_sha256", "pbkdf2_sha1"}:
        rounds, salt, _ = fields
        return hashlib.pbkdf2_hmac(algorithm[7:], secret.encode(), salt.encode(), int(rounds))
    if algorithm == "scrypt":
        work, salt, block, parallel, _ = fields
        costs = {"n": int(work), "r": int(block), "p": int(parallel)}
        return hashlib.scrypt(secret.encode(), salt=salt.encode(), maxmem=_SCRYPT_BYTES, dklen=64, **costs)
    return None


def _names(column: Column) -> tuple[str, ...]:
    return column if isinstance(column, tuple) else (str(column),)


def _as_told(value: Any) -> Any:
    """The id as the site's code says it: SQLite has no UUID, so Django keeps one as 32 figures."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        return value
    return str(uuid.UUID(value))


def _joined(row: Row, column: Column) -> str | None:
    """The columns' texts with a blank between; None where all are empty in the database's sense."""
    values = [row[name] for name in _names(column)]
    return " ".join(str(value) for value in values if value).strip() if any(values) else values[0]


def _application(row: Row) -> Application:
    return Application(
        row["client_id"],
        row["client_secret"],
        row["client_type"],
        row["authorization_grant_type"],
        tuple(row["redirect_uris"].split()),
        bool(row["skip_authorization"]),
        # Older than django-oauth-toolkit 2.4: always hashed.
        bool(row.get("hash_client_secret", True)),
        row["name"],
    )


def _moment(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
