"""A database's URL at the door: what cannot be read is refused, and none is shown with its credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, unquote

from besedka.errors import ServiceUnreachableError
from besedka.scrub import MASK, Scrubber

# Those of dj-database-url and of django-environ.
POSTGRES = frozenset({"postgres", "postgresql", "pgsql", "postgis", "psql", "timescale", "timescalegis"})
SITE_SCHEMES = POSTGRES | {"sqlite"}
OPTIONS = ("--mongo-url", "--site-database-url")
MONGO_SCHEMES = frozenset({"mongodb", "mongodb+srv"})
# Schemes of dj-database-url whose databases Django can use and we cannot read.
_NOT_READ = {
    "mysql": "MySQL",
    "mysql2": "MySQL",
    "mysqlgis": "MySQL",
    "mariadb": "MariaDB",
    "oracle": "Oracle",
    "oraclegis": "Oracle",
    "mssql": "SQL Server",
    "mssqlms": "SQL Server",
    "cockroach": "CockroachDB",
    "redshift": "Redshift",
    "spatialite": "SpatiaLite",
}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
# RFC 3986, 3.2.1: every other character of a name or password is percent-encoded.
_USERINFO = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*")
_HOST = r"(?:[A-Za-z0-9._%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_PLACE = re.compile(rf"{_HOST}(?:,{_HOST})*(?:/[\w.%+-]*)?")
_QUERY = re.compile(r"(?:[\w.-]+=[^&#]*(?:&[\w.-]+=[^&#]*)*)?")
# Options of the query that Django and its backend take for themselves, and PostgreSQL's library refuses
# (django/db/backends/postgresql/base.py, 5.2; django-environ's Env._DB_BASE_OPTIONS).
_OF_DJANGO = {
    "assume_role",
    "atomic_requests",
    "autocommit",
    "conn_health_checks",
    "conn_max_age",
    "cursor_factory",
    "disable_server_side_cursors",
    "isolation_level",
    "pool",
    "prepare_threshold",
    "server_side_binding",
}
_SECRET_OPTIONS = {"password", "sslpassword", "tlscertificatekeyfilepassword", "authmechanismproperties"}


class DatabaseUrlError(ServiceUnreachableError):
    """The URL names no database that is read, or is not written as a URL must be."""

    exit_status = 34


def shown(url: str) -> str:
    """The URL as it may be printed: scheme, hosts and database; never a name, a password or an option.

    What follows the scheme is left out where it cannot be told from a password.
    """
    scheme, found, rest = url.partition("://")
    if not found or not _SCHEME.fullmatch(scheme):
        return MASK
    if scheme == "sqlite":
        return url.partition("?")[0]
    before, _, place = rest.rpartition("@")
    place = re.split(r"[?#]", place, maxsplit=1)[0]
    if re.search(r"[?#]", before) or not _PLACE.fullmatch(place):
        return f"{scheme}://{MASK}"
    return f"{scheme}://{place}"


def shown_in(words: Iterable[str]) -> list[str]:
    """The words of a command line, each database's URL among them as it may be printed."""
    found, before = [], ""
    for word in words:
        option, written, value = word.partition("=")
        if before in OPTIONS:
            found.append(shown(word))
        elif written and option in OPTIONS:
            found.append(f"{option}={shown(value)}")
        else:
            found.append(word)
        before = word
    return found


def secrets(url: str) -> set[str]:
    """The passwords in the URL, as they stand there and decoded, even where it is no proper URL."""
    _, _, rest = url.partition("://")
    _, _, password = rest.rpartition("@")[0].partition(":")
    options = parse_qsl(rest.rpartition("@")[2].partition("?")[2])
    found = {password, *(value for name, value in options if name.lower() in _SECRET_OPTIONS)}
    return {form for each in found if each for form in (each, unquote(each))}


def is_of_one_host(url: str) -> bool:
    """Whether a Mongo URL names one server, and neither several nor what leads to them."""
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    hosts = place.rpartition("@")[2].partition("/")[0]
    balanced = any(name.lower() == "loadbalanced" and value == "true" for name, value in parse_qsl(query))
    return scheme == "mongodb" and "," not in hosts and not balanced


