"""The provider as Rocket.Chat's log-in service shows it: that decides whether anybody can sign in."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable

from besedka.contract import Contract
from besedka.provision.documents import Documents, inserted
from besedka.provision.errors import LicenceMissingError, ProviderNotLiveError
from besedka.provision.repairs_of_settings import SETTINGS
from besedka.provision.session import Session
from besedka.rocketchat import provider
from besedka.rocketchat.rest import Json, RocketChatError

# Rocket.Chat rebuilds the row 500 ms per setting plus 2 s after the last write
# (`apps/meteor/server/lib/oauth/updateOAuthServices.ts`, `CachedSettings.ts`).
LIVE_SECONDS = 15.0
# The route is limited to ten calls a minute like any other. It needs no log-in, so it recognises no
# administrator. This asks nine times until the row is due.
POLL_SECONDS = 0.3
_POLLS = 9
_STUB = {
    "type": "boolean",
    "value": False,
    "packageValue": False,
    "public": False,
    "hidden": False,
    "blocked": False,
}
_NAMES = {"id": "clientId", "url": "serverURL"}


def difference(contract: Contract, services: Iterable[Json], secret: str | None = None) -> str | None:
    """What is wrong with the log-in service, in one sentence; None if it is as the contract says.

    Rocket.Chat shows its secret to nobody; `secret` is what MongoDB holds, where it can be read.
    """
    name = contract.provider.name
    row = next((row for row in services if row.get("service") == name), None)
    if row is None:
        return f"the settings are right, but there is no log-in service {name!r}"
    if row.get("custom", True) is not True:
        return f"log-in service {name!r} is not marked as custom: the web client passes it over"
    for suffix, value in provider.values(contract).items():
        key = _NAMES.get(suffix) or re.sub(r"_(\w)", lambda found: found[1].upper(), suffix)
        if suffix != "secret" and key in row and row[key] != value:
            return f"log-in service {name!r} has {key}={row[key]!r}, its settings say {value!r}"
    if secret is not None and secret != contract.provider.secret:
        return f"log-in service {name!r} works with another secret than its settings say"
    return None


def stored_secret(documents: Documents, contract: Contract) -> str:
    """The secret that the log-in service works with; empty if there is no such service."""
    rows = documents.rows("meteor_accounts_loginServiceConfiguration")
    own = [row for row in rows if row.get("service") == contract.provider.name]
    return str(own[0].get("secret") or "") if own else ""


def wait_until_live(session: Session, contract: Contract, documents: Documents | None = None) -> None:
    """Return once the log-in service is as the contract says; ProviderNotLiveError after LIVE_SECONDS."""
    deadline = time.monotonic() + LIVE_SECONDS
    while True:
        secret = stored_secret(documents, contract) if documents else None
        services = session.get("service.configurations").get("configurations", ())
        problem = difference(contract, services, secret)
        if problem is None:
            return
        if time.monotonic() > deadline:
            raise ProviderNotLiveError(
                f"{problem}, {LIVE_SECONDS:.0f} s after the last write",
                expected="the provider among GET /api/v1/service.configurations",
                where=session.url,
                next_step="restart Rocket.Chat, which may keep rows in memory that its database lacks, and "
                "apply again; from 9.0 it also needs the licence module oauth-enterprise",
            )
        threading.Event().wait(POLL_SECONDS)


def add(
    session: Session, name: str, main_setting: str, rows: Iterable[str], documents: Documents | None
) -> None:
    """Add a provider whose settings Rocket.Chat has to make, `rows` among them.

    Rocket.Chat keeps settings in memory, and does not make anew what it thinks it has. Rows that somebody
    deleted in MongoDB are put there as stubs: with their removal Rocket.Chat forgets them. Raises
    LicenceMissingError where the version takes no provider without one.
    """
    _add(session, name)
    if documents is None or session.dry:
        return
    if _put_stubs(documents, rows):
        remove(session, name, main_setting, documents)
        _add(session, name)


def _put_stubs(documents: Documents, rows: Iterable[str]) -> bool:
    """Put a row of no meaning where MongoDB lacks one of these; whether it lacked any."""
    made = {row["_id"] for row in documents.rows(SETTINGS)}
    lacking = [row for row in rows if row not in made]
    for row in lacking:
        stub = inserted(SETTINGS, {"_id": row, **_STUB}, "")
        documents.change(stub.target, None, stub.after)
    return bool(lacking)


def _add(session: Session, name: str) -> None:
    try:
        session.post("settings.addCustomOAuth", name=name)
    except RocketChatError as error:
        if error.code != "error-action-not-allowed":
            raise
        raise LicenceMissingError(
            f"Rocket.Chat refuses to add Custom OAuth {name!r}",
            expected="a version below 9.0, or the licence module oauth-enterprise",
            where="POST /api/v1/settings.addCustomOAuth",
            next_step="use 8.x or older, or a licence: Custom OAuth is Premium from 9.0 on",
        ) from error


def remove(session: Session, name: str, main_setting: str, documents: Documents | None) -> None:
    """Remove a provider with its log-in service, which stays for ever if its settings go first.

    Measured on 6.5.3. So it is disabled, and asked for as often as the route's limit allows. Raises
    ProviderNotLiveError when it is still there then: nothing is removed.
    """
    if documents and not session.dry:
        _put_stubs(documents, [main_setting])
    session.post(f"settings/{main_setting}", value=False)
    waited = 2 * POLL_SECONDS * _POLLS
    for _ in range(_POLLS):
        services = session.get("service.configurations").get("configurations", ())
        if session.dry or all(row.get("service") != name for row in services):
            break
        threading.Event().wait(2 * POLL_SECONDS)
    else:
        raise ProviderNotLiveError(
            f"log-in service {name!r} is still there {waited:.0f} s after its switch went off",
            expected="no such log-in service, before its settings are removed",
            where=session.url,
            next_step="restart Rocket.Chat, which removes it at its start, and apply again",
        )
    session.method("removeOAuthService", name)
