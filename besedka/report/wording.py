"""The sentences of the run's page and of the job summary, in one file for each language."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from besedka.language import Language
from besedka.report.model import Outcome, Run, UnprovenRow
from besedka.translation import translated, words

FOLDER = Path(__file__).parent


@cache
def texts(language: Language) -> dict[str, Any]:
    """All sentences of one language."""
    return tomllib.loads((FOLDER / f"texts.{language}.toml").read_text(encoding="utf-8"))


def verdict(run: Run, language: Language) -> str:
    """What the run came to, in one sentence."""
    sentence: str = texts(language)["verdict"][run.verdict]
    return sentence.format(
        passed=run.count(Outcome.PASSED),
        broken=len(run.broken),
        total=of_tests(len(run.tests), language),
        ran=len(run.tests) - run.count(Outcome.NOT_RUN),
    )


def of_tests(count: int, language: Language) -> str:
    """`1 test`, `2 tests`; in Russian the genitive, as after "из": `21 теста`, `22 тестов`."""
    one = count == 1 if language == "en" else count % 10 == 1 and count % 100 != 11
    return f"{count} {texts(language)['count']['one' if one else 'many']}"


def unproven(kind: str, **values: str) -> UnprovenRow:
    """Something that a run leaves open; `kind` and the names of `values` are those of the texts."""
    sentence: str = texts("en")["unproven"][kind]
    return UnprovenRow(kind=kind, text=sentence.format(**values), values=values)


def left_open(row: UnprovenRow, language: Language) -> str:
    """The row's sentence in that language; its own text where the kind is not known."""
    sentence: str | None = texts(language)["unproven"].get(row.kind)
    values = {name: reason(value, language) for name, value in row.values.items()}
    return sentence.format(**values) if sentence else row.text


def trouble(text: str, language: Language) -> str:
    """What ended a run, a line for each part of the message (besedka.errors)."""
    return "\n".join(_part(line, language) for line in text.splitlines())


def _part(line: str, language: Language) -> str:
    part = re.fullmatch(r"\s*(found|expected|where|next step): (.*)", line)
    if language == "en" or part is None:
        return line if part else reason(line, language)
    return f"{words()[part[1]]}: {reason(part[2], language)}"


def reason(text: str, language: Language) -> str:
    """Why a test was skipped, or a failure's first line, whose class of error stays as it is."""
    kind, said = re.fullmatch(r"((?:[\w.]+(?:Error|Exception|Failed): )?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    # A failure's first line may be the head of a sentence that goes on below it.
    told = translated(f"{said}\n", language).rstrip("\n")
    if told == said:
        told = translated(said, language)
    return f"{kind}{told}"
