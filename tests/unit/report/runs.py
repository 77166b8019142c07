"""Runs as the page gets them, made up."""

from __future__ import annotations

from typing import Any

from besedka.report import wording
from besedka.report.model import (
    CauseRow,
    CellRow,
    HopRow,
    Outcome,
    Run,
    ServiceRow,
    StackRow,
    TestRow,
    Verdict,
)

FAILED_TEST = "tests/e2e/test_sign_in.py::test_opening[anna]"


def row_of(name: str, outcome: Outcome = Outcome.PASSED, **more: Any) -> TestRow:
    return TestRow(id=name, outcome=outcome, phases={"setup": 0.1, "call": 1.0, "teardown": 0.0}, **more)


def run(name: str = "20260101-000000-aaaaaa", **more: Any) -> Run:
    """A run in which everything that the page can show is there once."""
    values: dict[str, Any] = {
        "id": name,
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 61.2,
        "arguments": ("-m", "e2e"),
        "verdict": Verdict.FAILED,
        "exit_status": 1,
        "stack": StackRow(
            kind="embedded",
            site_url="http://site.test",
            chat_url="http://chat.test",
            services=(
                ServiceRow(name="site", version="1.0", nature="real", where="http://site.test"),
                ServiceRow(name="mongo", version="7.0", nature="stand-in", where="127.0.0.1:1"),
                ServiceRow(name="redis", version="", nature="absent", where="none here"),
            ),
        ),
        "stack_seconds": 1.9,
        "signed_in": {"anna": False},
        "cells": (
            CellRow(user="anna", room="lobby", admitted=True, failed=True),
            CellRow(user="anna", room="attic", admitted=False, proved=("closed",)),
        ),
        "causes": (
            CauseRow(
                code="sso.token.refused",
                question="Does the token endpoint accept Rocket.Chat's id and secret?",
                severity="broken",
                seen="401 <b>invalid_client</b>",
                expected="a token",
                where={"place": "the site", "en": "Workspace → Settings", "ru": "Рабочее пространство"},
                commands=("python3 run.py provision --apply",),
                advice=("Ask the site's administrator.",),
                tests=(FAILED_TEST,),
                picture="evidence/t/screenshot-1-1.png",
            ),
        ),
        "chain": (
            HopRow(name="authorize", status="ok", seen=""),
            HopRow(name="token", status="finding", seen="401 invalid_client"),
        ),
        "tests": (
            row_of(FAILED_TEST, Outcome.FAILED, reason="AssertionError: no", evidence="evidence/t"),
            row_of("tests/e2e/test_other.py::test_b"),
        ),
        "unproven": (wording.unproven("stand_in", service="MongoDB"),),
    }
    return Run(**(values | more))
