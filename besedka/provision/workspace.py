"""Rocket.Chat's question whether the workspace has moved, which covers the chat of administrators.

It comes once `Site_Url` has changed or the server has started at another MongoDB. It stays when both are back
(server/settings/misc.ts of 6.5.3 and 7.7.1; seen on a running 6.5.3).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from besedka.provision.action import Action
from besedka.provision.session import Session
from besedka.provision.state import State
from besedka.rocketchat.rest import RocketChatError

VERIFIED = "Deployment_FingerPrint_Verified"
# What the workspace is known by; Rocket.Chat makes it anew a moment after Site_Url has changed.
_KNOWN_BY = "Deployment_FingerPrint_Hash"
_SECONDS, _POLL_SECONDS = 5.0, 0.1


class _Place(Protocol):
    """What of `changes.Place` is needed here."""

    session: Session
    state: State


def steps(state: State) -> Iterator[Action]:
    """The answer, where the question is open."""
    if state.settings.get(VERIFIED) is False:
        why = "administrators are asked whether the workspace has moved"
        yield Action("workspace", VERIFIED, False, True, why=why)


def confirm(place: _Place, action: Action) -> None:
    """Answer as the dialog's button "Configuration update" does; no call brings the question back."""
    place.session.post("fingerprint", setDeploymentAs="updated-configuration")
    place.state.settings[action.target] = action.after


@contextmanager
def moving(session: Session, setting: str) -> Iterator[None]:
    """A setting is written in the `with` block; after a write of `Site_Url` the question is at the end."""
    before = _known_by(session) if setting == "Site_Url" and not session.dry else None
    yield
    deadline = time.monotonic() + _SECONDS
    while before and _known_by(session) == before and time.monotonic() < deadline:
        threading.Event().wait(_POLL_SECONDS)


def _known_by(session: Session) -> Any:
    """None where this version tells nobody."""
    try:
        return session.get(f"settings/{_KNOWN_BY}").get("value")
    except RocketChatError:
        return None
