"""Layer `integrity`: lost indexes, fields of a wrong kind, messages that break a room, lost links."""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.contract import Contract
from besedka.rocketchat import shapes
from besedka.rocketchat.database import Document
from besedka.rocketchat.documents import is_banned

_GROUND = ["services.same_data"]
_SHOWN = 5
# Collection, fields, and what becomes possible without the index. Those of users are Meteor's
# (packages/accounts-base), the others Rocket.Chat's (packages/models/src/models/).
_UNIQUE = (
    ("rocketchat_subscription", ("rid", "u._id"), "a user can be in one room twice"),
    ("rocketchat_room", ("name",), "two rooms can have one name"),
    ("users", ("username",), "two accounts can have one username"),
    ("users", ("emails.address",), "two accounts can have one e-mail address"),
)


@check("integrity.indexes", codes="not_unique", needs=_GROUND)
def indexes(examination: Examination) -> Answer:
    """Does MongoDB itself refuse a second account, room or membership of the same name?

    These indexes stood in the database of a running 6.13.0.
    """
    advice = (
        "Remove what is there twice first, then restart Rocket.Chat: it makes its indexes at each start.",
        "A database restored without its indexes has none; Rocket.Chat logs that it cannot make them.",
    )
    missing = (row for row in _UNIQUE if not examination.mongo.is_unique(row[0], *row[1]))
    return answer(
        [
            finding(
                "integrity.indexes.not_unique",
                f"no unique index on {' and '.join(fields)}: {harm}",
                "a unique index",
                f"{collection}, indexes",
                advice=advice,
                severity=Severity.RISK,
            )
            for collection, fields, harm in missing
        ],
        evidence=f"{len(_UNIQUE)} unique indexes",
    )


@check("integrity.shapes", codes="wrong", needs=_GROUND)
def fields(examination: Examination) -> Answer:
    """Do fields hold lists, documents and numbers where Rocket.Chat reads them?"""
    mongo = examination.mongo
    tables = {
        "users": mongo.users(),
        "rocketchat_room": mongo.rooms(kinds=None),
        "rocketchat_subscription": mongo.subscriptions(),
    }
    found = [
        finding(
            "integrity.shapes.wrong",
            _seen(row, name),
            shape,
            f"{table}, {row.get('username') or row.get('name') or row['_id']}, {name}",
            commands=(examination.provision_command,),
        )
        for table, rows in tables.items()
        for row in rows
        for name, shape in shapes.misshapen(table, row)
    ]
    return answer(found, evidence="lists, documents and numbers")


@check("integrity.messages", codes="wrong", needs=_GROUND)
def messages(examination: Examination) -> Answer:
    """Can the web client draw the newest messages of each room of the contract?

    One that it cannot takes the whole room with it, for everybody (measured on 6.13.0).
    """
    known = {channel.name for channel in examination.contract.channels}
    rooms = {room["_id"]: room["name"] for room in examination.chat_rooms if room.get("name") in known}
    newest = examination.mongo.newest_messages(list(rooms))
    wrong: dict[tuple[str, str, str], list[str]] = {}
    for row in newest:
        for name, shape in shapes.misshapen(shapes.MESSAGES, row):
            wrong.setdefault((rooms[row["rid"]], name, shape), []).append(str(row["_id"]))
    found = [
        finding(
            "integrity.messages.wrong",
            f"{name} of a message of {room} is not {shape}: the room breaks for everybody",
            shape,
            f"rocketchat_message, {ids[0]}, {name}",
            commands=(examination.provision_command,),
            evidence=ids[:_SHOWN],
        )
        for (room, name, shape), ids in wrong.items()
    ]
    return answer(found, evidence=f"{len(newest)} messages")


def _seen(row: Document, name: str) -> str:
    value = shapes.at(row, name)
    kind = type(value).__name__
    # What lets somebody in is not shown.
    return (
        f"{name} is {kind}, not shown here" if name.startswith("services.") else f"{name} is {kind} {value!r}"
    )


