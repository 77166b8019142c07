"""The page shows what the run came to, to somebody who has never seen the suite."""

from __future__ import annotations

import html
import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from besedka.contract import PROJECT_ROOT
from besedka.language import LANGUAGES, Language, chosen
from besedka.report import history, page, wording
from besedka.report.model import AttemptRow, Kind, Outcome, Run, Verdict
from besedka.translation import translated
from fixtures.infrastructure import ServiceDiedError
from tests.unit.report import runs

PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def keys(value: Any, place: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {place}
    return {name for key, below in value.items() for name in keys(below, f"{place}.{key}")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    evidence = tmp_path / "evidence" / "t"
    evidence.mkdir(parents=True)
    (evidence / "screenshot-1-1.png").write_bytes(PICTURE)
    (evidence / "trace-1.zip").write_bytes(b"zip")
    return tmp_path


def test_both_languages_have_the_same_texts() -> None:
    english, russian = (keys(wording.texts(language)) for language in LANGUAGES)

    assert english == russian


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_cause_place_command_and_tests(language: Language, folder: Path) -> None:
    text = page.html(runs.run(), folder, language)

    told = wording.texts(language)
    assert wording.verdict(runs.run(), language) in text
    for part in (
        "sso.token.refused",
        "python3 run.py provision --apply",
        "Ask the site&#39;s administrator.",
        {"en": "Workspace → Settings", "ru": "Рабочее пространство"}[language],
        runs.FAILED_TEST,
        html.escape(translated(runs.run().causes[0].question, language)).replace("&#x27;", "&#39;"),
        told["nature"]["stand-in"],
        f"python -m playwright show-trace --port 0 {folder}/evidence/t/trace-1.zip",
        f"✗&nbsp;{told['hop']['token']}",
        told["unproven"]["stand_in"].format(service="MongoDB"),
        f'title="{told["cell"]["failed"]}"',
        f'title="{told["cell"]["closed"]}"',
    ):
        assert part in text, part


def test_the_page_is_one_file(folder: Path) -> None:
    text = page.html(runs.run(), folder, "en")

    assert "data:image/png;base64," in text
    assert "<script" not in text
    assert "http-equiv" not in text
    assert 'src="http' not in text
    assert "<link" not in text


def test_what_a_server_said_is_text_and_never_markup(folder: Path) -> None:
    text = page.html(runs.run(), folder, "en")

    assert "401 &lt;b&gt;invalid_client&lt;/b&gt;" in text
    assert "<b>invalid_client" not in text


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_its_sentence(verdict: Verdict, folder: Path) -> None:
    run = runs.run(verdict=verdict, causes=(), chain=(), trouble="mongo: exit status 137")

    text = page.html(run, folder, "ru")

    assert wording.texts("ru")["verdict"][verdict].partition("{")[0] in text
    assert "mongo: exit status 137" in text


@pytest.mark.parametrize(
    ("count", "english", "russian"),
    [
        (1, "1 test", "1 теста"),
        (2, "2 tests", "2 тестов"),
        (11, "11 tests", "11 тестов"),
        (21, "21 tests", "21 теста"),
    ],
)
def test_tests_are_counted_as_people_do(count: int, english: str, russian: str) -> None:
    assert wording.of_tests(count, "en") == english
    assert wording.of_tests(count, "ru") == russian


def test_what_a_cause_explains_is_folded_and_the_rest_stands_open(folder: Path) -> None:
    alone = runs.row_of("alone", Outcome.FAILED, kind=Kind.PRODUCT)
    explained = runs.row_of(runs.FAILED_TEST, Outcome.FAILED, kind=Kind.PRODUCT)

    text = page.html(runs.run(tests=(explained, alone)), folder, "en")

    told = wording.texts("en")
    shown, fold, folded = text.partition(f"<summary>{told['label']['explained']}: 1</summary>")
    assert fold
    assert shown.count(told["kind"]["product"]) == 1, "a test with a cause is told by its cause"
    assert "<h3><code>alone" in shown
    assert f"<h3><code>{runs.FAILED_TEST}" in folded


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    run = runs.run()

    assert Run.read(run.write(tmp_path)) == run


def test_the_schema_in_the_docs_is_the_models() -> None:
    written = json.loads((PROJECT_ROOT / "docs" / "run.schema.json").read_text("utf-8"))

    assert written == Run.model_json_schema(), "write it again: python -m docs.run_schema"


def test_the_last_ten_runs_stand_in_order_and_rubbish_is_passed_over(tmp_path: Path) -> None:
    for number in range(12):
        folder = tmp_path / f"202601{number + 10}"
        folder.mkdir()
        runs.run(folder.name).write(folder)
    (tmp_path / "20260198").mkdir()
    runs.run("20260198", inside=True).write(tmp_path / "20260198")
    (tmp_path / "20260199").mkdir()
    (tmp_path / "20260199" / "run.json").write_text("{")
    current = runs.run("now")

    found = history.last_runs(tmp_path, current)

    assert len(found) == 10
    assert found[-1] is current
    assert [run.id for run in found[:-1]] == [f"202601{number + 10}" for number in range(3, 12)]


def test_a_test_that_changes_its_mind_is_named() -> None:
    def outcome(name: str, *outcomes: Outcome) -> list[Run]:
        return [runs.run(tests=(runs.row_of(name, each),)) for each in outcomes]

    wavers = outcome("wavers", Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.PASSED)
    broke = outcome("broke", Outcome.PASSED, Outcome.PASSED, Outcome.FAILED, Outcome.FAILED)

    assert history.flaky(wavers) == {"wavers"}
    assert history.flaky(broke) == set()


def test_the_language_is_the_one_asked_for_then_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert chosen() == "en"
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    assert chosen() == "ru"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert chosen() == "en"
    assert chosen("ru") == "ru"


def test_texts_are_toml_that_anybody_can_edit() -> None:
    for language in LANGUAGES:
        path = Path(page.__file__).with_name(f"texts.{language}.toml")
        assert tomllib.loads(path.read_text("utf-8"))["title"]


def test_sixty_tests_with_pictures_are_written_in_a_second_and_fit_into_a_mail(folder: Path) -> None:
    picture = folder / "evidence" / "t" / "screenshot-1-1.png"
    picture.write_bytes(PICTURE + b"0" * 500_000)
    tests = tuple(runs.row_of(f"tests/e2e/test_a.py::test_{number}") for number in range(60))
    cause = runs.run().causes[0]
    run = runs.run(tests=tests, causes=(cause, cause, cause))
    begin = time.perf_counter()

    path = page.write(run, folder, "ru", [run] * 10)

    assert time.perf_counter() - begin < 1
    assert path.stat().st_size < 3_000_000


def test_both_attempts_of_a_failed_test_are_shown(folder: Path) -> None:
    again = folder / "again" / "evidence" / "t"
    again.mkdir(parents=True)
    (again / "frames.txt").write_text("page", "utf-8")
    second = AttemptRow(outcome=Outcome.FAILED, seconds=1, evidence="again/evidence/t")
    failed = runs.row_of("a", Outcome.FAILED, evidence="evidence/t", second=second, kind=Kind.PRODUCT)

    text = page.html(runs.run(tests=(failed,)), folder, "en")

    assert 'href="evidence/t/trace-1.zip"' in text
    assert 'href="again/evidence/t/frames.txt"' in text
    assert wording.texts("en")["kind"]["product"] in text


def test_a_failure_without_a_cause_shows_its_page(folder: Path) -> None:
    failed = runs.row_of("a", Outcome.FAILED, evidence="evidence/t")

    assert "data:image/png;base64," in page.html(runs.run(tests=(failed,), causes=()), folder, "en")


def test_what_ended_a_run_is_told_in_russian_and_its_log_as_it_is() -> None:
    said = ServiceDiedError(
        "mongo ended with status -9 while tests ran; its last lines:\nits own line",
        expected="a service that lives as long as the run",
        where="/logs/mongo.log",
        next_step="read that log; the tests that had not finished were not run and prove nothing",
    ).text()

    told = wording.trouble(said, "ru").splitlines()

    assert told[0].startswith("сейчас: mongo заверш")
    assert told[0].endswith("-9, пока шли тесты; последние строки:")
    assert told[1:4] == [
        "its own line",
        "должно быть: служба, которая живёт, пока идёт прогон",
        "где: /logs/mongo.log",
    ]
    assert told[4].startswith("что дальше: прочтите")
    assert wording.trouble(said, "en") == said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("does not apply: the site has no groups ([site.features])", "неприменимо: у сайта нет groups"),
        ("Rocket.Chat's database cannot be read: no --mongo-url", "нет --mongo-url"),
        (
            "besedka.stacks.errors.StackStartError: http://x/ answers 404",
            "StackStartError: http://x/ отвечает 404",
        ),
        ("KeyError: 'Location'", "KeyError: 'Location'"),
        # The sentence goes on in the next line, which is not shown.
        (
            "AssertionError: the chat is not signed in: Rocket.Chat refused the log-in: why, it tells nobody: doctor reads it in its database",
            "AssertionError: в чат никто не вошёл: Rocket.Chat не принял вход: почему",
        ),
        ("SQLite keeps the site's data (--postgres=none)", "данные сайта хранит SQLite (--postgres=none)"),
    ],
)
def test_a_reason_is_told_in_russian(text: str, told: str) -> None:
    assert told in wording.reason(text, "ru")
    assert wording.reason(text, "en") == text
