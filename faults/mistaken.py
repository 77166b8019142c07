"""Faults by which people are taken for others: swapped addresses and names, letters that only look alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from besedka.contract import User
from besedka.names import USER_RULE
from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.site import namesake

_ACCOUNTS, _USERS, _MEMBERS = "accounts_user", "users", "rocketchat_subscription"
_TWO, _THREE = names.CONTRACT.users[-2:], names.CONTRACT.users[-3:]
_ALIKE = str.maketrans("aeopcx", "аеорсх")
_UNSEEN = "\u200b"


def _alike(text: str) -> str:
    """The first letter of these in Cyrillic; a letter that nobody sees where a name has none of them."""
    letter = next((letter for letter in text if ord(letter) in _ALIKE), None)
    return text.replace(letter, letter.translate(_ALIKE), 1) if letter else f"{text}{_UNSEEN}"


def _handed_on(values: list[Any]) -> list[Any]:
    return values[1:] + values[:1]


@contextmanager
def _in_the_chat(one: BreakableStack, users: tuple[User, ...], field: str) -> Iterator[None]:
    """Each account has the next one's value; they are unique, so all are set aside in between."""
    table = one.mongo[_USERS]
    rows = [table.find_one({"username": user.username}) or {} for user in users]
    own: list[Any] = [row["emails"] if field == "emails" else row[field] for row in rows]

    def write(values: list[Any]) -> None:
        for row in rows:
            aside = f"aside-{row['_id']}@besedka.invalid"
            held = [{"address": aside, "verified": True}] if field == "emails" else aside
            table.update_one({"_id": row["_id"]}, {"$set": {field: held}})
        for row, value in zip(rows, values, strict=True):
            table.update_one({"_id": row["_id"]}, {"$set": {field: value}})

    write(_handed_on(own))
    try:
        yield
    finally:
        write(own)


@contextmanager
def _at_the_site(one: BreakableStack, users: tuple[User, ...], column: str) -> Iterator[None]:
    keys = [("id", one.site_value(_ACCOUNTS, ("username", user.username))) for user in users]
    own = [one.site_value(_ACCOUNTS, key, column) for key in keys]
    aside = [f"aside-{number}@besedka.invalid" for _, number in keys]
    with ExitStack() as written:
        for values in (aside, _handed_on(own)):
            for key, value in zip(keys, values, strict=True):
                written.enter_context(one.column(_ACCOUNTS, key, column, value))
        yield


@contextmanager
def _links_swapped(one: BreakableStack) -> Iterator[None]:
    """Each of two accounts is linked to the other's user of the site."""
    ids = [str(one.site_value(_ACCOUNTS, ("username", user.username))) for user in _TWO]
    link, table = f"services.{one.contract.provider.name}", one.mongo[_USERS]
    rows = [table.find_one({"username": user.username}) or {} for user in _TWO]
    for row in rows:
        table.update_one({"_id": row["_id"]}, {"$unset": {link: ""}})
    for row, number in zip(rows, reversed(ids), strict=True):
        table.update_one({"_id": row["_id"]}, {"$set": {link: {"id": number}}})
    try:
        yield
    finally:
        for row in rows:
            table.update_one({"_id": row["_id"]}, {"$unset": {link: ""}})
        for row in rows:
            table.replace_one({"_id": row["_id"]}, row)


@contextmanager
def _held_by_a_stranger(one: BreakableStack) -> Iterator[None]:
    """The account has another address, and an account of nobody's here has the user's."""
    user = names.PLAIN
    another = {"$set": {"emails": [{"address": "old@besedka.com", "verified": True}]}}
    stranger: dict[str, Any] = {"_id": "strangerHasIt0001", "username": "somebody", "name": "somebody"}
    stranger |= {"type": "user", "active": True, "roles": ["user"]}
    stranger["services"] = {"password": {"bcrypt": "$2b$10$" + "a" * 53}}
    stranger["emails"] = [{"address": user.email, "verified": True}]
    with one.changed(_USERS, {"username": user.username}, another), one.inserted(_USERS, stranger):
        yield


