"""The site's database: count, dump and restore; SQLite by its backup, PostgreSQL by pg_dump."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from besedka.errors import ServiceUnreachableError
from besedka.restart.errors import DumpFailedError
from besedka.restart.services import Services
from besedka.restart.stock import Stock
from besedka.site_database import SiteDatabase

CONNECT_SECONDS = 5


def is_sqlite(url: str) -> bool:
    """Whether the site keeps its data in a file."""
    return urlsplit(url).scheme == "sqlite"


def count(url: str, stock: Stock) -> None:
    """Add the site's accounts to the stock."""
    stock.add_site_users((user.id, user.username, astuple(user)) for user in SiteDatabase(url).users())


def answers(url: str) -> bool:
    """Whether PostgreSQL takes a log-in and answers a query; a SQLite file always does."""
    if is_sqlite(url):
        return True
    try:
        with closing(psycopg.connect(url, connect_timeout=CONNECT_SECONDS)) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def size(url: str) -> int:
    """Bytes on disk; the dump is smaller."""
    if is_sqlite(url):
        return _file(url).stat().st_size if _file(url).exists() else 0
    try:
        with closing(psycopg.connect(url, connect_timeout=CONNECT_SECONDS)) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            return int(row[0]) if row else 0
    except psycopg.Error as error:
        raise ServiceUnreachableError(
            f"PostgreSQL did not say its size: {str(error).strip().partition(chr(10))[0]}",
            where=str(urlsplit(url).hostname),
            next_step="is this the site's DATABASE_URL?",
        ) from error


def write(url: str, path: Path, services: Services) -> None:
    """Dump into the file `path`."""
    if is_sqlite(url):
        _copy(_file(url), path)
        return
    user, database, told = _postgres(url)
    command = ["pg_dump", "-U", user, "-d", database, "-Fc"]
    services.run("postgres", command, environment=told, sink=path)


def read(url: str, path: Path, services: Services) -> None:
    """Make the database what the dump says: all of it, or nothing."""
    if is_sqlite(url):
        _copy(path, _file(url))
        return
    user, database, told = _postgres(url)
    command = ["pg_restore", "-U", user, "-d", database, "--clean", "--if-exists", "--single-transaction"]
    services.run("postgres", [*command, "--exit-on-error"], environment=told, source=path)


def _copy(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise DumpFailedError(
            f"SQLite did not copy it: {error}",
            expected=f"{source} copied to {target}",
            where=str(source),
            next_step="is the file there, and the disk not full? A further run goes on from here",
        ) from error


def _file(url: str) -> Path:
    return Path(unquote(urlsplit(url).path[1:]))


def _postgres(url: str) -> tuple[str, str, dict[str, str]]:
    parts = urlsplit(url)
    told = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    return unquote(parts.username or "postgres"), unquote(parts.path[1:]), told
