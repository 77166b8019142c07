"""Layer `integrity`, rooms: rooms and memberships that scripts made or left half-made."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from besedka.checks.absent import nameless
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.contract import Contract
from besedka.look_alikes import alike, with_reason
from besedka.names import ROOM_RULE, misshapen, rule_text
from besedka.rocketchat.database import Document
from besedka.rocketchat.documents import BUILT_IN_ROLES as BUILT_IN
from besedka.rocketchat.documents import is_banned, is_date

_GROUND = ["services.same_data"]
# Rocket.Chat's own first room, and the name that it is made with (server/startup/initialData.ts).
_BUILT_IN, _FIRST_NAME = "GENERAL", "general"
_DATES = ("ts", "_updatedAt", "lm", "ls", "lr")
_SHOWN = 5
_TOLERANCE = timedelta(hours=1)


@check("integrity.general", codes="missing renamed", needs=_GROUND, after=["integrity.room_kinds"])
def general(examination: Examination) -> Answer:
    """Is Rocket.Chat's own first room, GENERAL, a room of the contract or left as it was made?"""
    own = {channel.name: channel for channel in examination.contract.channels}
    present = {str(room.get("name")): room["_id"] for room in examination.chat_rooms}
    built_in = next((room for room in examination.chat_rooms if room["_id"] == _BUILT_IN), None)
    # The name it was made with first; else it takes the place of a default room that is missing.
    wanted = [_FIRST_NAME] * (_FIRST_NAME in own)
    wanted += [channel.name for channel in examination.contract.default_channels]
    lacking = [name for name in wanted if name not in present]
    found = []
    if built_in is None and _FIRST_NAME in own:
        again = f"Old links alone depend on the _id {_BUILT_IN}: keep this room, or restore a backup."
        other = present.get(_FIRST_NAME)
        seen = f"no room {_BUILT_IN}" + (f"; {_FIRST_NAME} is {other!r}" if other else "")
        commands = () if other else (examination.provision_command,)
        advice, place = (again,) if other else (), "rocketchat_room"
        code = "integrity.general.missing"
        # People work in the other one as they did in this (measured on 6.13.0).
        bad = Severity.RISK if other else Severity.BROKEN
        expected = f"_id {_BUILT_IN}"
        found = [finding(code, seen, expected, place, commands=commands, advice=advice, severity=bad)]
    elif built_in is not None:
        name, kind = str(built_in.get("name")), built_in.get("t")
        lost = name not in {*own, _FIRST_NAME} and lacking
        if lost or (kind != "c" and not (name in own and own[name].private)):
            right = (lacking or [name])[0]
            seen = with_reason(f"{_BUILT_IN} is named {name!r}, type {kind!r}", name, right)
            expected = f"{right}, type c"
            code, place = "integrity.general.renamed", f"rocketchat_room, {_BUILT_IN}"
            found = [finding(code, seen, expected, place, commands=(examination.provision_command,))]
    return answer(found, evidence=f"{_BUILT_IN} is {built_in.get('name') if built_in else 'not wanted'}")


