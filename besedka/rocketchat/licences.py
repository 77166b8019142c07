"""What a workspace's licence allows (`GET licenses.info`, `apps/meteor/ee/server/api/licenses.ts`)."""

from __future__ import annotations

from typing import Protocol

from besedka.rocketchat.catalogue import Setting
from besedka.rocketchat.rest import Json, RocketChatError

# Custom OAuth from 9.0 on (pull request 42477); roles and rooms by groups before that.
CUSTOM_OAUTH = "oauth-enterprise"


class _Asks(Protocol):
    def get(self, path: str, /) -> Json: ...


def modules(asked: _Asks) -> frozenset[str] | None:
    """The modules that are active; None where Rocket.Chat does not say."""
    try:
        licence = asked.get("licenses.info").get("license")
    except RocketChatError:
        return None
    active = licence.get("activeModules") if isinstance(licence, dict) else None
    return frozenset(map(str, active)) if isinstance(active, list) else None


def lacking(setting: Setting, asked: _Asks) -> tuple[str, ...]:
    """The modules that the setting needs and the licence has not; none where nobody says what it has."""
    held = modules(asked)
    return () if held is None else tuple(name for name in setting.modules if name not in held)
