"""Names that Rocket.Chat makes of display names, with `UI_Allow_room_names_with_special_chars`.

The right-hand side was measured on its limax 3.0.0 (app/utils/server/lib/getValidRoomName.js).
"""

from __future__ import annotations

import secrets

import pytest

from .chat import Chat

pytestmark = pytest.mark.conformance
SETTING = "UI_Allow_room_names_with_special_chars"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Общий", "Obshii"),
        ("Общий чат", "Obshii-chat"),
        ("Щука ёж объект", "Shuka-yozh-obekt"),
        ("Модераторы", "Moderatory"),
        ("Чат №1", "Chat-1"),
        ("A & B", "A-and-B"),
        ("a_b.c d", "a_b-c-d"),
        ("vip!lounge", "vip-lounge"),
        ("100%", "100"),
        ("a--b", "a-b"),
        ("-x-", "x"),
        ("moderators-log", "moderators-log"),
    ],
)
def test_a_display_name_gives_its_name(changeable: Chat, text: str, name: str) -> None:
    """The text stays as `fname`; `name` stands in the address."""
    changeable.set(SETTING, True)
    unique = secrets.token_hex(4)
    room = changeable.room(name=f"{text} {unique}")
    assert (room["fname"], room["name"]) == (f"{text} {unique}", f"{name}-{unique}")
