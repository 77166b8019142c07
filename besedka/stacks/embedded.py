"""The embedded stack: all services as processes of this machine, without Docker.

Stand-ins of ours take the places of programs that `options.py` has not found. The stack lives in a folder
under `.besedka/runs/`, on free ports, and ends with its starter.
"""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from besedka import client_environment, hosts, provision, site_status
from besedka.address import bound, host
from besedka.contract import PROJECT_ROOT, Contract
from besedka.errors import ServiceUnreachableError, StackStartError
from besedka.progress import Say, quiet
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import environment, run_folders, versions
from besedka.stacks.model import WEB_CLIENT, Casualty, Service, Stack
from besedka.stacks.process.ports import free_ports
from besedka.stacks.process.processes import ServiceProcess, Spawn, guarded, stop_all
from besedka.stacks.services import (
    chat_client,
    first_boot,
    genuine,
    genuine_chat,
    mongod,
    nginx,
    own_tokens,
    postgres,
    redis_server,
    site_commands,
)
from besedka.stacks.services.chat_client import ChatClient
from besedka.stacks.services.entrance import PORTS, Entrance
from besedka.stacks.services.options import Programs
from besedka.target import Target

START_BUDGET_SECONDS = 60.0
STOP_ORDER = ("nginx", "tls", "one_host", "site", "rocketchat", "mongo", "postgres", "redis")
# Migrating an empty database takes longer than all the rest; the site keeps a migrated one to copy.
SITE_TEMPLATE = ("--template", str(PROJECT_ROOT / ".besedka" / "site-template.sqlite3"))
# PBKDF2 with Django's million rounds takes a second per log-in on a slow core. The number of rounds is
# nothing this suite is about, so a throwaway stack uses few.
PASSWORD_ITERATIONS = "1000"  # noqa: S105 - a number of rounds
# The stand-in's; Rocket.Chat's own ten cost fifty milliseconds of a core for each account and log-in.
BCRYPT_ROUNDS = "4"


