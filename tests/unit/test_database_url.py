"""No password of a database's URL is shown, however strange it is."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from besedka import cli, database_url
from besedka.checks import examination
from besedka.errors import BesedkaError
from besedka.restart import mongo_dump, site_dump
from besedka.rocketchat.database import ChatDatabase
from besedka.site_database import SiteDatabase
from besedka.target import Target, besedka_command

# Nobody listens on the discard port.
NOBODY = "127.0.0.1:9"
# Long enough that it is not in the words of a message by chance.
PASSWORDS = st.text(st.sampled_from("#%/?@:&=+;,!'\"\\ []{}$Жй€zq79"), min_size=6, max_size=20).map(
    lambda text: f"Qx{text}"
)
SCHEMES = st.sampled_from(["postgres", "postgresql", "mysql", "mongodb", "oracle", "sqlite", "nonsense"])
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def leaks(password: str, text: str) -> bool:
    """Does the text hold a whole word of the password, as it is or encoded?"""
    forms = {password, quote(password, safe=""), repr(password)[1:-1]}
    return any(form in text for form in forms) or "Qx" in text


@settings(deadline=None)
@given(SCHEMES, PASSWORDS)
@example("mysql", "QxTopSecret99")
@example("postgres", "QxTop%Secret")
@example("postgres", "QxTop#Secret")
@example("mongodb", "QxTop@Secret")
def test_a_url_is_shown_without_its_password(scheme: str, password: str) -> None:
    for written in (password, quote(password, safe="")):
        if scheme == "sqlite":
            continue
        url = f"{scheme}://root:{written}@db.test:5432/site?x=1"

        assert not leaks(password, database_url.shown(url))


def test_a_url_without_secrets_is_shown_with_its_place() -> None:
    assert database_url.shown("postgres://root:pw@db.test:5432/site?x=1") == "postgres://db.test:5432/site"
    assert database_url.shown("mongodb://a:1,b:2/chat?replicaSet=rs") == "mongodb://a:1,b:2/chat"
    assert database_url.shown("sqlite:////srv/site.sqlite3") == "sqlite:////srv/site.sqlite3"
    assert database_url.shown("postgres:///site?password=QxTop@Secret") == "postgres://***"


@settings(deadline=None)
@given(SCHEMES, PASSWORDS, st.booleans(), st.booleans())
def test_a_command_line_is_shown_without_the_password(
    scheme: str, password: str, encoded: bool, joined: bool
) -> None:
    url = f"{scheme}://root:{quote(password, safe='') if encoded else password}@db.test/site"
    told = [f"--mongo-url={url}"] if joined else ["--site-database-url", url]

    words = database_url.shown_in(["-m", "e2e", *told, "-x"])

    assert [words[0], words[1], words[-1]] == ["-m", "e2e", "-x"]
    assert not leaks(password, " ".join(words)) or scheme == "sqlite"
    assert not leaks(password, besedka_command(Target("http://a", "http://b", url), "doctor"))


@FEW
@given(st.sampled_from(["postgres", "mysql", "mongodb", "nonsense"]), PASSWORDS, st.booleans())
@example("mysql", "QxTopSecret99", False)
@example("postgres", "QxTop%Secret", False)
@example("mongodb", "QxTop@Secret", False)
def test_no_error_of_a_reader_holds_the_password(
    monkeypatch: pytest.MonkeyPatch, scheme: str, password: str, encoded: bool
) -> None:
    monkeypatch.setattr(mongo_dump, "TIMEOUT_MILLISECONDS", 20)
    url = f"{scheme}://root:{quote(password, safe='') if encoded else password}@{NOBODY}/site"
    readers = (
        lambda: SiteDatabase(url).users(),
        lambda: ChatDatabase(url, timeout=0.02).users(),
        lambda: mongo_dump.size(url),
        lambda: site_dump.size(url),
    )
    for read in readers:
        with pytest.raises((BesedkaError, Exception)) as failure:
            read()

        assert isinstance(failure.value, BesedkaError), repr(failure.value).replace(url, "…")
        assert not leaks(password, failure.value.text())


COMMANDS = {
    "doctor": ("--site-url", f"http://{NOBODY}", "--chat-url", f"http://{NOBODY}"),
    "doctor --json": ("--site-url", f"http://{NOBODY}", "--chat-url", f"http://{NOBODY}", "--json"),
    "provision --plan": ("--chat-url", f"http://{NOBODY}", "--patience", "0"),
    "restart": (),
    "conformance": ("--stack", "attached", "--chat-url", f"http://{NOBODY}"),
}


# `conformance` starts a pytest, which takes seconds: once.
@FEW
@given(st.sampled_from(sorted(COMMANDS.keys() - {"conformance"})), PASSWORDS, st.booleans())
@example("conformance", "QxTop@Secret", True)
def test_no_command_prints_the_password(
    monkeypatch: pytest.MonkeyPatch, command: str, password: str, encoded: bool
) -> None:
    monkeypatch.setattr(examination, "MONGO_SECONDS", 0.02)
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{NOBODY}")
    written = quote(password, safe="") if encoded else password
    words = [*command.split(), *COMMANDS[command], "--mongo-url", f"mongodb://root:{written}@{NOBODY}/chat"]
    if "provision" not in command:
        words += ["--site-database-url", f"postgres://root:{written}@{NOBODY}/site"]

    outcome = CliRunner().invoke(cli.app, words)

    error = outcome.exception
    said = error.text() if isinstance(error, BesedkaError) else repr(error)
    assert outcome.exit_code != 0
    assert isinstance(error, BesedkaError | SystemExit), said
    assert not leaks(password, outcome.output + said)


# An address where a command wants another thing.
MISTAKEN = {
    "bundle": ("{url}",),
    "doctor --check": ("{url}",),
    "merge": ("{url}",),
    "status --lang": ("{url}",),
    "summary": ("{url}",),
    "up --mongod": ("{url}", "--no-open"),
}


@FEW
@given(st.sampled_from(sorted(MISTAKEN)), SCHEMES, PASSWORDS)
@example("up --mongod", "mongodb", "QxTopSecret99")
def test_no_command_prints_the_password_of_an_address_in_another_place(
    monkeypatch: pytest.MonkeyPatch, command: str, scheme: str, password: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{NOBODY}")
    url = f"{'postgres' if scheme in {'sqlite', 'nonsense', 'oracle'} else scheme}://root:{quote(password, safe='')}@{NOBODY}/x"
    words = [*command.split(), *(word.format(url=url) for word in MISTAKEN[command])]

    outcome = CliRunner().invoke(cli.app, words)

    error = outcome.exception
    said = error.text() + str(error) if isinstance(error, BesedkaError) else ""
    assert outcome.exit_code != 0
    assert not leaks(password, outcome.output + said)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mysql://root:TopSecret99@127.0.0.1/site", "MySQL is not read"),
        ("mariadb://root:TopSecret99@127.0.0.1/site", "MariaDB is not read"),
        ("postgres://u:Top%Secret@127.0.0.1/site", "must not hold as they are"),
        ("postgres://u:Top#Secret@127.0.0.1/site", "must not hold as they are"),
        ("postgres://u:Top/Secret@127.0.0.1/site", "must not hold as they are"),
        ("postgres://u:12?Secret@127.0.0.1/site", "cannot be read"),
        ("127.0.0.1:5432", "no URL of a database"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(url: str, found: str) -> None:
    with pytest.raises(database_url.DatabaseUrlError) as refusal:
        database_url.refuse_unreadable(site_database_url=url)

    assert found in refusal.value.text()
    assert refusal.value.next_step
    assert "Secret" not in refusal.value.text()


def test_a_sites_own_database_that_is_not_read_is_none() -> None:
    assert database_url.of_site({"DATABASE_URL": "mysql://root:TopSecret99@127.0.0.1/site"}) is None
    assert database_url.of_site({}) is None
    assert (
        database_url.of_site({"DATABASE_URL": "sqlite:////srv/site.sqlite3"}) == "sqlite:////srv/site.sqlite3"
    )


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:p%40ss%23w%25rd%2F%3F@127.0.0.1:5432/site?sslmode=disable",
        "postgresql://u@[::1]:5432/site",
        "postgres://%2Fvar%2Frun%2Fpostgresql/site",
        "sqlite:////srv/a folder/site.sqlite3",
        "psql://u:p@127.0.0.1/site?currentSchema=besedka",
        "timescale://u:p@127.0.0.1/site?conn_max_age=600",
    ],
)
def test_a_proper_url_is_read(url: str) -> None:
    database_url.refuse_unreadable(site_database_url=url)
    database_url.refuse_unreadable(
        mongo_url="mongodb://u:p%40ss@a:27017,b:27018/chat?authSource=admin&replicaSet=rs0"
    )


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", {}),
        ("?sslmode=disable&CONN_MAX_AGE=600&pool=true&isolation_level=2", {"sslmode": "disable"}),
        ("?currentSchema=site", {"options": "-c search_path=site"}),
        ("?options=-c+search_path%3Dsite,public", {"options": "-c search_path=site,public"}),
        (
            "?options=-c%20statement_timeout%3D5s&currentSchema=the%20site&assume_role=reader",
            {"options": r"-c statement_timeout=5s -c search_path=the\ site -c role=reader"},
        ),
    ],
)
def test_postgresql_is_given_what_the_sites_own_driver_gets(query: str, told: dict[str, str]) -> None:
    url = database_url.for_postgres(f"postgres://u:p%40@127.0.0.1/site{query}")

    assert conninfo_to_dict(url) == told | {
        "user": "u", "password": "p@", "host": "127.0.0.1", "dbname": "site"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("mongodb://h/rocketchat", True),
        ("mongodb://u:p%2Cq@h:27017/rocketchat?replicaSet=rs0", True),
        ("mongodb://[::1]:27017", True),
        ("mongodb://h1,h2:27018/rocketchat?replicaSet=rs0", False),
        ("mongodb+srv://cluster.example.net/rocketchat", False),
        ("mongodb://h/rocketchat?loadBalanced=true", False),
    ],
)
def test_a_url_of_one_host_is_told_from_one_of_a_set(url: str, one: bool) -> None:
    assert database_url.is_of_one_host(url) is one


def test_a_database_is_named_beyond_ascii() -> None:
    database_url.refuse_unreadable(site_database_url="postgres://u:p@h/база")

    assert database_url.shown("postgres://u:p@h/база") == "postgres://h/база"
