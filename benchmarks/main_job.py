"""The main job in numbers: how fast the stack is ready, how long `pytest -m e2e` takes, how steady it is.

    .venv/bin/python -m benchmarks.main_job [--starts 5] [--runs 20] [--small] [--beside="--tls --proxy"]

Programs of this machine are taken as `pytest -m e2e` takes them; with --small the site runs on SQLite and
without Redis. Prints the median and the worst of each, the limit of the issue, and how many runs were green.
`--beside` runs the suite with those options too, in turn, and prints the ratio instead. Exit status: 0 when
every run was green and every limit is kept, 1 otherwise.
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
from besedka.stacks import embedded
from besedka.stacks.services import options

READY_LIMIT_SECONDS = 3.0
SUITE_LIMIT_SECONDS = 45.0
# What the same tests may cost behind a proxy or by https, in times of the plain run.
BESIDE_LIMIT = 1.25


def time_starts(count: int, wanted: options.ServiceOptions) -> list[float]:
    """Seconds from nothing to a provisioned stack, `count` times.

    One more comes before them: what is made once on a machine is not what a start takes.
    """
    seconds = []
    for _ in range(count + 1):
        begin = time.perf_counter()
        found = options.find(wanted, contract.load(), say=print)
        with embedded.running(contract.load(), programs=found, say=print) as running:
            seconds.append(time.perf_counter() - begin)
            lines = running.stack.lines() if running.stack else []
    print("\n".join(line.rpartition(" ")[0] for line in lines))
    return seconds[1:]


def time_suites(count: int, options: list[str]) -> tuple[list[float], int, str]:
    """Seconds of each `pytest -m e2e` with two workers, how many were green, and the last summary line."""
    seconds, green, summary = [], 0, ""
    for number in range(1, count + 1):
        begin = time.perf_counter()
        finished = subprocess.run(
            [sys.executable, "-m", "pytest", "-m", "e2e", "-q", "-n", "2", *options],
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


def compare(runs: int, wanted: list[str], beside: list[str]) -> bool:
    """The suite plain and with the options, in turn; whether all were green and the ratio is kept."""
    rows: dict[bool, list[float]] = {False: [], True: []}
    green = 0
    for _ in range(runs):
        for other, told in ((False, wanted), (True, [*wanted, *beside])):
            seconds, one, _ = time_suites(1, told)
            rows[other] += seconds
            green += one
    ratio = statistics.median(rows[True]) / statistics.median(rows[False])
    kept = ratio <= BESIDE_LIMIT
    words = "kept" if kept else "EXCEEDED"
    print(
        f"{' '.join(beside)}: {ratio:.2f} times the plain run; limit {BESIDE_LIMIT} {words}; green: {green}"
    )
    return kept and green == 2 * runs


def main() -> int:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--small", action="store_true", help="without PostgreSQL and Redis")
    parser.add_argument("--beside", default="", help="options of pytest to compare with, as one word")
    given = parser.parse_args()
    wanted = (
        options.ServiceOptions(postgres="none", redis="none") if given.small else options.ServiceOptions()
    )
    print(machine.describe())
    if given.beside:
        return 0 if compare(given.runs, wanted.given(), given.beside.split()) else 1
    kept = report("embedded stack ready", time_starts(given.starts, wanted), READY_LIMIT_SECONDS)
    if given.runs:
        seconds, green, summary = time_suites(given.runs, wanted.given())
        kept &= report("pytest -m e2e, two workers", seconds, SUITE_LIMIT_SECONDS)
        print(f"green: {green} of {given.runs} runs; {summary}")
        kept &= green == given.runs
    left = [process.pid for process in psutil.Process().children(recursive=True)]
    print(f"processes left: {len(left)}")
    return 0 if kept and not left else 1


if __name__ == "__main__":
    sys.exit(main())
