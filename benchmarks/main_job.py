"""The main job in numbers: how fast the stack is ready, how long `pytest -m e2e` takes, how steady it is.

    .venv/bin/python -m benchmarks.main_job [--starts 5] [--runs 20]

Prints the median and the worst of each, the limit of the issue, and how many runs were green. Exit status:
0 when every run was green and every limit is kept, 1 otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

import psutil

from benchmarks import machine
from besedka import contract
from besedka.contract import PROJECT_ROOT
from besedka.stack import embedded

READY_LIMIT_SECONDS = 3.0
SUITE_LIMIT_SECONDS = 45.0


def time_starts(count: int) -> list[float]:
    """Seconds from nothing to a provisioned stack, `count` times."""
    seconds = []
    for _ in range(count):
        begin = time.perf_counter()
        with embedded.running(contract.load()):
            seconds.append(time.perf_counter() - begin)
    return seconds


def time_suites(count: int) -> tuple[list[float], int, str]:
    """Seconds of each `pytest -m e2e` with two workers, how many were green, and the last summary line."""
    seconds, green, summary = [], 0, ""
    for number in range(1, count + 1):
        begin = time.perf_counter()
        finished = subprocess.run(
            [sys.executable, "-m", "pytest", "-m", "e2e", "-q", "-n", "2"],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds.append(time.perf_counter() - begin)
        green += finished.returncode == 0
        summary = finished.stdout.strip().splitlines()[-1]
        print(
            f"  run {number}/{count}: status {finished.returncode}, {seconds[-1]:.1f} s, {summary}",
            flush=True,
        )
        if finished.returncode:
            print(finished.stdout[-6000:], flush=True)
    return seconds, green, summary


def report(name: str, seconds: list[float], limit: float) -> bool:
    """Print one row; whether the median keeps the limit."""
    median = statistics.median(seconds)
    kept = median <= limit
    print(
        f"{name}: median {median:.2f} s, worst {max(seconds):.2f} s of {len(seconds)}; "
        f"limit {limit:.0f} s {'kept' if kept else 'EXCEEDED'} (ratio {median / limit:.2f})"
    )
    return kept


def main() -> int:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--runs", type=int, default=20)
    wanted = parser.parse_args()
    print(machine.describe())
    kept = report("embedded stack ready", time_starts(wanted.starts), READY_LIMIT_SECONDS)
    if wanted.runs:
        seconds, green, summary = time_suites(wanted.runs)
        kept &= report("pytest -m e2e, two workers", seconds, SUITE_LIMIT_SECONDS)
        print(f"green: {green} of {wanted.runs} runs; {summary}")
        kept &= green == wanted.runs
    left = [process.pid for process in psutil.Process().children(recursive=True)]
    print(f"processes left: {len(left)}")
    return 0 if kept and not left else 1


if __name__ == "__main__":
    sys.exit(main())
