"""The pace of log-ins: five in ten seconds for all processes together."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from fixtures import pace
from fixtures.pace import Pace


def test_the_sixth_log_in_waits_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The users of the first five: two of them share the file, as two workers do."""
    monkeypatch.setattr(pace, "WINDOW_SECONDS", 1.0)
    one, other = (Pace("http://chat.example", tmp_path) for _ in range(2))
    waits = [each.wait() for each in (one, other, one, other, one)]
    assert max(waits) < 0.5
    assert other.wait() > 0.5


def test_log_ins_elsewhere_and_of_long_ago_do_not_count(tmp_path: Path) -> None:
    """Each address has turns of its own; a clock that was set back keeps nobody out."""
    here = Pace("http://chat.example", tmp_path)
    for _ in range(pace.ALLOWED):
        here.wait()
    assert Pace("http://other.example", tmp_path).wait() < 0.5
    (noted,) = (path for path in tmp_path.iterdir() if len(json.loads(path.read_text())) == pace.ALLOWED)
    noted.write_text(json.dumps([time.time() + 3600] * pace.ALLOWED))
    assert here.wait() < 0.5
