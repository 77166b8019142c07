"""`[site.adapter]` of besedka.toml: how a site differs from `web/`. Every row may be left out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Path = Annotated[str, Field(pattern=r"^/")]


class Adapter(BaseModel):
    """What doctor cannot guess of a site.

    `visitor` is the canonical user who walks the SSO chain where no temporary one can be made. `logout_path`
    ends that user's session: Django's own view, POST or (before Django 5) GET. `status_path` answers JSON
    with `status` and `version`; false where the site has none, and its home page is asked in place of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)

    visitor: str | None = None
    logout_path: _Path = "/accounts/logout/"
    status_path: _Path | Literal[False] = "/api/v1/status/"
