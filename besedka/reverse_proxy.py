"""`[proxy]` of besedka.toml: what stands before site and chat."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from besedka import address
from besedka.values import HostName


def _below(value: str) -> str:
    if not re.fullmatch(r"/[\w./%-]*\w", value):
        message = f"{value!r} is no path like /rocket"
        raise ValueError(message)
    return address.encoded(value)


def _sources(value: str) -> str:
    if not re.fullmatch(r"[^\s;,\"\\$]+( [^\s;,\"\\$]+)*", value):
        message = f"{value!r} is no list of sources between blanks, as in 'self' https://besedka.test:*"
        raise ValueError(message)
    return value


class ReverseProxy(BaseModel):
    """What `--proxy` and docs/nginx.example.conf are made from.

    `chat_path` is the chat's on the site's host, where both have one (`--one-host`). `body_megabytes`: what
    a request may weigh; `socket_seconds`: how long a WebSocket may be silent. `frame_ancestors`: the pages
    that may show the chat in a frame, as it stands in Content-Security-Policy; browsers then leave
    X-Frame-Options alone (CSP level 3, 6.4.2.2). Without it the proxy sends no policy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    site_host: HostName
    chat_host: HostName
    chat_path: Annotated[str, AfterValidator(_below)]
    body_megabytes: Annotated[int, Field(ge=1)] = 110
    socket_seconds: Annotated[int, Field(ge=60)] = 3600
    frame_ancestors: Annotated[str, AfterValidator(_sources)] | None = None