def names_somebody(url: str) -> bool:
    """Whether the URL holds a name or a password, which are nobody's business."""
    return "@" in url or bool(secrets(url))


def file(url: str) -> str:
    """Path of a `sqlite:///` database as Django takes it: relative, or absolute after a fourth slash."""
    return unquote(shown(url).partition("://")[2][1:])


def for_postgres(url: str) -> str:
    """The URL as PostgreSQL's own programs take it; DatabaseUrlError for an unreadable one.

    A schema or a role that Django sets for each connection is set by `options`.
    """
    refuse_unreadable(site_database_url=url)
    place, _, query = url.partition("://")[2].partition("?")
    # Decoded as dj-database-url does it, where a plus is a blank: that is what the site's driver is given.
    given = dict(parse_qsl(query))
    kept = {name: value for name, value in given.items() if name.lower() not in _OF_DJANGO}
    words = [kept.pop("options", "")]
    if schema := kept.pop("currentSchema", ""):
        words.append(f"-c search_path={_of_command_line(schema)}")
    if role := given.get("assume_role"):
        words.append(f"-c role={_of_command_line(role)}")
    if option := " ".join(word for word in words if word):
        kept["options"] = option
    more = "&".join(f"{name}={quote(value, safe='')}" for name, value in kept.items())
    return f"postgresql://{place}{f'?{more}' if more else ''}"


def _of_command_line(value: str) -> str:
    """As the server reads it in `options`: a blank or a backslash stands behind a backslash."""
    return re.sub(r"([\\\s])", r"\\\1", value)


def driver_reason(error: Exception, url: str) -> str:
    """What a driver says, in one line: pymongo appends its whole topology, psycopg its advice."""
    line = str(error).strip().partition("\n")[0]
    return hidden(line.partition(", Timeout:")[0].partition(", full error")[0], url)


def hidden(text: str, url: str) -> str:
    """The text, such as a driver's error, without what the URL holds."""
    return Scrubber(secrets(url)).text(text.replace(url, shown(url)))


def refuse_unreadable(*, mongo_url: str | None = None, site_database_url: str | None = None) -> None:
    """Raise DatabaseUrlError for a URL that cannot be read; None is no URL, and all right."""
    for url, option, schemes in (
        (mongo_url, "--mongo-url", MONGO_SCHEMES),
        (site_database_url, "--site-database-url", SITE_SCHEMES),
    ):
        problem = _problem(url, schemes) if url is not None else None
        if url is not None and problem:
            found, next_step = problem
            raise DatabaseUrlError(
                found,
                expected=" or ".join(f"{scheme}://…" for scheme in sorted(schemes)),
                where=f"{option} {shown(url)}",
                next_step=next_step,
            )


def of_site(told: Mapping[str, str]) -> str | None:
    """The DATABASE_URL of a site's environment; None where there is none, or none that is read here."""
    url = told.get("DATABASE_URL")
    return url if url and _problem(url, SITE_SCHEMES) is None else None


def _problem(url: str, schemes: frozenset[str]) -> tuple[str, str] | None:
    """What is wrong with the URL and what to do about it, in words that quote nothing of it."""
    scheme, found, rest = url.partition("://")
    if found and scheme in _NOT_READ and scheme not in schemes:
        return (
            f"{_NOT_READ[scheme]} is not read",
            "leave the option away: what needs the site's own records is then skipped, and says so",
        )
    if not found or scheme not in schemes:
        return "this is no URL of a database that is read here", "write the scheme as expected above"
    if scheme == "sqlite":
        return None
    userinfo, _, place = rest.partition("?")[0].rpartition("@")
    if not _USERINFO.fullmatch(userinfo):
        return (
            "the name or the password holds characters that a URL must not hold as they are",
            "percent-encode them: # is %23, % is %25, / is %2F, ? is %3F, @ is %40, a blank is %20",
        )
    if not (_PLACE.fullmatch(place) and _QUERY.fullmatch(rest.partition("?")[2])):
        return (
            "host, port, database or options of the URL cannot be read",
            "write scheme://name:password@host:port/database; in the password, # is %23, / is %2F, "
            "? is %3F, @ is %40, % is %25",
        )
    return None
