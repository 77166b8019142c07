"""Layer `rooms`: rooms, accounts, roles and memberships, held against the contract."""

from __future__ import annotations

from collections.abc import Collection

from besedka.adapter import TEMPORARY_PREFIX
from besedka.checks import guests
from besedka.checks.absent import absent
from besedka.checks.addresses import foreign_address, in_place_of, misnamed
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.checks.letter_case import letters, lost_passwords
from besedka.contract import Contract, User
from besedka.look_alikes import alike, with_reason
from besedka.names import is_twin
from besedka.target import besedka_command

_TWIN = (
    "Look who writes there. If it is a room of its own, keep it: give it another name, or a row in "
    "[[channels]] of besedka.toml.",
    "If it is a second one, tell its members, then archive it in its settings; archiving loses nothing.",
)


def _values(examination: Examination, field: str) -> list[str]:
    return [f"channels.{channel.name}.{field}" for channel in examination.contract.channels]


@check(
    "rooms.seeded",
    codes="empty",
    needs=["services.admin"],
    after=["services.same_data", "integrity.general"],
)
def seeded(examination: Examination) -> Answer:
    """Is this the database that was provisioned, not a new one?"""
    known, contract = examination.roster, examination.contract
    rooms = {channel.name for channel in contract.channels if not channel.default}
    own = rooms & set(known.rooms)
    people = {
        user.username.lower() for user in contract.users if not contract.is_administrator(user.username)
    }
    found = []
    # A contract of the administrator and the first room alone is fulfilled by a first boot.
    if (rooms or people) and not own and not people & set(known.accounts):
        seen = "no room but those of a first boot, no account but the administrator's: the database is new"
        expected = "the rooms and accounts of the contract"
        again = "was the volume removed (down -v)? Memberships and messages come back from a backup alone"
        found = [
            finding(
                "rooms.seeded.empty",
                seen,
                expected,
                "the database",
                commands=(examination.provision_command,),
                advice=(again,),
            )
        ]
    return answer(found, evidence=f"{len(own)} rooms and {len(people & set(known.accounts))} accounts")


@check(
    "rooms.exist",
    codes="missing twin",
    needs=["services.admin"],
    after=[
        "rooms.seeded",
        "integrity.room_kinds",
        "integrity.general",
        "integrity.room_names",
        "integrity.ids",
    ],
)
def exist(examination: Examination) -> Answer:
    """Is each room of the contract there, and no twin beside it?"""
    known = examination.roster.rooms
    own = {channel.name for channel in examination.contract.channels}
    found = []
    for channel in examination.contract.channels:
        twins = [name for name in known if name not in own and is_twin(name, channel.name)]
        place = f"rocketchat_room, {channel.name}"
        if channel.name not in known:
            beside = f"; there is {twins[0]}" if twins else ""
            seen = f"no room {channel.name}{beside}"
            found.append(
                finding(
                    "rooms.exist.missing",
                    seen,
                    channel.name,
                    place,
                    commands=(examination.provision_command,),
                )
            )
        elif twins:
            seen = f"{', '.join(twins)} beside {channel.name}"
            hollow = all(known[name].hollow for name in twins)
            commands, advice = ((examination.provision_command,), ()) if hollow else ((), _TWIN)
            code, alone = "rooms.exist.twin", f"{channel.name} alone"
            found.append(finding(code, seen, alone, place, commands=commands, advice=advice))
    watched = _values(examination, "name")
    return answer(found, evidence=f"{len(watched)} rooms, from {examination.roster.source}", watched=watched)


@check(
    "rooms.kind",
    codes="private public archived read_only join_code muted",
    needs=["rooms.exist"],
)
def kind(examination: Examination) -> Answer:
    """Is each room as private and as open to writing as it should be?"""
    found: list[Finding] = []
    for channel in examination.contract.channels:
        room = examination.roster.rooms[channel.name]
        place = f"rocketchat_room, {room.id} ({room.name})"
        if room.private != channel.private:
            words = {True: "private", False: "public"}
            seen, expected = words[room.private], words[channel.private]
            code = "private" if room.private else "public"
            found.append(
                finding(
                    f"rooms.kind.{code}",
                    f"{room.name} is {seen}",
                    expected,
                    place,
                    commands=(examination.provision_command,),
                )
            )
        if channel.read_only and not room.read_only:
            found.append(
                finding(
                    "rooms.kind.read_only",
                    f"{room.name}: everybody may write",
                    "read only",
                    place,
                    commands=(examination.provision_command,),
                )
            )
        shut = room.read_only and not channel.read_only
        for code, is_so in (("archived", room.archived), ("read_only", shut), ("join_code", room.join_code)):
            if is_so:
                seen = f"{room.name}: {code.replace('_', ' ')}"
                found.append(
                    finding(
                        f"rooms.kind.{code}",
                        seen,
                        "open to its members",
                        place,
                        commands=(examination.provision_command,),
                    )
                )
        members = {user.username for user in examination.contract.users if channel.name in user.channels}
        silenced = sorted(_by_contract(examination, room.muted) & members)
        if silenced:
            seen = f"{room.name}: {', '.join(silenced)} muted"
            found.append(
                finding("rooms.kind.muted", seen, "nobody", place, commands=(examination.provision_command,))
            )
    return answer(found, evidence="as the contract says", watched=_values(examination, "private"))