@check("integrity.room_names", codes="letters double rule nameless", needs=_GROUND)
def room_names(examination: Examination) -> Answer:
    """Are room names unique and fit for an address?"""
    names = [str(room.get("name", "")) for room in examination.chat_rooms]
    counts = Counter(name.lower() for name in names)
    found = []
    rule = {ROOM_RULE: examination.effective.get(ROOM_RULE)}
    wanted = [channel.name for channel in examination.contract.channels]
    barred = [name for name in wanted if list(misshapen(name, rule, ROOM_RULE))]
    if barred:
        found.append(_rule_refuses(examination, barred))
    found += [nameless(examination, room) for room in examination.chat_rooms if not room.get("name")]
    odd = {name for name in names if name and list(misshapen(name, rule, ROOM_RULE))}
    for name in sorted(odd - set(barred)):
        fix = "Rename it in latin letters; the text for people goes into the display name."
        code, place = "integrity.room_names.letters", f"rocketchat_room, {name}"
        rooms = [room for room in examination.chat_rooms if room.get("name") == name]
        commands, advice = _mended_or(examination, rooms, fix)
        right = next((one for one in wanted if alike(name, one)), "")
        seen = with_reason(repr(name), name, right)
        found.append(finding(code, seen, rule_text(rule, ROOM_RULE), place, commands=commands, advice=advice))
    for name in sorted(name for name, count in counts.items() if count > 1):
        ids = [
            str(room["_id"]) for room in examination.chat_rooms if str(room.get("name", "")).lower() == name
        ]
        seen = f"{counts[name]} rooms named {name}: {', '.join(ids)}"
        fix = "Keep the one that has the messages and members, delete the other: Administration → Rooms."
        rooms = [room for room in examination.chat_rooms if str(room.get("name", "")).lower() == name]
        commands, advice = _mended_or(examination, rooms, fix)
        code, place = "integrity.room_names.double", f"rocketchat_room, {name}"
        found.append(finding(code, seen, "one", place, commands=commands, advice=advice))
    return answer(found, evidence=f"{len(names)} rooms")


def _rule_refuses(examination: Examination, names: list[str]) -> Finding:
    fix = f"Empty {ROOM_RULE}, or let it allow these names: Rocket.Chat makes no such room now."
    return finding(
        "integrity.room_names.rule",
        f"{ROOM_RULE} refuses {', '.join(names)}, rooms of besedka.toml",
        "a rule that allows them",
        examination.where(ROOM_RULE),
        advice=(fix,),
        severity=Severity.RISK,
    )


