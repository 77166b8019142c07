"""Cookies that a browser refuses or never sends back, by the Set-Cookie of an answer (RFC 6265, 5.3 and 5.4).

A plain client keeps some of them, and loses others without a word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

from besedka import address

# Seconds that a log-in and what follows it take.
_LONG_ENOUGH = 120
# What a log-in stands on, by its name: others, of a load balancer or of statistics, may come to nothing.
_OF_A_VISITOR = re.compile(r"sess|sid|csrf|auth", re.IGNORECASE)
# Name and value together; a browser ignores more (rfc6265bis, 5.6).
_LARGEST = 4096


@dataclass(frozen=True)
class SetCookie:
    """One Set-Cookie. `attributes` are by small letters; one without a value is empty."""

    name: str
    value: str
    attributes: dict[str, str]

    @property
    def domain(self) -> str:
        """The host that it is for, with those below it; empty for the sender alone."""
        return self.attributes.get("domain", "").strip(" .").lower()

    @property
    def path(self) -> str:
        """The path below which it is sent."""
        return self.attributes.get("path") or "/"

    @property
    def same_site(self) -> str:
        """`lax`, `strict`, `none`, or empty."""
        return self.attributes.get("samesite", "").lower()

    @property
    def seconds(self) -> float:
        """How long a browser keeps it; infinite where it lasts as long as the browser."""
        age, until = self.attributes.get("max-age"), self.attributes.get("expires")
        with suppress(ValueError, TypeError):
            if age is not None:
                return float(age)
            if until is not None:
                return (parsedate_to_datetime(until) - datetime.now(UTC)).total_seconds()
        return math.inf


def cookies_of(response: requests.Response) -> tuple[SetCookie, ...]:
    """Each cookie that the answer sets."""
    rows = response.raw.headers.getlist("Set-Cookie") if response.raw is not None else []
    # RFC 6265, 5.1.4: the folder of what was asked, where the cookie names no path.
    folder = urlsplit(response.url or "").path.rpartition("/")[0] or "/"
    return tuple(_read(row, folder) for row in rows)


def _read(row: str, folder: str = "/") -> SetCookie:
    first, *rest = row.split(";")
    name, _, value = first.partition("=")
    pairs = (part.partition("=") for part in rest)
    attributes = {key.strip().lower(): text.strip() for key, _, text in pairs}
    if not attributes.get("path", "").startswith("/"):
        attributes["path"] = folder if _OF_A_VISITOR.search(name) else "/"
    return SetCookie(name.strip(), value.strip().strip('"'), attributes)


def refused(  # noqa: PLR0911 - one return per kind
    cookie: SetCookie, url: str, wanted_at: Iterable[str] = ()
) -> tuple[str, str]:
    """Kind and reason why a browser at `url` does not send it back to those paths; empty if it does.

    `foreign` is for another host, `short` has ended, `secure` is for https, `path` is for other paths,
    `prefix` breaks what its name promises, `large` is too long.
    """
    host = address.host(url)
    if cookie.domain and host != cookie.domain and not host.endswith(f".{cookie.domain}"):
        return "foreign", f"is for {cookie.domain}: a browser at {host} does not keep it"
    plain = urlsplit(url).scheme == "http" and not address.is_loopback(host)
    secure = "secure" in cookie.attributes
    if secure and plain:
        return "secure", "is marked Secure: a browser does not send it by http"
    # https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis, 5.7; Chromium and Firefox.
    if cookie.same_site == "none" and not secure:
        return "secure", "is SameSite=None without Secure: a browser does not keep it"
    kept = bool(_OF_A_VISITOR.search(cookie.name))
    if kept and cookie.name.startswith(("__Secure-", "__Host-")) and not secure:
        return "prefix", "is not marked Secure, as its name promises: a browser does not keep it"
    if kept and cookie.name.startswith("__Host-") and (cookie.domain or cookie.path != "/"):
        return "prefix", "has a domain or a path, against its name: a browser does not keep it"
    if kept and (size := len(f"{cookie.name}{cookie.value}".encode())) > _LARGEST:
        return "large", f"has {size} bytes: a browser keeps no more than {_LARGEST}"
    # One without a value is being taken away.
    if cookie.value and cookie.seconds < _LONG_ENOUGH:
        return "short", f"ends after {max(0, cookie.seconds):.0f} s"
    missed = [path for path in wanted_at if not _covers(cookie.path, path)]
    if missed:
        return "path", f"is for {cookie.path} alone: a browser does not send it to {missed[0]}"
    return "", ""


def _covers(path: str, asked: str) -> bool:
    below = path if path.endswith("/") else f"{path}/"
    return asked == path or asked.startswith(below)
