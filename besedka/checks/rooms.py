"""Layer `rooms`: rooms, accounts, roles and memberships, held against the contract."""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, answer, finding
from besedka.contract import Contract
from besedka.site_database import TEMPORARY_PREFIX

_BOTS = {"rocket.cat"}


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
    own = {channel.name for channel in contract.channels if not channel.default} & set(known.rooms)
    people = {user.username for user in contract.users} - {contract.chat.admin.username}
    found = []
    if not own and not people & set(known.accounts):
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
    after=["rooms.seeded", "integrity.general", "integrity.room_names", "integrity.ids"],
)
def exist(examination: Examination) -> Answer:
    """Is each room of the contract there, and no twin beside it?"""
    known = examination.roster.rooms
    found = []
    for channel in examination.contract.channels:
        twins = [
            name
            for name in known
            if name != channel.name
            and (name.lower() == channel.name.lower() or name.lower().startswith(f"{channel.name.lower()}-"))
        ]
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
            fix = "move what is worth keeping, then delete the twin: channels.delete or groups.delete"
            found.append(finding("rooms.exist.twin", seen, f"{channel.name} alone", place, advice=(fix,)))
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
        closed = (
            ("archived", room.archived, "unarchive it: channels.unarchive or groups.unarchive"),
            ("read_only", room.read_only, "let members write: channels.setReadOnly {readOnly: false}"),
            ("join_code", room.join_code, "take the join code away in the room's settings"),
        )
        for code, is_so, fix in closed:
            if is_so:
                seen = f"{room.name}: {code.replace('_', ' ')}"
                found.append(finding(f"rooms.kind.{code}", seen, "open to its members", place, advice=(fix,)))
        silenced = sorted(room.muted & {user.username for user in examination.contract.users})
        if silenced:
            fix = "let them write again: /unmute in the room"
            seen = f"{room.name}: {', '.join(silenced)} muted"
            found.append(finding("rooms.kind.muted", seen, "nobody", place, advice=(fix,)))
    return answer(found, evidence="as the contract says", watched=_values(examination, "private"))


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
    evidence = examination.contract.default_channel.name
    return answer(found, evidence=evidence, watched=_values(examination, "default"))


@check(
    "rooms.accounts",
    codes="missing inactive email name",
    needs=["services.admin"],
    after=["rooms.seeded", "integrity.users_unique", "integrity.users_ids"],
)
def accounts(examination: Examination) -> Answer:
    """Has each canonical user an account in the chat, active, with the contract's e-mail and name?"""
    known = examination.roster.accounts
    found = []
    for user in examination.contract.users:
        place = f"users, {user.username}"
        account = known.get(user.username)
        if account is None:
            seen = f"no account {user.username}"
            found.append(
                finding(
                    "rooms.accounts.missing",
                    seen,
                    user.username,
                    place,
                    commands=(examination.provision_command,),
                )
            )
            continue
        if not account.active:
            fix = "activate it: users.setActiveStatus"
            seen = f"{user.username} is deactivated"
            found.append(finding("rooms.accounts.inactive", seen, "active", place, advice=(fix,)))
        if user.email.lower() not in account.emails:
            seen = f"{user.username}: {', '.join(account.emails) or 'no e-mail'}"
            found.append(
                finding(
                    "rooms.accounts.email", seen, user.email, place, commands=(examination.provision_command,)
                )
            )
        if account.name != user.full_name:
            fix = "the next SSO log-in of this user brings the site's name"
            seen = f"{user.username} is called {account.name!r}"
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


@check("rooms.verified", codes="administrator user", needs=["rooms.accounts"])
def verified(examination: Examination) -> Answer:
    """Does each canonical user keep the password when SSO adopts the account by its e-mail?"""
    known, admin = examination.roster.accounts, examination.contract.chat.admin.username
    found = []
    for user in examination.contract.users:
        account, own = known[user.username], user.username == admin
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
    return answer(found, evidence=f"{len(examination.contract.users)} addresses")


@check(
    "rooms.roles",
    codes="missing too_many",
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
        missing = set(user.chat_roles) - known[user.username].roles
        watched.append(f"users.{user.username}.chat_roles")
        place = f"users, {user.username}, roles"
        if missing:
            seen = f"{user.username} lacks {', '.join(sorted(missing))}"
            expected = ", ".join(user.chat_roles)
            found.append(
                finding(
                    "rooms.roles.missing", seen, expected, place, commands=(examination.provision_command,)
                )
            )
        if user.username not in admins and "admin" in known[user.username].roles:
            fix = "roles.removeUserFromRole {roleId: 'admin'}"
            seen = f"{user.username} is an administrator"
            found.append(finding("rooms.roles.too_many", seen, "no administrator", place, advice=(fix,)))
    return answer(found, evidence=f"roles of {len(watched)} users", watched=watched)


@check(
    "rooms.members",
    codes="missing",
    needs=["rooms.exist", "rooms.accounts"],
    after=["integrity.subscriptions"],
)
def members(examination: Examination) -> Answer:
    """Is every user a member of the rooms that are theirs?"""
    found = []
    for user, channel in examination.contract.subscriptions:
        room = examination.roster.rooms[channel.name]
        if user.username not in room.members:
            seen = f"{user.username} is not in {channel.name}: a Join button instead of the message box"
            place = f"rocketchat_subscription, {user.username} in {channel.name}"
            by_hand = f"{'groups' if channel.private else 'channels'}.invite {{roomId, username}}"
            found.append(
                finding(
                    "rooms.members.missing",
                    seen,
                    "a membership",
                    place,
                    commands=(examination.provision_command,),
                    advice=(by_hand,),
                )
            )
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
        for username in sorted(examination.roster.rooms[channel.name].members):
            if username.startswith(TEMPORARY_PREFIX) or username in _BOTS:
                continue
            stranger = username not in canonical and channel.private
            if stranger or (username in canonical and (username, channel.name) not in entitled):
                seen = f"{username} is in {channel.name}"
                place = f"rocketchat_subscription, {username} in {channel.name}"
                fix = f"{'groups' if channel.private else 'channels'}.kick {{roomId, userId}}"
                code = "stranger" if stranger else "member"
                found.append(finding(f"rooms.outsiders.{code}", seen, "not a member", place, advice=(fix,)))
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
