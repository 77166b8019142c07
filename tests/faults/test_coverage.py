"""Every check has a fault, every fault a check and tests that exist; asked without a stack."""

from __future__ import annotations

import subprocess
import sys

import pytest

from besedka import contract as contracts
from besedka.checks.catalogue import checks_for
from besedka.checks.check import LAYERS, check
from besedka.checks.finding import Ok
from besedka.contract import PROJECT_ROOT
from faults import Fault, catalogue
from faults.caught import NO_STACK, caught_by, unknown
from faults.coverage import problems
from faults.matrix import FOLDER, PAGE, pages, text
from tests.variants.table import VARIANTS

pytestmark = pytest.mark.faults

CONTRACT = contracts.load()
FAULTS, CHECKS = catalogue(CONTRACT), checks_for(CONTRACT)


def _nothing(breakable: object) -> None:
    raise AssertionError(f"never entered, but was given {breakable}")


def _fault(cause: str, *also: str) -> Fault:
    return Fault("made_up", cause, _nothing, also)  # type: ignore[arg-type]


def test_every_check_has_a_fault() -> None:
    assert problems(FAULTS, CHECKS) == []


def test_every_fault_breaks_a_layer() -> None:
    assert {fault.layer for fault in FAULTS} == set(LAYERS)


def test_the_catalogue_is_as_long_as_it_promises() -> None:
    assert len(FAULTS) >= 80


def test_a_check_without_a_fault_is_named() -> None:
    without = [fault for fault in FAULTS if fault.check != "sso.user"]
    assert problems(without, CHECKS) == ["sso.user: no fault makes this check fail"]


def test_a_new_check_without_a_fault_is_named() -> None:
    new = check("sso.new", question="New?")(lambda _: Ok())
    assert problems(FAULTS, [*CHECKS, new]) == ["sso.new: no fault makes this check fail"]


def test_a_fault_of_a_code_that_does_not_exist_is_named() -> None:
    wrong = _fault("sso.user.sleepy", "sso.user.refused")
    assert problems([*FAULTS, wrong], CHECKS) == ["made_up: sso.user.sleepy is no code of any check"]


def test_every_test_that_a_fault_or_a_variant_names_exists() -> None:
    named = {test for fault in FAULTS for test in caught_by(fault)} - {NO_STACK}
    asked = {test for variant in VARIANTS for test in variant.asked if test.startswith("tests/")}
    files = sorted({test.partition("::")[0] for test in named | asked})
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", *files],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = collected.stdout.splitlines()
    assert named
    assert sorted(named - set(lines)) == [], collected.stdout[-2000:]
    # Parameters are of the contract, and each variant has its own.
    asked = {test.partition("[")[0] for test in asked}
    assert [test for test in asked if not any(line.startswith(test) for line in lines)] == []


def test_the_table_of_tests_names_faults_that_exist() -> None:
    assert unknown({fault.name for fault in FAULTS}) == set()


def test_the_page_is_in_step_with_the_catalogue() -> None:
    made = pages(FAULTS) | {PAGE: text(FAULTS)}
    there = {path: path.read_text("utf-8") for path in (PAGE, *FOLDER.glob("*.md"))}
    assert there == made, "run: python -m faults.matrix > docs/fault-matrix.md"
