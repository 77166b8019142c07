"""A run in the Common Test Report Format (ctrf.io, specification 1.0.0), which many readers of tests take.

Made of `run.json` rather than by pytest-json-ctrf: its texts are scrubbed, it knows of a stack that failed,
and it has the evidence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from besedka.report.model import Kind, Outcome, Run, TestRow

_STATUS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.ERROR: "failed",
    Outcome.SKIPPED: "skipped",
    Outcome.NOT_RUN: "pending",
    Outcome.QUARANTINED: "other",
}


def document(run: Run) -> dict[str, Any]:
    """The report as plain values. A stack that failed is a failed test: no reader calls it green."""
    tests = [_test(test, run) for test in run.tests]
    if run.trouble:
        tests.append({"name": "the stack", "status": "failed", "duration": 0, "message": run.trouble})
    start = int(datetime.fromisoformat(run.started).timestamp() * 1000)
    statuses = [test["status"] for test in tests]
    counts = {
        status: statuses.count(status) for status in ("passed", "failed", "skipped", "pending", "other")
    }
    return {
        "reportFormat": "CTRF",
        "specVersion": "1.0.0",
        "results": {
            "tool": {"name": "pytest"},
            "summary": {
                "tests": len(tests),
                **counts,
                "start": start,
                "stop": start + int(run.seconds * 1000),
            },
            "tests": tests,
            "extra": {"run": run.id, "verdict": run.verdict},
        },
    }


def _test(test: TestRow, run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": test.id,
        "status": _STATUS[test.outcome],
        "duration": int(test.seconds * 1000),
        "filePath": test.file,
        "line": test.line,
        "message": test.reason,
        "flaky": test.kind is Kind.FLAKE or None,
    }
    extra = {
        "evidence": test.evidence,
        "causes": [cause.code for cause in run.causes if test.id in cause.tests],
        "kind": test.kind,
    }
    row["extra"] = {name: value for name, value in extra.items() if value}
    return {name: value for name, value in row.items() if value not in (None, "", {})}
