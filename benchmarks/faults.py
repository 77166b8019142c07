"""Doctor against the catalogue of faults: does it notice, does it name the cause first, how fast, and is it
silent on a healthy stack; and how long `pytest -m faults` takes, in which the suite's own tests see them too.

    .venv/bin/python -m benchmarks.faults [--healthy 20] [--only NAME …] [--no-suite]

Every fault, and every healthy examination, has a fresh embedded stack. Prints a line per fault, then
detection, causes named first, false alarms, the time from the broken stack to the named cause with the time
of a healthy examination in the same run beside it, and the run of the matrix with two workers. Exit status:
0 when every limit is kept, 1 otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass

from benchmarks import machine
from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT, Contract
from faults import BreakableStack, Fault, catalogue
from faults.fresh import FreshStacks

MEDIAN_SECONDS = 3.0
LONGEST_SECONDS = 10.0
SUITE_SECONDS = 240.0


@dataclass(frozen=True)
class Examined:
    """What doctor said under one fault, and after how many seconds."""

    fault: Fault
    codes: list[str]
    seconds: float

    @property
    def named_first(self) -> bool:
        """Whether the declared cause is the first finding."""
        return self.codes[:1] == [self.fault.cause]


def healthy(stacks: FreshStacks, contract: Contract, runs: int) -> tuple[int, float]:
    """False alarms on that many healthy stacks, and the median of the examinations' seconds."""
    reports = []
    for _ in range(runs):
        with stacks.fresh() as running, BreakableStack.of(running, contract) as breakable:
            reports.append(breakable.examine())
    return sum(bool(one.findings) for one in reports), statistics.median(one.seconds for one in reports)


def examined(stacks: FreshStacks, contract: Contract, fault: Fault) -> Examined:
    """Break a fresh stack, and ask."""
    with (
        stacks.fresh() as running,
        BreakableStack.of(running, contract) as breakable,
        fault.put_into(breakable),
    ):
        begin = time.perf_counter()
        report = breakable.examine()
        seconds = time.perf_counter() - begin
    return Examined(fault, [found.code for found in report.findings], seconds)


def suite() -> bool:
    """Run `pytest -m faults` with two workers and print its time; whether it is green within its limit."""
    begin = time.perf_counter()
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "faults", "-q", "-n", "2"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begin
    summary = finished.stdout.strip().splitlines()[-1]
    print(f"pytest -m faults, two workers: {seconds:.0f} s (limit {SUITE_SECONDS:.0f}); {summary}")
    if finished.returncode:
        print(finished.stdout[-6000:])
    return finished.returncode == 0 and seconds < SUITE_SECONDS


def main() -> int:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--healthy", type=int, default=20, help="examinations of a healthy stack")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these faults alone")
    parser.add_argument("--no-suite", action="store_true", help="leave pytest -m faults out")
    told = parser.parse_args()
    contract = contracts.load()
    faults = [fault for fault in catalogue(contract) if not told.only or fault.name in told.only]
    print(machine.describe())
    with closing(FreshStacks(contract)) as stacks:
        false_alarms, healthy_seconds = healthy(stacks, contract, told.healthy)
        rows = []
        for number, fault in enumerate(faults, start=1):
            row = examined(stacks, contract, fault)
            rows.append(row)
            said = "" if row.named_first else f", but doctor said {row.codes or 'nothing'}"
            print(f"{number}/{len(faults)} {fault.name}: {row.seconds:.2f} s{said}", flush=True)
    noticed = sum(bool(row.codes) for row in rows)
    first = sum(row.named_first for row in rows)
    seconds = [row.seconds for row in rows]
    median, longest = statistics.median(seconds), max(seconds)
    print(machine.describe())
    print(f"detection: {noticed} of {len(rows)} ({noticed / len(rows):.0%})")
    print(f"cause named first: {first} of {len(rows)} ({first / len(rows):.0%})")
    print(f"false alarms: {false_alarms} in {told.healthy} healthy runs")
    print(
        f"from the fault to its cause: median {median:.2f} s (limit {MEDIAN_SECONDS:.0f}), "
        f"longest {longest:.2f} s (limit {LONGEST_SECONDS:.0f}); "
        f"{median / healthy_seconds:.2f} × a healthy examination ({healthy_seconds:.2f} s)"
    )
    kept = noticed == first == len(rows) and not false_alarms
    kept &= median < MEDIAN_SECONDS and longest < LONGEST_SECONDS
    if not told.no_suite:
        kept &= suite()
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
