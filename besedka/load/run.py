"""A run of Locust on a development stack: its room, its command line, and what came of it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from besedka import language
from besedka.contract import Contract
from besedka.errors import StackStartError
from besedka.provision import guard
from besedka.rocketchat.rest import RocketChat, RocketChatError
from besedka.translation import spoken

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
ROOM, ROOMS = "temp_load", 10
SITE_ENV, CHAT_ENV = "BESEDKA_LOAD_SITE", "BESEDKA_LOAD_CHAT"
PERCENTILES = ("50%", "95%", "99%")


@dataclass(frozen=True)
class Hop:
    """One row: how often, how often in vain, and milliseconds by percentile."""

    name: str
    count: int
    failed: int
    milliseconds: dict[str, int]


@dataclass(frozen=True)
class Load:
    """What came of a run: each hop, and each cause of an error with its number."""

    users: int
    hops: tuple[Hop, ...]
    errors: tuple[tuple[str, str, int], ...]

    @property
    def signed_in(self) -> int:
        """People whose socket opened, the last hop of the chain."""
        return sum(hop.count - hop.failed for hop in self.hops if hop.name.startswith("7 "))

    def page(self) -> str:
        """The run's page, in the language of this process."""
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            undefined=StrictUndefined,
            autoescape=select_autoescape(default=True),
        )
        words = [
            spoken(text)
            for text in (
                "many people at once",
                f"{self.signed_in} of {self.users} signed in by the whole chain and opened a socket",
                "no errors",
            )
        ]
        template = environment.get_template("page.html.j2")
        return template.render(load=self, words=words, percentiles=PERCENTILES, lang=language.current())


def check(contract: Contract) -> None:
    """Raise where this is no development stack, or where Locust is missing."""
    for url in (contract.site.url, contract.chat.url):
        guard.check(url, contract)
    if find_spec("locust") is None:
        raise StackStartError(
            "Locust is not installed",
            expected="the package `locust`",
            where=sys.prefix,
            next_step="python3 run.py setup, which installs everything",
        )


@contextmanager
def rooms(contract: Contract) -> Iterator[None]:
    """The rooms that people write into, each its share; they are removed with all that was written."""
    account = contract.chat.admin
    admin = RocketChat.sign_in(contract.chat.url, account.username, account.secret)
    names = [f"{ROOM}_{number}" for number in range(ROOMS)]
    members = [user.username for user in contract.users]
    try:
        for name in names:
            _remove(admin, name)
            admin.post("channels.create", name=name, members=members)
        yield
    finally:
        for name in names:
            _remove(admin, name)
        admin.sign_out()


def _remove(admin: RocketChat, name: str) -> None:
    try:
        admin.post("channels.delete", roomName=name)
    except RocketChatError as error:
        if error.status not in {400, 404}:
            raise


def locust(contract: Contract, folder: Path, options: Sequence[str]) -> int:
    """Run Locust with these options; its exit status. Its tables go to the folder."""
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *options]
    told = {SITE_ENV: contract.site.url, CHAT_ENV: contract.chat.url}
    return subprocess.run(command, cwd=folder, env=os.environ | told, check=False).returncode


def headless(users: int, minutes: float, folder: Path) -> list[str]:
    """The options of a run without Locust's own page: a quarter of the time is for arriving."""
    seconds = round(minutes * 60)
    return [
        "--headless",
        "--only-summary",
        f"--users={users}",
        f"--spawn-rate={max(1.0, users / (seconds / 4)):.1f}",
        f"--run-time={seconds}s",
        "--stop-timeout=60",
        f"--csv={folder / 'load'}",
    ]


def outcome(users: int, folder: Path) -> Load:
    """What Locust's tables say."""
    hops = tuple(
        Hop(
            row["Name"],
            int(row["Request Count"]),
            int(row["Failure Count"]),
            {name: int(float(row[name])) for name in PERCENTILES},
        )
        for row in _rows(folder / "load_stats.csv")
        if row["Name"] != "Aggregated"
    )
    errors = tuple(
        (row["Name"], row["Error"], int(row["Occurrences"])) for row in _rows(folder / "load_failures.csv")
    )
    return Load(users, tuple(sorted(hops, key=lambda hop: hop.name)), errors)


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))