@dataclass
class EmbeddedStack:
    """The processes of one embedded stack. Use `running`; this is for tests that stop single services."""

    contract: Contract
    folder: Path
    programs: Programs = field(default_factory=Programs)
    stack: Stack | None = None
    processes: dict[str, ServiceProcess] = field(default_factory=dict)
    spawn: Spawn = guarded
    say: Say = quiet
    cancelled: threading.Event = field(default_factory=threading.Event)
    authority: str | None = None

    def start(self) -> Stack:
        """Start everything; returns once the contract is fulfilled. Raises StackStartError."""
        client_environment.forget_postgres()
        if served := self.programs.bundle or self.programs.chat_client:
            self.contract = served.contract(self.contract)
        names = (*PORTS, "mongo", "postgres", "redis")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        entrance = Entrance(self.contract, self.ports, self.programs)
        self.ports.update(entrance.fixed(self.programs.ports))
        self.contract = entrance.contract()
        for name, command in entrance.programs(self.folder):
            place = self.folder / name if name == nginx.NAME else PROJECT_ROOT
            self._launch(name, command, place, {"PYTHONPATH": str(PROJECT_ROOT)})
        self.authority = entrance.authority
        self.site_environment = self._site_environment()
        with ThreadPoolExecutor(max_workers=1) as background:
            prepared = background.submit(self._prepare_site)
            prepared.add_done_callback(self._give_up_without_site)
            try:
                self._bring_chat()
            except StackStartError:
                if prepared.done():
                    prepared.result()
                raise
            prepared.result()
        self.wait_for_site()
        self.stack = self._describe()
        return self.stack

    def _give_up_without_site(self, prepared: Future[None]) -> None:
        """The first boot of Rocket.Chat itself takes minutes; nobody need wait for it when the site fails."""
        if prepared.exception():
            self.cancelled.set()

    def _bring_chat(self) -> None:
        """Start everything but the site's own services, and bring Rocket.Chat to the contract."""
        self.start_mongo()
        self.start_chat()
        if own_tokens.needed(self.contract):
            self.wait_for_chat()
            self.site_environment |= own_tokens.of_site(self.contract)
        self.start_site()
        self.wait_for_chat()
        provision.bring(
            Target.of(self.contract, mongo_url=self.mongo_url),
            self.contract,
            journal_folder=self.folder / "journal",
            lasting=True,
        )
        if self.programs.bundle:
            first_boot.wait_for_provider(self.processes["rocketchat"], self.contract)

    @property
    def mongo_url(self) -> str:
        """Connection string of Rocket.Chat's database."""
        return mongod.url(self.ports["mongo"], "rocketchat")

    def start_mongo(self) -> None:
        """Start MongoDB and wait until it is primary, because Rocket.Chat refuses any other."""
        told, port = self.contract.chat, self.ports["mongo"]
        accepted = versions.mongo_series(told.version, told.sso)
        process = self._keep(
            mongod.start(
                self.programs.mongod,
                port=port,
                data=self.folder / "mongo",
                log=self._log("mongo"),
                spawn=self.spawn,
                series=mongod.STANDIN_SERIES if mongod.STANDIN_SERIES in accepted else accepted[-1],
            )
        )
        process.wait_until(
            lambda: mongod.is_primary(port),
            budget=START_BUDGET_SECONDS,
            expected="a writable primary of a replica set",
        )

    def start_chat(self) -> None:
        """Start Rocket.Chat, or its stand-in; `wait_for_chat` waits for it."""
        port = self.ports["chat"]
        oplog_url = mongod.url(self.ports["mongo"], "local")
        told = environment.chat(self.contract, mongo_url=self.mongo_url, oplog_url=oplog_url, port=port)
        told["BIND_IP"] = bound(self.contract.chat.url)
        if self.authority:
            told["NODE_EXTRA_CA_CERTS"] = self.authority
        if own_tokens.needed(self.contract):
            told |= own_tokens.of_chat(self.contract)
        if self.programs.bundle:
            told |= hosts.environment()
            self._keep(self.programs.bundle.start(told, log=self._log("rocketchat")))
            return
        client, mood = self.programs.chat_client, self.programs.client_mood
        # Meteor's five log-ins in ten seconds would be the suite's pace on a stand-in that loads in one.
        command = [*chat_client.STANDIN, "--movable-clock", "--unlimited-logins", *self._spoken(client)]
        command += [chat_client.MOOD_OPTION, mood] if mood else []
        told |= {"PYTHONPATH": str(PROJECT_ROOT), "TEST_BCRYPT_ROUNDS": BCRYPT_ROUNDS}
        told |= hosts.environment([PROJECT_ROOT])
        self._launch("rocketchat", command, PROJECT_ROOT, told)

    def _spoken(self, client: ChatClient | None) -> Sequence[str]:
        """The version that the stand-in speaks: its client's, else the contract's, else its own."""
        version = self.contract.chat.version
        return client.options if client else ("--version", version) if version else ()

    def start_site(self) -> None:
        """Start Daphne; `wait_for_site` waits for it."""
        address = ["-b", bound(self.contract.site.url), "-p", str(self.ports["site"])]
        command = [sys.executable, "-m", "daphne", *address, "config.asgi:application"]
        self._launch("site", command, PROJECT_ROOT / "web", self.site_environment)

    def start_postgres(self) -> None:
        """Start the site's PostgreSQL, if there is one, and wait until it answers."""
        cluster = self._cluster
        if cluster:
            cluster.wait(self._keep(cluster.start()))

    def start_redis(self) -> None:
        """Start the site's Redis, if there is one, and wait until it answers."""
        redis, port = self.programs.redis, self.ports["redis"]
        if redis:
            process = redis_server.start(redis, port=port, data=self.folder / "redis", log=self._log("redis"))
            redis_server.wait(self._keep(process), port)

    def wait_for_chat(self) -> None:
        """Return once Rocket.Chat names its version; for a real one that is the end of its first boot."""
        if self.programs.bundle:
            bundle, process = self.programs.bundle, self.processes["rocketchat"]
            first_boot.wait(bundle, process, self.contract, say=self.say, cancelled=self.cancelled)
            return
        chat = RocketChat(self.contract.chat.url, timeout=2)
        self.processes["rocketchat"].wait_until(
            self._if_reachable(lambda: _answers(lambda: "version" in chat.info())),
            budget=START_BUDGET_SECONDS,
            expected="GET /api/info with a version",
        )

    def wait_for_site(self) -> None:
        """Return once the site says that it is ready."""
        self.processes["site"].wait_until(
            self._if_reachable(lambda: site_status.ready(self.contract.site, timeout=2)),
            budget=START_BUDGET_SECONDS,
            expected=site_status.expected(self.contract.site),
        )

    def _if_reachable(self, ready: Callable[[], bool]) -> Callable[[], bool]:
        """The question, unless nobody could ask it: what stands before the service has ended."""

        def asked() -> bool:
            for name in ("nginx", "tls", "one_host"):
                if name in self.processes:
                    self.processes[name].must_live("a program before site and chat that runs")
            return ready()

        return asked

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run one of the site's management commands and return what it printed."""
        return site_commands.run(self.site_environment, *arguments, stdin=stdin)

    def restart(self, name: str) -> None:
        """Stop one service and start it again on the same port and data; returns when it is ready."""
        self.processes[name].stop()
        start = {"mongo": self.start_mongo, "postgres": self.start_postgres, "redis": self.start_redis}
        if name in start:
            start[name]()
        elif name == "rocketchat":
            self.start_chat()
            self.wait_for_chat()
        else:
            self.start_site()
            self.wait_for_site()

    def casualty(self) -> Casualty | None:
        """The first service that has ended by itself, None while all live."""
        for one in list(self.processes.values()):
            if not one.alive():
                return Casualty(one.name, f"ended with status {one.status}", one.tail(), one.log)
        return None

    def stop(self) -> None:
        """End every process and remove the data; logs stay."""
        stop_all([self.processes[name] for name in STOP_ORDER if name in self.processes])
        run_folders.finished(self.folder, "mongo", "site", "postgres", "redis")

    @property
    def _cluster(self) -> postgres.Cluster | None:
        if self.programs.postgres is None:
            return None
        port, log = self.ports["postgres"], self._log("postgres")
        return postgres.Cluster(self.programs.postgres, self.folder / "postgres", port=port, log=log)

    def _prepare_site(self) -> None:
        """Everything that the site needs before it is ready."""
        self.start_redis()
        cluster, program = self._cluster, self.programs.postgres
        told: tuple[str, ...] = SITE_TEMPLATE
        if cluster and program:
            cluster.copy(postgres.template(program, self._migrate, say=self.say))
            self.start_postgres()
            told = ("--migrated",)
        self.manage("prepare_site", *told, stdin=environment.site_users(self.contract))

    def _migrate(self, database_url: str) -> None:
        site_commands.run(self.site_environment | {"DATABASE_URL": database_url}, "migrate", "--verbosity=0")

    def _launch(self, name: str, command: list[str], cwd: Path, told: dict[str, str]) -> None:
        log = self._log(name)
        self._keep(ServiceProcess(name, command, log=log, cwd=cwd, environment=told, spawn=self.spawn))

    def _keep(self, process: ServiceProcess) -> ServiceProcess:
        self.processes[process.name] = process
        return process

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def _site_environment(self) -> dict[str, str]:
        data = self.folder / "site"
        data.mkdir(parents=True, exist_ok=True)
        cluster = self._cluster
        told = environment.site(
            self.contract,
            database_url=cluster.url if cluster else f"sqlite:///{data / 'site.sqlite3'}",
            secret_key=secrets.token_urlsafe(40),
            redis_url=redis_server.url(self.ports["redis"]) if self.programs.redis else "",
        )
        told |= {"BESEDKA_SITE_DATA": str(data), "PASSWORD_ITERATIONS": PASSWORD_ITERATIONS}
        if self.authority:
            told["SSL_CERT_FILE"] = self.authority
        told |= hosts.environment()
        site_commands.remember(data, told)
        return told

    def _describe(self) -> Stack:
        site, chat = self.contract.site.url, self.contract.chat.url
        bundle, address = (
            self.programs.bundle,
            {name: f"127.0.0.1:{port}" for name, port in self.ports.items()},
        )
        served = bundle or self.programs.chat_client
        chat_version = (served and served.version) or RocketChat(chat).info()["version"]
        mongo_version = mongod.version(self.ports["mongo"])
        is_real = self.programs.mongod is not None and genuine.is_mongodb(self.ports["mongo"])
        rows = [
            ("site", site, site_status.version(self.contract.site, timeout=2), True),
            ("rocketchat", chat, chat_version, bundle is not None and genuine_chat.is_rocketchat(chat)),
            ("mongo", address["mongo"], mongo_version, is_real),
        ]
        if self.programs.postgres:
            rows.append(("postgres", address["postgres"], self.programs.postgres.version, True))
        if self.programs.redis:
            rows.append(("redis", address["redis"], redis_server.version(self.ports["redis"]), True))
        if self.programs.nginx:
            rows.append((nginx.NAME, site, nginx.version(self.programs.nginx), True))
        services = tuple(
            Service(name, url, version, real, str(self._log(name)), self.processes[name].pid)
            for name, url, version, real in rows
        )
        client = self.programs.chat_client
        if client:
            services += (Service(WEB_CLIENT, str(client.folder), chat_version, real=True),)
        return Stack(
            kind="embedded",
            run_id=self.folder.name,
            folder=str(self.folder),
            site_url=site,
            chat_url=chat,
            mongo_url=self.mongo_url,
            site_database_url=self.site_environment["DATABASE_URL"],
            site_environment_file=str(site_commands.environment_file(self.folder / "site")),
            services=services,
            provider_url=self.contract.own_provider_url,
            authority=self.authority,
            hosts=(host(site), host(chat)) if self.programs.proxy else (),
            absent=dict(self.programs.absent),
        )


@contextmanager
def running(
    contract: Contract,
    *,
    folder: Path | None = None,
    programs: Programs | None = None,
    say: Say = quiet,
    cancelled: threading.Event | None = None,
) -> Iterator[EmbeddedStack]:
    """An embedded stack for the length of a `with` block; `.stack` describes it.

    Without `programs` it is as small and quick as can be: a `mongod` if one is on PATH, and no PostgreSQL or
    Redis. `cancelled`, once set, ends a first boot of Rocket.Chat. Raises StackStartError with the failing
    service's last log lines; nothing is left running then.
    """
    programs = programs or Programs(mongod.find(None))
    embedded = EmbeddedStack(contract, folder or run_folders.new(), programs, say=say)
    embedded.cancelled = cancelled or embedded.cancelled
    with ExitStack() as cleanup:
        cleanup.callback(embedded.stop)
        embedded.start()
        yield embedded


def _answers(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except (ServiceUnreachableError, requests.RequestException, KeyError, ValueError):
        return False