def _mended_or(
    examination: Examination, rooms: list[Document], advice: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Command and advice: provisioning removes what is empty, and renames what is the contract's."""
    present = {room.get("name") for room in examination.chat_rooms}
    lost = {
        text
        for one in examination.contract.channels
        if one.name not in present
        for text in (one.name, one.label)
    }
    hollow = any(not room.get("msgs") and not room.get("usersCount") for room in rooms)
    if hollow or any(room.get("fname") in lost for room in rooms):
        return (examination.provision_command,), ()
    return (), (advice,)


@check("integrity.room_owners", codes="dangling", needs=_GROUND)
def room_owners(examination: Examination) -> Answer:
    """Does the maker of each room exist?"""
    known = {user["_id"] for user in examination.chat_users}
    found = []
    for room in examination.chat_rooms:
        owner = (room.get("u") or {}).get("_id")
        if owner is not None and owner not in known:
            seen = f"{room.get('name')} belongs to {owner!r}, who does not exist"
            fix = "The command gives it to an owner among its members, or else to the administrator."
            place = f"rocketchat_room, {room['_id']}, u"
            found.append(
                finding(
                    "integrity.room_owners.dangling",
                    seen,
                    "a user's id",
                    place,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
    return answer(found, evidence="every maker exists")


@check("integrity.ids", codes="type", needs=_GROUND)
def ids(examination: Examination) -> Answer:
    """Are ids of rooms and memberships text?"""
    rows = (
        *(("rocketchat_room", room["_id"], room["_id"]) for room in examination.chat_rooms),
        *(("rocketchat_subscription", row["_id"], row["_id"]) for row in examination.chat_subscriptions),
        *(("rocketchat_subscription", row["_id"], row.get("rid")) for row in examination.chat_subscriptions),
    )
    bad = [
        f"{place} {own}: {type(value).__name__}" for place, own, value in rows if not isinstance(value, str)
    ]
    found = []
    if bad:
        fix = (
            "The command removes the row, and an empty room: a script inserted it without an _id of its own."
        )
        found = [
            finding(
                "integrity.ids.type",
                bad[0],
                "text",
                bad[0].split(":")[0],
                commands=(examination.provision_command,),
                advice=(fix,),
                evidence=bad[:_SHOWN],
            )
        ]
    return answer(found, evidence="text")


@check("integrity.dates", codes="no_date future", needs=_GROUND)
def dates(examination: Examination) -> Answer:
    """Are dates of rooms and memberships BSON dates, and not ahead of time?"""
    horizon = datetime.now(UTC) + _TOLERANCE
    wrong, early = [], []
    tables = (
        ("rocketchat_room", examination.chat_rooms),
        ("rocketchat_subscription", examination.chat_subscriptions),
    )
    for place, rows in tables:
        for row in rows:
            for field in _DATES:
                value = row.get(field)
                label = f"{place} {row['_id']}.{field}"
                if value is not None and not is_date(value):
                    wrong.append(label)
                elif isinstance(value, datetime) and value > horizon:
                    early.append(label)
    found = []
    fix = "A script stored it as text or as a document, or in local time; the command writes a date."
    if wrong:
        found.append(
            finding(
                "integrity.dates.no_date",
                wrong[0],
                "a BSON date",
                wrong[0],
                commands=(examination.provision_command,),
                advice=(fix,),
                evidence=wrong[:_SHOWN],
            )
        )
    if early:
        commands: tuple[str, ...] = (examination.provision_command,)
        ahead = examination.chat_is_ahead
        if ahead > _TOLERANCE:
            commands, fix = (), f"Rocket.Chat's clock is {ahead} ahead of this machine's: set it right."
        found.append(
            finding(
                "integrity.dates.future",
                early[0],
                "not in the future",
                early[0],
                commands=commands,
                advice=(fix,),
                evidence=early[:_SHOWN],
            )
        )
    return answer(found, evidence="BSON dates")


@check(
    "integrity.subscriptions",
    codes="no_room no_user mixed double stale",
    needs=_GROUND,
    after=["integrity.ids", "integrity.users_unique"],
)
def subscriptions(examination: Examination) -> Answer:
    """Does each membership join one existing user to one existing room, once?"""
    rooms = {room["_id"] for room in examination.chat_rooms} | examination.other_room_ids
    people = {user["_id"]: user.get("username") for user in examination.chat_users}
    found: list[Finding] = []
    fix = "The command removes this row, and invites who belongs there."
    for row in examination.chat_subscriptions:
        member = row.get("u") or {}
        place = f"rocketchat_subscription, {row['_id']}"
        if row.get("rid") not in rooms:
            seen = f"{member.get('username')} in room {row.get('rid')!r}, which does not exist"
            found.append(
                finding(
                    "integrity.subscriptions.no_room",
                    seen,
                    "a room's id",
                    place,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
        elif member.get("_id") not in people:
            seen = f"user {member.get('_id')!r} of the membership does not exist"
            found.append(
                finding(
                    "integrity.subscriptions.no_user",
                    seen,
                    "a user's id",
                    place,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
        elif (holder := people[member["_id"]]) and not _is_called(examination, holder, member):
            found.append(_mixed(examination, holder, row))
        else:
            found += _stale(examination, row)
    pairs = Counter(
        (row.get("rid"), (row.get("u") or {}).get("_id")) for row in examination.chat_subscriptions
    )
    for (rid, uid), count in pairs.items():
        if count > 1:
            rows = [
                str(row["_id"])
                for row in sorted(examination.chat_subscriptions, key=lambda row: not row.get("roles"))
                if (row.get("rid"), (row.get("u") or {}).get("_id")) == (rid, uid)
            ]
            seen = f"{count} rows for {people.get(uid, uid)} in {rid}"
            seen += f": {rows[0]} stays, {', '.join(rows[1:])} goes"
            found.append(
                finding(
                    "integrity.subscriptions.double",
                    seen,
                    "one",
                    "rocketchat_subscription",
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
    return answer(found, evidence=f"{len(examination.chat_subscriptions)} memberships")


def _is_called(examination: Examination, name: str, member: Document) -> bool:
    """Whether the row has the account's name; where that has other capitals, rooms.accounts tells of it."""
    own = {user.username for user in examination.contract.users}
    told = str(member.get("username"))
    return name == told or (name.lower() == told.lower() and told in own)


def _stale(examination: Examination, row: Document) -> list[Finding]:
    """A row that calls its room by another name or kind, where the room itself is the contract's."""
    room = next((one for one in examination.chat_rooms if one["_id"] == row.get("rid")), {})
    own = {(one.name, "p" if one.private else "c") for one in examination.contract.channels}
    told, true = ((one.get("name"), one.get("t")) for one in (row, room))
    if told == true or true not in own:
        return []
    who = (row.get("u") or {}).get("username")
    seen = f"{who} in {true[0]}: the row says name {told[0]!r}, type {told[1]!r}"
    place = f"rocketchat_subscription, {row['_id']}"
    expected, command = f"name {true[0]!r}, type {true[1]!r}", (examination.provision_command,)
    code = "integrity.subscriptions.stale"
    return [finding(code, seen, expected, place, commands=command, severity=Severity.RISK)]


def _mixed(examination: Examination, holder: str, row: Document) -> Finding:
    """A row with one user's id and another one's name: a stale name, unless that user is gone."""
    name = (row.get("u") or {}).get("username")
    seen, place = f"id of {holder}, name {name}", f"rocketchat_subscription, {row['_id']}"
    code, names = "integrity.subscriptions.mixed", {user.get("username") for user in examination.chat_users}
    if name in names or all(user.username != name for user in examination.contract.users):
        return finding(code, seen, "one user", place, commands=(examination.provision_command,))
    fix = f"Give the account {holder} its username {name} back: Administration → Users."
    return finding(code, seen, "one user", place, advice=(fix,))


@check("integrity.roles", codes="unknown gone", needs=_GROUND)
def roles(examination: Examination) -> Answer:
    """Does every role that somebody holds exist?"""
    known = {str(role["_id"]) for role in examination.mongo.roles()}
    held = [(f"user {user.get('username')}", user.get("roles") or []) for user in examination.chat_users]
    held += [
        (f"{(row.get('u') or {}).get('username')} in {row.get('name')}", row.get("roles") or [])
        for row in examination.chat_subscriptions
    ]
    gone = sorted({role for _, some in held for role in some if role in BUILT_IN} - known)
    found = [
        finding(
            "integrity.roles.gone",
            f"Rocket.Chat's own role {role!r} is gone: who holds it may do nothing by it",
            "the role",
            f"rocketchat_roles, {role}",
            advice=("Restart Rocket.Chat: it makes its own roles anew at each start.",),
        )
        for role in gone
    ]
    found += [
        finding(
            "integrity.roles.unknown",
            f"{who} holds the role {role!r}",
            f"one of {', '.join(sorted(known))}",
            "rocketchat_roles",
            commands=(examination.provision_command,),
        )
        for who, some in held
        for role in some
        if role not in known and role not in gone
    ]
    return answer(found, evidence=f"{len(known)} roles")


@check(
    "integrity.room_counts",
    codes="differs",
    needs=_GROUND,
    after=["rooms.members", "rooms.outsiders"],
)
def room_counts(examination: Examination) -> Answer:
    """Does each room count as many members as it has?"""
    members = Counter(row.get("rid") for row in examination.chat_subscriptions if not is_banned(row))
    found = []
    for room in examination.chat_rooms:
        counted = room.get("usersCount")
        if counted is not None and counted != members[room["_id"]]:
            seen = f"{room.get('name')} counts {counted}, has {members[room['_id']]}"
            fix = (
                "A membership was inserted into Mongo or taken out of it; no call of Rocket.Chat counts anew."
            )
            place = f"rocketchat_room, {room['_id']}, usersCount"
            expected = str(members[room["_id"]])
            found.append(
                finding(
                    "integrity.room_counts.differs",
                    seen,
                    expected,
                    place,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
    return answer(found, evidence="counts agree")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (general, room_names, room_owners, ids, dates, subscriptions, roles, room_counts)
