"""Layer `integrity`, rooms: rooms and memberships that scripts made or left half-made."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, answer, finding
from besedka.checks.integrity_settings import is_date
from besedka.contract import Contract

_GROUND = ["services.same_data"]
# UTF8_Channel_Names_Validation of Rocket.Chat 7.7.1.
_NAME = re.compile(r"[0-9a-zA-Z\-_.]+")
_DATES = ("ts", "_updatedAt", "lm", "ls", "lr")
_SHOWN = 5
_TOLERANCE = timedelta(hours=1)


@check("integrity.general", codes="missing renamed", needs=_GROUND)
def general(examination: Examination) -> Answer:
    """Is Rocket.Chat's own first room still GENERAL, named general?"""
    by_id = {str(room["_id"]): room for room in examination.chat_rooms}
    built_in = by_id.get("GENERAL")
    found = []
    fix = "rename it back by channels.rename; a room made beside it under another id must be deleted"
    if built_in is None:
        others = [room["_id"] for room in examination.chat_rooms if room.get("name") == "general"]
        seen = f"no room GENERAL; general is {others[0]!r}" if others else "no room GENERAL"
        found = [finding("integrity.general.missing", seen, "_id GENERAL", "rocketchat_room", advice=(fix,))]
    elif built_in.get("name") != "general" or built_in.get("t") != "c":
        seen = f"GENERAL is named {built_in.get('name')!r}, type {built_in.get('t')!r}"
        place = "rocketchat_room, GENERAL"
        found = [finding("integrity.general.renamed", seen, "general, type c", place, advice=(fix,))]
    return answer(found, evidence="GENERAL is general")


@check("integrity.room_names", codes="letters double", needs=_GROUND)
def room_names(examination: Examination) -> Answer:
    """Are room names unique and fit for an address?"""
    names = [str(room.get("name", "")) for room in examination.chat_rooms]
    counts = Counter(name.lower() for name in names)
    found = []
    for name in sorted({name for name in names if not _NAME.fullmatch(name)}):
        fix = "rename it by REST to latin letters; the text for people goes into the display name"
        place = f"rocketchat_room, {name}"
        found.append(
            finding("integrity.room_names.letters", repr(name), "0-9 a-z A-Z - _ .", place, advice=(fix,))
        )
    for name in sorted(name for name, count in counts.items() if count > 1):
        ids = [
            str(room["_id"]) for room in examination.chat_rooms if str(room.get("name", "")).lower() == name
        ]
        seen = f"{counts[name]} rooms named {name}: {', '.join(ids)}"
        fix = "keep the one that has the messages and members, delete the other"
        found.append(
            finding("integrity.room_names.double", seen, "one", f"rocketchat_room, {name}", advice=(fix,))
        )
    return answer(found, evidence=f"{len(names)} rooms")


@check("integrity.room_owners", codes="dangling", needs=_GROUND)
def room_owners(examination: Examination) -> Answer:
    """Does the maker of each room exist?"""
    known = {user["_id"] for user in examination.chat_users}
    found = []
    for room in examination.chat_rooms:
        owner = (room.get("u") or {}).get("_id")
        if owner is not None and owner not in known:
            seen = f"{room.get('name')} belongs to {owner!r}, who does not exist"
            fix = "make a member its owner: channels.addOwner or groups.addOwner"
            place = f"rocketchat_room, {room['_id']}, u"
            found.append(finding("integrity.room_owners.dangling", seen, "a user's id", place, advice=(fix,)))
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
        fix = "delete the row and invite the user by REST: a script inserted it without an _id of its own"
        found = [
            finding(
                "integrity.ids.type",
                bad[0],
                "text",
                bad[0].split(":")[0],
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
    fix = "let REST write it: a script stored local time as UTC, or a date as text or document"
    if wrong:
        found.append(
            finding(
                "integrity.dates.no_date",
                wrong[0],
                "a BSON date",
                wrong[0],
                advice=(fix,),
                evidence=wrong[:_SHOWN],
            )
        )
    if early:
        found.append(
            finding(
                "integrity.dates.future",
                early[0],
                "not in the future",
                early[0],
                advice=(fix,),
                evidence=early[:_SHOWN],
            )
        )
    return answer(found, evidence="BSON dates")


@check(
    "integrity.subscriptions",
    codes="no_room no_user mixed double",
    needs=_GROUND,
    after=["integrity.ids"],
)
def subscriptions(examination: Examination) -> Answer:
    """Does each membership join one existing user to one existing room, once?"""
    rooms = {room["_id"] for room in examination.chat_rooms} | examination.other_room_ids
    people = {user["_id"]: user.get("username") for user in examination.chat_users}
    found: list[Finding] = []
    fix = "delete the row and invite the user by REST: channels.invite or groups.invite"
    for row in examination.chat_subscriptions:
        member = row.get("u") or {}
        place = f"rocketchat_subscription, {row['_id']}"
        if row.get("rid") not in rooms:
            seen = f"{member.get('username')} in room {row.get('rid')!r}, which does not exist"
            found.append(
                finding("integrity.subscriptions.no_room", seen, "a room's id", place, advice=(fix,))
            )
        elif member.get("_id") not in people:
            seen = f"user {member.get('_id')!r} of the membership does not exist"
            found.append(
                finding("integrity.subscriptions.no_user", seen, "a user's id", place, advice=(fix,))
            )
        elif people[member["_id"]] != member.get("username"):
            seen = f"id of {people[member['_id']]}, name {member.get('username')}"
            found.append(finding("integrity.subscriptions.mixed", seen, "one user", place, advice=(fix,)))
    pairs = Counter(
        (row.get("rid"), (row.get("u") or {}).get("_id")) for row in examination.chat_subscriptions
    )
    for (rid, uid), count in pairs.items():
        if count > 1:
            seen = f"{count} rows for {people.get(uid, uid)} in {rid}"
            found.append(
                finding(
                    "integrity.subscriptions.double", seen, "one", "rocketchat_subscription", advice=(fix,)
                )
            )
    return answer(found, evidence=f"{len(examination.chat_subscriptions)} memberships")


@check("integrity.roles", codes="unknown", needs=_GROUND)
def roles(examination: Examination) -> Answer:
    """Does every role that somebody holds exist?"""
    known = {str(role["_id"]) for role in examination.mongo.roles()}
    held = [(f"user {user.get('username')}", user.get("roles") or []) for user in examination.chat_users]
    held += [
        (f"{(row.get('u') or {}).get('username')} in {row.get('name')}", row.get("roles") or [])
        for row in examination.chat_subscriptions
    ]
    found = [
        finding(
            "integrity.roles.unknown",
            f"{who} holds the role {role!r}",
            f"one of {', '.join(sorted(known))}",
            "rocketchat_roles",
            advice=("take the role away: roles.removeUserFromRole, or run the command",),
        )
        for who, some in held
        for role in some
        if role not in known
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
    members = Counter(row.get("rid") for row in examination.chat_subscriptions)
    found = []
    for room in examination.chat_rooms:
        counted = room.get("usersCount")
        if counted is not None and counted != members[room["_id"]]:
            seen = f"{room.get('name')} counts {counted}, has {members[room['_id']]}"
            fix = "a membership was inserted into Mongo or taken out of it: remove and invite by REST"
            place = f"rocketchat_room, {room['_id']}, usersCount"
            expected = str(members[room["_id"]])
            found.append(finding("integrity.room_counts.differs", seen, expected, place, advice=(fix,)))
    return answer(found, evidence="counts agree")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (general, room_names, room_owners, ids, dates, subscriptions, roles, room_counts)
