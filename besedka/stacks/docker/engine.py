"""The Docker engine: found, asked whether a stack fits on it, and told which images it must have.

Everything here happens before anything is started, and each obstacle is one error of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
import psutil
from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]

from besedka.stacks import versions
from besedka.stacks.docker.compose import SERVICES, ComposeService
from besedka.stacks.docker.engine_errors import (
    EnginePermissionError,
    EngineTooOldError,
    ImageMissingError,
    ImageVersionError,
    NoEngineError,
    NoMemoryError,
    NoSpaceError,
    PortBusyError,
)

OLDEST = (20, 10)
MIB = 1024**2
# MongoDB's cache takes at least 256 MiB and Rocket.Chat's Node.js grows to 1.5 GiB.
MEMORY_NEEDED = 2048 * MIB
# Volumes and logs of a run; images that have still to be pulled come to 4 GiB unpacked.
SPACE_NEEDED = 1024 * MIB
SPACE_FOR_IMAGES = 5 * 1024 * MIB
ANSWER_SECONDS = 60
# `docker` takes the engine of the current context, which its Python library does not.
CONTEXT_ENV = "DOCKER_CONTEXT"
STAND_IN_LABEL = "besedka.stand-in"
_VERSION_VARIABLES = {"rocketchat": "RC_VERSION", "mongo": "MONGO_VERSION"}


@dataclass(frozen=True)
class Engine:
    """An engine that answers; `url` is what DOCKER_HOST would be."""

    url: str
    client: Any
    version: str
    memory: int
    root: str

    @property
    def gateway(self) -> str | None:
        """Address of this machine that containers know as `host-gateway`; None where it is not ours.

        It is the bridge's own address on Linux. Docker Desktop forwards to 127.0.0.1 by itself.
        """
        (bridge,) = self.client.networks.list(names=["^bridge$"]) or (None,)
        for config in (bridge.attrs.get("IPAM", {}).get("Config") or ()) if bridge else ():
            address = config.get("Gateway")
            if address and _bindable(address, 0):
                return str(address)
        return None

    def missing(self, services: Iterable[ComposeService]) -> list[ComposeService]:
        """The services whose image is not on the engine."""
        return [service for service in services if self.image(service.image) is None]

    def image(self, name: str) -> Any:
        """The image of that name, None if the engine has none."""
        try:
            return self.client.images.get(name)
        except ImageNotFound:
            return None

    def is_stand_in(self, service: ComposeService) -> bool:
        """Whether the service's image says that it is one of our stand-ins."""
        image = self.image(service.image)
        return image is not None and image.labels.get(STAND_IN_LABEL) == "true"


def find() -> Engine:
    """The engine that `docker` would use. Raises NoEngineError or EnginePermissionError."""
    seen: list[str] = []
    for url in _addresses():
        try:
            client = docker.DockerClient(base_url=url, version="auto", timeout=ANSWER_SECONDS)
            answer, info = client.version(), client.info()
        except (DockerException, OSError, ValueError) as error:
            cause = _root_cause(error)
            if isinstance(cause, PermissionError):
                raise EnginePermissionError(
                    f"a Docker engine at {url} that this user may not talk to",
                    expected="read and write permission on its socket",
                    where=url,
                    next_step="sudo usermod -aG docker $USER, then log in again; or set DOCKER_HOST to an "
                    "engine of your own; or --stack=embedded, which needs none",
                ) from error
            seen.append(f"{url} ({_short(cause)})")
            continue
        return Engine(url, client, str(answer["Version"]), int(info["MemTotal"]), info["DockerRootDir"])
    raise NoEngineError(
        f"no Docker engine answers; asked: {', '.join(seen)}",
        expected="an engine, version 20.10 or later",
        where="DOCKER_HOST, the current docker context, the usual sockets",
        next_step="start Docker, or set DOCKER_HOST; --stack=embedded needs no engine",
    )


def check(engine: Engine, services: Mapping[str, ComposeService]) -> None:
    """Return if a stack fits: engine's version, memory, disk. Raises the error of the first that does not."""
    found = tuple(int(number) for number in re.findall(r"\d+", engine.version)[:2])
    if found < OLDEST:
        raise EngineTooOldError(
            f"Docker engine {engine.version}",
            expected="20.10 or later, which knows host-gateway",
            where=engine.url,
            next_step="upgrade Docker; --stack=embedded needs no engine",
        )
    if engine.memory < MEMORY_NEEDED:
        raise NoMemoryError(
            f"the engine has {engine.memory // MIB} MiB of memory",
            expected=f"at least {MEMORY_NEEDED // MIB} MiB for MongoDB and Rocket.Chat",
            where=engine.url,
            next_step="give Docker more memory (Docker Desktop: Settings > Resources)",
        )
    needed = SPACE_NEEDED + (SPACE_FOR_IMAGES if engine.missing(_started(services)) else 0)
    # The folder is not ours to see with Docker Desktop or an engine elsewhere.
    free = shutil.disk_usage(engine.root).free if os.access(engine.root, os.R_OK) else needed
    if free < needed:
        raise NoSpaceError(
            f"{free // MIB} MiB are free on the engine's disk",
            expected=f"at least {needed // MIB} MiB for images, volumes and logs",
            where=engine.root,
            next_step="make room: `docker system df` says what takes it",
        )


