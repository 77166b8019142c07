"""What a running stack looks like to the tests, however it was started."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from besedka import client_environment, database_url, hosts
from besedka.contract import Contract
from besedka.stacks.services import adapter_manage, site_commands
from besedka.target import Manage, StackKind, Target

KINDS: tuple[StackKind, ...] = ("embedded", "containers", "attached")


# Named as a service where the stand-in serves Rocket.Chat's own client; else the server's own is meant.
WEB_CLIENT = "web client"


@dataclass(frozen=True)
class Service:
    """One running service.

    `real` is False for a stand-in. `log` is the file its output goes to, None where we do not start it.
    `pid` is the process to look for in a leak test. None means that it is no process of ours.
    """

    name: str
    url: str
    version: str
    real: bool
    log: str | None = None
    pid: int | None = None

    @property
    def nature(self) -> Literal["real", "stand-in"]:
        """`real` or `stand-in`, as the head of a run prints it."""
        return "real" if self.real else "stand-in"


@dataclass(frozen=True)
class Casualty:
    """A service of our own stack that has ended: how, its last lines, and the file that holds them all."""

    name: str
    how: str
    lines: str
    log: Path


@dataclass(frozen=True)
class Stack:
    """A stack that answers.

    `site_url` and `chat_url` are what a browser opens. `provider_url` is where Rocket.Chat's server reaches
    the site, None where that is the same address. `mongo_url` and `site_database_url` are None where the data
    cannot be read, and the checks that need them say so; `site_environment_file` is None where the site's
    management commands cannot be run; then `site_manage` is the adapter's command for temporary users, if it
    has one. `folder` holds logs and data of the run. `absent` names services that the stack does without, and
    what does their work and why, in words. `authority` is the file of certificates that vouch for its
    addresses, None where the usual ones or the environment's do. `hosts` are names that only this project's
    clients find, on this machine.
    """

    kind: StackKind
    run_id: str
    folder: str
    site_url: str
    chat_url: str
    mongo_url: str | None = field(repr=False)
    site_database_url: str | None = field(repr=False)
    site_environment_file: str | None
    services: tuple[Service, ...]
    provider_url: str | None = None
    authority: str | None = None
    hosts: tuple[str, ...] = ()
    site_manage: tuple[str, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)

    def trust(self) -> None:
        """Let this process's clients trust the stack's own authority, and find its hosts and its database."""
        if self.kind != "attached":
            client_environment.forget_postgres()
        if self.authority:
            client_environment.trust(self.authority)
        if self.hosts:
            hosts.lead(self.hosts)

    def secrets(self) -> set[str]:
        """The passwords in its database URLs."""
        urls = (self.mongo_url, self.site_database_url)
        return set[str]().union(*(database_url.secrets(url) for url in urls if url))

    @property
    def client_is_real(self) -> bool:
        """Whether browsers get Rocket.Chat's own web client, from its server or from the stand-in."""
        return self.service("rocketchat").real or any(row.name == WEB_CLIENT for row in self.services)

    def service(self, name: str) -> Service:
        """The service of that name; KeyError if the stack has none."""
        return {service.name: service for service in self.services}[name]

    def contract(self, contract: Contract) -> Contract:
        """The contract moved to this stack's addresses and, where it is known whole, to its version."""
        moved = self.target.moved(contract)
        version = self.service("rocketchat").version
        if not re.fullmatch(r"\d+\.\d+\.\d+", version):
            return moved
        return moved.model_copy(update={"chat": moved.chat.model_copy(update={"version": version})})

    @property
    def target(self) -> Target:
        """Where it is, and what may be done to it: everything to one that was started here."""
        own, path = self.kind != "attached", self.site_environment_file
        return Target(
            site_url=self.site_url,
            chat_url=self.chat_url,
            mongo_url=self.mongo_url,
            site_database_url=self.site_database_url,
            site_environment_file=path,
            provider_url=self.provider_url or (self.site_url if own else None),
            kind=self.kind,
            may_write=own,
            manage=self.manage,
        )

    @property
    def manage(self) -> Manage | None:
        """What makes and removes temporary users at the site; None where nothing can."""
        if self.site_environment_file:
            return partial(site_commands.run, site_commands.recall(self.site_environment_file))
        return partial(adapter_manage.run, self.site_manage) if self.site_manage else None

    def lines(self) -> list[str]:
        """One line per service for the head of a run: name, version, real or stand-in, address."""
        rows: list[tuple[str, str, str, str]]
        rows = [(row.name, row.version, row.nature, row.url) for row in self.services]
        rows += [(name, "-", "absent", instead) for name, instead in self.absent.items()]
        return [f"  {name:<11} {version:<8} {nature:<8} {where}" for name, version, nature, where in rows]

    def logs(self) -> dict[str, Path]:
        """Log file of each service that has one."""
        return {service.name: Path(service.log) for service in self.services if service.log}

    def to_json(self) -> str:
        """The stack as JSON text, for xdist workers and state files; its database URLs hold passwords."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Stack:
        """The inverse of `to_json`."""
        raw: dict[str, Any] = json.loads(text)
        raw["services"] = tuple(Service(**service) for service in raw["services"])
        raw |= {name: tuple(raw.get(name, ())) for name in ("site_manage", "hosts")}
        return cls(**raw)
