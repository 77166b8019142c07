"""What the record of the network costs a green run: sign-ins with it and without, in turns on one stack.

    .venv/bin/python -m benchmarks.evidence [--pairs 20]

Each sign-in is a browser context of its own that opens the chat's page and waits for its message box. Prints
both medians and their ratio. Exit status: 0 when the ratio is at most 1.05, 1 otherwise.
"""

from __future__ import annotations

import argparse
import statistics
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.evidence")
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    print(machine.describe())
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
    without, with_it = (statistics.median(taken[way]) for way in (False, True))
    print(
        f"without {without:.3f} s, with {with_it:.3f} s (medians of {pairs}): ratio {with_it / without:.3f}"
    )
    return 0 if with_it / without <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