def unfit(services: Mapping[str, ComposeService]) -> str | None:
    """Why containers cannot be had here without being asked for; None if they can. Starts nothing."""
    try:
        engine = find()
        check(engine, services)
    except (NoEngineError, EnginePermissionError, EngineTooOldError, NoMemoryError, NoSpaceError) as error:
        return error.found
    for service in engine.missing(_started(services)):
        try:
            engine.client.images.get_registry_data(service.image)
        except (DockerException, OSError):
            return f"image {service.image} is neither on the engine nor in reach"
    return None


def pull(engine: Engine, services: Mapping[str, ComposeService], tell: Callable[[str, str], None]) -> None:
    """Fetch the images that are missing; `tell(service, what)` hears of it. Raises ImageMissingError."""
    for service in engine.missing(_started(services)):
        tell(service.name, f"pulling {service.image}")
        repository, _, tag = service.image.rpartition(":")
        try:
            for line in engine.client.api.pull(repository, tag=tag, stream=True, decode=True):
                if "error" in line:
                    raise _missing(service, str(line["error"]))
                tell(service.name, f"pulling {service.image}: {line.get('status', '')}".strip())
        except (DockerException, OSError) as error:
            raise _missing(service, _short(_root_cause(error))) from error
        if engine.image(service.image) is None:
            raise _missing(service, "the pull ended without it")


def check_versions(engine: Engine, services: Mapping[str, ComposeService], chat_version: str) -> None:
    """Raise ImageVersionError if an image says that it holds another version than the one asked for.

    The official images of MongoDB and of Rocket.Chat (Docker's library) name it in their environment. One
    that does not is asked once it runs. MongoDB's stand-in goes with every Rocket.Chat.
    """
    series = versions.pair(chat_version).mongo_series
    for name, expected in (("rocketchat", chat_version), ("mongo", " or ".join(series))):
        if name == "mongo" and engine.is_stand_in(services[name]):
            continue
        found = _version_of(engine.image(services[name].image), _VERSION_VARIABLES[name])
        fits = found == expected if name == "rocketchat" else ".".join(found.split(".")[:2]) in series
        if found and not fits:
            raise ImageVersionError(
                f"image {services[name].image} holds {found}",
                expected=f"{expected}, for Rocket.Chat {chat_version}",
                where=f"BESEDKA_IMAGE_{name.upper()}, docker-compose.local.yml, --rocketchat-version",
                next_step="name the image of the right version; nothing was started",
            )


def check_ports(ports: Mapping[str, int]) -> None:
    """Raise PortBusyError for the first port of 127.0.0.1 that somebody else holds, and say who."""
    for name, port in ports.items():
        if not _bindable("127.0.0.1", port):
            raise PortBusyError(
                f"port {port} of {name} is held by {holder(port)}",
                expected="a free port",
                where=f"127.0.0.1:{port}",
                next_step="stop that program, or choose another port; nothing was started",
            )


def holder(port: int) -> str:
    """Who listens on a port of this machine, as a message names it."""
    try:
        rows = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another program"
    for row in rows:
        if row.laddr and row.laddr.port == port and row.status == psutil.CONN_LISTEN and row.pid:
            try:
                return f"{psutil.Process(row.pid).name()} (process {row.pid})"
            except psutil.NoSuchProcess:
                break
    return "another program"


def _started(services: Mapping[str, ComposeService]) -> list[ComposeService]:
    return [services[name] for name in SERVICES if name in services]


def _addresses() -> Iterator[str]:
    if os.environ.get("DOCKER_HOST"):
        yield os.environ["DOCKER_HOST"]
        return
    context = _context_address()
    if context:
        yield context
        return
    if os.name == "nt":
        yield "npipe:////./pipe/docker_engine"
        return
    sockets = [Path("/var/run/docker.sock"), Path.home() / ".docker/run/docker.sock"]
    if os.environ.get("XDG_RUNTIME_DIR"):
        sockets.append(Path(os.environ["XDG_RUNTIME_DIR"]) / "docker.sock")
    yield f"unix://{sockets[0]}"
    for path in sockets[1:]:
        if path.exists():
            yield f"unix://{path}"


def _context_address() -> str | None:
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = {}
    name = os.environ.get(CONTEXT_ENV) or config.get("currentContext") or "default"
    if name == "default":
        return None
    context = docker.ContextAPI.get_context(name)
    return str(context.Host) if context and context.Host else None


def _bindable(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _version_of(image: Any, variable: str) -> str:
    for row in (image.attrs["Config"].get("Env") or ()) if image is not None else ():
        name, _, value = row.partition("=")
        if name == variable:
            return str(value)
    return ""


def _missing(service: ComposeService, why: str) -> ImageMissingError:
    return ImageMissingError(
        f"image {service.image} is not on the engine and cannot be pulled: {why}",
        expected="an image, or a registry that has it",
        where=f"services.{service.name}.image of docker-compose.local.yml, or "
        f"BESEDKA_IMAGE_{service.name.upper()}",
        next_step=f"docker pull {service.image}; or name another image; or --stack=embedded",
    )


def _root_cause(error: BaseException) -> BaseException:
    """The system's own error below the layers of requests and urllib3."""
    seen = error
    while True:
        inner = seen.__cause__ or seen.__context__
        if inner is None:
            inner = next((part for part in seen.args if isinstance(part, BaseException)), None)
        if inner is None or inner is seen:
            return seen
        seen = inner


def _short(error: BaseException) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text.splitlines()[0][:200]
