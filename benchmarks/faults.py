"""Doctor against the catalogue of faults: does it notice, does it name the cause first, how fast, and is it
silent on a healthy stack.

    .venv/bin/python -m benchmarks.faults [--healthy 20] [--only NAME …]

Every fault has an embedded stack of its own. Prints a line per fault, then detection, causes named first,
false alarms, and the time from the broken stack to the named cause, with the time of a healthy examination
in the same run beside it. Exit status: 0 when every limit is kept, 1 otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass

from benchmarks import machine
from besedka import contract as contracts
from besedka.contract import Contract
from besedka.faults import Fault, Patient, catalogue, proxied

MEDIAN_SECONDS = 3.0
LONGEST_SECONDS = 10.0


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


def healthy(contract: Contract, runs: int) -> tuple[int, float]:
    """False alarms in that many examinations of one healthy stack, and the median of their seconds."""
    with proxied.running(contract) as running, Patient.of(running, contract) as patient:
        reports = [patient.examine() for _ in range(runs)]
    return sum(bool(one.findings) for one in reports), statistics.median(one.seconds for one in reports)


def examined(contract: Contract, fault: Fault) -> Examined:
    """Break a fresh stack, and ask."""
    with (
        proxied.running(contract) as running,
        Patient.of(running, contract) as patient,
        fault.put_into(patient),
    ):
        begin = time.perf_counter()
        report = patient.examine()
        seconds = time.perf_counter() - begin
    return Examined(fault, [found.code for found in report.findings], seconds)


def main() -> int:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--healthy", type=int, default=20, help="examinations of a healthy stack")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these faults alone")
    told = parser.parse_args()
    contract = contracts.load()
    faults = [fault for fault in catalogue(contract) if not told.only or fault.name in told.only]
    print(machine.describe())
    false_alarms, healthy_seconds = healthy(contract, told.healthy)
    rows = []
    for number, fault in enumerate(faults, start=1):
        row = examined(contract, fault)
        rows.append(row)
        said = "" if row.named_first else f", but doctor said {row.codes or 'nothing'}"
        print(f"{number}/{len(faults)} {fault.name}: {row.seconds:.2f} s{said}", flush=True)
    noticed = sum(bool(row.codes) for row in rows)
    first = sum(row.named_first for row in rows)
    seconds = [row.seconds for row in rows]
    median, longest = statistics.median(seconds), max(seconds)
    print(f"noticed: {noticed} of {len(rows)}; cause named first: {first} of {len(rows)}")
    print(f"false alarms: {false_alarms} in {told.healthy} healthy examinations")
    print(
        f"from the fault to its cause: median {median:.2f} s (limit {MEDIAN_SECONDS:.0f}), "
        f"longest {longest:.2f} s (limit {LONGEST_SECONDS:.0f}); "
        f"{median / healthy_seconds:.2f} × a healthy examination ({healthy_seconds:.2f} s)"
    )
    kept = noticed == first == len(rows) and not false_alarms
    return 0 if kept and median < MEDIAN_SECONDS and longest < LONGEST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
