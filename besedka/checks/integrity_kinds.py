"""Layer `integrity`: the kind of each room of the contract."""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, answer, finding
from besedka.contract import Contract

# What Rocket.Chat calls by the letter in `t` (packages/core-typings/src/IRoom.ts, RoomType).
_KINDS = {"d": "a direct message", "l": "a livechat", "v": "a voice room"}


@check("integrity.room_kinds", codes="other", needs=["services.same_data"])
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
    return answer(found, evidence=f"{len(wanted)} rooms")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (room_kinds,)
