"""When a service of a stack in containers is ready, and the lines that say what is still waited for.

Ready is what the service's own protocol says, never an open port: Docker's port forwarder listens long
before anybody stands behind it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import psycopg
from pymongo import MongoClient
from pymongo.hello import Hello
from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)

from besedka import site_status
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.progress import Say
from besedka.rocketchat.rest import RocketChat
from besedka.stacks.docker.engine_errors import ContainersStartError

# The first boot of Rocket.Chat makes indexes and runs every migration: in a container 2 min 30 s to
# 5 min 30 s on a loaded machine (measured on 6.13.0). Pulling images comes on top.
START_BUDGET_SECONDS = 420.0
BUDGET_ENV = "BESEDKA_START_BUDGET"
HEARTBEAT_SECONDS = 5.0
POLL_SECONDS = 0.1
# A server may write hundreds of lines while it starts, and each is a reason to ask.
_SOONEST_SECONDS = 0.02
_PROBE_SECONDS = 2


def start_budget() -> float:
    """Seconds that a service may take to start; BESEDKA_START_BUDGET, else START_BUDGET_SECONDS."""
    said = os.environ.get(BUDGET_ENV) or str(START_BUDGET_SECONDS)
    try:
        return float(said)
    except ValueError:
        raise ContainersStartError(
            f"{BUDGET_ENV}={said!r} is no number",
            expected="seconds, such as 420",
            where="the environment",
            next_step=f"correct it, or unset it for {START_BUDGET_SECONDS:.0f} s; nothing was started",
        ) from None


class Progress:
    """One line per service and heartbeat while services start: what it is doing, and since when.

    A context manager; `say` gets the lines. `cancelled` is set when one service fails or the owner gives up,
    so that nobody goes on waiting.
    """

    def __init__(
        self,
        say: Say,
        *,
        budget: float,
        cancelled: threading.Event,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._say = say
        self._heartbeat = heartbeat
        self._states: dict[str, tuple[str, float]] = {}
        self._began = time.monotonic()
        self.deadline = self._began + budget
        self.budget = budget
        self.cancelled = cancelled
        self._ended = threading.Event()
        self._lines = threading.Thread(target=self._speak, daemon=True)

    def __enter__(self) -> Self:
        self._lines.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._lines.join()

    def tell(self, service: str, what: str) -> None:
        """Note what a service is doing. The time counts from the first word, up to a colon, on."""
        before, since = self._states.get(service, ("", 0.0))
        same = before.partition(":")[0] == what.partition(":")[0]
        self._states[service] = (what, since if same else time.monotonic())

    def ready(self, service: str) -> None:
        """The service needs no more lines."""
        self._states.pop(service, None)
        self._say(f"  {service:<11} ready after {time.monotonic() - self._began:.1f} s")

    def waiting(self) -> dict[str, str]:
        """Service → what it is still doing."""
        return {name: what for name, (what, _) in self._states.items()}

    def wait_until(  # noqa: PLR0913 - what a wait is told, by keyword
        self,
        service: str,
        ready: Callable[[], bool],
        *,
        expected: str,
        alive: Callable[[], str | None],
        news: Callable[[float], None] | None = None,
        seen: Callable[[], str] | None = None,
    ) -> None:
        """Return once `ready()`; ContainersStartError if the service ends, the budget does, or another fails.

        `alive` answers None, or how the service ended; `seen` what is there in place of what is expected.
        `news` waits for a sign that it is worth asking again, and returns after the given seconds at the
        latest. Without it, the service is asked every POLL_SECONDS.
        """
        self.tell(service, f"waiting for {expected}")
        while not ready():
            ended = alive()
            if ended:
                raise ContainersStartError(f"{service} {ended} while starting", expected=expected)
            if time.monotonic() > self.deadline:
                late = f"{service} was not ready within the start budget of {self.budget:.0f} s"
                raise ContainersStartError(f"{late}: {seen()}" if seen else late, expected=expected)
            if self.cancelled.wait(_SOONEST_SECONDS if news else POLL_SECONDS):
                raise ContainersStartError(f"{service} was still waiting for {expected}", expected=expected)
            if news:
                news(POLL_SECONDS)
        self.ready(service)

    def _speak(self) -> None:
        while not self._ended.wait(self._heartbeat):
            now = time.monotonic()
            for name, (what, since) in sorted(self._states.items()):
                self._say(f"  {name:<11} {what} ({now - since:.0f} s)")


def postgres(url: str) -> bool:
    """Whether PostgreSQL answers a query."""
    try:
        with psycopg.connect(url, connect_timeout=_PROBE_SECONDS) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def postgres_version(url: str) -> str:
    """Version that PostgreSQL names, e.g. `16.4`."""
    with psycopg.connect(url, connect_timeout=_PROBE_SECONDS) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def redis_answers(url: str) -> bool:
    """Whether Redis answers PING; it says LOADING while it still reads its file."""
    import redis  # noqa: PLC0415 - 5 MB that doctor and provision never need

    try:
        with redis.Redis.from_url(url, socket_timeout=_PROBE_SECONDS) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def redis_version(url: str) -> str:
    """Version that Redis names, e.g. `7.2.5`."""
    import redis  # noqa: PLC0415 - as above

    with redis.Redis.from_url(url, socket_timeout=_PROBE_SECONDS) as client:
        info: Any = client.info("server")
    return str(info["redis_version"])


def mongo_is_primary(port: int, initiate: Callable[[], object]) -> bool:
    """Whether MongoDB is the writable primary of a replica set, because Rocket.Chat refuses any other.

    Where it answers and is not, `initiate` is called. It is not while nobody answers: it could do nothing,
    and takes the processor from the server that starts.
    """
    hello = _hello(port)
    if hello is None:
        return False
    if hello.is_writable and hello.replica_set_name:
        return True
    initiate()
    return False


def _hello(port: int) -> Hello[Any] | None:
    """MongoDB's answer to one hello, None if there was none."""
    options = f"directConnection=true&connectTimeoutMS={_PROBE_SECONDS * 1000}"
    answer = _FirstAnswer()
    with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{port}/?{options}", event_listeners=[answer]):
        answer.there.wait(_PROBE_SECONDS)
    return answer.hello


