"""What set-up costs: uv against pip in one run, each with an empty cache in an empty folder.

    .venv/bin/python -m benchmarks.set_up [--base]

With --base only the few packages that doctor needs. Prints seconds, seconds of the processor and megabytes of
.venv, the ratio of processor time, and the limits. Exit status: 0 when every limit is kept, 1 otherwise.
Not on Windows, which does not tell the processor time of what has ended.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from besedka.contract import PROJECT_ROOT

# Of all packages, and of those that doctor needs.
SECONDS = {"ALL": 60.0, "BASE": 15.0}
MEGABYTES_OF_THE_BASE = 60.0
RATIO = 0.2
NEEDED = ("run.py", "bootstrap", "besedka", "requirements.lock", "requirements-base.lock")
SET_UP = """
import contextlib, sys
from pathlib import Path
from bootstrap import project
if sys.argv[2] == "pip":
    project.installed = lambda _folder: contextlib.nullcontext()
project.Project(Path.cwd(), getattr(project, sys.argv[1])).set_up()
"""


@dataclass(frozen=True)
class Cost:
    """Of one installation."""

    seconds: float
    processor_seconds: float
    megabytes: float


def cost(packages: str, tool: str) -> Cost:
    """Set a copy of the project up, with nothing fetched before."""
    with tempfile.TemporaryDirectory() as name:
        root, caches = Path(name, "project"), Path(name, "caches")
        for part in NEEDED:
            copy = shutil.copytree if (PROJECT_ROOT / part).is_dir() else shutil.copy
            root.mkdir(exist_ok=True)
            copy(PROJECT_ROOT / part, root / part)
        env = dict(os.environ) | {
            "UV_CACHE_DIR": str(caches / "uv"),
            "PIP_CACHE_DIR": str(caches / "pip"),
            "PYTHONPATH": "",
        }
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-c", SET_UP, packages, tool], cwd=root, env=env, check=True)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        files = (path for path in (root / ".venv").rglob("*") if path.is_file() and not path.is_symlink())
        megabytes = sum(path.stat().st_size for path in files) / 2**20
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, spent, megabytes)


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", action="store_true")
    packages = "BASE" if parser.parse_args().base else "ALL"
    print(machine.describe())
    costs = {tool: cost(packages, tool) for tool in ("uv", "pip")}
    for tool, one in costs.items():
        print(
            f"{tool:<4} {one.seconds:6.1f} s  {one.processor_seconds:6.1f} s of the processor  "
            f"{one.megabytes:6.1f} MiB"
        )
    uv = costs["uv"]
    ratio = uv.processor_seconds / costs["pip"].processor_seconds
    print(f"limits: {SECONDS[packages]:.0f} s; {ratio:.2f} of pip's processor time, at most {RATIO}")
    small = packages == "ALL" or uv.megabytes <= MEGABYTES_OF_THE_BASE
    return int(not (uv.seconds <= SECONDS[packages] and ratio <= RATIO and small))


if __name__ == "__main__":
    sys.exit(main())
