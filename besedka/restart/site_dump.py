"""The site's database: count, dump and restore; SQLite by its backup, PostgreSQL by pg_dump and psql."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psycopg

from besedka import database_url
from besedka.errors import ServiceUnreachableError
from besedka.restart.errors import DumpFailedError
from besedka.restart.inventory import Inventory
from besedka.restart.services import Services
from besedka.site_database import SiteDatabase

CONNECT_SECONDS = 5
# A restore waits so long for somebody who still reads or writes, then says so and changes nothing.
LOCK_SECONDS = 10
# `pg_restore --clean` drops only what is in the dump. It fails on a table of a later migration that refers to
# one of those. What is in no schema of a user is the server's.
_EMPTY = """
DO $$ DECLARE name text; BEGIN
FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
CREATE SCHEMA public;
GRANT USAGE ON SCHEMA public TO PUBLIC;
END $$
"""


def is_sqlite(url: str) -> bool:
    """Whether the site keeps its data in a file."""
    return url.startswith("sqlite:")


def count(url: str, inventory: Inventory) -> None:
    """Add the site's accounts to the inventory."""
    _add(SiteDatabase(url), inventory)


def answers(url: str) -> bool:
    """Whether PostgreSQL takes a log-in and answers a query; a SQLite file always does."""
    if is_sqlite(url):
        return True
    try:
        with closing(_connected(url)) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(database_url.for_postgres(url), connect_timeout=CONNECT_SECONDS)


def size(url: str) -> int:
    """Bytes on disk; the dump is smaller."""
    if is_sqlite(url):
        return _file(url).stat().st_size if _file(url).exists() else 0
    try:
        with closing(_connected(url)) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            return int(row[0]) if row else 0
    except psycopg.Error as error:
        raise ServiceUnreachableError(
            f"PostgreSQL did not say its size: {database_url.driver_reason(error, url)}",
            where=database_url.shown(url),
            next_step="is this the site's DATABASE_URL?",
        ) from error


def write(url: str, path: Path, services: Services, inventory: Inventory) -> None:
    """Dump into the file `path`, and add to the inventory what is in it: a site that runs goes on writing."""
    if is_sqlite(url):
        _copy(_file(url), path)
        # A reader in WAL mode leaves files beside the one it reads, and those do not belong into a dump.
        with tempfile.TemporaryDirectory() as folder:
            read = shutil.copy(path, folder)
            count(f"sqlite:///{quote(str(read))}", inventory)
        return
    words, told = _postgres("pg_dump", url)
    site = SiteDatabase(url)
    with site.snapshot() as name:
        services.run("postgres", [*words, f"--snapshot={name}"], environment=told, sink=path)
        _add(site, inventory)


def read(url: str, path: Path, services: Services) -> None:
    """Make the database what the dump says: all of it, or nothing."""
    if is_sqlite(url):
        _copy(path, _file(url))
        return
    words, told = _postgres("psql", url)
    words += ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    words += ["--command", f"SET lock_timeout = '{LOCK_SECONDS}s'", "--command", _EMPTY, "--file"]
    services.run("postgres", words, environment=told, source=path)


def _add(site: SiteDatabase, inventory: Inventory) -> None:
    if site.is_empty():
        return  # a first start, or everything is lost, which the comparison will name
    inventory.add_site_users((user.id, user.username, astuple(user)) for user in site.users())


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
    return Path(database_url.file(url))


def _postgres(program: str, url: str) -> tuple[list[str], dict[str, str]]:
    """The program's command line for this database, without a question for the password; its environment."""
    parts = urlsplit(url)
    told = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    user, database = unquote(parts.username or "postgres"), unquote(parts.path[1:])
    return [program, "--no-password", f"--username={user}", f"--dbname={database}"], told
