"""The contract's OAuth provider in Rocket.Chat's own terms: setting ids, first-boot environment, service row.

Ids: `apps/meteor/server/lib/oauth/addOAuthService.ts` strips the name to `[a-z0-9_]`, capitalises it and
builds `Accounts_OAuth_Custom-<Name>-<suffix>`. Environment:
`apps/meteor/server/lib/oauth/initCustomOAuthServices.ts` reads `Accounts_OAuth_Custom_<Name>_<suffix>`,
with underscores, and only as initial values.
"""

from __future__ import annotations

import re

from besedka.contract import Contract, Provider
from besedka.values import SettingValue

# Contract fields whose Rocket.Chat suffix has the same name.
_SAME_NAME = (
    "url",
    "authorize_path",
    "token_path",
    "identity_path",
    "scope",
    "access_token_param",
    "login_style",
    "button_label_text",
    "merge_users",
    "merge_users_distinct_services",
    "show_button",
    "token_sent_via",
    "identity_token_sent_via",
    "key_field",
    "username_field",
    "email_field",
    "name_field",
    "avatar_field",
)


PREFIX = "Accounts_OAuth_Custom-"
_ROW = re.compile(rf"{PREFIX}([A-Z0-9_][a-z0-9_]*)(?:-\w+)?")
# Ids that people and scripts wrote for Rocket.Chat's, by what is wrong with them.
_MISSPELT = (
    ("underscore", re.compile(r"^Accounts_OAuth_Custom_(?!Enable)", re.IGNORECASE)),
    ("wrong_prefix", re.compile(r"^Custom_OAuth_", re.IGNORECASE)),
)


def base_id(provider: Provider) -> str:
    """Id of the provider's switch, the boolean that turns the service on."""
    return f"{PREFIX}{provider.name.capitalize()}"


def misspelt(setting_id: str) -> str | None:
    """How a provider's id is misspelt; None for one that is not, or is no provider's.

    Rocket.Chat writes the first letter alone as a capital. It makes a service of each boolean that begins
    with the prefix, whose name it then puts in small letters: rows in another spelling fight for the one
    service (`apps/meteor/server/lib/oauth/updateOAuthServices.ts`).
    """
    if setting_id.lower().startswith(PREFIX.lower()):
        name = setting_id[len(PREFIX) :].partition("-")[0]
        right = setting_id.startswith(PREFIX) and name == name.capitalize()
        return None if right else "lower_case" if name == name.lower() else "letter_case"
    return next((kind for kind, pattern in _MISSPELT if pattern.match(setting_id)), None)


def declared(setting_id: str) -> str | None:
    """The key of the Custom OAuth service that the row belongs to; None for any other setting."""
    found = _ROW.fullmatch(setting_id)
    return found[1].lower() if found else None


def values(contract: Contract) -> dict[str, SettingValue]:
    """Suffix → value of every provider row, the base switch not among them.

    Where the site has two addresses, `url` is the one that Rocket.Chat's server calls. The authorize path
    becomes absolute then, because that hop is the browser's.
    """
    provider = contract.provider
    rows: dict[str, SettingValue] = {"id": provider.client_id, "secret": provider.secret}
    rows |= {name: getattr(provider, name) for name in _SAME_NAME}
    if contract.own_provider_url:
        rows["authorize_path"] = contract.site.url + provider.authorize_path
    return rows


def settings(contract: Contract) -> dict[str, SettingValue]:
    """Setting id → value of the provider, the base switch last, as it has to be written."""
    base = base_id(contract.provider)
    return {f"{base}-{suffix}": value for suffix, value in values(contract).items()} | {base: True}


def environment(contract: Contract) -> dict[str, str]:
    """The same as environment of a first boot; stored rows win on later boots."""
    base = base_id(contract.provider).replace("-", "_")
    rows = {f"{base}_{suffix}": _as_text(value) for suffix, value in values(contract).items()}
    return {base: "true"} | rows


def redirect_uri(contract: Contract) -> str:
    """The callback that Rocket.Chat names to the provider: ROOT_URL plus `/_oauth/<service>`."""
    return f"{contract.chat.url}/_oauth/{contract.provider.name}"


def _as_text(value: SettingValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
