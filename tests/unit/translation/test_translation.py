"""Every sentence of the code has a Russian one, and each text is told by its own template."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

from besedka import language, translation
from besedka.checks.finding import Severity, Status, finding
from besedka.checks.report import print_finding
from besedka.errors import ServiceUnreachableError
from besedka.target import StackKind
from besedka.translation import Sentence, russian, translated, words
from tests.unit.translation import help_texts
from tests.unit.translation.sentences import sentences


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_no_sentence_of_the_code_lacks_its_russian() -> None:
    lacking = {text: sorted(where) for text, where in sentences().items() if text not in russian()}
    assert not lacking, f"say these in besedka/texts/ru/*.toml: {lacking}"


def test_no_russian_sentence_is_left_of_code_that_went() -> None:
    left = set(russian()) - set(sentences()) - help_texts.OF_TYPER
    of_help = list(help_texts.texts())
    assert not {row for row in left if not any(Sentence(row, "").pattern.fullmatch(text) for text in of_help)}


def test_no_text_of_help_and_no_question_lacks_its_russian() -> None:
    lacking = [text for text in help_texts.texts() if not re.search("[а-яё]", translated(text, "ru"))]
    known = {
        "site or rocketchat",
        "embedded (the stand-in), or containers.",
        "attached, embedded or containers.",
    }
    assert not set(lacking) - known


def test_both_have_the_same_places() -> None:
    """`either` is an English ending or a word of its own, which Russian may not need."""
    lost = {english: places(english) ^ places(told) for english, told in russian().items()}
    wrong = {
        text: names for text, names in lost.items() if any(not name.startswith("either") for name in names)
    }
    assert not wrong


def filled(template: str) -> tuple[str, str]:
    """The sentence and its Russian with values that no sentence is told by."""
    values = {name: f"<{number}>" for number, name in enumerate(sorted(places(template)))}
    return template.format(**values), russian()[template].format(**values)


def test_each_text_is_told_by_its_own_template() -> None:
    rows = [filled(english) for english in russian() if Sentence(english, "").weight > 1]
    wrong = {text: (translated(text, "ru"), told) for text, told in rows if translated(text, "ru") != told}
    assert not wrong


def test_an_unknown_text_stays_as_it_is() -> None:
    assert translated("/srv/besedka/run.json", "ru") == "/srv/besedka/run.json"
    assert translated("ab12cd", "ru") == "ab12cd"
    assert translated("besedka provision --apply", "ru") == "besedka provision --apply"


def test_what_stands_in_a_place_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {
        "{service} is not there: {why}": "{service} нет: {why}",
        "its disk has no room left": "кончился диск",
    }
    monkeypatch.setattr(translation, "russian", lambda: rows)
    translation._catalogue.cache_clear()
    translation._russian.cache_clear()
    try:
        assert translated("mongo is not there: its disk has no room left", "ru") == "mongo нет: кончился диск"
        joined = "mongo is not there: x; its disk has no room left"
        assert translated(joined, "ru") == "mongo нет: x; кончился диск"
    finally:
        monkeypatch.undo()
        translation._catalogue.cache_clear()
        translation._russian.cache_clear()


def test_every_word_of_a_label_is_known() -> None:
    said = (
        {str(row) for row in (*Status, *Severity)} | set(get_args(StackKind)) | {"real", "stand-in", "absent"}
    )
    said |= {f"{row}, counted" for row in Status}
    for path in Path(translation.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "word":
                said |= {str(row.value) for row in node.args if isinstance(row, ast.Constant)}
    assert said <= set(words())


@pytest.fixture
def in_russian() -> Iterator[None]:
    before = language.current()
    language.speak("ru")
    yield
    language.speak(before)


def test_an_error_is_told_in_russian(in_russian: None) -> None:
    error = ServiceUnreachableError("no stack is running", expected="every service running", where="/srv/x")
    assert error.spoken().splitlines() == [
        "     сейчас: ни один стенд не запущен",
        "должно быть: все службы работают",
        "        где: /srv/x",
    ]
    assert "no stack is running" in str(error), "what a program reads is English"


def test_a_finding_is_told_in_russian(in_russian: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = finding(
        "rooms.members.missing",
        "owner is not in vip: a Join button instead of the message box",
        "a membership",
        "rocketchat_subscription, owner in vip",
        commands=["python3 run.py provision --apply"],
        advice=["is this the site's DATABASE_URL?"],
    )
    print_finding(Console(width=100), found)
    said = capsys.readouterr().out
    assert "owner не состоит в vip: вместо поля ввода — кнопка «Присоединиться»" in said
    assert "это DATABASE_URL сайта?" in said
    assert "python3 run.py provision --apply" in said
    assert not {"seen", "expected", "advice", "where"} & set(said.split())