def _stranger(name: str, cause: str, **more: Any) -> Fault:
    """An account of nobody's here in Rocket.Chat, with a way to sign in."""
    account: dict[str, Any] = {"_id": "strangerLooksSo01", "username": "somebody", "name": "somebody"}
    account |= {"type": "user", "active": True, "roles": ["user"]}
    account["services"] = {"password": {"bcrypt": "$2b$10$" + "a" * 53}}
    return Fault(name, cause, lambda one: one.inserted(_USERS, account | more))


def _namesake(name: str, cause: str, username: str) -> Fault:
    """A second account at the site, like the user's."""
    email = "namesake@besedka.com"
    return Fault(name, cause, lambda one: namesake(one, username, email=email, unique="username_ci"))


def _site(name: str, cause: str, column: str, wrong: str) -> Fault:
    key = ("username", names.PLAIN.username)
    return Fault(name, f"site.accounts.{cause}", lambda one: one.column(_ACCOUNTS, key, column, wrong))


def _chat(name: str, cause: str, field: str, wrong: str) -> Fault:
    key = {"username": names.PLAIN.username}
    return Fault(name, cause, lambda one: one.changed(_USERS, key, {"$set": {field: wrong}}))


def _among(name: str, cause: str, count: int, breaking: Callable[[BreakableStack], Any]) -> Fault:
    return Fault(name, cause, breaking, (cause,) * (count - 1))


@contextmanager
def _row(one: BreakableStack, name: str, change: Callable[[str], str]) -> Iterator[None]:
    """A row of the provider, and a rebuild of the log-in service with it."""
    setting = one.row(name)
    right = str(one.admin.get(f"settings/{setting}")["value"])
    with one.setting(setting, change(right)):
        yield


@contextmanager
def _client(one: BreakableStack) -> Iterator[None]:
    """The site's own record of Rocket.Chat."""
    client_id, table = one.contract.provider.client_id, "oauth2_provider_application"
    key = ("id", one.site_value(table, ("client_id", client_id)))
    with one.column(table, key, "client_id", _alike(client_id)):
        yield


@contextmanager
def _everywhere(one: BreakableStack) -> Iterator[None]:
    """The contract, the site and Rocket.Chat agree about a name that nobody can type."""
    right, odd = one.contract, _alike(_NAME)
    users = [
        user.model_copy(update={"username": odd}) if user.username == _NAME else user for user in right.users
    ]
    key = ("id", one.site_value(_ACCOUNTS, ("username", _NAME)))
    memberships = [row["_id"] for row in one.mongo[_MEMBERS].find({"u.username": _NAME})]
    with ExitStack() as held:
        held.enter_context(one.setting(USER_RULE, r"[^\s]+"))
        held.enter_context(one.changed(_USERS, {"username": _NAME}, {"$set": {"username": odd}}))
        held.enter_context(one.column(_ACCOUNTS, key, "username", odd))
        for each in memberships:
            held.enter_context(one.changed(_MEMBERS, {"_id": each}, {"$set": {"u.username": odd}}))
        one.contract = right.model_copy(update={"users": tuple(users)})
        try:
            yield
        finally:
            one.contract = right


def _split(text: str) -> str:
    return f"{text[:2]}{_UNSEEN}{text[2:]}"


def _wide(text: str) -> str:
    """A blank that breaks no line, or one that nobody sees."""
    return text.replace(" ", "\N{NO-BREAK SPACE}", 1) if " " in text else f"{text}{_UNSEEN}"


_NAME, _EMAIL, _FULL = names.PLAIN.username, names.PLAIN.email, names.PLAIN.full_name
_SPLIT = _split(_NAME)
_UNLIKE, _NOBODYS = "site.accounts.email_unlike", "integrity.users_unique.look_alike"

