"""Layer `integrity`, people: accounts of Rocket.Chat that are double, powerless, or linked by hand."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from besedka.adapter import TEMPORARY_PREFIX
from besedka.checks.addresses import in_place_of
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, answer, finding
from besedka.contract import Contract
from besedka.look_alikes import alike
from besedka.rocketchat import shapes
from besedka.rocketchat.database import Document
from besedka.rocketchat.documents import is_date, lives_elsewhere, signs_in
from besedka.swapped import Held, of_site, swaps

_GROUND = ["services.same_data"]
_STAMPED = re.compile(r"_\d{10,}$")
_DATES = ("createdAt", "lastLogin", "_updatedAt")


def _humans(examination: Examination) -> list[Document]:
    """Accounts of people; those of a running test are its own business."""
    return [
        user
        for user in examination.chat_users
        if user.get("type", "user") == "user"
        and not str(user.get("username", "")).startswith(TEMPORARY_PREFIX)
    ]


@check("integrity.users_unique", codes="name email stamped look_alike swapped", needs=_GROUND)
def users_unique(examination: Examination) -> Answer:
    """Does each canonical user have one account, by name and by e-mail?"""
    people = _humans(examination)
    found: list[Finding] = []
    by_name = Counter(str(user.get("username", "")).lower() for user in people)
    by_email = Counter(
        str(row.get("address", "")).lower() for user in people for row in user.get("emails") or []
    )
    fix = "Keep the account that is linked to the site, delete the other: Administration → Users."
    for user in examination.contract.users:
        stamped = [
            str(row["username"])
            for row in people
            if _STAMPED.sub("", str(row.get("username", ""))).lower() == user.username.lower()
            and str(row.get("username", "")).lower() != user.username.lower()
        ]
        place = f"users, {user.username}"
        if by_name[user.username.lower()] > 1:
            seen = f"{by_name[user.username.lower()]} accounts named {user.username}, whatever the case"
            found.append(finding("integrity.users_unique.name", seen, "one", place, advice=(fix,)))
        elif by_email[user.email.lower()] > 1:
            seen = f"{by_email[user.email.lower()]} accounts with {user.email}"
            found.append(finding("integrity.users_unique.email", seen, "one", place, advice=(fix,)))
        if stamped:
            seen = f"{stamped[0]} beside {user.username}: a script made it when it did not find the user"
            found.append(finding("integrity.users_unique.stamped", seen, user.username, place, advice=(fix,)))
    found += _misnamed(examination, people)
    return answer(found, evidence=f"{len(people)} accounts")


def _misnamed(examination: Examination, people: list[Document]) -> list[Finding]:
    """Canonical users whose account has a name that only looks like theirs, or another user's name.

    What was written from an account stays its own: a new one of the right name would be an empty one.
    """
    users = examination.contract.users
    named = {str(row.get("username", "")).lower(): row for row in people}
    held = {
        name: Held([str(one.get("address", "")) for one in row.get("emails") or []], row.get("name"))
        for name, row in named.items()
    }
    found = []
    for user in users:
        doubles = [name for row in people if alike(name := row.get("username"), user.username)]
        if user.username.lower() not in named and doubles:
            found.append(in_place_of(user, str(doubles[0]), "integrity.users_unique.look_alike"))
    for swap in swaps(users, held).values():
        if swap.whole:
            name = swap.user.username
            fix = (
                f"Administration, Users: give {name} another username for a while, then each account its own."
            )
            place, code = f"users, {name}", "integrity.users_unique.swapped"
            found.append(finding(code, swap.of_names, name, place, advice=(fix,)))
    return found


def _own(examination: Examination, user: Document) -> bool:
    """Whether it is a canonical user's account; those of other people are left to a person."""
    return any(user.get("username") == own.username for own in examination.contract.users)


@check("integrity.users_able", codes="powerless", needs=_GROUND)
def users_able(examination: Examination) -> Answer:
    """Has every person a way to sign in?"""
    service = examination.contract.provider.name
    found = []
    for user in _humans(examination):
        own = _own(examination, user)
        if not signs_in(user) and (own or not lives_elsewhere(user)):
            seen = f"{user.get('username')} has neither a password nor a link to {service}"
            place = f"users, {user.get('_id')}, services"
            fix = "A script inserted it: delete the account (users.delete), and let SSO make it."
            commands, advice = ((examination.provision_command,), ()) if own else ((), (fix,))
            code = "integrity.users_able.powerless"
            found.append(finding(code, seen, "one of the two", place, commands=commands, advice=advice))
    return answer(found, evidence="everybody can")


@check("integrity.users_ids", codes="type username dates tokens", needs=_GROUND)
def users_ids(examination: Examination) -> Answer:
    """Are accounts made by Rocket.Chat: text ids that are not the username, and real dates?"""
    found = []
    for user in _humans(examination):
        name, place = user.get("username"), f"users, {user.get('_id')}"
        fix = f"Delete account {name} (Administration → Users, or users.delete), and let SSO make it."
        if not isinstance(user["_id"], str):
            seen = f"{name}: _id is {type(user['_id']).__name__}"
            found.append(
                finding("integrity.users_ids.type", seen, "text of 17 characters", place, advice=(fix,))
            )
        elif user["_id"] == name:
            seen = f"{name}: _id is the username"
            found.append(
                finding("integrity.users_ids.username", seen, "17 random characters", place, advice=(fix,))
            )
        wrong = [field for field in _DATES if user.get(field) is not None and not is_date(user[field])]
        tokens = shapes.at(user, shapes.TOKENS) or []
        wrong += ["loginTokens.when" for token in tokens if "when" in token and not is_date(token["when"])]
        found += _hashes(examination, user, tokens)
        if wrong:
            fix = "a JSON backup turned dates into text: restore with mongorestore, not with JSON"
            seen = f"{name}: {', '.join(sorted(set(wrong)))} not a date"
            commands = (examination.provision_command,) if _own(examination, user) else ()
            code = "integrity.users_ids.dates"
            found.append(finding(code, seen, "BSON dates", place, commands=commands, advice=(fix,)))
    return answer(found, evidence="made by Rocket.Chat")


