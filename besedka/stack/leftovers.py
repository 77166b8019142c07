"""What a run left on the engine, and its removal: only things that carry the run's own label are touched.

As a program (`python -m besedka.stack.leftovers RUN`) it is the guardian of one run: it waits until its
standard input ends, which is when the run closed it or died (kill -9 included), and removes what is left.
Exit status: 0 nothing is left; 1 something could not be removed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import docker  # type: ignore[import-untyped]
from docker.errors import APIError, NotFound  # type: ignore[import-untyped]

from besedka.contract import PROJECT_ROOT
from besedka.stack.guard import KEEP
from besedka.stack.processes import base_environment

RUN_LABEL = "besedka.run"
SERVICE_LABEL = "besedka.service"
STOP_SECONDS = 60.0
# What a dead process had asked the engine for may appear after the first look.
ROUNDS = 3


def labels(run_id: str, service: str = "") -> dict[str, str]:
    """The labels of everything that a run makes."""
    return {RUN_LABEL: run_id} | ({SERVICE_LABEL: service} if service else {})


def containers(client: Any, run_id: str) -> list[Any]:
    """The containers of a run, stopped ones too."""
    found = client.containers.list(all=True, filters=_of(run_id), ignore_removed=True)
    return list(found)


def left(client: Any, run_id: str) -> list[str]:
    """Names of the containers, networks and volumes of a run that are there."""
    things = [*containers(client, run_id), *_networks(client, run_id), *_volumes(client, run_id)]
    return [str(thing.name) for thing in things]


def remove(client: Any, run_id: str) -> list[str]:
    """Remove the run's containers, networks and volumes; returns the names of what could not be removed."""
    for _ in range(ROUNDS):
        rows = containers(client, run_id)
        if rows:
            with ThreadPoolExecutor(max_workers=len(rows)) as side_by_side:
                list(side_by_side.map(_remove_container, rows))
        for thing in [*_networks(client, run_id), *_volumes(client, run_id)]:
            # Gone already, or still held by a container that is on its way out: the next look tells.
            with suppress(NotFound, APIError):
                thing.remove()
        if not left(client, run_id):
            return []
    return left(client, run_id)


class Guardian:
    """The process that removes what a run leaves behind when it dies; see this module's head."""

    def __init__(self, run_id: str, engine_url: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this module
            [sys.executable, "-m", "besedka.stack.leftovers", run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT_ROOT,
            env=base_environment() | _engine_variables() | {"DOCKER_HOST": engine_url},
            # A terminal's Ctrl-C is for the run, which removes its things in order.
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Id of the guardian's process."""
        return self._process.pid

    def release(self) -> None:
        """End the guardian, and let what the run made be: somebody else keeps it now."""
        if self._process.stdin:
            self._process.stdin.write(KEEP)
        self.dismiss()

    def dismiss(self) -> None:
        """End the guardian once nothing is left for it to do."""
        if self._process.stdin and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _remove_container(container: Any) -> None:
    with suppress(NotFound, APIError):
        container.remove(force=True, v=True)


def _networks(client: Any, run_id: str) -> list[Any]:
    return list(client.networks.list(filters=_of(run_id)))


def _volumes(client: Any, run_id: str) -> list[Any]:
    return list(client.volumes.list(filters=_of(run_id)))


def _of(run_id: str) -> dict[str, str]:
    return {"label": f"{RUN_LABEL}={run_id}"}


def _engine_variables() -> dict[str, str]:
    """What reaches an engine beside DOCKER_HOST."""
    names = ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONFIG", "SSH_AUTH_SOCK")
    return {name: os.environ[name] for name in names if name in os.environ}


def main(run_id: str) -> int:
    """Wait for the end of standard input, then remove; see the head of this module."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    said = b""
    while part := os.read(0, 1024):
        said += part
    if said == KEEP:
        return 0
    client = docker.DockerClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    return 1 if remove(client, run_id) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
