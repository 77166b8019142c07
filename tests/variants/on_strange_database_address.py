"""The site's database under an address with every sign and another schema in it; asked by the overlay that runs PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from besedka.checks.finding import Status
from besedka.checks.run import examine
from besedka.contract import Contract
from besedka.stacks.model import Stack

pytestmark = pytest.mark.doctor

NAME, PASSWORD, DATABASE = 'be sedka@"1', "p@ss:w/#rd%41?&=+ ж", "site db%2F?"


SCHEMA = "the site's"


@pytest.fixture
def strange_url(stack: Stack) -> Iterator[str]:
    """The database copied to another name, its tables in another schema, for an account that has to give its
    password.
    """
    owners = str(stack.site_database_url)
    server = urlsplit(owners)
    copy, account = sql.Identifier(DATABASE), sql.Identifier(NAME)
    with psycopg.connect(owners, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(account, PASSWORD))
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        owner.execute(create.format(copy, sql.Identifier(server.path[1:])))
        rules = Path(owner.execute("SHOW hba_file").fetchone()[0])  # type: ignore[index]
        kept = rules.read_text("utf-8")
        quoted = NAME.replace('"', '""')
        rules.write_text(f'host all "{quoted}" 127.0.0.1/32 scram-sha-256\n{kept}', "utf-8")
        owner.execute("SELECT pg_reload_conf()")
        try:
            with psycopg.connect(owners, dbname=DATABASE, autocommit=True) as copied:
                _move(copied)
            told = ":".join(quote(word, safe="") for word in (NAME, PASSWORD))
            path = quote(sql.Identifier(SCHEMA).as_string(), safe="")
            more = f"currentSchema={path}&conn_max_age=60&isolation_level=2"
            yield f"postgres://{told}@127.0.0.1:{server.port}/{quote(DATABASE, safe='')}?{more}"
        finally:
            rules.write_text(kept, "utf-8")
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(copy))
            owner.execute(sql.SQL("DROP ROLE {}").format(account))
            owner.execute("SELECT pg_reload_conf()")


def _move(connection: psycopg.Connection) -> None:
    """All tables to a schema of their own."""
    schema = sql.Identifier(SCHEMA)
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    for (table,) in connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ).fetchall():
        connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(sql.Identifier(table), schema))


def test_doctor_reads_it_and_prints_none_of_it(stack: Stack, contract: Contract, strange_url: str) -> None:
    report = examine(replace(stack.target.read_only, site_database_url=strange_url), contract)

    assert [f"{found.code}: {found.seen}" for found in report.findings] == []
    assert {row.status for row in report.results} <= {Status.OK, Status.SKIPPED}
    printed = repr(report)
    assert PASSWORD not in printed
    assert quote(PASSWORD, safe="") not in printed


def test_a_wrong_password_is_named_and_not_printed(
    stack: Stack, contract: Contract, strange_url: str
) -> None:
    wrong = strange_url.replace("p%40ss", "q%40ss")

    report = examine(replace(stack.target.read_only, site_database_url=wrong), contract)

    assert report.first_cause is not None
    assert report.first_cause.code.startswith("services.")
    assert "q@ss" not in repr(report)
    assert "q%40ss" not in repr(report)
