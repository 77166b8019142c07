"""The name that Rocket.Chat makes of a room's display name, with `UI_Allow_room_names_with_special_chars`.

`getValidRoomName.ts` calls limax with `maintainCase`. Measured on the limax 3.0.0 that Rocket.Chat 6.13.0
brings, for ASCII and Russian letters. What becomes of other letters is not known here, they are dropped.
"""

import re

_RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_LATIN = "a b v g d e yo zh z i i k l m n o p r s t u f kh c ch sh sh - y - e yu ya"
_LETTERS = dict(zip(_RUSSIAN, (part.strip("-") for part in _LATIN.split()), strict=True))


def slug(text: str) -> str:
    """`Obshii-chat` of `Общий чат`, `A-and-B` of `A & B`; empty where nothing is left."""
    spelled = "".join(_latin(letter) for letter in text.replace("&", " and ").replace("№", ""))
    return re.sub(r"[^0-9A-Za-z_]+", "-", spelled).strip("-")


def _latin(letter: str) -> str:
    if letter.isascii():
        return letter
    found = _LETTERS.get(letter.lower(), "")
    return found.capitalize() if letter.isupper() else found
