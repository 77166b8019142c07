"""One folder for each run below `.besedka/runs`, for its logs, evidence and page; old ones make room."""

from __future__ import annotations

import secrets
import shutil
import time
from datetime import datetime
from pathlib import Path

from besedka.contract import PROJECT_ROOT

RUNS_FOLDER = PROJECT_ROOT / ".besedka" / "runs"
KEPT = 10
_FINISHED = "finished"
_KILLED_RUN_SECONDS = 24 * 3600


def new() -> Path:
    """A fresh folder for one run, named by its start; the oldest finished ones beyond ten are removed.

    A run that is going on keeps its folder however many others start beside it. One that was killed never
    says that it finished, so its folder goes after a day.
    """
    RUNS_FOLDER.mkdir(parents=True, exist_ok=True)
    yesterday = time.time() - _KILLED_RUN_SECONDS
    over = [path for path in sorted(RUNS_FOLDER.iterdir()) if _is_over(path, yesterday)]
    for folder in over[: -KEPT + 1]:
        shutil.rmtree(folder, ignore_errors=True)
    name = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder = RUNS_FOLDER / name
    folder.mkdir()
    return folder


def finished(folder: Path, *data: str) -> None:
    """Mark the run as ended, and remove its data: folders within it, in place of logs and evidence."""
    for name in data:
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / _FINISHED).touch()


def _is_over(folder: Path, yesterday: float) -> bool:
    """Whether a run has ended; one whose folder another run has just removed has."""
    try:
        return (folder / _FINISHED).exists() or folder.stat().st_mtime < yesterday
    except FileNotFoundError:
        return True
