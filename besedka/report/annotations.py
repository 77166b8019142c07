"""A run's failures as GitHub shows them beside the code: the cause at each failed test's line."""

from __future__ import annotations

from collections.abc import Iterator

from besedka.report.model import Run


def workflow_commands(run: Run) -> Iterator[str]:
    """GitHub's workflow commands: the cause at each failed test's line, the trouble of a stack at none.

    Documentation: docs.github.com, "Workflow commands for GitHub Actions", "Setting an error message".
    """
    if run.trouble:
        yield f"::error title={_property('the stack failed')}::{_data(run.trouble)}"
    causes = {name: cause for cause in reversed(run.causes) for name in cause.tests}
    for test in run.broken:
        cause = causes.get(test.id)
        text = f"{cause.code}: {cause.seen}\n{cause.where.get('place', '')}" if cause else test.reason
        place = f"file={_property(test.file)},line={test.line or 1}," if test.file else ""
        yield f"::error {place}title={_property(test.id)}::{_data(text)}"


def _data(text: str) -> str:
    return text.strip().replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