FAULTS = (
    _among(
        "two_accounts_with_each_others_email",
        "rooms.accounts.swapped",
        len(_TWO),
        lambda one: _in_the_chat(one, _TWO, "emails"),
    ),
    _among(
        "three_accounts_with_the_next_ones_email",
        "rooms.accounts.swapped",
        len(_THREE),
        lambda one: _in_the_chat(one, _THREE, "emails"),
    ),
    _among(
        "two_accounts_with_each_others_name",
        "integrity.users_unique.swapped",
        len(_TWO),
        lambda one: _in_the_chat(one, _TWO, "username"),
    ),
    _among(
        "two_accounts_linked_to_each_others_user",
        "integrity.sso_links.foreign",
        len(_TWO),
        _links_swapped,
    ),
    Fault("provider_id_with_a_cyrillic_letter", "provider.id.wrong", lambda one: _row(one, "id", _alike)),
    Fault(
        "provider_secret_with_a_letter_that_nobody_sees",
        "provider.secret.wrong",
        lambda one: _row(one, "secret", _split),
    ),
    Fault("user_with_a_cyrillic_letter_everywhere", "integrity.contract_names.mixed", _everywhere),
    Fault("client_with_a_cyrillic_letter", "application.exists.missing", _client),
    Fault("email_of_a_user_at_a_stranger", "rooms.accounts.taken", _held_by_a_stranger),
    _among(
        "two_site_accounts_with_each_others_email",
        "site.accounts.swapped",
        len(_TWO),
        lambda one: _at_the_site(one, _TWO, "email"),
    ),
    _among(
        "three_site_accounts_with_the_next_ones_email",
        "site.accounts.swapped",
        len(_THREE),
        lambda one: _at_the_site(one, _THREE, "email"),
    ),
    _among(
        "two_site_accounts_with_each_others_name",
        "site.accounts.swapped",
        len(_TWO),
        lambda one: _at_the_site(one, _TWO, "username"),
    ),
    _site("site_account_with_a_cyrillic_letter", "look_alike", "username", _alike(_NAME)),
    _site(
        "site_account_with_a_letter_that_nobody_sees",
        "look_alike",
        "username",
        _SPLIT,
    ),
    _site("site_account_with_a_blank_at_its_end", "look_alike", "username", f"{_NAME} "),
    _site("site_email_with_a_cyrillic_letter", "email_unlike", "email", _alike(_EMAIL)),
    _site("site_email_with_a_blank_at_its_end", "email_unlike", "email", f"{_EMAIL} "),
    _site("site_account_in_capitals", "username", "username", _NAME.upper()),
    _site("site_account_without_an_email", "no_email", "email", ""),
    _namesake("site_account_twice_by_case", "site.accounts.username_twice", _NAME.upper()),
    _namesake("site_account_beside_with_a_cyrillic_letter", "site.accounts.beside", _alike(_NAME)),
    _chat("account_in_capitals", "rooms.accounts.username", "username", _NAME.upper()),
    _stranger("account_beside_with_a_cyrillic_letter", "rooms.accounts.beside", username=_alike(_NAME)),
    _stranger("account_beside_with_a_letter_that_nobody_sees", "rooms.accounts.beside", username=_SPLIT),
    _stranger(
        "account_beside_with_an_email_that_looks_alike",
        "rooms.accounts.beside",
        emails=[{"address": _alike(_EMAIL), "verified": True}],
    ),
    _chat("account_with_a_no_break_space_in_its_name", "rooms.accounts.name", "name", _wide(_FULL)),
    _chat("account_with_a_cyrillic_letter", _NOBODYS, "username", _alike(_NAME)),
    _chat("account_with_a_letter_that_nobody_sees", _NOBODYS, "username", _SPLIT),
    _chat("account_with_a_blank_at_its_end", _NOBODYS, "username", f"{_NAME} "),
    _chat("email_with_a_cyrillic_letter", "rooms.accounts.email", "emails.0.address", _alike(_EMAIL)),
)
