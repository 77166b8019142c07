"""Reads docker-compose.local.yml, so that what the suite starts is what a developer runs.

Only what the file uses is understood: `image`, `command`, `environment`, `ports`, `volumes` (named ones),
`hostname`, `extra_hosts`, `healthcheck.test`, and `${NAME}`, `${NAME:-default}`, `$$` in every text
(https://docs.docker.com/reference/compose-file/interpolation/).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from besedka.contract import PROJECT_ROOT
from besedka.stacks.docker.engine_errors import ComposeFileError

COMPOSE_FILE = PROJECT_ROOT / "docker-compose.local.yml"
COMPOSE_ENV = "BESEDKA_COMPOSE_FILE"
# What a stack consists of; `web` is not started by anybody but its developer.
SERVICES = ("postgres", "redis", "mongo", "rocketchat")
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?::?-(?P<default>[^}]*))?\})")
_NEXT_STEP = "correct the file; nothing was started"


@dataclass(frozen=True)
class ComposeService:
    """One service as the file describes it, variables filled in.

    `port` is the port inside the container, `published` the one on the developer's machine. `volumes` maps
    a named volume to its place in the container.
    """

    name: str
    image: str
    port: int
    published: int
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] | None = None
    volumes: dict[str, str] = field(default_factory=dict)
    hostname: str | None = None
    extra_hosts: dict[str, str] = field(default_factory=dict)
    health_command: list[str] = field(default_factory=list)


def load(path: Path | None = None, variables: Mapping[str, str] | None = None) -> dict[str, ComposeService]:
    """Name → service for everything a stack consists of, and `web`.

    `path` defaults to the file that BESEDKA_COMPOSE_FILE names, then to docker-compose.local.yml;
    `variables` to the environment. Raises ComposeFileError with the place in the file.
    """
    path = path or Path(os.environ.get(COMPOSE_ENV) or COMPOSE_FILE)
    rows = _services(path)
    variables = os.environ if variables is None else variables
    for name in SERVICES:
        if name not in rows:
            raise ComposeFileError(
                f"no service {name!r}",
                expected=", ".join(SERVICES) + " below services:",
                where=str(path),
                next_step=_NEXT_STEP,
            )
    return {name: _service(name, _filled(row, variables), path) for name, row in rows.items()}


def _services(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ComposeFileError(
            f"the compose file cannot be read: {error.strerror}",
            where=str(path),
            next_step=f"restore the file, or point {COMPOSE_ENV} at another one",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise ComposeFileError(
            f"a syntax error: {getattr(error, 'problem', None) or error}",
            expected="YAML as `docker compose config` accepts it",
            where=place,
            next_step=_NEXT_STEP,
        ) from error
    services = raw.get("services") if isinstance(raw, dict) else None
    if not isinstance(services, dict) or not all(isinstance(row, dict) for row in services.values()):
        raise ComposeFileError(
            "no table of services",
            expected="services: with one table per service",
            where=str(path),
            next_step=_NEXT_STEP,
        )
    return services


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    """The value with every `${…}` replaced; an empty variable counts as unset, as with `:-`."""
    if isinstance(value, dict):
        return {key: _filled(entry, variables) for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, variables) for entry in value]
    if not isinstance(value, str):
        return value

    def replace(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        return variables.get(found["name"]) or found["default"] or ""

    return _VARIABLE.sub(replace, value)


def _service(name: str, row: dict[str, Any], path: Path) -> ComposeService:
    place = f"services.{name}"
    try:
        published, port = _ports(row["ports"])
        return ComposeService(
            name=name,
            image=str(row["image"]),
            port=port,
            published=published,
            environment={key: str(value) for key, value in row.get("environment", {}).items()},
            command=[str(word) for word in row["command"]] if "command" in row else None,
            volumes=dict(_pair(volume) for volume in row.get("volumes", ()) if volume[0] not in "./"),
            hostname=row.get("hostname"),
            extra_hosts=dict(_pair(entry) for entry in row.get("extra_hosts", ())),
            health_command=_health(row.get("healthcheck", {})),
        )
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise ComposeFileError(
            f"{place} cannot be used: {type(error).__name__}: {error}",
            expected="image, ports as 127.0.0.1:PORT:PORT, environment as a table, commands as lists",
            where=f"{path}, {place}",
            next_step=_NEXT_STEP,
        ) from error


def _ports(rows: list[str]) -> tuple[int, int]:
    (row,) = rows
    address, published, port = row.split(":")
    if address != "127.0.0.1":
        message = f"port {row!r} is not bound to 127.0.0.1"
        raise ValueError(message)
    return int(published), int(port)


def _pair(text: str) -> tuple[str, str]:
    first, second = text.split(":")[:2]
    return first, second


def _health(row: Mapping[str, Any]) -> list[str]:
    test = [str(word) for word in row.get("test", ())]
    if test and test[0] != "CMD":
        message = f"healthcheck.test begins with {test[0]!r}, not with CMD"
        raise ValueError(message)
    return test[1:]
