"""The site's management commands: one that does not end, or ends badly, is a message and no traceback."""

from __future__ import annotations

import pytest

from besedka.errors import StackStartError
from besedka.stacks.services import site_commands


def test_a_command_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_commands, "COMMAND_BUDGET_SECONDS", 0.01)

    with pytest.raises(StackStartError, match=r"manage\.py prepare_site did not end within"):
        site_commands.run({}, "prepare_site")


def test_a_command_that_ends_badly_is_quoted() -> None:
    with pytest.raises(StackStartError, match="there_is_none") as failed:
        site_commands.run({"DJANGO_SETTINGS_MODULE": "there_is_none"}, "check")

    assert "ended with status" in str(failed.value)
