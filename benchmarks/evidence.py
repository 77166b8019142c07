"""What the record of the network costs a green run: sign-ins with it and without, in turns on one stack.

    .venv/bin/python -m benchmarks.evidence [--pairs 20]
    .venv/bin/python -m benchmarks.evidence --runs 3

Each sign-in is a browser context of its own that opens the chat's page and waits for its message box. With
`--runs`, whole `pytest -m e2e` without workers take turns, and their traces count, too. The processor's time
decides there: it does not depend on who else works on the machine. Prints both medians and their ratio.
Exit status: 0 when the ratio is at most 1.05, 1 otherwise.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks import machine
from besedka import browser as browsers
from besedka import contract as contracts
from besedka.contract import Contract
from besedka.pages.site import ChatTestPage
from besedka.scrub import Scrubber
from besedka.site import Site
from besedka.stacks import embedded
from fixtures.network import Network

LIMIT = 1.05


def seconds(browser: Browser, contract: Contract, *, recorded: bool) -> float:
    """How long one sign-in takes, from the new context to its end."""
    user = contract.users[-1]
    site = Site.of(contract)
    site.sign_in(user.username, user.secret, email=user.email)
    cookies = [
        {"name": name, "value": value, "url": contract.site.url}
        for name, value in site.session_cookies().items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        network = Network(Path(folder), Scrubber(contract.secrets))
        begin = time.perf_counter()
        context = browser.new_context(locale="ru-RU")
        context.tracing.start(screenshots=False, snapshots=False)
        if recorded:
            network.begin(context)
            context.on("page", network.watch)
        context.add_cookies(cookies)  # type: ignore[arg-type]
        ChatTestPage(context.new_page(), contract).open().wait_for_chat()
        network.end(context)
        context.tracing.stop()
        context.close()
        return time.perf_counter() - begin


def whole_runs(count: int) -> int:
    """Whole runs in turns; the exit status."""
    plugin = ("-p", "benchmarks.unrecorded")
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(count):
        for recorded in (bool(number % 2), not number % 2):
            begin, before = time.perf_counter(), _processor_seconds()
            words = ("-m", "e2e", "-q", "-n", "0", "--order-seed=1", "--no-diagnosis")
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *words, *(() if recorded else plugin)],
                cwd=contracts.PROJECT_ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            taken[recorded].append(_processor_seconds() - before)
            wall, summary = time.perf_counter() - begin, done.stdout.strip().splitlines()[-2:]
            print(
                f"recorded {recorded}: {taken[recorded][-1]:.1f} s of the processor, {wall:.1f} s; {summary}"
            )
            if done.returncode:
                return 1
    return _verdict(taken, f"medians of {count} whole runs, of the processor")


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _verdict(taken: dict[bool, list[float]], what: str) -> int:
    without, with_it = (statistics.median(taken[way]) for way in (False, True))
    print(f"without {without:.3f} s, with {with_it:.3f} s ({what}): ratio {with_it / without:.3f}")
    return 0 if with_it / without <= LIMIT else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.evidence")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--runs", type=int, default=0)
    told = parser.parse_args()
    print(machine.describe())
    if told.runs:
        return whole_runs(told.runs)
    pairs = told.pairs
    taken: dict[bool, list[float]] = {True: [], False: []}
    with embedded.running(contracts.load()) as stack, browsers.unwatched_network(), sync_playwright() as play:
        program = browsers.executable(lambda: play.chromium.executable_path)
        addresses = (stack.contract.site.url, stack.contract.chat.url)
        browser = play.chromium.launch(executable_path=program, args=browsers.arguments(addresses))
        seconds(browser, stack.contract, recorded=True)
        for number in range(pairs):
            for recorded in (bool(number % 2), not number % 2):
                taken[recorded].append(seconds(browser, stack.contract, recorded=recorded))
        browser.close()
    return _verdict(taken, f"medians of {pairs}")


if __name__ == "__main__":
    sys.exit(main())
