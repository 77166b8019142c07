"""The kind of each room of the contract, and what keeps its members out though they are members."""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, Skipped, answer, finding
from besedka.contract import Contract
from besedka.rocketchat.database import Document
from besedka.rocketchat.documents import BUILT_IN_ROLES

# Any of them lets members of a federated room write (client/views/room/composer/ComposerFederation, 7.7).
_FEDERATIONS = ("Federation_Matrix_enabled", "Federation_Service_Enabled")
# Roles that somebody has in a room.
_OF_ROOMS = {"owner", "moderator", "leader"}
# What Rocket.Chat calls by the letter in `t` (packages/core-typings/src/IRoom.ts, RoomType).
_KINDS = {"d": "a direct message", "l": "a livechat", "v": "a voice room"}


@check("integrity.room_kinds", codes="other discussion", needs=["services.same_data"])
def room_kinds(examination: Examination) -> Answer:
    """Is no room of the contract a direct message, a livechat or of no kind at all?"""
    wanted = {channel.name: channel for channel in examination.contract.channels}
    found = []
    for room in examination.other_rooms:
        channel = wanted.get(str(room.get("name")))
        if channel is None:
            continue
        kind = room.get("t")
        seen = (
            f"{channel.name} is {_KINDS.get(str(kind), 'of no kind that Rocket.Chat knows')}: t is {kind!r}"
        )
        expected = f"t is {'p' if channel.private else 'c'!r}: nobody finds it by its address"
        place = f"rocketchat_room, {room['_id']}, t"
        fix = "A script wrote it: the command writes the kind that the contract says."
        found.append(
            finding(
                "integrity.room_kinds.other",
                seen,
                expected,
                place,
                commands=(examination.provision_command,),
                advice=(fix,),
            )
        )
    for room in examination.chat_rooms:
        if room.get("prid") and room.get("name") in wanted:
            found.append(_discussion(examination, room))
    return answer(found, evidence=f"{len(wanted)} rooms")


def _discussion(examination: Examination, room: Document) -> Finding:
    """A room of the contract that hangs below another one.

    Rocket.Chat shows it among the discussions and takes everybody who enters the parent for entitled
    (`apps/meteor/server/services/authorization/canAccessRoom.ts`, 7.7).
    """
    return finding(
        "integrity.room_kinds.discussion",
        f"{room['name']} is a discussion of the room {room['prid']}",
        "a room of its own, without prid",
        f"rocketchat_room, {room['_id']}, prid",
        commands=(examination.provision_command,),
        advice=("A script wrote it: the command takes prid away.",),
        severity=Severity.RISK,
    )


@check("integrity.role_scopes", codes="other", needs=["services.same_data"], after=["integrity.roles"])
def role_scopes(examination: Examination) -> Answer:
    """Is each of Rocket.Chat's own roles looked for where people have it: at the user, or in the room?

    The client looks by the scope of the role's row (apps/meteor/app/authorization/client/hasPermission.ts,
    7.7); each start writes it (server/functions/upsertPermissions.ts).
    """
    found = []
    for role in examination.mongo.roles():
        name, scope = str(role["_id"]), role.get("scope")
        wanted = "Subscriptions" if name in _OF_ROOMS else "Users"
        if name in BUILT_IN_ROLES and scope != wanted:
            seen = f"the role {name!r} is looked for in {scope}: its permissions count for nobody"
            fix = "Restart Rocket.Chat: it writes the scope of its own roles at each start."
            place = f"rocketchat_roles, {name}, scope"
            found.append(finding("integrity.role_scopes.other", seen, wanted, place, advice=(fix,)))
    return answer(found, evidence="users and rooms")


@check("rooms.open", codes="invited federated", needs=["rooms.members"], after=["services.same_data"])
def open_to_members(examination: Examination) -> Answer:
    """Is no membership an invitation that waits, and no room one of a federation that is off?"""
    if examination.stored is None:
        return Skipped("no MongoDB address was given (--mongo-url)")
    contract = examination.contract
    wanted = {(user.username, channel.name) for user, channel in contract.subscriptions}
    found = []
    for row in examination.chat_subscriptions:
        pair = (row.get("u") or {}).get("username"), row.get("name")
        if pair in wanted and row.get("status") == "INVITED":
            seen = f"{pair[0]} is only invited to {pair[1]}: a page asks to accept, in the room's place"
            place, expected = f"rocketchat_subscription, {row['_id']}, status", "a membership"
            command = (examination.provision_command,)
            found.append(finding("rooms.open.invited", seen, expected, place, commands=command))
    federation = any(examination.effective.get(name) is True for name in _FEDERATIONS)
    names = {channel.name for channel in contract.channels}
    for room in examination.chat_rooms:
        if room.get("federated") and room.get("name") in names and not federation:
            seen = f"{room['name']} is a federated room, and federation is off: there is no message box"
            place = f"rocketchat_room, {room['_id']}, federated"
            fix = (
                "Take the field federated off that room in mongosh ($unset), or switch federation on. "
                "Then sign in again."
            )
            found.append(finding("rooms.open.federated", seen, "a room of this server", place, advice=(fix,)))
    return answer(found, evidence=f"{len(wanted)} memberships")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (room_kinds, role_scopes, open_to_members)