def _by_contract(examination: Examination, names: Collection[str]) -> set[str]:
    """The names, those of canonical users in the contract's letters: rooms.accounts tells of others."""
    own = {user.username.lower(): user.username for user in examination.contract.users}
    return {own.get(name.lower(), name) for name in names}


@check("rooms.default", codes="missing extra", needs=["rooms.exist"])
def default(examination: Examination) -> Answer:
    """Is the default room, and no other of the contract, joined by new accounts?"""
    found = []
    for channel in examination.contract.channels:
        room = examination.roster.rooms[channel.name]
        if room.default != channel.default:
            code = "missing" if channel.default else "extra"
            seen = f"{room.name}: default is {room.default}"
            place = f"rocketchat_room, {room.id}, default"
            found.append(
                finding(
                    f"rooms.default.{code}",
                    seen,
                    str(channel.default),
                    place,
                    commands=(examination.provision_command,),
                )
            )
    evidence = ", ".join(channel.name for channel in examination.contract.default_channels)
    return answer(found, evidence=evidence, watched=_values(examination, "default"))


@check(
    "rooms.accounts",
    codes="missing nameless look_alike beside username inactive kind reset email email_case swapped taken"
    " name",
    needs=["services.admin"],
    after=["rooms.seeded", "integrity.users_unique", "integrity.users_ids", "integrity.shapes"],
)
def accounts(examination: Examination) -> Answer:
    """Has each canonical user an account in the chat, active, with the contract's e-mail and name?"""
    known = examination.roster.accounts
    found = []
    for user in examination.contract.users:
        place = f"users, {user.username}"
        account = known.get(user.username.lower())
        if account is None:
            found.append(_missing(examination, user))
            continue
        found += misnamed(examination, user, account)
        if not account.active:
            seen = f"{user.username} is deactivated"
            found.append(
                finding(
                    "rooms.accounts.inactive",
                    seen,
                    "active",
                    place,
                    commands=(examination.provision_command,),
                )
            )
        if account.kind != "user" and (account.kind or examination.roster.source == "Mongo"):
            found.append(_of_no_person(examination, user, account.kind))
        if account.must_reset:
            found.append(_told_to_reset(user, place))
        found += letters(examination, user, account)
        found += foreign_address(examination, user, account)
        if account.name != user.full_name:
            fix = "the next SSO log-in of this user brings the site's name"
            seen = with_reason(f"{user.username} is called {account.name!r}", account.name, user.full_name)
            found.append(
                finding(
                    "rooms.accounts.name",
                    seen,
                    user.full_name,
                    place,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
    return answer(found, evidence=f"{len(examination.contract.users)} accounts")


def _told_to_reset(user: User, place: str) -> Finding:
    """The page "Reset password" stands in the room's place, without a message box (measured on 6.13.0).

    Rocket.Chat asks for it where SSO adopted an account whose e-mail nobody had verified.
    """
    seen = f"{user.username} has to choose a password first: the page 'Reset password' covers the rooms"
    fix = (
        "Administration, Users, this user, Edit: switch 'Require password change' off. "
        "Who signs in by SSO needs no password."
    )
    return finding("rooms.accounts.reset", seen, "no such demand", place, advice=(fix,))


def _of_no_person(examination: Examination, user: User, kind: str) -> Finding:
    """An app's log-ins are refused, an administrator of no type does not count (startup/index.js)."""
    severity = Severity.BROKEN if kind == "app" else Severity.RISK
    seen, place = f"{user.username} is an account of type {kind!r}", f"users, {user.username}, type"
    seen = seen if kind else f"{user.username} is an account without a type"
    command, code = (examination.provision_command,), "rooms.accounts.kind"
    return finding(code, seen, "type 'user'", place, commands=command, severity=severity)


def _missing(examination: Examination, user: User) -> Finding:
    """No account of that name: provisioning makes it, unless another account has its e-mail."""
    accounts = examination.roster.accounts.values()
    holders = [one.username for one in accounts if user.email.lower() in one.emails]
    code, seen, place = "rooms.accounts.missing", f"no account {user.username}", f"users, {user.username}"
    if double := next((one.username for one in accounts if alike(one.username, user.username)), ""):
        return in_place_of(user, double)
    if not holders:
        return finding(code, seen, user.username, place, commands=(examination.provision_command,))
    if not holders[0]:
        seen = f"the account with {user.email} has no username: Rocket.Chat asks for one in the room's place"
        fix = f"Administration, Users, this user, Edit: give it the username {user.username}."
        return finding("rooms.accounts.nameless", seen, user.username, place, advice=(fix,))
    fix = f"The account {holders[0]} has the e-mail: give it the username {user.username}, or another e-mail."
    return finding(code, seen, user.username, place, advice=(fix,))


@check("rooms.verified", codes="administrator user letters", needs=["rooms.accounts"])
def verified(examination: Examination) -> Answer:
    """Does each canonical user keep the password when SSO adopts the account by its e-mail?"""
    known, contract = examination.roster.accounts, examination.contract
    found = []
    for user in contract.users:
        account, own = known[user.username.lower()], contract.is_administrator(user.username)
        address = user.email.lower()
        # Over REST nobody's password is shown; the administrator has signed in with one.
        at_risk = own if account.has_password is None else account.has_password
        if at_risk and address in account.emails and address not in account.verified:
            seen = (
                f"{user.email} of {user.username} is not verified: at the next SSO sign-in Rocket.Chat "
                "deletes the password and shows «Reset password» in the room's place"
            )
            code = "administrator" if own else "user"
            place = f"users, {user.username}, emails.verified"
            mend = (examination.provision_command,)
            found.append(finding(f"rooms.verified.{code}", seen, "a verified address", place, commands=mend))
    found += lost_passwords(examination)
    return answer(found, evidence=f"{len(contract.users)} addresses")


@check(
    "rooms.roles",
    codes="missing none too_many",
    needs=["rooms.accounts"],
    after=["integrity.roles"],
)
def roles(examination: Examination) -> Answer:
    """Has each canonical user the contract's roles, and nobody else the administrator's?"""
    known = examination.roster.accounts
    found: list[Finding] = []
    watched: list[str] = []
    admins = {user.username for user in examination.contract.users if "admin" in user.chat_roles}
    for user in examination.contract.users:
        held = known[user.username.lower()].roles
        missing = set(user.chat_roles) - held
        watched.append(f"users.{user.username}.chat_roles")
        place = f"users, {user.username}, roles"
        if missing:
            code = "rooms.roles.missing" if held else "rooms.roles.none"
            seen = f"{user.username} lacks {', '.join(sorted(missing))}"
            expected, mend = ", ".join(user.chat_roles), (examination.provision_command,)
            found.append(finding(code, seen, expected, place, commands=mend))
        if user.username not in admins and "admin" in known[user.username.lower()].roles:
            seen = f"{user.username} is an administrator"
            found.append(
                finding(
                    "rooms.roles.too_many",
                    seen,
                    "no administrator",
                    place,
                    commands=(examination.provision_command,),
                )
            )
    return answer(found, evidence=f"roles of {len(watched)} users", watched=watched)


@check(
    "rooms.members",
    codes="missing banned",
    needs=["rooms.exist", "rooms.accounts"],
    after=["integrity.subscriptions"],
)
def members(examination: Examination) -> Answer:
    """Is every user a member of the rooms that are theirs?"""
    found = []
    for user, channel in examination.contract.subscriptions:
        room = examination.roster.rooms[channel.name]
        if user.username not in _by_contract(examination, room.members):
            found.append(absent(examination, user, room))
    watched = [
        f"members.{user.username}.{channel.name}" for user, channel in examination.contract.subscriptions
    ]
    return answer(found, evidence=f"{len(watched)} memberships", watched=watched)


@check(
    "rooms.outsiders",
    codes="member stranger",
    needs=["rooms.exist", "rooms.accounts"],
    after=["integrity.subscriptions"],
)
def outsiders(examination: Examination) -> Answer:
    """Is nobody a member of a room that is not theirs?"""
    contract = examination.contract
    entitled = {(user.username, channel.name) for user, channel in contract.subscriptions}
    canonical = {user.username for user in contract.users}
    found = []
    for channel in contract.channels:
        for username in sorted(_by_contract(examination, examination.roster.rooms[channel.name].members)):
            # Provisioning makes and invites as the administrator, who is in each room for that.
            if username.startswith(TEMPORARY_PREFIX) or contract.is_administrator(username):
                continue
            stranger = username not in canonical and channel.private
            if stranger and guests.belongs(examination, username, channel):
                continue
            if stranger or (username in canonical and (username, channel.name) not in entitled):
                seen = f"{username} is in {channel.name}"
                place = f"rocketchat_subscription, {username} in {channel.name}"
                ask = f"Is {username} meant to be there? If not, remove the member in the room's list."
                prune = besedka_command(examination.target, "provision", "--apply", "--prune")
                commands, advice = ((), (ask,)) if stranger else ((prune,), ())
                code = f"rooms.outsiders.{'stranger' if stranger else 'member'}"
                found.append(finding(code, seen, "not a member", place, commands=commands, advice=advice))
    cells = [
        f"members.{user.username}.{channel.name}"
        for user in contract.users
        for channel in contract.channels
        if (user.username, channel.name) not in entitled
    ]
    return answer(found, evidence=f"{len(cells)} empty cells", watched=cells)


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (seeded, exist, kind, default, accounts, verified, roles, members, outsiders)
