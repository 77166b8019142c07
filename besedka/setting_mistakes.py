"""What `[settings]` must not say, each with its row: values of another kind, and what keeps people out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from besedka import address, ways
from besedka.address_mistakes import Told

# The settings registry; each version's file holds what differs (besedka/rocketchat/catalogue.py).
_REGISTRY = Path(__file__).parent / "rocketchat" / "catalogue" / "7.7.1.json"
_CUSTOM = re.compile(r"^Accounts_OAuth_Custom-[A-Z0-9_][A-Za-z0-9_]*(?=-|$)")
_TEXTS = frozenset({"string", "relativeUrl", "password", "code", "color", "language", "select"})
_KINDS: dict[str, tuple[type, str]] = {
    "boolean": (bool, "true or false"),
    "int": (int, "a whole number"),
    "multiSelect": (list, "a list of texts in quotation marks"),
} | dict.fromkeys(_TEXTS, (str, "a text in quotation marks"))
_TWO_FACTOR = "Accounts_TwoFactorAuthentication_"
# From here on nobody logs in by OAuth: an administrator makes the tokens.
_WITHOUT_OAUTH = (9,)
# Since 6.13 e-mail codes need not be asked of those who come by OAuth.
_EXEMPT, _EXEMPT_FROM = "Accounts_twoFactorAuthentication_email_available_for_OAuth_users", (6, 13)


def problems(contract: Told) -> Iterator[str]:
    """One text for each problem, with its row first; of a row of the wrong kind nothing else is said."""
    wrong = list(_wrong_kinds(contract))
    yield from wrong
    if not wrong:
        yield from _frame(contract)
        yield from _origins(contract)
        yield from _second_factor(contract)
        yield from _said_elsewhere(contract)
        yield from _domains(contract)
        yield from _first_room(contract)


def _wrong_kinds(contract: Told) -> Iterator[str]:
    """Rocket.Chat stores whatever it is sent: to it the text "false" is true."""
    for row, value in contract.settings.items():
        name, default, choices = _registry().get(_CUSTOM.sub("Accounts_OAuth_Custom-*", row), ("", "", ()))
        kind, wanted = _KINDS.get(name, (object, ""))
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield f"settings.{row}: {value!r} is not what Rocket.Chat keeps there: {wanted}"
        elif choices and value != default:
            for one in value if isinstance(value, list) else [value]:
                if one not in choices:
                    yield f"settings.{row}: {one!r} is none of Rocket.Chat's choices: {', '.join(choices)}"


@cache
def _registry() -> dict[str, tuple[str, object, tuple[str, ...]]]:
    """Setting id → kind, default and the choices that there are."""
    groups = json.loads(_REGISTRY.read_text("utf-8"))["groups"]
    rows = (row for group in groups for row in group["settings"])
    return {
        setting: (kind, default, tuple(more[0].get("values", ())) if more else ())
        for setting, kind, _, default, _, *more in rows
    }


def _frame(contract: Told) -> Iterator[str]:
    """X-Frame-Options and the setup wizard stand in the frame's way (`app/cors/server/cors.ts`, 7.7.1)."""
    rows, one_origin = contract.settings, _origin(contract) == address.origin(contract.chat.url)
    option = str(rows.get("Iframe_X_Frame_Options", "sameorigin")).lower()
    refusing = {"deny"} if one_origin else {"deny", "sameorigin"}
    # Browsers do not look at it beside `frame-ancestors` (CSP level 3, 6.4.2.2).
    instead = contract.proxy and contract.proxy.frame_ancestors
    if rows.get("Iframe_Restrict_Access") is True and option in refusing and not instead:
        yield (
            f"settings.Iframe_Restrict_Access: while true, Rocket.Chat sends X-Frame-Options: {option}, "
            "and no browser shows it in a frame of the site; set it to false, or let a proxy name the site "
            "in frame-ancestors, and say so by frame_ancestors in [proxy]"
        )
    if rows.get("Show_Setup_Wizard", "completed") != "completed":
        yield "settings.Show_Setup_Wizard: the setup wizard would stand in the frame in place of the chat"


