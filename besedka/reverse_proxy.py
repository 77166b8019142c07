"""`[proxy]` of besedka.toml: what stands before site and chat."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from besedka import address
from besedka.values import HostName


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
    chat_path: Annotated[str, Field(pattern=r"^/[\w./%-]*\w$"), AfterValidator(address.encoded)]
    body_megabytes: Annotated[int, Field(ge=1)] = 110
    socket_seconds: Annotated[int, Field(ge=60)] = 3600
    frame_ancestors: Annotated[str, Field(pattern=r"^[^\s;,\"\\$]+( [^\s;,\"\\$]+)*$")] | None = None
