"""What two texts that look alike differ by is said; of texts that anybody can tell apart nothing is."""

from __future__ import annotations

import pytest

from besedka import look_alikes


@pytest.mark.parametrize(
    ("seen", "right", "told"),
    [
        ("st\u043ere", "store", "character 3 is CYRILLIC SMALL LETTER O (U+043E), which looks like o"),
        ("sto\u200bre", "store", "character 4 is ZERO WIDTH SPACE (U+200B), which nobody sees"),
        ("store ", "store", "character 6 is BLANK (U+0020), which nobody sees"),
        ("\u00a0store", "store", "character 1 is NO-BREAK SPACE (U+00A0), which nobody sees"),
        ("store\n", "store", "character 6 is a control character (U+000A), which nobody sees"),
        ("store", "store ", "character 6 is missing, BLANK (U+0020)"),
        ("store", "store", ""),
        ("Store", "store", ""),
        ("shop", "store", ""),
        ("магазин", "магазинъ", ""),
        (1, "1", ""),
        (None, "", ""),
    ],
)
def test_what_nobody_can_see_is_said(seen: object, right: object, told: str) -> None:
    assert look_alikes.told(seen, right) == told


def test_the_reason_stands_behind_the_text() -> None:
    assert look_alikes.with_reason("is 'a'", "\u0430", "a").startswith("is 'a'; character 1 is CYRILLIC")
    assert look_alikes.with_reason("is 'b'", "b", "a") == "is 'b'"


@pytest.mark.parametrize(
    ("other", "addresses", "begins"),
    [
        ("st\u043ere", [], "st\u043ere beside store; character 3 is CYRILLIC"),
        ("ST\u041eRE", [], "ST\u041eRE beside store; character 3 is CYRILLIC"),
        ("shop", ["st\u043ere@a.b"], "shop, st\u043ere@a.b, beside store@a.b; character 3"),
        ("STORE", ["STORE@A.B"], ""),
        ("shop", ["shop@a.b"], ""),
    ],
)
def test_who_looks_like_somebody_is_named(other: str, addresses: list[str], begins: str) -> None:
    told = look_alikes.beside("store", "store@a.b", other, addresses)
    assert told.startswith(begins)
    assert bool(told) is bool(begins)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("\u0430nna", "character 1 is CYRILLIC SMALL LETTER A (U+0430), which looks like a"),
        ("store_us\u0435r", "character 9 is CYRILLIC SMALL LETTER IE (U+0435), which looks like e"),
        ("\u03b1lpha", "character 1 is GREEK SMALL LETTER ALPHA (U+03B1), which looks like a"),
        ("общиe", "character 5 is LATIN SMALL LETTER E (U+0065), which looks like \u0435"),
        *(
            (name, "")
            for name in ("anna", "анна", "общий-it", "IT-отдел", "5а", "room1а", "VКонтакте", "Dзал")
        ),
        *((name, "") for name in ("日本a", "Ünal", "naïve", "", "42")),
    ],
)
def test_a_word_of_two_alphabets_is_a_slip(name: str, place: str) -> None:
    assert look_alikes.mixed(name) == place


def test_a_refusal_names_the_letter_and_no_rule() -> None:
    (told,) = look_alikes.typed_anew("user_\u0430", ["refused"])

    assert "character 6 is CYRILLIC" in told
    assert look_alikes.typed_anew("user_a", ["refused"]) == ["refused"]
    assert look_alikes.typed_anew("\u0430nna", []) == []
