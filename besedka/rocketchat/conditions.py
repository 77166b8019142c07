"""Settings that single sign-on in a frame depends on, beside the rows of the contract.

The contract's own row wins where it has one. Doctor asks for these values, provisioning brings them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from besedka import ways
from besedka.contract import Contract, SettingValue

# The stored value wins over ROOT_URL at once; ROOT_URL fills it only the first time (measured on 6.13.0).
ADDRESS = "Site_Url"
DOMAINS = "Accounts_AllowedDomainsList"
# id → the value without which a first log-in by SSO makes no usable account, or the frame is replaced.
NEEDED: dict[str, bool] = {
    "Accounts_Registration_AuthenticationServices_Enabled": True,
    "Accounts_ManuallyApproveNewUsers": False,
    "Accounts_iframe_enabled": False,
    ways.MODERN_FLOW: False,
    "Enable_CSP": True,
}


def settings(contract: Contract, present: Mapping[str, Any]) -> dict[str, SettingValue]:
    """Setting id → value that is needed; of settings that this Rocket.Chat has (`present`), and no other."""
    needed: dict[str, SettingValue] = {ADDRESS: contract.chat.url, **NEEDED}
    if shut_out(contract, present):
        allowed = str(present[DOMAINS])
        needed[DOMAINS] = ",".join([allowed, *sorted(shut_out(contract, present))])
    return {name: value for name, value in needed.items() if name in present} | contract.settings


def shut_out(contract: Contract, present: Mapping[str, Any]) -> set[str]:
    """Mail domains of canonical users that a list of allowed domains leaves out."""
    allowed = {part.strip().lower() for part in str(present.get(DOMAINS) or "").split(",") if part.strip()}
    wanted = {user.email.partition("@")[2].lower() for user in contract.users}
    return wanted - allowed if allowed else set()
