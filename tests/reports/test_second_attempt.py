"""A failed test that doctor does not explain is run once more, and the run stays red."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from besedka.contract import Contract
from besedka.report import bundle
from besedka.report.model import RUN_FILE, Kind, Outcome, Run
from besedka.scrub import Scrubber
from besedka.stacks.model import Stack
from tests import inner

pytestmark = pytest.mark.reports

SUBJECT = """
from pathlib import Path

def test_wavers(visitor, contract):
    visitor.goto(contract.site.url)
    before = Path({mark!r}).exists()
    Path({mark!r}).touch()
    assert before, "the first time"

def test_is_wrong(visitor, contract):
    visitor.goto(contract.site.url)
    raise RuntimeError(f"it is wrong, {{contract.users[0].secret}}")

def test_is_right(stack):
    assert stack
"""


def test_a_flake_is_told_from_a_defect_and_both_stay_red(
    stack: Stack, contract: Contract, subject: Path, tmp_path: Path
) -> None:
    subject.write_text(SUBJECT.format(mark=str(tmp_path / "mark")), "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack, data=True), "--second-attempt=on")

    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "2 failed, 1 passed" in finished.stdout, finished.stdout
    folder = Path(re.search(r"logs and evidence: (.*)", finished.stdout)[1])  # type: ignore[index]
    run = Run.read(folder / RUN_FILE)
    tests = {re.split(r"::|\[", test.id)[1]: test for test in run.tests}
    kinds = {name: (test.outcome, test.kind) for name, test in tests.items()}
    assert kinds == {
        "test_wavers": (Outcome.FAILED, Kind.FLAKE),
        "test_is_wrong": (Outcome.FAILED, Kind.PRODUCT),
        "test_is_right": (Outcome.PASSED, Kind.UNKNOWN),
    }, (folder / "again" / "output.txt").read_text("utf-8")
    wrong = tests["test_is_wrong"]
    assert wrong.second
    for place in (wrong.evidence, wrong.second.evidence):
        assert place
        assert (folder / place / "network-1.har").exists()
    assert "once more passed" in finished.stdout
    assert not (folder / "again" / "stack.json").exists(), "passwords of databases stay on disk"

    made = bundle.write(folder, tmp_path / "bundle.zip", Scrubber(contract.secrets))

    assert {"doctor.json", "configuration.json", "run.json"} <= set(made.included)
    assert made.left_out == {}
    assert [str(path) for path in leaks(folder, contract)] == []
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    assert [name for name, text in texts.items() for one in contract.secrets if one.encode() in text] == []


def leaks(folder: Path, contract: Contract) -> list[Path]:
    """Files of the run's folder in which a secret of the contract can be read."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files for one in contract.secrets if one.encode() in path.read_bytes()]