def _origins(contract: Told) -> Iterator[str]:
    """Rocket.Chat compares the page's origin with each entry, letter by letter, and knows `*`."""
    for direction, row in zip(("receive", "send"), ways.ORIGINS, strict=True):
        listed = contract.settings.get(row, "*")
        used = contract.settings.get(f"Iframe_Integration_{direction}_enable", True)
        if used and listed != "*" and _origin(contract) not in address.origins(listed):
            own = _origin(contract)
            yield f"settings.{row}: {listed!r} lacks the site's origin as browsers write it, {own}"


def _second_factor(contract: Told) -> Iterator[str]:
    """E-mail codes refuse every OAuth log-in of a verified address (app/2fa/server/loginHandler.ts)."""
    rows = contract.settings
    version = tuple(int(part) for part in (contract.chat.version or "7.7.1").split("."))
    exempt = rows.get(_EXEMPT, True) is False and version >= _EXEMPT_FROM
    names = ("By_Email_Enabled", "By_Email_Auto_Opt_In")
    asked = all(rows.get(f"{_TWO_FACTOR}{name}", True) for name in names) and not exempt
    if rows.get(f"{_TWO_FACTOR}Enabled") is True and asked and version < _WITHOUT_OAUTH:
        yield (
            f"settings.{_TWO_FACTOR}Enabled: codes by e-mail refuse every log-in by OAuth; take the row "
            f"back, or set {_TWO_FACTOR}By_Email_Enabled = false"
        )


def _said_elsewhere(contract: Told) -> Iterator[str]:
    """Rows that follow from other tables of the contract."""
    provider = contract.provider
    base, fields = f"Accounts_OAuth_Custom-{provider.name.capitalize()}", type(provider).model_fields
    told = {name: getattr(provider, name) for name in fields} | {
        "id": provider.client_id,
        "secret": provider.secret,
    }
    elsewhere = {f"{base}-{suffix}": (value, f"provider.{suffix}") for suffix, value in told.items()}
    elsewhere |= {base: (True, "the table [provider]")}
    elsewhere |= {"Site_Url": (contract.chat.url, "chat.url")}
    elsewhere |= {ways.MODERN_FLOW: (contract.chat.sso == "oauth-modern", "chat.sso")}
    for row, (value, place) in elsewhere.items():
        if row in contract.settings and contract.settings[row] != value:
            yield f"settings.{row}: says something else than {place}; keep {place}, and leave this row out"


def _domains(contract: Told) -> Iterator[str]:
    """An account of another domain is none (`app/authentication/server/startup/index.js`, 7.7.1)."""
    rows = contract.settings
    allowed = _listed(rows.get("Accounts_AllowedDomainsList", ""))
    blocked = _listed(rows.get("Accounts_BlockedDomainsList", ""))
    for number, user in enumerate(contract.users, 1):
        domain = user.email.partition("@")[2].lower()
        row = f"users.{number} ({user.username}).email"
        if allowed and domain not in allowed:
            yield f"{row}: {domain} is not among the domains of settings.Accounts_AllowedDomainsList"
        if domain in blocked:
            yield f"{row}: {domain} is among the domains of settings.Accounts_BlockedDomainsList"


def _first_room(contract: Told) -> Iterator[str]:
    """The client goes to /channel/ and that text (MainLayout/LayoutWithSidebar.tsx, 7.7)."""
    told = str(contract.settings.get("First_Channel_After_Login", ""))
    name = told.strip(" #/")
    row, rooms = "settings.First_Channel_After_Login", {room.name: room for room in contract.channels}
    if told != name:
        yield f"{row}: {told!r} stands in an address of Rocket.Chat; write the bare name, {name!r}"
        return
    if name not in rooms:
        return
    shut_out = sorted({user.role for user in contract.users if not rooms[name].admits(user.role)})
    if shut_out and not rooms[name].default:
        yield f"{row}: everybody is led to {name!r}, and {', '.join(shut_out)} may not enter it"
    elif rooms[name].private and not rooms[name].default:
        yield f"{row}: {name!r} is private, and everybody is led to a public room of that name"


def _listed(value: object) -> set[str]:
    return {part.strip().lower() for part in str(value).split(",") if part.strip()}


def _origin(contract: Told) -> str:
    return address.origin(contract.site.url)
