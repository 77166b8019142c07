"""Provisioning in numbers: seconds for a fresh Rocket.Chat, writes of a second apply, deaths survived.

    .venv/bin/python -m benchmarks.provisioning [--rounds 3] [--kills 25] [--seed N]

"Fresh" is the stand-in after its first boot, told nothing of the contract by environment: every setting,
the provider, users, rooms and memberships are provisioned, and the log-in service is waited for, which
Rocket.Chat rebuilds two and a half seconds after the last write. Linux only (pidfd). Exit status: 0 when
every limit is kept and every death left no trace, 1 otherwise.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import machine
from besedka import contract as contracts
from besedka import provision
from besedka.stacks import embedded
from besedka.target import Target
from tests import bare_chat
from tests.api.test_provisioning import settled, undo
from tests.bare_chat import BareChat

FRESH_LIMIT_SECONDS = 10.0
EMBEDDED_LIMIT_SECONDS = 10.0
LEAST_KILLS = 20


def time_fresh(chat: BareChat, rounds: int) -> tuple[list[float], list[float], int, int]:
    """Seconds of first applies, seconds of second ones, writes of the last first and of all second ones."""
    before = chat.snapshot()
    first, second, writes, again = [], [], 0, 0
    for _ in range(rounds):
        begin = time.perf_counter()
        writes = chat.bring().writes
        first.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        again += chat.bring().writes
        second.append(time.perf_counter() - begin)
        undo(chat)
        assert settled(chat, before) == before
    return first, second, writes, again


def kill(chat: BareChat, count: int, moments: random.Random) -> tuple[int, int, int]:
    """Kill `count` applies; odd ones are undone and applied again, even ones applied again and undone.

    Returns how many were killed in time, restored by the undo, and fulfilled by the further apply.
    """
    before = chat.snapshot()
    killed = restored = fulfilled = 0
    for number in range(1, count + 1):
        lines, jitter = moments.randint(1, 85), moments.uniform(0, 0.01)
        in_time = chat.bring_until_killed(lines, jitter)
        killed += in_time
        if number % 2:
            left = undo(chat).left
            clean = settled(chat, before) == before and not left
            whole = not chat.bring().remaining and not chat.bring().writes
            undo(chat)
        else:
            whole = not chat.bring().remaining and not chat.bring().writes
            left = undo(chat).left
            clean = settled(chat, before) == before and not left
        restored += clean
        fulfilled += whole
        print(
            f"  {number}/{count}: killed after {lines} journal lines + {jitter * 1000:.1f} ms"
            f"{'' if in_time else ' (was over already)'}: "
            f"undo {'leaves all as before' if clean else 'DOES NOT RESTORE'}, "
            f"apply {'fulfils the contract' if whole else 'DOES NOT FULFIL'}",
            flush=True,
        )
    return killed, restored, fulfilled


def time_embedded() -> float:
    """Seconds to look at the embedded stack, which its start has provisioned, and to change nothing."""
    with embedded.running(contracts.load()) as running:
        contract, folder = running.contract, running.folder / "journal"
        target = Target.of(contract, mongo_url=running.mongo_url)
        begin = time.perf_counter()
        provision.bring(target, contract, journal_folder=folder)
        return time.perf_counter() - begin


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description="Provisioning in numbers.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(machine.describe())
    print(f"random moments from seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        unlimited = {"API_Enable_Rate_Limiter": "false"}  # the kills log in more than ten times a minute
        with bare_chat.running(Path(folder), **unlimited) as chat:
            first, second, writes, again = time_fresh(chat, options.rounds)
            moments = random.Random(options.seed)  # noqa: S311 - moments, no secrets
            killed, restored, fulfilled = kill(chat, options.kills, moments)
    booted = time_embedded()
    slowest = max(first)
    print(
        f"fresh Rocket.Chat, {writes} writes: median {statistics.median(first):.2f} s, worst {slowest:.2f} s "
        f"(limit {FRESH_LIMIT_SECONDS:.0f} s)"
    )
    print(f"second apply: {again} writes (limit 0), median {statistics.median(second):.2f} s")
    print(f"embedded stack after its boot: {booted:.2f} s (limit {EMBEDDED_LIMIT_SECONDS:.0f} s)")
    print(
        f"kill -9: {killed} of {options.kills} applies died half-way; undo restored {restored}, "
        f"a further apply fulfilled {fulfilled}"
    )
    good = slowest <= FRESH_LIMIT_SECONDS and booted <= EMBEDDED_LIMIT_SECONDS and again == 0
    return 0 if good and restored == fulfilled == options.kills and killed >= LEAST_KILLS else 1


if __name__ == "__main__":
    sys.exit(main())