class _FirstAnswer(ServerHeartbeatListener):
    """What the driver's first own hello brought.

    A command would be answered by the same, but tries half a second after a failed one again.
    """

    def __init__(self) -> None:
        self.there = threading.Event()
        self.hello: Hello[Any] | None = None

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Of no interest."""

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """The server has answered."""
        self.hello = event.reply
        self.there.set()

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Nobody answers."""
        self.there.set()


def chat_version(contract: Contract) -> str | None:
    """Version that Rocket.Chat names, once it also has public settings to show; None until then."""
    client = RocketChat(contract.chat.url, timeout=_PROBE_SECONDS)
    try:
        found = str(client.info()["version"])
        settings = client.get("settings.public", count=1)["settings"]
    except (ServiceUnreachableError, KeyError):
        return None
    return found if settings else None


def chat_seen(contract: Contract) -> str:
    """What is at Rocket.Chat's address in place of a server that is ready, in a few words."""
    client = RocketChat(contract.chat.url, timeout=_PROBE_SECONDS)
    try:
        client.info()["version"]
        there = client.get("settings.public", count=1)["settings"]
    except ServiceUnreachableError as error:
        return error.found
    except KeyError as error:
        return f"its answer lacks {error}"
    return "it is ready just now" if there else "it has no public settings"


def same_line(found: str, wanted: str) -> bool:
    """Whether two versions have the same first two numbers: the third is not told to everybody."""
    return found.split(".")[:2] == wanted.split(".")[:2]


def chat(contract: Contract) -> bool:
    """Whether Rocket.Chat names a version and has public settings to show.

    Raises ContainersStartError for another version than the contract's: it would never become right.
    """
    found = chat_version(contract)
    wanted = contract.chat.version
    if found and wanted and not same_line(found, wanted):
        raise ContainersStartError(
            f"Rocket.Chat says that it is {found}",
            expected=wanted,
            where=f"{contract.chat.url}/api/info",
            next_step="name the image of the right version (BESEDKA_IMAGE_ROCKETCHAT, --rocketchat-version)",
        )
    return found is not None


def knows_provider(contract: Contract) -> bool:
    """Whether Rocket.Chat offers the contract's provider, as its log-in page asks for it."""
    try:
        client = RocketChat(contract.chat.url, timeout=_PROBE_SECONDS)
        rows = client.get("service.configurations")["configurations"]
    except (ServiceUnreachableError, KeyError):
        return False
    return any(row.get("service") == contract.provider.name for row in rows)


def site(contract: Contract) -> bool:
    """Whether the site says that it, its database and its cache answer."""
    return site_status.ready(contract.site, timeout=_PROBE_SECONDS)
