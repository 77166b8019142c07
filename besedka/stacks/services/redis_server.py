"""The embedded stack's Redis, the site's cache: a `redis-server` of this machine, or none."""

from __future__ import annotations

import shutil
from pathlib import Path

from besedka.stacks.process.processes import ServiceProcess
from besedka.stacks.services import programs

NAME = "redis"
START_BUDGET_SECONDS = 30.0
_EXPECTED = "the path of a Redis server"


def find(wish: str) -> tuple[str | None, str]:
    """The `redis-server` to run, or None and why. `wish`: auto, none or a path.

    Raises StackStartError when a named one is not there or says no version.
    """
    if wish == programs.NONE:
        return None, "--redis=none"
    if wish == programs.AUTO:
        return shutil.which("redis-server"), "no redis-server on PATH"
    found = programs.named("--redis", wish, expected=_EXPECTED, instead="leave the option out")
    programs.version(found, r"v=(\d+\.\d+\S*)", expected="Redis server v=<version>")
    return found, ""


def start(program: str, *, port: int, data: Path, log: Path) -> ServiceProcess:
    """Start Redis on 127.0.0.1; it keeps what it acknowledges, as docker-compose.local.yml has it."""
    data.mkdir(parents=True, exist_ok=True)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(data)]
    command += ["--appendonly", "yes", "--save", ""]
    return ServiceProcess(NAME, command, log=log, cwd=data, environment={})


def wait(process: ServiceProcess, port: int) -> None:
    """Return once Redis answers. Raises StackStartError."""
    from besedka.stacks import readiness  # noqa: PLC0415

    address = url(port)
    process.wait_until(
        lambda: readiness.redis_answers(address), budget=START_BUDGET_SECONDS, expected="an answer to PING"
    )


def version(port: int) -> str:
    """Version that the running server names, e.g. `7.0.15`."""
    from besedka.stacks import readiness  # noqa: PLC0415

    return readiness.redis_version(url(port))


def url(port: int) -> str:
    """Address for the site."""
    return f"redis://127.0.0.1:{port}/0"
