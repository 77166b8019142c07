"""The two kinds of workspace that an upgrade can work on: an embedded stack, and docker-compose.local.yml.

Embedded, the stand-in speaks one release after the other and the MongoDB stays: this tries the order of
things. What Rocket.Chat's and MongoDB's own programs make of it only the containers show, which have not
been run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pymongo import MongoClient

from besedka.contract import PROJECT_ROOT, Contract
from besedka.restart.upgrade import UpgradeFailedError, mongo_steps
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import embedded, versions
from besedka.stacks.embedded import EmbeddedStack
from besedka.stacks.model import Stack
from besedka.stacks.services import mongod
from besedka.target import Target

_COMPOSE = ("docker", "compose", "-f", "docker-compose.local.yml")
_START_SECONDS = 900
_FCV_SECONDS = 60_000


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


class ComposeWorkspace:
    """The services of docker-compose.local.yml, the site on this machine in front of them."""

    def __init__(self, contract: Contract, target: Target, release: str) -> None:
        self._contract, self.target, self._release = contract, target, release
        self._images = _images(release)

    @property
    def contract(self) -> Contract:
        """At the release that runs now."""
        return versions.of_contract(self._contract, self._release)

    @property
    def mongo_url(self) -> str:
        """Its database, on the published port."""
        return str(self.target.mongo_url)

    def start(self) -> None:
        """The release's services, then the site and what it takes to be healthy (`besedka restart`)."""
        self._compose("up", "--detach", "--wait", "--wait-timeout", str(_START_SECONDS))
        _checked([sys.executable, str(PROJECT_ROOT / "scripts" / "magic_restart.py")], {})

    def run(self, release: str) -> None:
        """Rocket.Chat's image of that release on the same volumes."""
        self._images["ROCKETCHAT"] = _images(release)["ROCKETCHAT"]
        self._compose("up", "--detach", "--wait", "--wait-timeout", str(_START_SECONDS), "rocketchat")
        self._release = release

    def run_mongo(self, release: str) -> None:
        """MongoDB's image of that release, one series at a time, with its compatibility version."""
        series, wanted = self._images["MONGO"], _images(release)["MONGO"]
        if series == wanted:
            return
        steps = mongo_steps(_release_of(series), release)
        self._compatible(steps[0])
        for step in steps[1:]:
            self._images["MONGO"] = wanted if step == steps[-1] else f"mongo:{step}"
            self._compose("up", "--detach", "--wait", "--wait-timeout", str(_START_SECONDS))
            self._compatible(step)

    def stop_chat(self) -> None:
        """Nobody writes until `run`."""
        self._compose("stop", "rocketchat")

    def _compatible(self, series: str) -> None:
        command: dict[str, object] = {"setFeatureCompatibilityVersion": series}
        # MongoDB 7.0 wants to be told that it is meant.
        command |= {"confirm": True} if int(series.partition(".")[0]) >= 7 else {}
        with MongoClient[dict[str, object]](
            self.mongo_url, directConnection=True, serverSelectionTimeoutMS=_FCV_SECONDS
        ) as client:
            client.admin.command(command)

    def _compose(self, *words: str) -> None:
        told = {f"BESEDKA_IMAGE_{name}": image for name, image in self._images.items()}
        _checked([*_COMPOSE, *words], told)


def _images(release: str) -> dict[str, str]:
    return {"ROCKETCHAT": f"rocketchat/rocket.chat:{release}", "MONGO": versions.pair(release).mongo_image}


def _release_of(image: str) -> str:
    return next(row.release for row in versions.PAIRS if row.mongo_image == image)


def _checked(words: list[str], told: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            words, cwd=PROJECT_ROOT, env=os.environ | dict(told), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise _failed(words, f"no program {words[0]}") from None
    if done.returncode:
        raise _failed(words, f"status {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")


def _failed(words: list[str], found: str) -> UpgradeFailedError:
    return UpgradeFailedError(
        found,
        expected="status 0",
        where=" ".join(map(str, words)),
        next_step="docker compose -f docker-compose.local.yml logs",
    )


def overlay(release: str, folder: Path) -> Path:
    """A file that puts the release into the contract of whoever reads it."""
    path = folder / f"release-{release}.toml"
    rows = {"overlay": {"name": "upgrade", "reason": "upgrade"}, "chat": {"version": release}}
    lines = (
        line
        for table, row in rows.items()
        for line in (f"[{table}]", *(f'{k}="{v}"' for k, v in row.items()))
    )
    path.write_text("\n".join(lines), "utf-8")
    return path
