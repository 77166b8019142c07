"""Users who are not in a room of theirs: nobody has invited them, or somebody has banned them."""

from __future__ import annotations

from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, finding
from besedka.checks.roster import Room
from besedka.contract import User


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
