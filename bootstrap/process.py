"""Running other programs, and saying what goes on meanwhile."""

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType

from besedka.translation import spoken

FIRST_BEAT = 2.0
"""Seconds after which a step says that it goes on."""
LATER_BEATS = 8.0
"""Seconds between the lines after that, where every line is kept (a log of CI)."""
NOT_STARTED = 127


def say(text: str) -> None:
    """One message on stderr, in the reader's language."""
    write(spoken(text))


def write(text: str) -> None:
    """A line on stderr as it is; what the console's encoding lacks is escaped, and never a traceback."""
    encoding = sys.stderr.encoding or "ascii"
    sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stderr.flush()


class Heartbeat:
    """While entered, says every few seconds that a step goes on, how long it has, and its latest line."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.beat, daemon=True)

    def beat(self) -> None:
        """Runs in a thread of its own until `done`."""
        started = time.monotonic()
        pause = FIRST_BEAT
        while not self.done.wait(pause):
            # A frame that a program draws around its words says nothing.
            said = (line.strip() for line in reversed(self.lines) if any(map(str.isalnum, line)))
            write(f"    {time.monotonic() - started:4.0f} s  {next(said, '')[:80]}".rstrip())
            pause = FIRST_BEAT if sys.stderr.isatty() else LATER_BEATS

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done.set()
        self.thread.join()


def environment() -> dict[str, str]:
    """For the programs of set-up: configured as the machine is, the same in any locale, asking nothing."""
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")
    }
    return inherited | {
        "LC_ALL": "C",
        "LANGUAGE": "C",
        "PYTHONUTF8": "1",
        "DEBIAN_FRONTEND": "noninteractive",
        # `user = true` in somebody's pip.conf would make pip refuse to install into .venv.
        "PIP_USER": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_PROGRESS_BAR": "off",
        # Five tries, each with its pause, say no more than two where there is no network. With none
        # pip takes an index that cannot be reached for one that lacks the package.
        "PIP_RETRIES": inherited.get("PIP_RETRIES", "2").strip("0") or "1",
    }


def execute(
    argv: list[str],
    *,
    keep_open: tuple[int, ...] = (),
    more: Mapping[str, str] | None = None,
    told: bool = True,
) -> tuple[int, str]:
    """Run a program to its end. Returns its exit status (NOT_STARTED if there is none) and all it printed.

    Whatever ends the wait (Ctrl-C) ends the program too. `keep_open` are file descriptors that it inherits,
    `more` variables of its environment. While it runs its latest line is shown, unless `told` is false.
    """
    try:
        child = subprocess.Popen(  # noqa: S603
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment() | dict(more or {}),
            pass_fds=keep_open,
        )
    except OSError as error:
        return NOT_STARTED, f"{argv[0]} cannot be started: {errno.errorcode.get(error.errno or 0, '?')}"
    lines: list[str] = []
    try:
        with Heartbeat(lines if told else []):
            for raw in child.stdout or ():
                lines.append(raw.decode("utf-8", "replace").rstrip())
            child.wait()
        return child.returncode, "\n".join(lines)
    finally:
        if child.poll() is None:
            end(child)
        if child.stdout:
            child.stdout.close()


def end(child: "subprocess.Popen[bytes]") -> None:
    """Ask a program to end, which lets pip and dpkg tidy up; make it end after ten seconds."""
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
