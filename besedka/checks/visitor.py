"""Users of the site that sign in during an examination."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

from besedka.contract import Role
from besedka.site import Site


@dataclass
class Visitor:
    """A user of the site with a browser's cookies, and what the hops left for the next one.

    `rooms` are the rooms that the account belongs in once it has signed in to the chat. `seconds` is how long
    the site took for token and identity.
    """

    username: str
    email: str
    full_name: str
    password: str = field(repr=False)
    site: Site
    role: Role
    rooms: frozenset[str]
    temporary: bool = True
    code: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    # Whether the identity's id is the same at each ask.
    steady: bool = True
    identity: dict[str, object] = field(default_factory=dict)
    credential: dict[str, str] = field(default_factory=dict, repr=False)
    seconds: float = 0.0
    # What the authorize view answered with a code.
    authorized: requests.Response | None = field(default=None, repr=False)
    chat_user_id: str = ""
    chat_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Visitors:
    """One user of the common role, and one for each role that a room is kept for and somebody has."""

    user: Visitor
    holders: dict[Role, Visitor]
