"""How a site differs from `web/`: `[site.adapter]`, `[site.selectors]` and `[site.features]` of besedka.toml.

Every row may be left out. A row that points nowhere is an AdapterRowError, which names it.
"""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from besedka.errors import ServiceUnreachableError
from besedka.values import Flag, RootedPath

# Where `web/` has its status page; another site may have one there, too.
STATUS_PATH = "/api/v1/status/"
# An account of that name may be made, changed and removed by tests and by doctor.
TEMPORARY_PREFIX = "temp_"


class AdapterRowError(ServiceUnreachableError):
    """A row of `[site.adapter]` or `[site.selectors]` points at nothing."""

    exit_status = 20

    def __init__(self, row: str, value: object, found: str, *, expected: str = "") -> None:
        table, _, name = row.rpartition(".")
        shown = f"{name} = {str(value).lower() if isinstance(value, bool) else repr(value)}"
        super().__init__(
            f"{shown} points nowhere: {found}",
            expected=expected,
            where=f"besedka.toml, [site.{table}] {name}",
            next_step="correct the row, or leave it out; false says that the site has nothing of the kind",
        )


def _none(value: object) -> object:
    return False if value == "none" else value


def _words(value: object) -> object:
    return tuple(shlex.split(value)) if isinstance(value, str) else value


_ID = re.compile(r"#([\w-]+)")
# false, or "none", where the site has nothing of the kind.
_MayLack = BeforeValidator(_none)
_Name = Annotated[str, Field(pattern=r'^[^"\s]+$')]
# Several columns are read as one text, with a blank between.
Column = Annotated[_Name | tuple[_Name, ...] | Literal[False], _MayLack]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)


class Columns(_Table):
    """Columns of the site's table of users. None is a column of the row's own name, if there is one.

    `full_name = ["first_name", "last_name"]` joins two columns. `role` and `full_name` may be false: then
    nobody asks for them.
    """

    id: _Name = "id"
    username: _Name = "username"
    email: _Name = "email"
    password: _Name = "password"  # noqa: S105 - a column
    is_active: Annotated[_Name | Literal[False] | None, _MayLack] = None
    full_name: Column | None = None
    role: Annotated[_Name | Literal[False] | None, _MayLack] = None


class Tables(_Table):
    """Tables of django-oauth-toolkit, where its models are swapped; `user` is where its grants point to."""

    application: _Name = "oauth2_provider_application"
    grant: _Name = "oauth2_provider_grant"
    access_token: _Name = "oauth2_provider_accesstoken"  # noqa: S105 - a table
    user: _Name | None = None


class ChatAuth(_Table):
    """Fields of the answer at `chat_auth_path`, with dots for what is nested; `user_id` may be false."""

    token: str = "loginToken"  # noqa: S105 - a field
    user_id: Annotated[str | Literal[False], _MayLack] = "userId"
    username: Annotated[str | Literal[False], _MayLack] = "username"


class LoginCall(_Table):
    """How the log-in page's script signs in: it posts JSON to `path`, with fields of these names.

    `name` with `mail` in it is given the address.
    """

    path: RootedPath
    name: str = "username"
    password: str = "password"  # noqa: S105 - a field


class Adapter(_Table):
    """What cannot be guessed of a site.

    `visitor` is the canonical user who walks the SSO chain where no temporary one can be made. `manage` is a
    command that makes and removes `temp_*` users (docs/manage.md). `logout_path` ends a session: Django's own
    view, POST or (before Django 5) GET. `status_path` answers JSON with `status` and `version`; without the
    row the usual place is tried, then the home page, and false asks that at once. `session_path` says who is
    signed in, and 401 to a stranger. `identity_path` may stand here or in `[provider]`. The cookies' names
    are checked where they are given. `login_call` is for a log-in page without a form. `roles` is role of
    the contract → what the site calls it.
    """

    visitor: str | None = None
    manage: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    logout_path: RootedPath = "/accounts/logout/"
    status_path: Annotated[RootedPath | Literal[False] | None, _MayLack] = None
    session_path: Annotated[RootedPath | Literal[False], _MayLack] = False
    identity_path: RootedPath | None = None
    login_call: LoginCall | None = None
    session_cookie: str | None = None
    csrf_cookie: str | None = None
    columns: Columns = Columns()
    tables: Tables = Tables()
    roles: dict[str, str] = {}
    chat_auth: ChatAuth = ChatAuth()

    @property
    def status_place(self) -> str:
        """Where the status page is or may be; empty where there is none."""
        return "" if self.status_path is False else self.status_path or STATUS_PATH

    def site_role(self, role: str) -> str:
        """What the site calls that role of the contract."""
        return self.roles.get(role, role)


class Selectors(_Table):
    """CSS selectors of what the tests look at or press, where the site's pages are not ours.

    `login_form` defaults to the form with a password field, or the posted one that asks for a name. `opener`
    shows or makes the frame when it is pressed. `chat_link` and `log_out` are found by where they
    lead; `chat_link` is false where no page has one. `state` is the frame's attribute that says how far the
    sign-in is; false where there is none, and the frame's own state decides. `switcher` holds a button for
    each room, with its label.
    """

    login_form: str = 'form:has(input[type="password"])'
    chat_link: Annotated[str | Literal[False] | None, _MayLack] = None
    log_out: str | None = None
    frame: str = "iframe#rocketChatFrame"
    opener: str | None = None
    switcher: str = "[role=group]:has([data-channel])"
    state: Annotated[str | Literal[False], _MayLack] = "data-state"

    @property
    def frame_id(self) -> str | None:
        """The id in the frame's selector, if that names one."""
        found = _ID.search(self.frame)
        return found[1] if found else None


class Features(_Table):
    """What a site need not have; a test of what it has not is skipped with that word.

    `integrated_page`: a page with a button for each room. `session_endpoint`: the page asks who is signed in,
    and notices the end of the session. `user_switch`: another user of the same browser gets their own chat.
    `groups`: identity answers role, roles and groups. `chat_token`: `chat_auth_path` gives a log-in token.
    `room_links`: `?channel=` opens a room. `chat_logout`: to sign out of the site signs the chat out.
    `oauth_tables`: the site's database keeps clients, codes and tokens as django-oauth-toolkit does.
    `notices`: the page says in words how far the sign-in is, and what is wrong. `login_notices`: so does the
    log-in form. `own_urls`: every address answers as the table of `web/` says.
    """

    integrated_page: Flag = True
    session_endpoint: Flag = True
    user_switch: Flag = True
    groups: Flag = True
    chat_token: Flag = True
    room_links: Flag = True
    chat_logout: Flag = True
    oauth_tables: Flag = True
    notices: Flag = True
    login_notices: Flag = True
    own_urls: Flag = True

    def missing(self, name: str) -> str:
        """Why a test of that feature does not apply; empty where the site has it. KeyError for no feature."""
        has: dict[str, Any] = self.model_dump()
        return "" if has[name] else f"the site has no {name} ([site.features])"
