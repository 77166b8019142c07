"""Playwright's driver: a Node.js that comes with the package and needs libraries that a bare system lacks."""

import re
from pathlib import Path

from bootstrap import apt
from bootstrap.errors import SetupError, Status
from bootstrap.process import execute, say

# Libraries that the driver of Playwright 1.65 is linked with, by Debian's package.
PACKAGES = {
    "libatomic.so.1": "libatomic1",
    "libgcc_s.so.1": "libgcc-s1",
    "libstdc++.so.6": "libstdc++6",
}


def ensure(python: Path, tried: frozenset[str] = frozenset()) -> None:
    """Prove that the driver runs, and install the libraries it misses. Raises SetupError.

    The loader names one missing library at a time, so this calls itself with what it has `tried`.
    """
    status, output = trial(python)
    # What is in the lock is pip's matter.
    if status == 0 or "No module named playwright" in output:
        return
    missing = re.findall(r"(lib[^\s:]+): cannot open shared object file", output)
    packages = [PACKAGES[name] for name in dict.fromkeys(missing) if name in PACKAGES]
    if apt.usable() and set(packages) - tried:
        for package in packages:
            apt.install(package)
        ensure(python, tried | set(packages))
        return
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["nothing"]
    raise SetupError(
        Status.NO_BROWSER,
        f"Playwright's driver does not run: exit status {status}, it said: {lines[0][:200]}",
        expected="`python -m playwright --version` names a version",
        where=str(python),
        next_step=f"install the library it names (on Debian: apt-get install {' '.join(packages) or '…'})",
    )


def trial(python: Path) -> tuple[int, str]:
    """Exit status and output of the smallest thing that the driver does."""
    say("setup: proving that Playwright's driver runs")
    return execute([str(python), "-m", "playwright", "--version"])
