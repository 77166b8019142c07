"""Letters that look like others, and characters that nobody sees: why two texts that look alike differ.

The pairs are the lower and upper case letters of https://www.unicode.org/reports/tr39/ (confusables) that a
keyboard types in place of a Latin one: Cyrillic and Greek ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import zip_longest

_LATIN = dict(
    zip(
        "асеіјорхуѕһԁԛԝѵАВЕКМНОРСТХУІЈЅԌԚԜѴαονρυικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aceijopxyshdqwvABEKMHOPCTXYIJSGQWVaovpuikABEZHIKMNOPTYX",
        strict=True,
    )
)
_RUSSIAN = {latin: letter for letter, latin in _LATIN.items() if "\u0410" <= letter <= "\u044f"}
_DASHES = dict.fromkeys("‐‑‒–—−", "-")
# Marks of direction, joiners, soft hyphens, line breaks.
_UNSEEN = {"Cf", "Cc", "Zl", "Zp"}


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN


def skeleton(text: str) -> str:
    """What the text looks like: Latin letters for their doubles, nothing that is not seen."""
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", text) if not _is_unseen(letter))
    return "".join((_LATIN | _DASHES).get(letter, letter) for letter in seen).strip()


def alike(one: object, other: object) -> bool:
    """Whether the two are texts that differ, and do not look so."""
    if not isinstance(one, str) or not isinstance(other, str) or one == other:
        return False
    return skeleton(one) == skeleton(other)


def mixed(name: str) -> str:
    """The letter of another alphabet in one of the name's words, which only looks like one of its own.

    Empty where there is none. A word of two alphabets is a slip of the keyboard's where every letter of one
    of them has a double in the other. `Dзал` is none; the two words of `IT-отдел` are of one alphabet each.
    """
    words = ([*enumerate(word[0], word.start())] for word in re.finditer(r"[^\W\d_]+", name))
    return next(filter(None, map(_stranger, words)), "")


def _stranger(letters: list[tuple[int, str]]) -> str:
    """Of these letters with their places, the first of the alphabet that fewer are of."""
    latin = [(place, one) for place, one in letters if unicodedata.name(one, "").startswith("LATIN")]
    other = [row for row in letters if row not in latin]
    russian = _RUSSIAN if all(unicodedata.name(one, "").startswith("CYRILLIC") for _, one in other) else {}
    for strangers, doubles in sorted(((other, _LATIN), (latin, russian)), key=lambda row: len(row[0])):
        if latin and other and all(one in doubles for _, one in strangers):
            number, odd = strangers[0][0] + 1, strangers[0][1]
            letter = doubles[odd]
            return f"character {number} is {_named(odd)}, which looks like {letter}"
    return ""


def typed_anew(name: str, refusals: Iterable[str]) -> list[str]:
    """Why the name is refused; where it is for a letter that only looks right, that alone."""
    refusals = [*refusals]
    letters = [(place, one) for place, one in enumerate(name) if one.isalpha()]
    odd = mixed(name) or _stranger(letters) if refusals else ""
    return [f"{name!r} is of two alphabets: {odd}; type it anew"] if odd else refusals


def told(seen: object, right: object) -> str:
    """What `seen` has in place of `right`, where nobody can see it; empty where anybody can."""
    if not isinstance(seen, str) or not isinstance(right, str) or not alike(seen, right):
        return ""
    number, odd, letter = next(
        (number, one, other)
        for number, (one, other) in enumerate(zip_longest(seen, right, fillvalue=""), 1)
        if one != other
    )
    if not odd:
        return f"character {number} is missing, {_named(letter)}"
    if _is_unseen(odd) or odd.isspace() or not letter:
        return f"character {number} is {_named(odd)}, which nobody sees"
    return f"character {number} is {_named(odd)}, which looks like {letter}"


def with_reason(text: str, seen: object, right: object) -> str:
    """The text, and behind it what nobody can see in it."""
    reason = told(seen, right)
    return f"{text}; {reason}" if reason else text


def with_double(text: str, others: Iterable[str], right: str) -> str:
    """The text, and why one of the others is not `right`, where it looks so."""
    return next((with_reason(text, one, right) for one in others if alike(one, right)), text)


def beside(username: str, email: str, other: str, addresses: Iterable[str]) -> str:
    """What of the account `other` looks like that user's name or address; empty if nothing does."""
    for seen, right in [(other, username), *((address, email) for address in addresses)]:
        if reason := told(seen.lower(), right.lower()):
            found = seen if seen == other else f"{other}, {seen},"
            return f"{found} beside {right}; {reason}"
    return ""


def _named(letter: str) -> str:
    name = "BLANK" if letter == " " else unicodedata.name(letter, "a control character")
    return f"{name} (U+{ord(letter):04X})"
