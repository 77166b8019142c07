"""Names that Rocket.Chat makes of display names; the right-hand side was measured on its limax 3.0.0."""

from __future__ import annotations

import pytest

from standins.rocketchat.slug import slug

pytestmark = pytest.mark.conformance


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
def test_a_display_name_gives_its_name(text: str, name: str) -> None:
    assert slug(text) == name
