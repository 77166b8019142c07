"""The restart itself: look first, dump, stop the writers, count, restart, count again, provision, examine.

Nothing is stopped before everything that could be found wrong has been looked for and the dump is whole.
Each step is in the journal, and each may be repeated: a run that follows an interrupted one keeps its dump
and its inventory of before. What is there now may be what the interruption left.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from besedka import provision
from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.progress import Say
from besedka.restart import daphne, dump, mongo_dump, site_dump
from besedka.restart.dump import Dump
from besedka.restart.engine import missing
from besedka.restart.errors import DataLostError, PortHeldError, ServiceHalfStartedError, ServiceNotReadyError
from besedka.restart.inventory import KINDS, MESSAGES, SITE_USERS, Inventory, summary
from besedka.restart.journal import Journal, alone
from besedka.restart.services import ORDER, STOPPED, WEB, Services, State
from besedka.restart.target import ComposeTarget
from besedka.stacks import environment, readiness
from besedka.stacks.docker.engine import holder
from besedka.stacks.services import site_commands

POLL_SECONDS = 0.2
LOG_LINES = 20


def restart(  # noqa: PLR0913 - keywords
    target: ComposeTarget,
    services: Services,
    *,
    say: Say,
    only: Sequence[str] = (),
    restore: Path | None = None,
    afresh: bool = False,
) -> Report:
    """Restart the stack and return doctor's report. Raises the errors of `besedka.restart.errors`.

    `only` names the services to restart; a Daphne that runs is left alone then. `restore` names a dump to
    bring back on the way. `afresh` leaves the journal of an interrupted run aside.
    """
    with alone(target.folder):
        if afresh:
            Journal(target.folder).close()
        journal = Journal.opened(target.folder)
        if journal.steps:
            say(f"an interrupted restart came as far as {journal.steps[-1]!r}; its dump and inventory stay")
        journal.choose(only, restore)
        return _Restart(target, services, journal, say).run()


class _Restart:
    def __init__(self, target: ComposeTarget, services: Services, journal: Journal, say: Say) -> None:
        self._target, self._services, self._journal, self._say = target, services, journal, say

    def run(self) -> Report:
        self._look()
        self._dump()
        booting = self._is_booting()
        if not booting:
            self._stop_writers()
        before = self._before()
        for service in ["rocketchat"] if booting else self._journal.services:
            if not booting:
                self._journal.note(f"restart {service}")
                self._services.restart(service)
            self._wait(service, "still starting, left alone" if booting else "restarting")
        # What provisioning repairs on purpose is no loss; what the restart changed would be.
        touched = "prepare" in self._journal.steps
        self._compare(before, strict=not touched)
        self._journal.note("prepare")
        self._start_site()
        self._journal.note("provision")
        outcome = provision.bring(
            self._target.located,
            self._target.contract,
            journal_folder=self._target.folder / "provision",
            say=self._say,
            options=provision.Options(partial=True),
        )
        self._say(f"provisioned: {len(outcome.actions)} changed")
        now = self._compare(before, strict=False)
        for line in now.lines():
            self._say(f"  {line}")
        self._journal.note("examine")
        report = self._examine()
        self._journal.close()
        return report

    def _is_booting(self) -> bool:
        """Whether an interrupted run came as far as Rocket.Chat, which has been starting since.

        Its boot takes minutes on a slow machine (94 to over 195 s, measured on 6.13.0). Restarted by each run
        that follows, it would never get through.
        """
        journal = self._journal
        if not journal.steps or journal.steps[-1] != "restart rocketchat":
            return False
        if "counted" not in journal.steps or (journal.restore and "restored" not in journal.steps):
            return False
        states = [self._services.state(name) for name in ORDER]
        return all(state is not None and state.running for state in states)

    def _look(self) -> None:
        target, journal = self._target, self._journal
        states = {name: self._services.state(name) for name in ORDER}
        absent = [name for name, state in states.items() if state is None]
        if absent:
            raise missing(target.project, absent)
        web = self._services.state(WEB)
        web_runs = web is not None and web.running
        if not (web is not None and web_runs and target.port in web.ports):
            held = daphne.foreign(target.port, target.web)
            if held is not None:
                raise held
        if web_runs and daphne.running(target.port, target.web):
            self._say("web runs beside Daphne, two sites on one port: web is stopped, as the runbook says")
        standing = {name for name, state in states.items() if state is not None and state.status in STOPPED}
        for name in standing - set(journal.services):
            self._say(f"{name} stands still: it is started, too")
        journal.services = [name for name in ORDER if name in standing.union(journal.services)]
        for name in standing:
            self._refuse_held_ports(name, states[name])
        if journal.restore:
            Dump.read(Path(journal.restore))
        for name in () if "counted" in journal.steps else target.data_services:
            state = states[name]
            if state is not None and state.status in STOPPED:
                self._services.restart(name)
                self._wait(name, "starting")
            elif not target.ready(name, state):
                raise ServiceHalfStartedError(
                    f"{name} is half-started ({state.text if state else ''}) and does not answer",
                    expected="a service that answers, or one that stands still",
                    where=f"service {name} of compose project {target.project}",
                    next_step=f"see docker compose logs {name}; nothing was stopped",
                )
        if not journal.dump:
            dump.check_room(target.folder, target.mongo_url, target.site_database_url)

    def _refuse_held_ports(self, name: str, state: State | None) -> None:
        for port in state.ports if state else ():
            if daphne.holders(port):
                raise PortHeldError(
                    f"port {port} of {name}, which stands still, is held by {holder(port)}",
                    expected="a free port",
                    where=f"127.0.0.1:{port}",
                    next_step=f"stop that program, or {name} cannot start; nothing was stopped",
                )

    def _dump(self) -> None:
        target = self._target
        if self._journal.dump:
            return
        taken = Dump.taken(
            target.folder / "dumps", target.mongo_url, target.site_database_url, self._services
        )
        self._journal.dump = str(taken.folder)
        self._journal.note("dumped")
        self._say(f"dump: {taken.folder}")

    def _stop_writers(self) -> None:
        self._journal.note("stop")
        web = self._services.state(WEB)
        if web is not None and web.running:
            self._say("web: stopping")
            self._services.stop(WEB)
        if self._journal.all and daphne.stop(self._target.port, self._target.web):
            self._say("Daphne: stopped")
        if "rocketchat" in self._journal.services:
            self._services.stop("rocketchat")

    def _before(self) -> Inventory:
        """The inventory that must be there in the end."""
        target, journal = self._target, self._journal
        if journal.restore:
            chosen = Dump.read(Path(journal.restore))
            if "restored" not in journal.steps:
                journal.note("restore")
                self._say(f"bringing back {chosen.folder}")
                chosen.bring_back(target.mongo_url, target.site_database_url, self._services)
                wrong = chosen.inventory.losses(self._count()) + self._count().losses(chosen.inventory)
                if wrong:
                    raise self._lost(summary(wrong), "the databases as the dump says, after the restore")
                journal.note("restored")
            return chosen.inventory
        if "counted" in journal.steps:
            return journal.inventory()
        inventory = self._count()
        journal.keep_inventory(inventory)
        journal.note("counted")
        return inventory

    def _count(self) -> Inventory:
        inventory = Inventory()
        site_dump.count(self._target.site_database_url, inventory)
        mongo_dump.count(self._target.mongo_url, inventory)
        return inventory

    def _compare(self, before: Inventory, *, strict: bool) -> Inventory:
        now = self._count()
        # Beside a site that runs on, its accounts may change; they may not go.
        kinds = KINDS if self._journal.all else tuple(kind for kind in KINDS if kind != SITE_USERS)
        losses = before.losses(now, content_of=kinds if strict else (MESSAGES,))
        if losses:
            raise self._lost(summary(losses), "everything that was counted before")
        return now

    def _lost(self, found: str, expected: str) -> DataLostError:
        return DataLostError(
            found,
            expected=expected,
            where="the inventory of before and after",
            next_step=f"--restore {self._journal.dump} brings back what was dumped first; "
            "if you removed it yourself meanwhile, --afresh counts anew",
        )

    def _wait(self, service: str, doing: str) -> None:
        started, budget = time.monotonic(), readiness.start_budget()
        self._say(f"{service}: {doing} …")
        while True:
            state = self._services.state(service)
            if self._target.ready(service, state):
                self._say(f"{service}: ready after {time.monotonic() - started:.1f} s")
                return
            ended = state is None or state.status in (*STOPPED, "dead")
            if ended or time.monotonic() - started > budget:
                raise ServiceNotReadyError(
                    f"{service} is {state.text if state else 'gone'} and not ready after "
                    f"{time.monotonic() - started:.0f} s; its last lines:\n"
                    f"{self._services.logs(service, LOG_LINES)}",
                    expected=f"ready within {budget:.0f} s ({readiness.BUDGET_ENV})",
                    where=f"service {service} of compose project {self._target.project}",
                    next_step="put right what it says; a further run goes on from here and waits for "
                    "Rocket.Chat if it is still starting; --afresh restarts it",
                )
            Event().wait(POLL_SECONDS)

    def _start_site(self) -> None:
        target = self._target
        if daphne.running(target.port, target.web) and target.site_answers():
            self._say("Daphne: runs, left alone")
            return
        daphne.stop(target.port, target.web)
        told = target.site_environment
        site_commands.run(told, "prepare_site", stdin=environment.site_users(target.contract))
        pid = daphne.start(
            host=target.bind,
            gateway=target.gateway,
            port=target.port,
            web=target.web,
            environment=told,
            log=target.folder / "daphne.log",
            answers=target.site_answers,
        )
        where = " and ".join(dict.fromkeys(filter(None, (target.bind, target.gateway))))
        self._say(f"Daphne: ready on {where}, port {target.port}, process {pid}")

    def _examine(self) -> Report:
        return examine(self._target.located, self._target.contract)
