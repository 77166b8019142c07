"""What Rocket.Chat calls things, and which names it refuses: users, rooms, OAuth services.

Each rule reads the settings that the contract requires, because Rocket.Chat's own rules do
(`apps/meteor/app/lib/server/functions/`: `validateUsername.ts`, `validateName.ts`,
`checkUsernameAvailability.ts`; `apps/meteor/app/utils/server/lib/getValidRoomName.ts`; 7.7.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from besedka.look_alikes import alike, mixed

Settings = Mapping[str, object]

USER_RULE = "UTF8_User_Names_Validation"
ROOM_RULE = "UTF8_Channel_Names_Validation"
DISPLAY_RULE = "UI_Allow_room_names_with_special_chars"
RESERVED = "Accounts_SystemBlockedUsernameList"
_BLOCKED = "Accounts_BlockedUsernameList"
_DEFAULTS = {USER_RULE: "[0-9a-zA-Z-_.]+", ROOM_RULE: "[0-9a-zA-Z-_.]+"}
_RESERVED_DEFAULT = "admin,administrator,system,user"
# What scripts and people append to a name that is taken. More than that is a name of its own.
_SECOND = r"([-_. ]?(chat|room|channel|group|copy|чат|\d+))?"
_SECRET = re.compile(r"(secret|password|_pass|token|private_?key)$", re.IGNORECASE)
# Rocket.Chat's own services: while their switch `Accounts_OAuth_<Name>` is off, it removes the log-in service
# of that key, anybody's (`apps/meteor/server/lib/oauth/updateOAuthServices.ts`; the settings of 7.7.1).
_ITS_OWN_SERVICES = frozenset(
    (
        *("apple", "dolphin", "drupal", "facebook", "github", "github_enterprise", "gitlab", "google"),
        *("linkedin", "nextcloud", "tokenpass", "twitter", "wordpress"),
    )
)
# Meteor links nobody to the first two (updateOrCreateUserFromExternalService of
# packages/accounts-base/accounts_server.js). Accounts have all of them below `services`, with other
# contents (packages/core-typings/src/IUser.ts, IUserServices).
_OF_ACCOUNTS = frozenset({"password", "resume", "email", "email2fa", "totp"})
# They mention everybody: `@all`, `@here`.
_MENTIONS = ("all", "here")
_CAT = "rocket.cat"


def service_key(name: str) -> str:
    """The key of a Custom OAuth service: `Besedka-SSO` becomes `besedkasso`.

    `apps/meteor/server/lib/oauth/addOAuthService.ts` puts it into lower case and drops everything but
    latin letters, digits and `_`. Raises ValueError where nothing is left.
    """
    if odd := mixed(name):
        message = f"{name!r} is of two alphabets: {odd}; type it anew, for Rocket.Chat drops that letter"
        raise ValueError(message)
    key = re.sub(r"[^a-z0-9_]", "", name.lower())
    if not key:
        message = (
            f"{name!r} has no latin letter or digit, and Rocket.Chat drops everything else from the name "
            "of a Custom OAuth service; call it e.g. 'besedka' and put the text into button_label_text"
        )
        raise ValueError(message)
    if key in _OF_ACCOUNTS:
        message = (
            f"{name!r} is where Rocket.Chat keeps how an account signs in by itself, and it links nobody "
            f"there; call yours e.g. 'besedka_{key}'"
        )
        raise ValueError(message)
    if key in _ITS_OWN_SERVICES:
        message = (
            f"{name!r} is a log-in service of Rocket.Chat's own, and while that is switched off Rocket.Chat "
            f"removes whatever has its name; call yours e.g. 'besedka_{key}'"
        )
        raise ValueError(message)
    return key


def pattern(settings: Settings, rule: str) -> re.Pattern[str]:
    """What a whole name must match; raises ValueError where the setting holds no regular expression."""
    text = rule_text(settings, rule)
    try:
        return re.compile(f"^(?:{text})$")
    except re.error as error:
        message = f"settings.{rule}: {text!r} is no regular expression ({error})"
        raise ValueError(message) from error


def rule_text(settings: Settings, rule: str) -> str:
    """The rule as Rocket.Chat has it: what is set, else its own."""
    return str(settings.get(rule) or _DEFAULTS[rule])


def misshapen(name: str, settings: Settings, rule: str) -> Iterator[str]:
    """The reason why Rocket.Chat refuses the form of the name, if it does."""
    try:
        allowed = pattern(settings, rule)
    except ValueError:
        return
    if not allowed.match(name):
        yield (
            f"Rocket.Chat refuses {name!r}: {rule} allows {rule_text(settings, rule)}; choose another name, "
            f"or set {rule} in [settings]"
        )


def unreadable_rules(settings: Settings) -> Iterator[str]:
    """The rules of the contract that are no regular expressions."""
    for rule in _DEFAULTS:
        try:
            pattern(settings, rule)
        except ValueError as error:
            yield str(error)


def refused_user(name: str, settings: Settings) -> Iterator[str]:
    """Why Rocket.Chat makes no account of that name."""
    yield from misshapen(name, settings, USER_RULE)
    yield from _reserved(name, settings)
    if name.lower() == _CAT:
        yield f"Rocket.Chat has an account {name!r} of its own from the first boot; choose another name"
    blocked = {*_MENTIONS, *_listed(settings.get(_BLOCKED, ""))}
    if name.lower() in blocked:
        yield f"Rocket.Chat makes no account {name!r}: it mentions everybody, or {_BLOCKED} lists it"


def refused_room(name: str, settings: Settings) -> Iterator[str]:
    """Why Rocket.Chat makes no room of that name."""
    yield from misshapen(name, settings, ROOM_RULE)
    yield from _reserved(name, settings)
    if name in {".", ".."}:
        yield f"no browser opens the address of a room {name!r}, a folder in a path; choose another name"


def _reserved(name: str, settings: Settings) -> Iterator[str]:
    reserved = _listed(settings.get(RESERVED, _RESERVED_DEFAULT))
    if name.lower() in reserved:
        yield (
            f"Rocket.Chat reserves {name!r} ({RESERVED} is {','.join(reserved)!r}); choose another name, "
            f"or set {RESERVED} in [settings] without it"
        )


def is_twin(other: str, name: str) -> bool:
    """Whether a room is called like a second one of `name`: `VIP`, `vip-chat`, `vip_1`; not `vip-lounge`."""
    second = re.fullmatch(rf"{re.escape(name)}{_SECOND}", other, re.IGNORECASE)
    return other != name and (bool(second) or alike(other.lower(), name.lower()))


def is_secret(row: str) -> bool:
    """Whether a row of the contract, or a setting, holds a password or a secret."""
    return bool(_SECRET.search(row))


def _listed(value: object) -> list[str]:
    return [part.strip().lower() for part in str(value).split(",") if part.strip()]
