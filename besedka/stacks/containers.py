"""The stack in containers: PostgreSQL, Redis, MongoDB, Rocket.Chat by Testcontainers, and the site beside.

Images, environment, commands and volumes are those of docker-compose.local.yml; only addresses differ. Host
ports are chosen before anything starts, because ROOT_URL and the redirect URI hold them. The site is Daphne
on the host, which a browser opens at 127.0.0.1 and Rocket.Chat's server at `host.docker.internal`.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import requests
from docker.errors import DockerException  # type: ignore[import-untyped]
from testcontainers.core.network import Network

from besedka import client_environment, provision, site_status
from besedka.contract import PROJECT_ROOT, Contract
from besedka.errors import StackStartError
from besedka.progress import Say, quiet
from besedka.stacks import embedded, environment, readiness, run_folders, token_probe, versions
from besedka.stacks.docker import compose, described, engine, in_container, leftovers
from besedka.stacks.docker.compose import SERVICES, ComposeService
from besedka.stacks.docker.container_logs import ContainerLogs
from besedka.stacks.docker.engine import Engine
from besedka.stacks.docker.service_container import ServiceContainer, client_arguments, name_of
from besedka.stacks.model import Casualty, Service, Stack
from besedka.stacks.process.ports import free_ports
from besedka.stacks.process.processes import TAIL_LINES, ServiceProcess
from besedka.stacks.readiness import Progress
from besedka.stacks.services import mongod, site_commands
from besedka.target import Target

STOP_SECONDS = 60  # in which MongoDB writes its files out


@dataclass
class ContainersStack:
    """One stack in containers. Use `running`; this is for tests and for a stack that is kept."""

    contract: Contract
    folder: Path
    engine: Engine
    services: dict[str, ComposeService]
    ports: dict[str, int]
    say: Say = quiet
    budget: float = readiness.START_BUDGET_SECONDS
    cancelled: threading.Event = field(default_factory=threading.Event)
    stack: Stack | None = None
    site: ServiceProcess | None = None
    containers: dict[str, ServiceContainer] = field(default_factory=dict)
    guardian: leftovers.Guardian | None = None

    def __post_init__(self) -> None:
        self.logs = ContainerLogs(self.folder / "logs")

    @property
    def run_id(self) -> str:
        """The run's name, which every container, network and volume of it carries as a label."""
        return self.folder.name

    def start(self) -> Stack:
        """Start everything; returns once the contract is fulfilled. Raises ContainersStartError.

        After an error nothing is left running, and the logs of all services lie in the run's folder.
        """
        client_environment.forget_postgres()
        self.contract = self.contract.at(
            site_url=f"http://127.0.0.1:{self.ports['site']}",
            chat_url=f"http://127.0.0.1:{self.ports['rocketchat']}",
            provider_url=f"http://{in_container.HOST_NAME}:{self.ports['site']}",
        )
        self.site_environment = self._site_environment()
        self.guardian = leftovers.Guardian(self.run_id, self.engine.url)
        with Progress(self.say, budget=self.budget, cancelled=self.cancelled) as progress:
            try:
                self._make_network()
                self._start_side_by_side(progress)
                progress.tell("token", "asked for by Rocket.Chat's container")
                token_probe.prove(
                    self.containers["rocketchat"].get_wrapped_container(),
                    self.contract.provider.url + self.contract.provider.token_path,
                    host=self.engine.gateway,
                )
                progress.ready("token")
            except (StackStartError, DockerException, requests.RequestException) as error:
                raise self.logs.report(error, progress.waiting()) from error
        self.stack = self._describe()
        return self.stack

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run one of the site's management commands and return what it printed."""
        return site_commands.run(self.site_environment, *arguments, stdin=stdin)

    def stop(self) -> list[str]:
        """End the site, save the logs, remove every container, network and volume; returns what resisted."""
        if self.site:
            self.site.stop()
        self.logs.save()
        resisted = leftovers.remove(self.engine.client, self.run_id)
        self.logs.end()
        for container in self.containers.values():
            container.get_docker_client().client.close()
        if self.guardian:
            # Only a start that is going on may have asked the engine for more than was there to be removed.
            self.guardian.dismiss(nothing_left=self.stack is not None and not resisted)
        run_folders.finished(self.folder, "site")
        return resisted

    def casualty(self) -> Casualty | None:
        """The first service that has ended by itself, None while all live. Raises DockerException."""
        if self.site and not self.site.alive():
            return Casualty("site", f"ended with status {self.site.status}", self.site.tail(), self.site.log)
        for name, container in list(self.containers.items()):
            wrapped = container.get_wrapped_container()
            wrapped.reload()
            if wrapped.status in {"exited", "dead"}:
                lines = wrapped.logs(tail=TAIL_LINES).decode("utf-8", "replace")
                how = f"ended with status {wrapped.attrs['State']['ExitCode']}"
                return Casualty(name, how, lines, Path(self._log(name)))
        return None

    def exchange(self, name: str, image: str, version: str | None = None) -> None:
        """Have another image in the place of MongoDB's or Rocket.Chat's, on the same volumes.

        Returns when it is ready; `version` is then Rocket.Chat's. Raises ContainersStartError.
        """
        self.contract = versions.of_contract(self.contract, version)
        self.services[name] = replace(self.services[name], image=image)
        with Progress(self.say, budget=self.budget, cancelled=self.cancelled) as progress:
            try:
                engine.pull(self.engine, {name: self.services[name]}, progress.tell)
                self.end_service(name)
                self._start_container(progress, name)
                self._wait_until_ready(progress, name)
            except (StackStartError, DockerException, requests.RequestException) as error:
                raise self.logs.report(error, progress.waiting()) from error
        self.stack = self._describe()

    def end_service(self, name: str) -> None:
        """Stop a service and remove its container; its volumes and its log so far stay."""
        container = self.containers.pop(name, None)
        if container:
            self.logs.put_aside(name)
            container.get_wrapped_container().stop(timeout=STOP_SECONDS)
            container.get_wrapped_container().remove()

    def release(self) -> None:
        """Leave the stack running when this process ends; see kept.py."""
        if self.site:
            self.site.release()
        if self.guardian:
            self.guardian.release()

    def host_url(self, name: str) -> str:
        """Address of postgres, redis or mongo as this machine reaches it; it holds the password."""
        port = self.ports[name]
        if name == "postgres":
            told = self.services[name].environment
            who = ":".join(quote(told[part], safe="") for part in ("POSTGRES_USER", "POSTGRES_PASSWORD"))
            return f"postgres://{who}@127.0.0.1:{port}/{told['POSTGRES_DB']}"
        return f"redis://127.0.0.1:{port}/0" if name == "redis" else mongod.url(port, "rocketchat")

    def _start_side_by_side(self, progress: Progress) -> None:
        with ThreadPoolExecutor(max_workers=4) as side_by_side:
            # Rocket.Chat's boot is the longest way, and MongoDB stands at its beginning. Started beside two
            # others, its container takes twice the time: they are made meanwhile, and started then.
            mongo = side_by_side.submit(self._start_container, progress, "mongo")
            tasks = (self._bring_chat, self._bring_site, self._bring_redis)
            futures = [side_by_side.submit(task, progress, mongo) for task in tasks]
            wait(futures, return_when=FIRST_EXCEPTION)
            first = next((one for one in futures if one.done() and one.exception()), None)
            if first is not None:
                progress.cancelled.set()
        for future in [first] if first else futures:
            future.result()

    def _bring_site(self, progress: Progress, mongo: Future[None]) -> None:
        self._create_container("postgres")
        mongo.result()
        self._start_container(progress, "postgres")
        self._wait_until_ready(progress, "postgres")
        progress.tell("site", "preparing its database")
        self.manage("prepare_site", stdin=environment.site_users(self.contract))
        self.start_site()
        site = self.site
        assert site is not None  # noqa: S101 - started above
        progress.wait_until(
            "site",
            lambda: readiness.site(self.contract),
            expected=site_status.expected(self.contract.site),
            alive=lambda: None if site.alive() else "ended",
        )

    def _bring_redis(self, progress: Progress, mongo: Future[None]) -> None:
        self._create_container("redis")
        mongo.result()
        self._start_container(progress, "redis")
        self._wait_until_ready(progress, "redis")

    def _bring_chat(self, progress: Progress, mongo: Future[None]) -> None:
        # Made beforehand, started no sooner than MongoDB takes writes: Rocket.Chat refuses it before.
        self._create_container("rocketchat")
        mongo.result()
        self._wait_until_ready(progress, "mongo")
        self._start_container(progress, "rocketchat")
        self._wait_until_ready(progress, "rocketchat")
        progress.tell("provider", "provisioning")
        provision.bring(
            Target.of(self.contract, mongo_url=self.host_url("mongo")),
            self.contract,
            journal_folder=self.folder / "journal",
            lasting=True,
        )
        progress.wait_until(
            "provider",
            lambda: readiness.knows_provider(self.contract),
            expected=f"{self.contract.provider.name!r} in service.configurations",
            alive=lambda: self.logs.ended("rocketchat"),
        )

    def _wait_until_ready(self, progress: Progress, name: str) -> None:
        url = self.host_url
        ready, expected = {
            "postgres": (lambda: readiness.postgres(url("postgres")), "an answer to SELECT 1"),
            "redis": (lambda: readiness.redis_answers(url("redis")), "an answer to PING"),
            "mongo": (self._mongo_is_primary, "a writable primary"),
            "rocketchat": (
                lambda: readiness.chat(self.contract),
                "/api/info with its version, and public settings",
            ),
        }[name]
        progress.wait_until(
            name,
            ready,
            expected=expected,
            seen=(lambda: readiness.chat_seen(self.contract)) if name == "rocketchat" else None,
            alive=lambda: self.logs.ended(name),
            news=lambda seconds: self.logs.wait_for_output(name, seconds),
        )

    def _mongo_is_primary(self) -> bool:
        return readiness.mongo_is_primary(self.ports["mongo"], self._initiate)

    def _initiate(self) -> None:
        """The file's own health command initiates the replica set."""
        with suppress(DockerException):
            self.containers["mongo"].get_wrapped_container().exec_run(self.services["mongo"].health_command)

    def _make_network(self) -> None:
        told = {"labels": leftovers.labels(self.run_id)}
        network = Network(docker_client_kw=client_arguments(self.engine), docker_network_kw=told)
        network.name = name_of(self.run_id)
        network.create()

    def _create_container(self, name: str) -> None:
        service = self.services[name]
        self.containers[name] = ServiceContainer(
            service,
            run_id=self.run_id,
            engine=self.engine,
            port=self.ports[name],
            environment=self._environment_of(service),
        )
        self.containers[name].create()

    def _start_container(self, progress: Progress, name: str) -> None:
        progress.tell(name, "starting")
        if name not in self.containers:
            self._create_container(name)
        self.containers[name].start()
        self.logs.follow(name, self.containers[name].get_wrapped_container())

    def _environment_of(self, service: ComposeService) -> dict[str, str]:
        if service.name != "rocketchat":
            return service.environment
        told = service.environment
        return told | environment.chat(
            self.contract,
            mongo_url=told["MONGO_URL"],
            oplog_url=told["MONGO_OPLOG_URL"],
            port=service.port,
        )

    def _site_environment(self) -> dict[str, str]:
        data = self.folder / "site"
        data.mkdir(parents=True, exist_ok=True)
        told = environment.site(
            self.contract,
            database_url=self.host_url("postgres"),
            secret_key=secrets.token_urlsafe(40),
            redis_url=self.host_url("redis"),
        )
        told |= {
            "ALLOWED_HOSTS": in_container.HOST_NAME,
            "BESEDKA_SITE_DATA": str(data),
            "PASSWORD_ITERATIONS": embedded.PASSWORD_ITERATIONS,
        }
        site_commands.remember(data, told)
        return told

    def start_site(self) -> None:
        """Start Daphne, on 127.0.0.1 for the browser and on the bridge's address for the containers."""
        port = self.ports["site"]
        listen = ["-b", "127.0.0.1", "-p", str(port)]
        if self.engine.gateway:
            listen += ["-e", f"tcp:port={port}:interface={self.engine.gateway}"]
        self.site = ServiceProcess(
            "site",
            [sys.executable, "-m", "daphne", *listen, "config.asgi:application"],
            log=self.logs.file("site"),
            cwd=PROJECT_ROOT / "web",
            environment=self.site_environment,
        )

    def _log(self, name: str) -> str:
        return str(self.logs.file(name))

    def _describe(self) -> Stack:
        site = self.contract.site.url
        version = site_status.version(self.contract.site, timeout=5)
        rows = described.services(self.contract, self.ports, self.host_url, self._log)
        pid = self.site.pid if self.site else None
        return Stack(
            kind="containers",
            run_id=self.run_id,
            folder=str(self.folder),
            site_url=site,
            chat_url=self.contract.chat.url,
            mongo_url=self.host_url("mongo"),
            site_database_url=self.site_environment["DATABASE_URL"],
            site_environment_file=str(site_commands.environment_file(self.folder / "site")),
            services=(Service("site", site, version, True, self._log("site"), pid), *rows),
            provider_url=self.contract.provider.url,
        )


