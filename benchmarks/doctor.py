"""Doctor in numbers: how long an examination of the embedded stack takes, healthy and broken.

    .venv/bin/python -m benchmarks.doctor [--runs 10]

Prints the median and the worst of each and the limit of the issue. Exit status: 0 when every limit is kept
and every healthy run was without a finding, 1 otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from benchmarks import machine
from besedka import contract as contracts
from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import embedded

LIMIT_SECONDS = 5.0
CAUSE_LIMIT_SECONDS = 3.0
FAULT = "Iframe_Restrict_Access"


def report(name: str, reports: list[Report], limit: float) -> bool:
    """Print one row; whether the median keeps the limit."""
    seconds = [one.seconds for one in reports]
    median = statistics.median(seconds)
    kept = median <= limit
    print(
        f"{name}: median {median:.2f} s, worst {max(seconds):.2f} s of {len(seconds)}; "
        f"limit {limit:.0f} s {'kept' if kept else 'EXCEEDED'}"
    )
    return kept


def main() -> int:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    print(machine.describe())
    own = contracts.load()
    with embedded.running(own) as running:
        stack = running.stack
        assert stack is not None
        full = [examine(stack.target, own) for _ in range(runs)]
        reading = [examine(stack.target.read_only, own) for _ in range(runs)]
        account = own.chat.admin
        admin = RocketChat.sign_in(stack.chat_url, account.username, account.secret)
        admin.post(f"settings/{FAULT}", value=True)
        begin = time.perf_counter()
        broken = [examine(stack.target.read_only, own) for _ in range(runs)]
        elapsed = time.perf_counter() - begin
    clean = sum(not one.findings for one in (*full, *reading))
    named = sum(one.first_cause is not None and FAULT in one.first_cause.code for one in broken)
    last = full[-1]
    print(f"{len(last.results)} checks, {len(last.unwatched)} contract values not under watch")
    kept = [
        report("healthy, with a temp_* user's log-in", full, LIMIT_SECONDS),
        report("healthy, reading only", reading, LIMIT_SECONDS),
        report(f"broken ({FAULT}), cause named", broken, CAUSE_LIMIT_SECONDS),
    ]
    print(f"healthy runs without a finding: {clean} of {2 * runs}")
    print(f"cause named first: {named} of {runs} in {elapsed:.1f} s")
    return 0 if all(kept) and clean == 2 * runs and named == runs else 1


if __name__ == "__main__":
    sys.exit(main())
