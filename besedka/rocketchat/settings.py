"""Whether a setting of Rocket.Chat is what the contract asks for."""

from __future__ import annotations

from typing import Any

from besedka import address

# A list, whose order means nothing; other pages of the owner's may stand in it
# (`apps/meteor/client/startup/iframeCommands.ts`: the origin has to be one of those between the commas).
RECEIVE_ORIGIN = "Iframe_Integration_receive_origin"
_SCOPE = "-scope"


def fulfils(setting_id: str, value: Any, expected: Any) -> bool:
    """Whether the value is the expected one, type included: bool is an int in Python, not in Rocket.Chat."""
    if setting_id == RECEIVE_ORIGIN and isinstance(value, str):
        return address.origins(expected) <= address.origins(value)
    if setting_id.endswith(_SCOPE) and isinstance(value, str):
        # Words in any order, with blanks between them (RFC 6749, 3.3).
        return {*value.split()} == {*expected.split()}
    return isinstance(value, bool) == isinstance(expected, bool) and bool(value == expected)
