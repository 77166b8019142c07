"""The site's database in SQLite: what is read, and the one write."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from besedka.errors import ServiceUnreachableError
from besedka.site_database import SiteDatabase

_TABLES = """
CREATE TABLE people (id INTEGER PRIMARY KEY, username TEXT, email TEXT, is_active INT, role TEXT, password TEXT);
CREATE TABLE oauth2_provider_application (id INTEGER PRIMARY KEY, client_id TEXT, client_secret TEXT,
  client_type TEXT, authorization_grant_type TEXT, redirect_uris TEXT, skip_authorization INT,
  hash_client_secret INT, name TEXT);
CREATE TABLE oauth2_provider_grant (id INTEGER PRIMARY KEY, code TEXT, redirect_uri TEXT, scope TEXT,
  expires TEXT, application_id INT, user_id INT REFERENCES people (id));
CREATE TABLE oauth2_provider_accesstoken (id INTEGER PRIMARY KEY, token TEXT, scope TEXT, expires TEXT,
  application_id INT, user_id INT);
INSERT INTO people VALUES (1, 'owner', 'o@b.c', 1, 'owner', 'x'), (2, 'temp_a', '', 1, 'user', 'x');
INSERT INTO oauth2_provider_application VALUES (5, 'client', 's', 'confidential', 'authorization-code',
  'http://a/ http://b/', 1, 0, 'Rocket.Chat');
INSERT INTO oauth2_provider_grant VALUES
  (1, 'c1', 'http://a/', 'read', '2030-01-01 00:00:00.5', 5, 1),
  (2, 'c2', 'http://a/', 'read', '2030-01-01 00:00:00', 5, 2);
INSERT INTO oauth2_provider_accesstoken VALUES (1, 't1', 'read', '2030-01-01 00:00:00', 5, 1);
"""


@pytest.fixture
def database(tmp_path: Path) -> SiteDatabase:
    """A database with one application, two users, two codes and a token."""
    path = tmp_path / "site db.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_TABLES)
    return SiteDatabase(f"sqlite:///{path}".replace(" ", "%20"))


def test_what_it_reads(database: SiteDatabase) -> None:
    assert [user.username for user in database.users()] == ["owner", "temp_a"]
    application = database.application("client")
    assert application is not None
    assert application.redirect_uris == ("http://a/", "http://b/")
    assert application.skip_authorization is True
    assert database.application("other") is None
    (token,) = database.access_tokens("owner")
    assert (token.token, token.application_client_id) == ("t1", "client")
    assert token.expires == datetime(2030, 1, 1, tzinfo=UTC)
    assert database.access_tokens("temp_a") == []
    assert [grant.code for grant in database.grants()] == ["c2", "c1"]


def test_secrets_stay_out_of_its_texts(database: SiteDatabase) -> None:
    texts = str(database.access_tokens()) + str(database.grants()) + str(database.users())
    assert "t1" not in texts
    assert "c1" not in texts


def test_only_codes_of_temporary_users_expire(database: SiteDatabase) -> None:
    database.expire_grant("c2")
    expires = {grant.code: grant.expires for grant in database.grants()}
    assert expires["c2"] < datetime.now(UTC) < expires["c1"]
    with pytest.raises(LookupError, match="temp_"):
        database.expire_grant("c1")


@pytest.mark.parametrize("url", ["sqlite:////no/such/file", "postgres://x:secret@127.0.0.1:1/nothing"])
def test_a_database_that_cannot_be_read_names_the_place_and_no_password(url: str) -> None:
    with pytest.raises(ServiceUnreachableError, match="cannot be read") as error:
        SiteDatabase(url, timeout=1).users()
    assert "secret" not in error.value.text()


def test_a_database_without_the_providers_tables(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite3"
    sqlite3.connect(path).close()
    with pytest.raises(ServiceUnreachableError, match="oauth2_provider_grant"):
        SiteDatabase(f"sqlite:///{path}").users()
