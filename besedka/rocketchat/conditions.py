"""Settings that single sign-on in a frame depends on, beside the rows of the contract.

The contract's own row wins where it has one. Doctor asks for these values, provisioning brings them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from besedka import ways
from besedka.contract import Contract
from besedka.values import SettingValue

# The stored value wins over ROOT_URL at once; ROOT_URL fills it only the first time (measured on 6.13.0).
ADDRESS = "Site_Url"
DOMAINS = "Accounts_AllowedDomainsList"
# Services whose log-in is sent over Rocket.Chat's own server, with a redirect URI of that server: the site
# refuses it (client/meteor/overrides/oauth.ts, 6.x and 7.x).
PROXIED = "Accounts_OAuth_Proxy_services"
# id → the value without which a first log-in by SSO makes no usable account, or the frame is replaced.
NEEDED: dict[str, bool] = {
    "Accounts_Registration_AuthenticationServices_Enabled": True,
    "Accounts_ManuallyApproveNewUsers": False,
    # Without it the address of a new account is unverified (server/lib/accounts, onCreateUser). Adoption by
    # an unverified address asks for a new password (accounts_meld.js, 6.5.3: at each sign-in).
    "Accounts_Verify_Email_For_External_Accounts": True,
    "Accounts_ForgetUserSessionOnWindowClose": False,
    "Accounts_iframe_enabled": False,
    ways.MODERN_FLOW: False,
    "Enable_CSP": True,
}


_NEWCOMERS = ("Accounts_Registration_AuthenticationServices_Enabled", "Accounts_ManuallyApproveNewUsers")


def closed(contract: Contract) -> str:
    """The row by which the contract lets nobody new sign in at once; empty where there is none."""
    said = {row: contract.settings.get(row, NEEDED[row]) for row in _NEWCOMERS}
    return next((f"{row} = {value}" for row, value in said.items() if value != NEEDED[row]), "")


def settings(contract: Contract, present: Mapping[str, Any]) -> dict[str, SettingValue]:
    """Setting id → value that is needed; of settings that this Rocket.Chat has (`present`), and no other."""
    needed: dict[str, SettingValue] = {ADDRESS: contract.chat.url, **NEEDED}
    if shut_out(contract, present):
        allowed = str(present[DOMAINS])
        needed[DOMAINS] = ",".join([allowed, *sorted(shut_out(contract, present))])
    if contract.provider.name in (services := proxied(present)):
        needed[PROXIED] = ",".join(name for name in services if name != contract.provider.name)
    return {name: value for name, value in needed.items() if name in present} | contract.settings


def proxied(present: Mapping[str, Any]) -> list[str]:
    """Services that go over that server, as the client reads the list."""
    return [name for name in "".join(str(present.get(PROXIED) or "").split()).split(",") if name]


def shut_out(contract: Contract, present: Mapping[str, Any]) -> set[str]:
    """Mail domains of canonical users that a list of allowed domains leaves out.

    It is compared letter for letter (app/authentication/server/startup/index.js, 6.x and 7.x).
    """
    allowed = {part.strip() for part in str(present.get(DOMAINS) or "").split(",") if part.strip()}
    wanted = {user.email.partition("@")[2] for user in contract.users}
    return wanted - allowed if allowed else set()
