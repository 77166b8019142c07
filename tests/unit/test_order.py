"""Runs inside a test: order by a number, parts by a shard, quarantine by a file."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from besedka.errors import UsageError
from fixtures.order import part, place
from fixtures.quarantine import QuarantineError, read
from tests import inner

SUBJECT = "\n".join(f"def test_{number}():\n    pass\n" for number in range(8))
FAILS = "def test_a():\n    assert 0\n\ndef test_b():\n    assert 0\n\ndef test_c():\n    pass\n"
ENTRY = '[[test]]\nid = "{id}"\nowner = "anna"\nreason = "waits for a release"\nuntil = {until}\n'


def test_a_number_gives_the_same_order_each_time() -> None:
    names = [f"tests/{file}.py::test_{number}" for file in "abcd" for number in range(8)]

    one, again, other = (sorted(names, key=lambda name: place(name, seed)) for seed in ("1", "1", "2"))

    assert one == again
    assert one != other != names
    files = [name.partition("::")[0] for name in one]
    assert len([file for file, _ in groupby(files)]) == 4, "the tests of a file stay together"


def test_a_part_that_does_not_exist_is_refused(subject: Path) -> None:
    subject.write_text(SUBJECT, "utf-8")

    assert inner.run(str(subject), "--shard=4/3").returncode == UsageError.exit_status


def test_the_seed_and_the_shard_are_said_and_obeyed(subject: Path) -> None:
    subject.write_text(SUBJECT, "utf-8")
    file = subject.relative_to(inner.PROJECT_ROOT).as_posix()
    names = part([f"{file}::test_{number}" for number in range(8)], {}, 2, 3)

    done = inner.run(str(subject), "--order-seed=random", "--shard=2/3", "-v")

    said = re.search(r"order: --order-seed=(\d+)\nshard: --shard=2/3\n", done.stdout)
    assert said, done.stdout
    ran = [f"{file}::{name}" for name in re.findall(r"::(test_\d) PASSED", done.stdout)]
    assert ran == sorted(names, key=lambda name: place(name, said[1]))


def test_workers_take_the_order_that_was_chosen_for_them_all(subject: Path) -> None:
    subject.write_text(SUBJECT, "utf-8")

    done = inner.run(str(subject), "--order-seed=random", "-n", "2")

    assert done.returncode == 0, done.stdout
    assert re.search(r"order: --order-seed=\d+", done.stdout)
    assert "8 passed" in done.stdout


@pytest.mark.parametrize(
    ("words", "shuffled"),
    [(("-m", "e2e"), True), (("-m", "e2e", "--order-seed=off"), False), ((), False), (("-m", "api"), False)],
)
def test_the_end_to_end_tests_run_in_a_random_order_by_themselves(
    words: tuple[str, ...], shuffled: bool, subject: Path
) -> None:
    subject.write_text(
        f"import pytest\npytestmark = [getattr(pytest.mark, name) for name in ('e2e', 'api')]\n{SUBJECT}",
        "utf-8",
    )

    done = inner.run(str(subject), *words, "--collect-only")

    said = re.search(r"order: --order-seed=(\d+)", done.stdout)
    assert bool(said) == shuffled, done.stdout
    names = [f"test_{number}" for number in range(8)]
    file = subject.relative_to(inner.PROJECT_ROOT).as_posix()
    wanted = sorted(names, key=lambda name: place(f"{file}::{name}", said[1])) if said else names
    assert re.findall(r"<Function (test_\d)>", done.stdout) == wanted


def test_files_that_have_changed_run_several_times(subject: Path) -> None:
    # What git ignores is no change of anybody's.
    tracked = Path(__file__).with_name("test_just_made.py")
    tracked.write_text("def test_new():\n    pass\n", "utf-8")
    subject.write_text(SUBJECT, "utf-8")
    try:
        done = inner.run(str(subject), str(tracked), "--repeat-changed=3")
    finally:
        tracked.unlink()

    assert "3 passed, 8 deselected" in done.stdout, done.stdout


def test_a_quarantined_test_is_excused_until_its_last_day(subject: Path, tmp_path: Path) -> None:
    subject.write_text(FAILS, "utf-8")
    name = subject.relative_to(inner.PROJECT_ROOT).as_posix()
    # Asked now: a test of the site may have moved this process, and what it starts, to another time zone.
    today = date.today()
    file, yesterday = tmp_path / "quarantine.toml", today - timedelta(days=1)
    file.write_text(
        ENTRY.format(id=f"{name}::test_a", until=today) + ENTRY.format(id=f"{name}::test_c", until=yesterday),
        "utf-8",
    )

    done = inner.run(str(subject), f"--quarantine={file}", "-rxE")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 xfailed, 1 error" in done.stdout, done.stdout
    assert f"quarantined until {today} by anna: waits for a release" in done.stdout
    assert f"its quarantine ended on {yesterday}. Owner: anna." in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[test]]\nid = "tests/a.py::b"\nreason = "r"\nuntil = 2026-01-01\n',
            "test.0.owner: Field required",
        ),
        (ENTRY.format(id="tests/a.py::b", until='"soon"'), "test.0.until: Input should be a valid date"),
        (ENTRY.format(id="test_b", until="2026-01-01"), "test.0.id: String should match"),
        ("[[test]", "test"),
    ],
)
def test_an_entry_without_owner_reason_or_day_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "quarantine.toml"
    file.write_text(text, "utf-8")

    with pytest.raises(QuarantineError) as refused:
        read(file)

    assert said in str(refused.value)


def test_no_file_excuses_nobody(tmp_path: Path) -> None:
    assert read(tmp_path / "quarantine.toml") == []
