"""One set-up at a time in one project: the second waits, and is told for whom."""

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from bootstrap.process import Heartbeat, say

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

BEYOND_THE_PID = 1 << 20
"""Windows locks bytes against reading too, so the locked byte is one that nobody reads."""
MOST_OWNERS = 100
"""As many owners may come and go between two steps of ours; more is a folder where no file can be made."""


class Lock:
    """A lock of the operating system on a file that names its owner's pid.

    The system itself frees it when the owner dies, kill -9 included, so a stale file stops nobody. The owner
    removes the file. So a lock counts only while the file at the path is the one that was locked.
    `descriptors` are for programs that must not outlive the lock: where their parent is killed, they hold it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        missing = 0
        while True:
            try:
                self.path.parent.mkdir(exist_ok=True)
                self.file = open(self.path, "a+", encoding="ascii")
                self.acquire()
                if os.path.samestat(os.fstat(self.file.fileno()), self.path.stat()):
                    break
                self.file.close()
            except FileNotFoundError:  # an owner that just left took it away
                missing += 1
                if missing == MOST_OWNERS:
                    raise
        self.file.truncate(0)
        self.file.write(str(os.getpid()))
        self.file.flush()
        return self

    @property
    def descriptors(self) -> tuple[int, ...]:
        """File descriptors to hand down; none on Windows, where programs inherit none by number."""
        return () if sys.platform == "win32" else (self.file.fileno(),)

    def acquire(self) -> None:
        """Take the lock, saying so if that means waiting."""
        try:
            self.take(wait=False)
        except OSError:
            self.file.seek(0)
            say(
                f"setup: waiting for another run.py (pid {self.file.read() or '?'}), which is setting up here"
            )
            with Heartbeat([]):
                self.take(wait=True)

    def take(self, *, wait: bool) -> None:
        """Take the lock, or raise OSError where that means waiting and `wait` is false."""
        if sys.platform == "win32":
            while True:
                try:
                    self.file.seek(BEYOND_THE_PID)
                    msvcrt.locking(self.file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                except OSError:  # LK_LOCK itself gives up after ten seconds
                    if not wait:
                        raise
                else:
                    return
        else:
            fcntl.flock(self.file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A waiting process must find the file gone once it has the lock. Windows removes no open file.
        steps = (self.path.unlink, self.file.close)
        for leave in (*(reversed(steps) if sys.platform == "win32" else steps), self.path.parent.rmdir):
            with contextlib.suppress(OSError):  # the folder may have other use
                leave()