@check(
    "integrity.room_links",
    codes="users messages unlisted",
    needs=_GROUND,
    after=["integrity.general", "integrity.subscriptions"],
)
def room_links(examination: Examination) -> Answer:
    """Do accounts and messages point at rooms that exist?"""
    known = {str(room["_id"]) for room in examination.chat_rooms} | set(map(str, examination.other_room_ids))
    lost = sorted(
        f"{account.get('username')}: {rid}"
        for account in examination.chat_users
        for rid in account.get("__rooms") or ()
        if str(rid) not in known
    )
    orphans = sorted(str(rid) for rid in examination.mongo.rooms_of_messages() if str(rid) not in known)
    found = _unlisted(examination)
    if lost:
        # Lists of other people's accounts are nothing that provisioning answers for.
        own = {user.username for user in examination.contract.users}
        ours = all(one.partition(": ")[0] in own for one in lost)
        advice = (
            "Remove these ids from users.__rooms; Rocket.Chat reads the list of members from there.",
            "They stay when a room is deleted in MongoDB rather than by Rocket.Chat.",
        )
        seen = f"{len(lost)} like {lost[0]}"
        found.append(
            finding(
                "integrity.room_links.users",
                seen,
                "ids of rooms that exist",
                "users, __rooms",
                commands=(examination.provision_command,) if ours else (),
                advice=advice,
                severity=Severity.NOTE,
                evidence=lost[:_SHOWN],
            )
        )
    if orphans:
        gone = "Restore the room from a backup, or remove its messages: nobody can read them now."
        seen = f"messages of {len(orphans)} rooms that do not exist, like {orphans[0]}"
        found.append(
            finding(
                "integrity.room_links.messages",
                seen,
                "messages of rooms that exist",
                "rocketchat_message, rid",
                advice=(gone,),
                severity=Severity.NOTE,
                evidence=orphans[:_SHOWN],
            )
        )
    return answer(found, evidence="every link leads somewhere")


def _unlisted(examination: Examination) -> list[Finding]:
    """Members whom Rocket.Chat's list of members leaves out; below 6.5 it keeps no such list at all."""
    if not any("__rooms" in account for account in examination.chat_users):
        return []
    own = {user.username for user in examination.contract.users}
    listed = {account["_id"]: account for account in examination.chat_users}
    names = {room["_id"]: str(room.get("name")) for room in examination.chat_rooms}
    missing = sorted(
        f"{account['username']} in {names[row['rid']]}"
        for row in examination.chat_subscriptions
        if row.get("rid") in names
        and not is_banned(row)
        and (account := listed.get((row.get("u") or {}).get("_id"))) is not None
        and account.get("username") in own
        and row["rid"] not in (account.get("__rooms") or ())
    )
    if not missing:
        return []
    return [
        finding(
            "integrity.room_links.unlisted",
            f"the list of members lacks {missing[0]}",
            "each member on it",
            "users, __rooms",
            commands=(examination.provision_command,),
            severity=Severity.RISK,
            evidence=missing[:_SHOWN],
        )
    ]


@check("integrity.takeover", codes="waiting", needs=_GROUND, after=["services.site_database"])
def takeover(examination: Examination) -> Answer:
    """Does no account with a password of its own wait for SSO to adopt it?

    SSO adopts an account of the same name or e-mail, and its password goes on working
    (`apps/meteor/app/custom-oauth/server/custom_oauth_server.js`, `accounts_meld`).
    """
    contract = examination.contract
    own = {user.username.lower() for user in contract.users} | {contract.chat.admin.username.lower()}
    site = {user.username.lower() for user in examination.site_users} if _has_site(examination) else set()
    waiting = sorted(
        str(account["username"])
        for account in examination.chat_users
        if str(account.get("username", "")).lower() in site - own
        and (account.get("services") or {}).get("password")
        and not (account.get("services") or {}).get(contract.provider.name)
    )
    if not waiting:
        return answer((), evidence="nobody")
    advice = (
        "Ask who made this account. Delete it, or set its password anew, before its namesake of the site "
        "signs in.",
    )
    seen = (
        f"{', '.join(waiting[:_SHOWN])}: made in Rocket.Chat, with a password, named like a user of the site"
    )
    return answer(
        [
            finding(
                "integrity.takeover.waiting",
                seen,
                "accounts that SSO has made or adopted",
                "users, services.password",
                advice=advice,
                severity=Severity.RISK,
                evidence=waiting[:_SHOWN],
            )
        ]
    )


def _has_site(examination: Examination) -> bool:
    return examination.target.site_database_url is not None


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (indexes, fields, messages, room_links, takeover)
