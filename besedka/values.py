"""Kinds of values in the contract's rows; each refuses what Rocket.Chat or a browser could not use."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from besedka import address


def _address(value: str) -> str:
    parts = urlsplit(value)
    odd = parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in {"http", "https"} or not parts.hostname or odd or parts.port == 0:
        shown = "this" if "@" in value else repr(value)
        message = (
            f"{shown} is not an address like http://127.0.0.1:8001 or https://host/chat (no name, query, #)"
        )
        raise ValueError(message)
    return address.normal(value)


def _rooted(value: str) -> str:
    if not value.startswith("/"):
        message = f"path {value!r} does not begin with /"
        raise ValueError(message)
    return address.encoded(value)


# The release of a line that the suite is run with (besedka/stacks/versions.toml), by the line's name.
LINES = {"6.x": "6.4.8", "7.x": "7.7.1", "8.x": "8.9.0", "9.x": "9.0.0"}


def _release(value: str) -> str:
    release = LINES.get(value, value)
    if not re.fullmatch(r"\d+\.\d+\.\d+", release):
        message = f"{value!r} is no release like 7.7.1, and none of {', '.join(LINES)}"
        raise ValueError(message)
    return release


Address = Annotated[str, AfterValidator(_address)]
RootedPath = Annotated[str, AfterValidator(_rooted)]
HostName = Annotated[str, BeforeValidator(address.host_name), Field(pattern=r"^[a-z0-9.-]+$")]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
Release = Annotated[str, AfterValidator(_release)]
Port = Annotated[int, Field(ge=1, le=65535)]
