"""Why a set-up ended: one message of four parts, an exit status, and how a program's output leads to both."""

import errno
import re
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path

from besedka.translation import spoken, word


class Status(IntEnum):
    """Exit statuses of set-up, as run.py's docstring lists them (20, Python too old, is run.py's own)."""

    NO_VENV = 21
    NO_SPACE = 22
    NO_NETWORK = 23
    BAD_HASH = 24
    NO_MATCH = 25
    NO_BROWSER = 26
    NOT_WRITABLE = 27
    NO_COMMAND = 28
    FAILED = 29


class SetupError(Exception):
    """A set-up that cannot go on; its text is what the user reads, without a traceback."""

    def __init__(self, status: Status, found: str, *, expected: str, where: object, next_step: str) -> None:
        super().__init__(found)
        self.status = status
        self.found = found
        self.rows = {"found": found, "expected": expected, "where": str(where), "next step": next_step}

    def __str__(self) -> str:
        return "\n".join(f"{label:>9}: {text}" for label, text in self.rows.items())

    def spoken(self) -> str:
        """The same in the reader's language."""
        rows = {word(label): spoken(text) for label, text in self.rows.items()}
        width = max(map(len, rows))
        return "\n".join(f"{label:>{width}}: {text}" for label, text in rows.items())


# Programs run with LC_ALL=C (see process.py), so these are never translated.
SIGNS: Mapping[Status, str] = {
    Status.NO_SPACE: (
        r"\[Errno 28\]|No space left on device|\[WinError 112\]|enough free space|ENOSPC|os error 28\b"
    ),
    Status.BAD_HASH: r"DO NOT MATCH THE HASHES|Hash mismatch for",
    Status.NO_NETWORK: (
        r"NewConnectionError|ConnectTimeoutError|NameResolutionError|ProxyError|SSLError|ConnectionResetError|"
        r"ProtocolError|Read timed out|Max retries exceeded|Temporary failure (in name resolution|resolving)|"
        r"Could not connect to|Network is unreachable|50[234] Server Error|"
        r"error sending request for url|dns error|Failed to fetch: |operation timed out|"
        r"Network connectivity is disabled"
    ),
    Status.NO_MATCH: (
        r"No matching distribution found|No solution found|no wheels with a matching|cause: Because"
    ),
    Status.NOT_WRITABLE: r"\[Errno (13|30)\]|\[WinError 5\]|os error (13|30)\b",
    Status.FAILED: r"(?i)^\W*(error|e|fatal)\b",
}
BAD_HASH_DETAILS = r"==\S+ from .*:$|^Expected sha256|^Got |Hash mismatch for|^(Expected|Computed):$|^sha256:"

ADVICE: Mapping[Status, tuple[str, str]] = {
    Status.NO_SPACE: ("room for what is installed", "free some space, then run the same command again"),
    Status.NO_NETWORK: (
        "an answer from the package index that this machine is configured for (see: pip config list)",
        "check network, proxy and certificates, then run the same command again",
    ),
    Status.BAD_HASH: (
        "the very file whose hash stands in requirements.lock",
        "do not install it; ask the index's keeper, or renew requirements.lock if the file was replaced",
    ),
    Status.NO_MATCH: (
        "every package of requirements.lock in the configured index, for this Python and this system",
        "use Python 3.11, which the lock is made for, or an index that has the package (pip config list)",
    ),
    Status.NOT_WRITABLE: (
        "a project folder that this user may write to",
        "copy the project to a folder of your own, and run it there",
    ),
    Status.FAILED: ("the step to end well", "put right what is said above, then run the same command again"),
}


def failure(output: str, where: object) -> SetupError:
    """What the output of a failed program means. `found` quotes the lines of it that say so."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    status = next((status for status, sign in SIGNS.items() if re.search(sign, output)), Status.FAILED)
    telling = [line for line in lines if re.search(SIGNS[status], line)] or lines[-1:]
    if status is Status.BAD_HASH:
        telling = [line for line in lines if re.search(BAD_HASH_DETAILS, line)]
    elif status is Status.NO_NETWORK:
        # The warning says why, the last error says for which package.
        telling = telling[:1] + [line for line in lines if line.startswith(("ERROR:", "E: "))][-1:]
    found = " / ".join(line[:300] for line in telling[:5]) or "it failed without a word"
    expected, next_step = ADVICE[status]
    return SetupError(status, found, expected=expected, where=where, next_step=next_step)


def system_failure(error: OSError, root: Path) -> SetupError:
    """The same for an error of the operating system, told by its number: its text depends on the locale."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        status = Status.NO_SPACE
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        status = Status.NOT_WRITABLE
    else:
        status = Status.FAILED
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    expected, next_step = ADVICE[status]
    where = error.filename or root
    return SetupError(
        status, f"the system refused: {name}", expected=expected, where=where, next_step=next_step
    )
