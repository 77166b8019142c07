"""What a person reads, in Russian: the English sentences of the code are looked up in texts/ru/*.toml.

The code words each sentence once, in English, as an f-string. Reports, run.json and the journal hold English:
they are the same for each reader. A sentence becomes Russian where it is shown. The catalogue holds each
f-string as a template with named places. A text is told by the template that fits it with the most letters.
What stands in its places is put into the Russian one. Where that is a sentence itself, it is translated, too.
A text that no template fits is shown as it is. tests/unit/translation collects the templates from the code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from besedka import language
from besedka.language import Language

FOLDER = Path(__file__).with_name("texts")
_PLACE = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
# A value with fewer letters around its places may be anything: a path, a command, a name.
_SURE = 8
# Sentences are put together by these, strongest first.
_JOINTS = ("\n", "; ", ". ", ", ")
_DEEPEST = 4
# A sentence, and what is told beside it, such as an address.
_BESIDE = re.compile(r"(.+) \(([^()]+)\)")
# Places of numbers, which reach no further than a word.
_NUMBERS = {"attrs", "budget", "returncode", "state", "status"}
# What stands in the places of a template with few letters: one word, or something quoted.
_NAME = re.compile(r"\S*|['\"\[({<].*", re.DOTALL)


@dataclass(frozen=True)
class Sentence:
    """A template in both languages. Braces of the text itself are doubled, as `str.format` has them."""

    english: str
    russian: str

    @cached_property
    def literals(self) -> list[str]:
        """What stands between the places."""
        return [part.replace("{{", "{").replace("}}", "}") for part in _PLACE.split(self.english)[::2]]

    @cached_property
    def weight(self) -> int:
        """How many letters tell it."""
        return len(re.sub(r"[\W\d_]", "", "".join(self.literals)))

    @cached_property
    def chunk(self) -> str:
        """The longest piece that a text must hold."""
        return max(self.literals, key=len)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Fits the sentence; a group per place, `head_` and `tail_` for what it is only a piece of."""
        parts, seen = [], set()
        for index, piece in enumerate(_PLACE.split(self.english)):
            if index % 2 == 0:
                parts.append(re.escape(piece.replace("{{", "{").replace("}}", "}")))
            else:
                value = r"\S*?" if piece in _NUMBERS else ".*?"
                parts.append(f"(?P={piece})" if piece in seen else f"(?P<{piece}>{value})")
                seen.add(piece)
        head = (
            "(?P<head_>.*?)"
            if re.match(r"[ ;:,]\S?", self.english) and not self.english.startswith("  ")
            else ""
        )
        tail = "(?P<tail_>.*)" if self.english.endswith((" ", "\n")) else ""
        # A sentence of one line ends with it, whatever is said on the next ones.
        flags = re.DOTALL if "\n" in self.english else re.NOFLAG
        return re.compile(f"{head}{''.join(parts)}{tail}", flags)

    def told(self, text: str, depth: int) -> str | None:
        """The text in Russian if it is this sentence; what stands in its places is translated in its turn."""
        fitting = self.pattern.fullmatch(text) if self.chunk in text else None
        if fitting is None:
            return None
        values = fitting.groupdict()
        head, tail = (_russian(values.pop(name, ""), 0, depth) for name in ("head_", "tail_"))
        if self.weight < _SURE and not all(_NAME.fullmatch(value) for value in values.values()):
            return None
        told = {name: _russian(value, _SURE, depth) for name, value in values.items()}
        return head + self.russian.format(**told) + tail


def spoken(text: str) -> str:
    """The text in the language that this process speaks."""
    return translated(text, language.current())


def word(text: str) -> str:
    """A label, a status or a kind, which is one word, in the language that this process speaks."""
    return words()[text] if language.current() == "ru" else text


@cache
def words() -> dict[str, str]:
    """The words of labels in Russian."""
    found: dict[str, str] = tomllib.loads((FOLDER / "words.ru.toml").read_text(encoding="utf-8"))
    return found


def translated(text: str, wanted: Language) -> str:
    """The text in that language; itself where the catalogue does not have it."""
    return text if wanted == "en" else _russian(text, 0, 0)


@cache
def _russian(text: str, least: int, depth: int) -> str:
    exact, _ = _catalogue()
    if text in exact:
        return exact[text]
    if depth > _DEEPEST or not re.search(r"[A-Za-z]{2}", text):
        return text
    sure = next(_fitting(text, max(least, _SURE), depth), None)
    if sure is not None:
        return sure
    for joint in _JOINTS:
        pieces = text.split(joint)
        in_russian = [_russian(piece, _SURE, depth + 1) for piece in pieces]
        if len(pieces) > 1 and in_russian != pieces:
            return joint.join(in_russian)
    unsure = None if least else next(_fitting(text, 0, depth), None)
    beside = _BESIDE.fullmatch(text)
    if unsure is None and beside:
        return f"{_russian(beside[1], _SURE, depth + 1)} ({_russian(beside[2], _SURE, depth + 1)})"
    return unsure or text


def _fitting(text: str, least: int, depth: int) -> Iterator[str]:
    """What the templates make of the text, the surest first, or of all but its first word: a name."""
    name, _, rest = text.partition(" ")
    exact, templates = _catalogue()
    if rest in exact:
        yield f"{name} {exact[rest]}"
    for sentence in templates:
        if sentence.weight < least:
            return
        told = sentence.told(text, depth + 1)
        if told is not None:
            yield told
        if sentence.weight >= _SURE and sentence.english[:1].islower():
            told = sentence.told(rest, depth + 1)
            if told is not None:
                yield f"{name} {told}"


@cache
def _catalogue() -> tuple[dict[str, str], tuple[Sentence, ...]]:
    """Sentences without a place by their text, and the others, those with the most letters first."""
    every = [Sentence(*row) for row in russian().items()]
    exact = {"".join(row.literals): row.russian.format() for row in every if len(row.literals) == 1}
    rest = [row for row in every if row.weight and (len(row.literals) > 1 or row.pattern.groups)]
    return exact, tuple(sorted(rest, key=lambda row: (row.weight, len("".join(row.literals))), reverse=True))


@cache
def russian() -> dict[str, str]:
    """Every template with its Russian, which may be the same."""
    found: dict[str, str] = {}
    for path in sorted((FOLDER / "ru").glob("*.toml")):
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        found |= raw["texts"] | {text: text for text in raw.get("same", ())}
    return found
