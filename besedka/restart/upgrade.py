"""A workspace brought from one release of Rocket.Chat to another, and back to its dump where a stop fails.

At each stop Rocket.Chat is swapped first, on a MongoDB that both releases support, then MongoDB with its own
step: `setFeatureCompatibilityVersion` of the running series before its binaries go, of the new one after
they have come (https://www.mongodb.com/docs/manual/release-notes/7.0-upgrade-replica-set/). Rocket.Chat
migrates its data at the start, and takes none back: the way back is the dump.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from besedka import provision
from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.contract import Contract
from besedka.errors import BesedkaError
from besedka.progress import Say
from besedka.restart import inventory, mongo_dump
from besedka.restart.inventory import Inventory
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import versions
from besedka.stacks.model import Stack
from besedka.target import Target


class UpgradeFailedError(BesedkaError):
    """A stop of an upgrade failed; data and release are what they were at its beginning."""

    exit_status = 37


class Workspace(Protocol):
    """Rocket.Chat with its data, whose programs can be exchanged."""

    @property
    def contract(self) -> Contract:
        """What it must look like, on its addresses and at the release that runs now."""

    @property
    def stack(self) -> Stack:
        """The stack, with the versions that run now."""

    @property
    def target(self) -> Target:
        """Where it is."""

    @property
    def mongo_url(self) -> str:
        """Its database, as this machine reaches it."""

    def run(self, release: str) -> None:
        """Have that release on the same data; returns when it answers."""

    def run_mongo(self, release: str) -> None:
        """Have the MongoDB that goes with that release, by MongoDB's own steps."""

    def stop_chat(self) -> None:
        """Stop Rocket.Chat, so that nobody writes."""


@dataclass(frozen=True)
class Stop:
    """A release that was reached: what doctor said there."""

    release: str
    report: Report


Tests = Callable[[Workspace], str]


def seed(workspace: Workspace) -> str:
    """Write a message into the default room, as the administrator; its text."""
    text, contract = secrets.token_hex(8), workspace.target.moved(workspace.contract)
    admin = contract.chat.admin
    chat = RocketChat.sign_in(contract.chat.url, admin.username, admin.secret)
    chat.post("chat.postMessage", channel=f"#{contract.default_channel.name}", text=text)
    chat.sign_out()
    return text


def holds(workspace: Workspace, text: str) -> bool:
    """Whether that message stands in the default room, once."""
    with ChatDatabase(workspace.mongo_url) as data:
        found = data.messages(workspace.contract.default_channel.name, text)
    return [row["msg"] for row in found] == [text]


def upgraded(workspace: Workspace, path: list[str], folder: Path, tests: Tests, say: Say) -> list[Stop]:
    """Bring the workspace along the releases; the first is the one that runs.

    `tests` asks more of a stop and answers why it fails, or nothing. Raises UpgradeFailedError when a stop
    loses something, is not healthy, or fails a test. Whatever ends a stop, everything is then as it was.
    """
    dumped = Inventory()
    say(f"dump of {path[0]}: {folder}")
    rows = mongo_dump.write(workspace.mongo_url, folder, dumped)
    stops = []
    for release in path[1:]:
        say(f"Rocket.Chat {release} on the same data …")
        try:
            stops.append(_reached(workspace, release, folder.with_name(f"{folder.name}-{release}"), dumped))
            _demand_health(stops[-1], tests(workspace), folder)
        except BaseException as error:
            _back(workspace, path[0], folder, rows, say, error)
            if not isinstance(error, Exception):
                raise
            raise _failed(release, error, path[0], folder) from error
        say(f"  {release} is healthy, nothing was lost")
    return stops


def _reached(workspace: Workspace, release: str, folder: Path, before: Inventory) -> Stop:
    workspace.run(release)
    workspace.run_mongo(release)
    # A start takes Show_Setup_Wizard back in a workspace that is not registered, in any version (6.13.0).
    provision.bring(workspace.target, workspace.contract, journal_folder=folder)
    now = Inventory()
    mongo_dump.count(workspace.mongo_url, now)
    lost = [loss for loss in before.losses(now, content_of=()) if loss.what == "missing"]
    if lost:
        raise UpgradeFailedError(
            inventory.summary(lost),
            expected="every user, room, membership and message that was there before",
            where=release,
            next_step="read Rocket.Chat's log of its migrations",
        )
    return Stop(release, examine(workspace.target, workspace.contract))


def _back(  # noqa: PLR0913, PLR0917 - what it goes back to, and why
    workspace: Workspace,
    release: str,
    folder: Path,
    rows: list[dict[str, Any]],
    say: Say,
    why: BaseException,
) -> None:
    """The data and the release of the beginning. MongoDB stays: an older one opens no newer files.

    Raises UpgradeFailedError where this fails too; the dump then stays, and is named.
    """
    say(f"back to {release} …")
    try:
        workspace.stop_chat()
        mongo_dump.read(workspace.mongo_url, folder, rows)
        workspace.run(release)
    except Exception as error:
        raise UpgradeFailedError(
            f"{_found_in(why)}; and the way back failed: {_found_in(error)}",
            expected=f"{release} on its dump again",
            where=str(folder),
            next_step=f"keep that folder, which holds the data of {release}; see to it that MongoDB and "
            "Docker answer, then `mongorestore --drop --db rocketchat FOLDER` and start that release",
        ) from error


def _demand_health(stop: Stop, trouble: str, folder: Path) -> None:
    if not trouble and not stop.report.exit_status:
        return
    cause = stop.report.first_cause
    raise UpgradeFailedError(
        trouble or (f"{cause.code}: {cause.seen}" if cause else "doctor could not ask everything"),
        expected="a healthy workspace, and green tests",
        where=str(folder),
        next_step=(cause.next_step if cause else "") or "read the output above",
    )


def _failed(release: str, error: Exception, first: str, folder: Path) -> UpgradeFailedError:
    ours = error if isinstance(error, BesedkaError) else UpgradeFailedError(_found_in(error))
    again = f"{first} runs on its dump again"
    return UpgradeFailedError(
        f"{release}: {ours.found}",
        expected=ours.expected or "a healthy workspace at each stop",
        where=ours.where or str(folder),
        next_step=f"{again}; {ours.next_step}" if ours.next_step else again,
    )


def _found_in(error: BaseException) -> str:
    """What an error says it found, in one line."""
    return error.found if isinstance(error, BesedkaError) else f"{type(error).__name__}: {error}"


def mongo_steps(running: str, release: str) -> list[str]:
    """MongoDB series from the version that runs to the one of the release's image, the running one first.

    One that the release takes stays, where its image is older or the same.
    """
    series = list(dict.fromkeys(found for row in versions.PAIRS for found in row.mongo_series))
    first, last = (
        series.index(_series(version)) for version in (running, versions.pair(release).mongo_image)
    )
    return series[first : max(first, last) + 1]


def _series(version: str) -> str:
    """`7.0` of `mongo:7.0.14`, or of `7.0.14`."""
    major, minor, *_ = version.rpartition(":")[2].split(".")
    return f"{major}.{minor}"
