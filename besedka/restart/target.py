"""What is restarted: addresses, the site's environment, and how each service says that it is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from besedka import address, site_status
from besedka.contract import PROJECT_ROOT, Contract
from besedka.errors import ServiceUnreachableError
from besedka.restart import site_dump
from besedka.restart.services import State
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import readiness
from besedka.target import Target

PROBE_SECONDS = 2.0


@dataclass(frozen=True)
class ComposeTarget:
    """A developer's stack. `contract` is at its addresses; `folder` keeps journal, dumps and Daphne's log.

    Daphne listens on `bind`, and on `gateway` for containers, where this machine has such an address.
    """

    project: str
    contract: Contract
    mongo_url: str
    site_database_url: str
    site_environment: Mapping[str, str]
    folder: Path
    bind: str = "127.0.0.1"
    gateway: str | None = None
    web: Path = PROJECT_ROOT / "web"

    @property
    def located(self) -> Target:
        """Where it is; to be read by doctor, and brought to the contract by provisioning."""
        target = Target.of(self.contract, mongo_url=self.mongo_url)
        return replace(target, site_database_url=self.site_database_url)

    @property
    def port(self) -> int:
        """The site's port."""
        return address.port(self.contract.site.url)

    @property
    def data_services(self) -> tuple[str, ...]:
        """Those whose data is counted."""
        return ("mongo",) if site_dump.is_sqlite(self.site_database_url) else ("postgres", "mongo")

    def ready(self, service: str, state: State | None) -> bool:
        """Whether the service, whose container is in that state, does its work: asked by its protocol where
        this machine can reach it, else by the container's health check."""
        if state is None or not state.running:
            return False
        if service == "mongo":
            return self.mongo_is_primary()
        if service == "rocketchat":
            return self._chat_answers()
        if service == "postgres" and not site_dump.is_sqlite(self.site_database_url):
            return site_dump.answers(self.site_database_url)
        if service == "redis" and self.site_environment.get("REDIS_URL"):
            return readiness.redis_answers(self.site_environment["REDIS_URL"])
        return state.health in ("", "healthy")

    def mongo_is_primary(self) -> bool:
        """Whether MongoDB takes writes."""
        try:
            with ChatDatabase(self.mongo_url, timeout=PROBE_SECONDS) as database:
                return bool(database.hello().get("isWritablePrimary"))
        except ServiceUnreachableError:
            return False

    def site_answers(self) -> bool:
        """Whether the site says that it is ready."""
        return site_status.ready(self.contract.site, timeout=PROBE_SECONDS)

    def _chat_answers(self) -> bool:
        try:
            return "version" in RocketChat(self.contract.chat.url, timeout=PROBE_SECONDS).info()
        except (ServiceUnreachableError, ValueError):
            return False