def _hashes(examination: Examination, user: Document, tokens: list[Document]) -> list[Finding]:
    """A session is looked for by the hash of its token, which is text (Meteor, accounts-base)."""
    bad = [token for token in tokens if not isinstance(token.get("hashedToken"), str)]
    if not bad:
        return []
    seen = f"{user.get('username')}: {len(bad)} of {len(tokens)} tokens have no hash that is text"
    fix = "They let nobody in: Administration → Users, this user, Log out everywhere."
    commands = (examination.provision_command,) if _own(examination, user) else ()
    place = f"users, {user['_id']}, {shapes.TOKENS}"
    return [
        finding(
            "integrity.users_ids.tokens",
            seen,
            "hashedToken as text",
            place,
            commands=commands,
            advice=(fix,),
        )
    ]


@check(
    "integrity.sso_links",
    codes="id_type foreign forged shared",
    needs=_GROUND,
    after=["services.site_database", "integrity.users_unique"],
)
def sso_links(examination: Examination) -> Answer:
    """Did the site make every SSO link: its own user id, its own token?"""
    service = examination.contract.provider.name
    linked = [user for user in _humans(examination) if (user.get("services") or {}).get(service)]
    found: list[Finding] = []
    for user in linked:
        link: dict[str, Any] = user["services"][service]
        found += _link_findings(examination, str(user.get("username")), link)
    ids = Counter(str(user["services"][service].get("id")) for user in linked)
    for twice in sorted(one for one, count in ids.items() if count > 1):
        seen = f"{ids[twice]} accounts are linked to user {twice} of the site"
        holders = [
            str(one.get("username")) for one in linked if str(one["services"][service].get("id")) == twice
        ]
        commands, _ = _unlinking(examination, *holders, _names(examination).get(twice, ""))
        fix = "Keep the link of the one whose username is the site's, and take the others' away."
        found.append(
            finding(
                "integrity.sso_links.shared",
                seen,
                "one",
                f"users.services.{service}.id",
                commands=commands if examination.target.site_database_url else (),
                advice=(fix,),
            )
        )
    return answer(found, evidence=f"{len(linked)} links")


def _link_findings(examination: Examination, username: str, link: dict[str, Any]) -> list[Finding]:
    service = examination.contract.provider.name
    place = f"users, {username}, services.{service}"
    token = examination.secret(str(link.get("accessToken") or ""))
    owner = _names(examination).get(str(link.get("id")), "nobody")
    commands, fix = _unlinking(examination, username, owner)
    if not isinstance(link.get("id"), str):
        seen = f"id is {type(link.get('id')).__name__} {link.get('id')!r}"
        by_site = bool(token) and isinstance(link.get("id"), int)
        again = (
            "The site answers numbers: let its identity view answer the id as text. Nothing else is wrong."
        )
        code, expected = "integrity.sso_links.id_type", "text: 1 and '1' are two users"
        # A sign-in leaves a token, and would write the number again.
        commands, advice = ((), again) if by_site else (commands, fix)
        return [finding(code, seen, expected, place, commands=commands, advice=(advice,))]
    if examination.target.site_database_url is None or username in _exchanged(examination):
        return []
    known, own = {name.lower() for name in _names(examination).values()}, _canonical(examination)
    # Of canonical users site.accounts says it. Others rename themselves, here or there, or leave the site.
    if username.lower() not in known and (username.lower() in own or owner.lower() not in own):
        return []
    if owner.lower() != username.lower():
        seen = f"id {link['id']} is {owner} at the site"
        return [
            finding(
                "integrity.sso_links.foreign",
                seen,
                username,
                place,
                commands=commands,
                advice=(fix,),
            )
        ]
    expires = link.get("expiresAt")
    lapsed = isinstance(expires, int | float) and expires / 1000 < datetime.now(UTC).timestamp()
    issued = examination.site_tokens
    if token and not lapsed and issued is not None and token not in issued:
        seen = "the site never issued this access token"
        return [
            finding(
                "integrity.sso_links.forged",
                seen,
                "a token of the site",
                place,
                commands=commands,
                advice=(fix,),
            )
        ]
    return []


def _names(examination: Examination) -> dict[str, str]:
    """The site's usernames by the id that it answers; none where its database cannot be read."""
    known = examination.target.site_database_url is not None
    return {str(user.id): user.username for user in examination.site_users} if known else {}


def _exchanged(examination: Examination) -> set[str]:
    """Names that users of the site have exchanged, so that links look foreign: `site.accounts` says it."""
    found = swaps(examination.contract.users, of_site(examination.site_users))
    return {name for name, swap in found.items() if swap.whole}


def _canonical(examination: Examination) -> set[str]:
    return {user.username.lower() for user in examination.contract.users}


def _unlinking(examination: Examination, *usernames: str) -> tuple[tuple[str, ...], str]:
    """How a link goes: provisioning answers for canonical accounts, and for their links elsewhere."""
    link = f"services.{examination.contract.provider.name} of {usernames[0]}"
    if _canonical(examination) & {name.lower() for name in usernames}:
        return (
            (examination.provision_command,),
            f"The command takes {link} away; the next log-in by SSO links anew.",
        )
    return (), f"Take {link} away in MongoDB: besedka.toml does not name it, and the next log-in links anew."


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (users_unique, users_able, users_ids, sso_links)
