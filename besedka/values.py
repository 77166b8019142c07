"""Kinds of values in the contract's rows; each refuses what Rocket.Chat or a browser could not use."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from besedka import address

_LONGEST_EMAIL = 254
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _address(value: str) -> str:
    if not address.is_one(value):
        shown = "this" if "@" in value else repr(value)
        message = (
            f"{shown} is not an address like http://127.0.0.1:8001 or https://host/chat "
            "(no name, query, #, ..)"
        )
        raise ValueError(message)
    return address.normal(value)


def _host_name(value: str) -> str:
    name = address.host_name(value)
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name):
        message = f"{value!r} is no host name like besedka.test, without scheme and port"
        raise ValueError(message)
    return name


def _machine(value: str) -> str:
    """A host name, or an address of IPv6."""
    return address.host_name(value) if address.is_one(f"http://[{value}]") else _host_name(value)


def _rooted(value: str) -> str:
    if not value.startswith("/"):
        message = f"path {value!r} does not begin with /"
        raise ValueError(message)
    if value.startswith("//") or "#" in value or {".", ".."} & {*value.partition("?")[0].split("/")}:
        message = f"{value!r} is no path of a page: a browser makes another address of //, #, . and .."
        raise ValueError(message)
    return address.encoded(value)


def _line(value: str) -> str:
    if not value.strip() or _CONTROL.search(value):
        message = f"{value!r} is no line of text: it is blank, or holds a line break or a control character"
        raise ValueError(message)
    return value


def _shown_line(value: str) -> str:
    """A browser shows blanks as one, and none at the ends."""
    return re.sub(" +", " ", _line(value)).strip(" ")


def _email(value: str) -> str:
    # Longer ones go through no mail server (RFC 5321, 4.5.3.1.3), nor into Django's field.
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value) or len(value) > _LONGEST_EMAIL:
        message = f"{value!r} is no address like name@example.com"
        raise ValueError(message)
    return value


def _redirect(value: str) -> str:
    parts = urlsplit(value)
    if not (parts.scheme and parts.netloc) or parts.fragment or re.search(r"\s", value):
        message = f"{value!r} is no address that an OAuth server may send people to (RFC 6749, 3.1.2)"
        raise ValueError(message)
    return value


def _as_python(formula: str) -> str:
    """JavaScript's expression with what Python writes otherwise: named groups, classes of Unicode."""
    named = re.sub(r"\(\?<(?![=!])", "(?P<", formula)
    return re.sub(r"\\[pP]\{[^}]*\}|\[\^\]", r"\\w", named)


def _template(value: str) -> str:
    rest = re.sub(r"\{\{.*?\}\}", "", value)
    if value != value.strip() or "{{" in rest or "}}" in rest:
        message = f"{value!r} is neither the name of a field nor a text with {{{{field}}}} in it"
        raise ValueError(message)
    for formula in re.findall(r"\{\{/(.*?)/::", value):
        try:
            groups = re.compile(_as_python(formula)).groups
        except re.error as error:
            message = f"{formula!r} is no regular expression ({error})"
            raise ValueError(message) from None
        if not groups:
            message = f"{formula!r} has no (group), and Rocket.Chat takes the first one"
            raise ValueError(message)
    return value


# The release of a line that the suite is run with (besedka/stacks/versions.toml), by the line's name.
LINES = {"6.x": "6.4.8", "7.x": "7.7.1", "8.x": "8.9.0", "9.x": "9.0.0"}


def _release(value: str) -> str:
    release = LINES.get(value, value)
    if not re.fullmatch(r"\d+\.\d+\.\d+", release):
        message = f"{value!r} is no release like 7.7.1, and none of {', '.join(LINES)}"
        raise ValueError(message)
    return release


Address = Annotated[str, AfterValidator(_address)]
# Sent in headers, forms and addresses, and shown on buttons.
Line = Annotated[str, AfterValidator(_line)]
# What a browser shows of it.
ShownLine = Annotated[str, AfterValidator(_shown_line)]
RedirectUri = Annotated[str, AfterValidator(_redirect)]
# A field of the identity answer, or a text with {{field}} and {{/regular expression/::field}} in it.
Template = Annotated[str, AfterValidator(_template)]
RootedPath = Annotated[str, AfterValidator(_rooted)]
HostName = Annotated[str, AfterValidator(_host_name)]
Machine = Annotated[str, AfterValidator(_machine)]
Email = Annotated[str, AfterValidator(_email)]
Release = Annotated[str, AfterValidator(_release)]
# TOML has kinds of its own: "yes" and "8001" are texts.
Flag = Annotated[bool, Field(strict=True)]
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
# An empty text is a value like any other; JSON and JavaScript keep whole numbers to 53 bits.
_Text = Annotated[str, Field(min_length=0)]
SettingValue = bool | Annotated[int, Field(ge=-(2**53), le=2**53)] | _Text | list[_Text]
