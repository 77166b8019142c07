"""What a restart would do, said before it is done: `--plan`. Nothing is stopped, written or started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from besedka import provision
from besedka.errors import BesedkaError
from besedka.restart import daphne
from besedka.restart.dump import Dump
from besedka.restart.engine import missing
from besedka.restart.journal import Journal
from besedka.restart.services import ORDER, STOPPED, WEB, Services
from besedka.restart.target import ComposeTarget


def lines(target: ComposeTarget, services: Services, journal: Journal) -> Iterator[str]:
    """One line for each thing that would be done, in its order; `journal` knows what is to be restarted.

    Raises ServiceMissingError where the project has no such container, and the error of a damaged dump.
    """
    states = {name: services.state(name) for name in ORDER}
    absent = [name for name, state in states.items() if state is None]
    if absent:
        raise missing(target.project, absent)
    seen = ", ".join(f"{name} {state.text}" for name, state in states.items() if state)
    yield f"project {target.project}: {seen}"
    if journal.steps:
        yield f"goes on with an interrupted restart, which came as far as {journal.steps[-1]!r}"
    below = target.folder / "dumps"
    yield f"dump: {journal.dump or f'both databases, into a new folder below {below}'}"
    yield from _stopped(target, services, journal)
    if journal.restore and "restored" not in journal.steps:
        yield f"bring back: {Dump.read(Path(journal.restore)).folder}"
    standing = {name for name, state in states.items() if state and state.status in STOPPED}
    for name in ORDER:
        if name in standing:
            yield f"start: {name}, which stands still"
        elif name in journal.services:
            yield f"restart: {name}"
    yield f"site: prepare its database, start Daphne on {target.bind}:{target.port} unless it runs"
    yield from _provisioned(target)
    yield "examine: doctor, reading only"
    yield "nothing was done"


def _stopped(target: ComposeTarget, services: Services, journal: Journal) -> Iterator[str]:
    web = services.state(WEB)
    if web is not None and web.running:
        yield "stop: web, which must not run beside Daphne"
    if journal.all and daphne.running(target.port, target.web):
        yield f"stop: Daphne on port {target.port}"
    if "rocketchat" in journal.services:
        yield "stop: rocketchat, before anything is counted"


def _provisioned(target: ComposeTarget) -> Iterator[str]:
    try:
        made = provision.planned(target.located, target.contract)
    except BesedkaError as error:
        yield f"provision: whatever differs then; now it cannot be asked ({error.found})"
        return
    yield f"provision: {len(made.actions)} to change, as things are now"
    for action in made.actions:
        yield f"  {action.text()}"


def of(
    target: ComposeTarget,
    services: Services,
    *,
    only: Sequence[str],
    restore: Path | None,
    afresh: bool,
) -> Iterator[str]:
    """The lines for these options of the command."""
    journal = Journal(target.folder) if afresh else Journal.opened(target.folder)
    journal.choose(only, restore)
    yield from lines(target, services, journal)