def plan(contract: Contract, version: str | None = None) -> tuple[Contract, dict[str, ComposeService]]:
    """Contract and services for a version of Rocket.Chat; reads the compose file and starts nothing."""
    services = compose.load()
    named = version or contract.chat.version or versions.of_image(services["rocketchat"])
    contract = versions.of_contract(contract, named)
    return contract, versions.chosen(services, named, os.environ)


def prepared(  # noqa: PLR0913 - all but one are keywords
    contract: Contract,
    *,
    version: str | None = None,
    ports: Mapping[str, int] | None = None,
    folder: Path | None = None,
    say: Say = quiet,
    cancelled: threading.Event | None = None,
) -> ContainersStack:
    """A stack that could be started: everything that can be wrong before a start has been asked.

    Raises an error of engine_errors.py, before anything is started.
    """
    contract, services = plan(contract, version)
    found = engine.find()
    engine.check(found, services)
    budget = readiness.start_budget()
    cancelled = cancelled or threading.Event()
    with Progress(say, budget=budget, cancelled=cancelled) as progress:
        engine.pull(found, services, progress.tell)
    engine.check_versions(found, services, contract.chat.version or "")
    chosen = dict(zip((*SERVICES, "site"), free_ports(len(SERVICES) + 1), strict=True)) | dict(ports or {})
    engine.check_ports(chosen)
    folder = folder or run_folders.new()
    return ContainersStack(contract, folder, found, services, chosen, say, budget, cancelled)


@contextmanager
def running(  # noqa: PLR0913 - all but one are keywords
    contract: Contract,
    *,
    version: str | None = None,
    ports: Mapping[str, int] | None = None,
    folder: Path | None = None,
    say: Say = quiet,
    cancelled: threading.Event | None = None,
) -> Iterator[ContainersStack]:
    """A stack in containers for the length of a `with` block; `.stack` describes it.

    `cancelled`, once set, ends a start that is going on. Raises an error of engine_errors.py; nothing is
    left running then.
    """
    stack = prepared(contract, version=version, ports=ports, folder=folder, say=say, cancelled=cancelled)
    with ExitStack() as cleanup:
        cleanup.callback(stack.stop)
        stack.start()
        yield stack
