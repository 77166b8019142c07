"""Rocket.Chat's question whether the workspace has moved, which covers the chat of administrators.

It comes once `Site_Url` has changed or the server has started at another MongoDB, and stays when both are
back (server/settings/misc.ts of 6.5.3 and 7.7.1; seen on a running 6.5.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from besedka.provision.action import Action
from besedka.provision.session import Session
from besedka.provision.state import State

VERIFIED = "Deployment_FingerPrint_Verified"


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
