"""Faults of single messages: what a script or an import wrote, and the web client cannot draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.people import plain_user


def _message(name: str, **values: Any) -> Fault:
    """A message of the default room with these values; None takes a field out."""

    @contextmanager
    def breaking(one: BreakableStack) -> Iterator[None]:
        author = one.mongo.users.find_one({"username": plain_user(one).username}) or {}
        room = one.mongo.rocketchat_room.find_one({"name": one.contract.default_channel.name}) or {}
        row = {
            "_id": "ofAScript",
            "rid": room["_id"],
            "msg": "Добрый день",
            "ts": datetime.now(UTC),
            "u": {"_id": author["_id"], "username": author["username"]},
            "_updatedAt": datetime.now(UTC),
        } | values
        with one.inserted(
            "rocketchat_message", {key: value for key, value in row.items() if value is not None}
        ):
            yield

    return Fault(name, "integrity.messages.wrong", breaking)


FAULTS = (
    _message("message_without_its_author", u=None),
    _message("message_without_its_time", ts=None),
    _message("message_whose_text_is_a_number", msg=2025),
    _message("message_with_its_markup_as_text", md="Добрый день"),
    _message("message_with_its_attachments_as_text", attachments="report.pdf"),
    _message("message_with_its_links_as_text", urls="http://besedka.test/"),
    _message("message_with_a_list_of_reactions", reactions=[":+1:"]),
)
