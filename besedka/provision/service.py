"""The provider as Rocket.Chat's log-in service shows it: that decides whether anybody can sign in."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable

from besedka.contract import Contract
from besedka.provision.errors import ProviderNotLiveError
from besedka.provision.session import Session
from besedka.rocketchat import provider
from besedka.rocketchat.rest import Json

# Rocket.Chat rebuilds the row 500 ms per setting plus 2 s after the last write
# (`apps/meteor/server/lib/oauth/updateOAuthServices.ts`, `CachedSettings.ts`).
LIVE_SECONDS = 15.0
# The route is limited to ten calls a minute like any other, even for an administrator (no log-in needed, so
# nobody is recognised): this asks nine times until the row is due.
POLL_SECONDS = 0.3
_NAMES = {"id": "clientId", "url": "serverURL"}


def difference(contract: Contract, services: Iterable[Json]) -> str | None:
    """What is wrong with the log-in service, in one sentence; None if it is as the contract says.

    The secret is not compared: Rocket.Chat shows it to nobody.
    """
    name = contract.provider.name
    row = next((row for row in services if row.get("service") == name), None)
    if row is None:
        return f"the settings are right, but there is no log-in service {name!r}"
    for suffix, value in provider.values(contract).items():
        key = _NAMES.get(suffix) or re.sub(r"_(\w)", lambda found: found[1].upper(), suffix)
        if suffix != "secret" and key in row and row[key] != value:
            return f"log-in service {name!r} has {key}={row[key]!r}, its settings say {value!r}"
    return None


def wait_until_live(session: Session, contract: Contract) -> None:
    """Return once the log-in service is as the contract says; ProviderNotLiveError after LIVE_SECONDS."""
    deadline = time.monotonic() + LIVE_SECONDS
    while problem := difference(contract, session.get("service.configurations").get("configurations", ())):
        if time.monotonic() > deadline:
            raise ProviderNotLiveError(
                f"{problem}, {LIVE_SECONDS:.0f} s after the last write",
                expected="the provider among GET /api/v1/service.configurations",
                where=session.url,
                next_step="look for a lower-case row Accounts_OAuth_Custom-"
                f"{contract.provider.name}… and, from 9.0, for the licence module oauth-enterprise",
            )
        threading.Event().wait(POLL_SECONDS)
