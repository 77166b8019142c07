"""Rocket.Chat as it is after its first boot: an administrator, #general, and nothing of the contract.

The embedded stack is told its settings and provider by environment. This one is told none, so that
provisioning has everything to do.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT, Contract
from besedka.errors import ServiceUnreachableError
from besedka.provision import Options, bring
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.stacks.process.ports import free_ports
from besedka.stacks.process.processes import ServiceProcess, stop_all
from besedka.stacks.services import mongod
from besedka.target import Target

START_BUDGET_SECONDS = 60.0
_RESERVED = "Accounts_SystemBlockedUsernameList"


@dataclass(frozen=True)
class BareChat:
    """Where it answers, the contract at its address, and where its journal goes."""

    contract: Contract
    mongo_url: str
    journal: Path

    @property
    def target(self) -> Target:
        return Target.of(self.contract, mongo_url=self.mongo_url)

    @property
    def url(self) -> str:
        return self.contract.chat.url

    def bring(self, **options: Any) -> Any:
        """Provision it; options as those of the command."""
        wanted = Options(**options)
        return bring(Target.of(self.contract), self.contract, journal_folder=self.journal, options=wanted)

    def age(self, seconds: int) -> None:
        """Move the server's clock forward."""
        requests.post(f"{self.url}/__standin__/clock", json={"advance_seconds": seconds}, timeout=5)

    def snapshot(self) -> dict[str, Any]:
        """Every setting, user, room, membership and log-in service, without times and tokens."""
        with ChatDatabase(self.mongo_url) as database:
            return {
                "settings": {name: row.get("value") for name, row in sorted(database.settings().items())},
                "users": sorted(
                    (
                        user["username"],
                        user.get("name"),
                        str(user.get("emails")),
                        str(sorted(user["roles"])),
                        user.get("active"),
                    )
                    for user in database.users()
                ),
                "rooms": sorted(
                    (room["name"], room["t"], bool(room.get("default")), bool(room.get("archived")))
                    for room in database.rooms()
                ),
                "members": sorted((row["u"]["username"], row["name"]) for row in database.subscriptions()),
                "services": sorted(row["service"] for row in database.login_services()),
            }

    def bring_until_killed(self, lines: int, jitter: float) -> bool:
        """Apply in a process of its own, and kill -9 it `jitter` s after `lines` journal lines.

        Returns False when the apply was over before that.
        """
        child = os.fork()
        if child == 0:
            try:
                self.bring()
            finally:
                os._exit(0)
        pidfd = os.pidfd_open(child)
        try:
            while self._lines() < lines and not _ended(pidfd, 0.001):
                pass
            finished = _ended(pidfd, jitter)
            if not finished:
                os.kill(child, signal.SIGKILL)
        finally:
            os.waitpid(child, 0)
            os.close(pidfd)
        return not finished

    def _lines(self) -> int:
        """Lines of the newest journal that is not closed."""
        texts = [path.read_text(encoding="utf-8") for path in sorted(self.journal.glob("*.jsonl"))[-1:]]
        return sum(text.count("\n") for text in texts if '"closed"' not in text)


def _ended(pidfd: int, seconds: float) -> bool:
    """Whether the process ends within `seconds`."""
    return bool(select.select([pidfd], [], [], seconds)[0])


@contextmanager
def running(
    folder: Path,
    plain: Contract | None = None,
    words: tuple[str, ...] = (),
    *,
    port: int | None = None,
    **overwritten: str,
) -> Iterator[BareChat]:
    """Run one in `folder`; `overwritten` are settings its operator forces at boot.

    `plain` is another contract than besedka.toml; its site's address stays. `words` are the stand-in's own.
    Without `port` it takes a free one.
    """
    chat_port, mongo_port = free_ports(2)
    chat_port = port or chat_port
    plain = plain or contracts.load()
    contract = plain.at(site_url=plain.site.url, chat_url=f"http://127.0.0.1:{chat_port}")
    mongo_url = mongod.url(mongo_port, "rocketchat")
    admin = contract.chat.admin
    told = {
        "ROOT_URL": contract.chat.url,
        "PORT": str(chat_port),
        "BIND_IP": "127.0.0.1",
        "MONGO_URL": mongo_url,
        "MONGO_OPLOG_URL": mongod.url(mongo_port, "local"),
        "ADMIN_USERNAME": admin.username,
        "ADMIN_EMAIL": admin.email,
        "ADMIN_PASS": admin.secret,
        "PYTHONPATH": str(PROJECT_ROOT),
        # Hidden, so REST cannot set it; see the contract.
        f"OVERWRITE_SETTING_{_RESERVED}": str(contract.settings[_RESERVED]),
    }
    told |= {f"OVERWRITE_SETTING_{name}": value for name, value in overwritten.items()}
    with ExitStack() as cleanup:
        processes: list[ServiceProcess] = []
        cleanup.callback(lambda: stop_all(processes))
        mongo = mongod.start(
            mongod.find(None), port=mongo_port, data=folder / "mongo", log=folder / "mongo.log"
        )
        processes.append(mongo)
        budget = START_BUDGET_SECONDS
        mongo.wait_until(lambda: mongod.is_primary(mongo_port), budget=budget, expected="a writable primary")
        command = [sys.executable, "-m", "standins.rocketchat", "--movable-clock", *words]
        chat = ServiceProcess("chat", command, log=folder / "chat.log", cwd=PROJECT_ROOT, environment=told)
        processes.insert(0, chat)
        chat.wait_until(lambda: _answers(contract.chat.url), budget=budget, expected="GET /api/info")
        yield BareChat(contract, mongo_url, folder / "journal")


def _answers(url: str) -> bool:
    try:
        return "version" in RocketChat(url, timeout=2).info()
    except ServiceUnreachableError:
        return False
