"""The engine that tests/containers/ runs on: the machine's, else one of our own where we may start one."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

from besedka.errors import BesedkaError
from besedka.stacks.docker import engine
from bootstrap import apt
from bootstrap.errors import SetupError

HOST = Path(__file__).with_name("engine_host.py")
# Short, because a Unix socket's path may have 107 characters; one per user and checkout.
FOLDER = Path(tempfile.gettempdir()) / f"besedka-engine-{os.getuid() if hasattr(os, 'getuid') else 0}"
PACKAGES = {
    "dockerd": "docker.io",
    "iptables": "iptables",
    "ip": "iproute2",
    "debootstrap": "debootstrap",
    "docker-compose": "docker-compose",
}
START_SECONDS = 60
POLL_SECONDS = 0.1


class NoEngineHereError(Exception):
    """No engine can be had; the text is the one line that the skipped tests show."""


@contextmanager
def engine_url() -> Iterator[str]:
    """Address of an engine for the length of the block, shared by all processes that ask meanwhile."""
    found, why = _of_the_machine()
    if found:
        yield found
        return
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise NoEngineHereError(f"{why}; and only root on Linux can start one for the tests")
    with _private() as url:
        yield url


def _of_the_machine() -> tuple[str | None, str]:
    try:
        return engine.find().url, ""
    except BesedkaError as error:
        return None, error.found.splitlines()[0]


@contextmanager
def _private() -> Iterator[str]:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with (FOLDER / "users").open("ab") as users, (FOLDER / "start").open("ab") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        # Waits while the engine of earlier users is being taken down.
        fcntl.flock(users, fcntl.LOCK_SH)
        url = f"unix://{FOLDER}/docker.sock"
        if not _answers(url):
            install()
            _start(url)
        fcntl.flock(start, fcntl.LOCK_UN)
        yield url


def install() -> None:
    """Debian's engine and what the images are made with, where they are missing.

    The package would start an engine of the machine's; `invoke-rc.d` does not in this run level.
    """
    os.environ["RUNLEVEL"] = "1"
    for program, package in PACKAGES.items():
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            if not apt.usable():
                raise NoEngineHereError(f"{program} is missing, and there is no apt-get to install it")
            try:
                apt.install(package)
            except SetupError as error:
                raise NoEngineHereError(f"{package} cannot be installed: {error}") from error


def _start(url: str) -> None:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    with (FOLDER / "engine.log").open("wb") as log:
        host = subprocess.Popen(
            [sys.executable, str(HOST), str(FOLDER)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(os.environ) | {"PATH": path},
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url):
        try:
            host.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
        text = (FOLDER / "engine.log").read_text("utf-8", "replace")
        reasons = [line for line in text.splitlines() if "fail" in line.lower() or "error" in line.lower()]
        raise NoEngineHereError(f"dockerd does not start here: {(reasons or ['it says nothing'])[-1][-300:]}")


def _answers(url: str) -> bool:
    try:
        client = docker.DockerClient(base_url=url, timeout=10)
        return bool(client.ping())
    except (docker.errors.DockerException, OSError):
        return False
