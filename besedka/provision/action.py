"""The values of a plan: actions to take, notices of what is seen and left alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "setting",
    "provider",
    "service",
    "user",
    "account",
    "own-address",
    "room",
    "room-gone",
    "room-field",
    "permission",
    "membership",
    "document",
    "site",
    "workspace",
]
MASK = "•••"


@dataclass(frozen=True)
class Action:
    """One change. `before` None means that the target does not exist yet.

    kind         target          before → after
    setting      setting id      value → value
    provider     service name    None → True, or True → None
    service      service name    what is wrong → True: the log-in service is made anew of the settings
    user         user name       None → {name, email, roles}
    account      user name       {field: value} → {field: value}
    own-address  administrator   {email, verified} → {email, verified}, by a second administrator made for it
    room         room name       None → {private, members}
    room-gone    room name       {private} → None, a room without messages and members
    room-field   room name       {field: value} → {field: value}, one field of `state.Room`
    permission   permission id   roles → roles
    membership   room/user       False → True, or the reverse
    document     collection/id   fields → fields, None for no document (besedka/provision/documents.py)
    site         user name or    what differs → what the contract says
                 client id
    workspace    setting id      False → True: it has the address and the database that it is to have

    `why` says in words what a change is for, where the values alone do not.
    """

    kind: Kind
    target: str
    before: Any
    after: Any
    secret: bool = False
    why: str = ""

    def public(self) -> dict[str, Any]:
        """The action as JSON, secrets masked."""
        shown = {"kind": self.kind, "target": self.target, "before": self.before, "after": self.after}
        shown |= {"why": self.why} if self.why else {}
        if self.secret:
            shown |= {"before": self.before and MASK, "after": MASK}
        return shown

    def text(self) -> str:
        """The action in one line."""
        shown = self.public()
        if self.why:
            word = "removed" if self.after is None else "added" if self.before is None else "mended"
            return f"{self.kind} {self.target}: {word}, because {self.why}"
        return f"{self.kind} {self.target}: {_brief(shown['before'])} → {_brief(shown['after'])}"


@dataclass(frozen=True)
class Notice:
    """Something that provisioning saw and leaves alone.

    While one is `blocking`, or an action is of a kind that it `stops`, only a person can go on.
    """

    code: str
    target: str
    text: str
    blocking: bool = False
    stops: tuple[Kind, ...] = ()

    def in_the_way(self, actions: Iterable[Action]) -> bool:
        """Whether a person has to act before these."""
        return self.blocking or any(action.kind in self.stops for action in actions)


@dataclass(frozen=True)
class Plan:
    """Everything that would be done, in order, and everything that would not."""

    actions: tuple[Action, ...]
    notices: tuple[Notice, ...]


def _brief(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, dict):
        return ", ".join(f"{name}={_brief(entry)}" for name, entry in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else repr(value)
