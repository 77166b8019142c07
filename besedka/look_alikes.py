"""Letters that look like others, and characters that nobody sees: why two texts that look alike differ.

The pairs are the lower and upper case letters of https://www.unicode.org/reports/tr39/ (confusables) that a
keyboard types in place of a Latin one: Cyrillic and Greek ones.
"""

from __future__ import annotations

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
