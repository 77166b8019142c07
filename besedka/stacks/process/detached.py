"""A service that outlives its starter (`ServiceProcess.release`): recognised and ended by another process."""

from __future__ import annotations

import psutil

from besedka.stacks.process.processes import STOP_SECONDS

# The kernel's start time and psutil's arithmetic on it differ by rounding only.
_SAME_SECONDS = 0.5


def started(pid: int) -> float:
    """When the process of that id started, in seconds of the epoch."""
    return float(psutil.Process(pid).create_time())


def runs(pid: int, since: float) -> bool:
    """Whether the process of that id is the one that started then, and not another's with its number."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - since) < _SAME_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(pid: int, since: float) -> None:
    """End the service below that guard, and with it the guard; harmless if it is another process by now."""
    if not runs(pid, since):
        return
    guard = psutil.Process(pid)
    family = [*guard.children(recursive=True), guard]
    for process in family[:-1]:
        process.terminate()
    _gone, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=STOP_SECONDS)
