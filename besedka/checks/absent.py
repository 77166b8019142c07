"""What is not there: a user in a room, because nobody invited or somebody banned, and the name of a room."""

from __future__ import annotations

from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, finding
from besedka.checks.roster import Room
from besedka.contract import User
from besedka.rocketchat.database import Document


def absent(examination: Examination, user: User, room: Room) -> Finding:
    """An invitation is refused while a ban holds (`error-user-is-banned`), and who banned had a reason."""
    place = f"rocketchat_subscription, {user.username} in {room.name}"
    if user.username in room.banned:
        seen = f"{user.username} is banned from {room.name}: the room is not shown, and no invitation helps"
        advice = (
            f"Open {room.name}, Banned Users: unban {user.username}, then apply provisioning, which invites.",
            "If the ban is meant, take the room out of the user's channels in besedka.toml.",
        )
        return finding("rooms.members.banned", seen, "a membership", place, advice=advice)
    seen = f"{user.username} is not in {room.name}: a Join button instead of the message box"
    command = (examination.provision_command,)
    return finding("rooms.members.missing", seen, "a membership", place, commands=command)


def nameless(examination: Examination, room: Document) -> Finding:
    """A room that nobody finds by a name; its memberships still say how it was called."""
    rows = [row for row in examination.chat_subscriptions if row.get("rid") == room["_id"]]
    called = {str(row.get("name")) for row in rows}
    own = {channel.name for channel in examination.contract.channels}
    name = called.pop() if len(called) == 1 else ""
    seen, place = f"the room {room['_id']} has lost its name", f"rocketchat_room, {room['_id']}, name"
    fix = "Set its name in MongoDB to what its members know: db.rocketchat_room, field name."
    known = name in own
    return finding(
        "integrity.room_names.nameless",
        seen,
        repr(name) if name else "a name",
        place,
        commands=(examination.provision_command,) if known else (),
        advice=() if known else (fix,),
    )
