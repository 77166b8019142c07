"""What it saves to keep browsers between tests: `pytest -m e2e` with browsers of each test's own, then kept.

    .venv/bin/python -m benchmarks.browsers [--chat-client DIR] [--runs 1] [-- pytest's options]

Prints for each way the seconds, how often the chat's web client was loaded, and the share of the new way;
its limit is 0.45 on Rocket.Chat's own client, and 1 on the stand-in's. Exit status: 0 when every run was
green and the limit is kept, 1 otherwise.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time

from benchmarks import machine
from besedka.contract import PROJECT_ROOT

OLD_WAY = "--fresh-browsers"
_LOADS = re.compile(r"loads of the chat's web client: (\d+); tests with a browser: (\d+)")


def timed(options: list[str]) -> tuple[float, bool, str]:
    """Seconds of one run, whether it was green, and what it says of loads."""
    begin = time.perf_counter()
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-m",
            "e2e",
            "-q",
            "-n",
            "2",
            "--no-diagnosis",
            "--lang=en",
            *options,
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begin
    loads = _LOADS.search(finished.stdout)
    if finished.returncode:
        print(finished.stdout[-3000:])
    said = f"loads: {loads[1]}, tests: {loads[2]}" if loads else "no loads were counted"
    return seconds, finished.returncode == 0, said


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.browsers")
    parser.add_argument("--chat-client", metavar="DIR")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("more", nargs="*", help="options of pytest, after --")
    given = parser.parse_args()
    options = [*given.more, *([f"--chat-client={given.chat_client}"] if given.chat_client else [])]
    print(machine.describe())
    medians, all_green = [], True
    for way, switch in (("each test its own", [OLD_WAY]), ("kept", [])):
        rows = [timed([*options, *switch]) for _ in range(given.runs)]
        medians.append(statistics.median(seconds for seconds, _, _ in rows))
        all_green &= all(green for _, green, _ in rows)
        print(f"{way}: {medians[-1]:.0f} s (median of {given.runs}), {rows[-1][2]}")
    share, limit = medians[1] / medians[0], 0.45 if given.chat_client else 1.0
    print(f"kept, of each test its own: {share:.2f} (limit {limit})")
    return 0 if all_green and share <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
