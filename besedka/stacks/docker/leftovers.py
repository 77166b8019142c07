"""What a run left on the engine, and its removal: only things that carry the run's own label are touched.

As a program (`python -m besedka.stacks.docker.leftovers RUN`) it removes what the run has left on the engine
that DOCKER_HOST names. Exit status: 0 nothing is left; 1 something could not be removed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
from docker.errors import APIError, NotFound  # type: ignore[import-untyped]

from besedka.contract import PROJECT_ROOT
from besedka.stacks.process import parent_death
from besedka.stacks.process.processes import base_environment

PARENT_DEATH = Path(parent_death.__file__)
RUN_LABEL = "besedka.run"
SERVICE_LABEL = "besedka.service"
STOP_SECONDS = 60.0
# What a dead process had asked the engine for may appear after the first look.
ROUNDS = 3
_REMOVE = (sys.executable, "-m", "besedka.stacks.docker.leftovers")


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
    """The process that removes what a run leaves behind when it dies.

    It is there before the run makes anything. A run that dies while it still starts closes the pipe all
    the same, so nobody need wait for it.
    """

    def __init__(self, run_id: str, engine_url: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this module
            [sys.executable, "-S", "-E", str(PARENT_DEATH), *_REMOVE, run_id],
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
        self.dismiss(nothing_left=True)

    def dismiss(self, *, nothing_left: bool) -> None:
        """End the guardian; unless nothing is left for it to do, it looks once more and removes it."""
        if self._process.stdin and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                if nothing_left:
                    self._process.stdin.write(parent_death.KEEP)
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
    """Remove what the run has left; see the head of this module."""
    client = docker.DockerClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    return 1 if remove(client, run_id) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
