"""The two kinds of workspace that an upgrade can work on: an embedded stack, and one in containers.

Embedded, the stand-in speaks one release after the other and the MongoDB stays: this tries the order of
things. What Rocket.Chat's and MongoDB's own programs make of it only their images show, which have not
been run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pymongo import MongoClient

from besedka.contract import Contract
from besedka.progress import Say, quiet
from besedka.restart.upgrade import mongo_steps
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import containers, embedded, versions
from besedka.stacks.containers import ContainersStack
from besedka.stacks.embedded import EmbeddedStack
from besedka.stacks.model import Stack
from besedka.stacks.services import mongod
from besedka.target import Target

_FCV_MILLISECONDS = 60_000
# A release → the images of `rocketchat` and `mongo`.
Images = Callable[[str], Mapping[str, str]]


class EmbeddedWorkspace:
    """A running embedded stack."""

    def __init__(self, running: EmbeddedStack) -> None:
        self._running = running

    @property
    def contract(self) -> Contract:
        """At the release that runs now."""
        return self._running.contract

    @property
    def stack(self) -> Stack:
        """The stack, with the version that answers now."""
        assert self._running.stack  # noqa: S101 - it was started
        now = str(RocketChat(self.contract.chat.url).info()["version"])
        rows = (
            replace(row, version=now) if row.name == "rocketchat" else row
            for row in self._running.stack.services
        )
        return replace(self._running.stack, services=tuple(rows))

    @property
    def target(self) -> Target:
        """Where it is."""
        return self.stack.target

    @property
    def mongo_url(self) -> str:
        """Its database."""
        return self._running.mongo_url

    def run(self, release: str) -> None:
        """The stand-in of that release, on the same data."""
        self._running.contract = versions.of_contract(self._running.contract, release)
        self._running.restart("rocketchat")

    def run_mongo(self, release: str) -> None:
        """The stand-in speaks a series that the release takes; a `mongod` of this machine is what it is."""
        found = mongod.version(self._running.ports["mongo"])
        if found.rpartition(".")[0] in versions.pair(release).mongo_series:
            return
        self.stop_chat()
        self._running.restart("mongo")
        self.run(release)

    def stop_chat(self) -> None:
        """Nobody writes until `run`."""
        self._running.processes["rocketchat"].stop()


@contextmanager
def embedded_at(contract: Contract, release: str) -> Iterator[EmbeddedWorkspace]:
    """A new embedded workspace of that release, for the length of a `with` block."""
    with embedded.running(versions.of_contract(contract, release)) as running:
        yield EmbeddedWorkspace(running)


class ContainersWorkspace:
    """A running stack in containers; `images` names those of a release in place of the table's."""

    def __init__(self, running: ContainersStack, images: Images | None = None) -> None:
        self._running = running
        self._images = images or _official

    @property
    def contract(self) -> Contract:
        """At the release that runs now."""
        return self._running.contract

    @property
    def stack(self) -> Stack:
        """The stack, with the versions that run now."""
        assert self._running.stack  # noqa: S101 - it was started
        return self._running.stack

    @property
    def target(self) -> Target:
        """Where it is."""
        return self.stack.target

    @property
    def mongo_url(self) -> str:
        """Its database, on the published port."""
        return self._running.host_url("mongo")

    def run(self, release: str) -> None:
        """Rocket.Chat's image of that release on the same volumes."""
        self._running.exchange("rocketchat", self._images(release)["rocketchat"], release)

    def run_mongo(self, release: str) -> None:
        """MongoDB's image of that release, one series at a time, with its compatibility version."""
        wanted, now = self._images(release)["mongo"], self.stack.service("mongo").version
        steps = mongo_steps(now, release)
        if not steps[1:]:
            return
        self._compatible(steps[0])
        self.stop_chat()
        for step in steps[1:]:
            self._running.exchange("mongo", wanted if step == steps[-1] else f"mongo:{step}")
            self._compatible(step)
        self.run(release)

    def stop_chat(self) -> None:
        """Nobody writes until `run`."""
        self._running.end_service("rocketchat")

    def _compatible(self, series: str) -> None:
        command: dict[str, object] = {"setFeatureCompatibilityVersion": series}
        # MongoDB 7.0 wants to be told that it is meant.
        command |= {"confirm": True} if int(series.partition(".")[0]) >= 7 else {}
        with MongoClient[dict[str, object]](
            self.mongo_url, directConnection=True, serverSelectionTimeoutMS=_FCV_MILLISECONDS
        ) as client:
            client.admin.command(command)


@contextmanager
def in_containers(
    contract: Contract, release: str, *, images: Images | None = None, say: Say = quiet
) -> Iterator[ContainersWorkspace]:
    """A new workspace of that release in containers, for the length of a `with` block."""
    with containers.running(contract, version=release, say=say) as running:
        yield ContainersWorkspace(running, images)


def _official(release: str) -> Mapping[str, str]:
    return {"rocketchat": f"rocketchat/rocket.chat:{release}", "mongo": versions.pair(release).mongo_image}


def overlay(release: str, folder: Path) -> Path:
    """A file that puts the release into the contract of the process that reads it."""
    path = folder / f"release-{release}.toml"
    rows = {"overlay": {"name": "upgrade", "reason": "upgrade"}, "chat": {"version": release}}
    lines = (
        line
        for table, row in rows.items()
        for line in (f"[{table}]", *(f'{k}="{v}"' for k, v in row.items()))
    )
    path.write_text("\n".join(lines), "utf-8")
    return path
