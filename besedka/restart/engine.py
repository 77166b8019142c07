"""The containers of a compose project through the Docker engine's API, found by the labels compose sets."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from docker.errors import APIError, DockerException  # type: ignore[import-untyped]

from besedka.errors import BesedkaError
from besedka.restart.errors import DumpFailedError, ServiceMissingError, ServiceNotReadyError
from besedka.restart.services import State
from besedka.stacks.docker import engine
from besedka.stacks.docker.engine_errors import NoEngineError

LABEL = "com.docker.compose"
STOP_SECONDS = 30
_IN_CONTAINER = "/tmp"  # noqa: S108 - of the container


class DockerServices:
    """`Services` of one compose project. Containers are stopped and started, never removed.

    `gateway` is the address of this machine that containers know as `host-gateway`. It is None where this
    machine cannot listen on it. Raises NoEngineError or EnginePermissionError when there is no engine.
    """

    def __init__(self, project: str) -> None:
        self._project = project
        found = engine.find()
        self._client = found.client
        self.gateway = found.gateway

    def state(self, service: str) -> State | None:
        """How the container is now; None if there is none."""
        with self._speaking(f"show {service}", ServiceNotReadyError):
            found = self._find(service)
            if found is None:
                return None
            state = found.attrs["State"]
            # Not NetworkSettings.Ports, which is empty while the container stands still.
            bindings = (found.attrs["HostConfig"]["PortBindings"] or {}).values()
            ports = {int(row["HostPort"]) for rows in bindings for row in rows or () if row["HostPort"]}
            return State(state["Status"], state.get("Health", {}).get("Status", ""), tuple(sorted(ports)))

    def stop(self, service: str) -> None:
        """Stop it and wait until it has; harmless when it stands still."""
        with self._speaking(f"stop {service}", ServiceNotReadyError):
            self._container(service).stop(timeout=STOP_SECONDS)

    def restart(self, service: str) -> None:
        """Stop it if it runs, and start it."""
        with self._speaking(f"restart {service}", ServiceNotReadyError):
            self._container(service).restart(timeout=STOP_SECONDS)

    def logs(self, service: str, lines: int) -> str:
        """The last lines it wrote since its last start."""
        with self._speaking(f"show the log of {service}", ServiceNotReadyError):
            container = self._container(service)
            # `2026-11-28T08:43:35.123456789Z`, or the year 1 for one that was never started.
            started = datetime.fromisoformat(container.attrs["State"]["StartedAt"][:19] + "+00:00")
            written: bytes = container.logs(tail=lines, since=max(0, int(started.timestamp())))
            return written.decode(errors="replace").rstrip()

    def run(
        self,
        service: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        source: Path | None = None,
        sink: Path | None = None,
    ) -> None:
        """See `Services.run`."""
        with self._speaking(f"run {command[0]} in {service}", DumpFailedError):
            container = self._container(service)
            words = list(command)
            if source is not None:
                _put(container, source)
                words.append(f"{_IN_CONTAINER}/{source.name}")
            try:
                self._execute(container, words, environment, sink)
            finally:
                if source is not None:
                    container.exec_run(["rm", "-f", words[-1]])

    def _execute(
        self, container: Any, words: list[str], environment: Mapping[str, str], sink: Path | None
    ) -> None:
        api = self._client.api
        begun = api.exec_create(container.id, words, environment=dict(environment))["Id"]
        said = bytearray()
        with open(sink or os.devnull, "wb") as output:
            for out, err in api.exec_start(begun, stream=True, demux=True):
                output.write(out or b"")
                said += err or b""
        status = api.exec_inspect(begun)["ExitCode"]
        if status != 0:
            raise DumpFailedError(
                f"{words[0]} ended with status {status}: {said.decode(errors='replace').strip()[-1000:]}",
                expected="status 0",
                where=f"container {container.name}",
                next_step="put right what it says; a further run goes on from here",
            )

    def _container(self, service: str) -> Any:
        found = self._find(service)
        if found is None:
            raise missing(self._project, [service])
        return found

    def _find(self, service: str) -> Any:
        labels = [f"{LABEL}.project={self._project}", f"{LABEL}.service={service}", f"{LABEL}.oneoff=False"]
        found = self._client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        return found[0] if found else None

    @contextmanager
    def _speaking(self, doing: str, refused: type[BesedkaError]) -> Iterator[None]:
        """Tell an engine that says no (`refused`) from one that does not answer."""
        try:
            yield
        except APIError as error:
            raise refused(
                f"the engine did not {doing}: {error.explanation or error}",
                expected="a container that does as it is told",
                where=f"compose project {self._project}",
                next_step="put right what it says; a further run goes on from here",
            ) from error
        # The library lets a connection that breaks come through as requests' own.
        except (DockerException, requests.RequestException) as error:
            raise NoEngineError(
                f"the Docker engine fell silent when told to {doing}: {error}",
                expected="an engine that answers this user",
                where="DOCKER_HOST, the current docker context, the usual sockets",
                next_step="start Docker and run this again; it goes on from here",
            ) from error


def missing(project: str, services: Sequence[str]) -> ServiceMissingError:
    """The error that names the services without a container."""
    return ServiceMissingError(
        f"compose project {project!r} has no container of {', '.join(services)}",
        expected="postgres, redis, mongo and rocketchat of docker-compose.local.yml",
        where=f"containers labelled {LABEL}.project={project}",
        next_step="docker compose -f docker-compose.local.yml up -d, or name the project with --project",
    )


def _put(container: Any, source: Path) -> None:
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(source, arcname=source.name)
        packed.seek(0)
        container.put_archive(_IN_CONTAINER, packed)
