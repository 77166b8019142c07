"""What of an attached stack stands still, and what stands in its way: containers, and holders of its ports.

Asked of the engine, where one answers, and of the system's table of ports; nothing is changed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import psutil

from besedka import address
from besedka.errors import BesedkaError
from besedka.stacks.docker.presence import engine_is_likely

PROJECT_LABEL, SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"
NEEDED = ("postgres", "redis", "mongo", "rocketchat")
# Statuses of `docker inspect` in which a container does no work.
NOT_RUNNING = ("created", "restarting", "paused", "exited", "dead")


def holders(url: str) -> list[str]:
    """Who listens on the address's port, e.g. `python (process 12)`; [] where it is another machine's."""
    parts = urlsplit(url)
    if not address.is_loopback(parts.hostname or ""):
        return []
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = []
    for pid in _listeners(port):
        with suppress(psutil.Error):
            found.append(f"{psutil.Process(pid).name()} (process {pid})")
    return found


def troubles(site_url: str, chat_url: str, *, answering: bool) -> list[str]:
    """One line per container of Rocket.Chat's compose project that does not run or is unhealthy. One more if
    `web` runs beside Daphne. A container that is only starting is named unless all are `answering`.
    """
    rows = _project_of(chat_url)
    found = []
    for name in NEEDED:
        for container in rows.get(name, ()):
            state = container.attrs["State"]
            health = state.get("Health", {}).get("Status", "")
            if state["Status"] in NOT_RUNNING:
                ended = f", status {state['ExitCode']}" if state["Status"] == "exited" else ""
                found.append(f"container {container.name} ({name}) is {state['Status']}{ended}")
            elif health == "unhealthy" or (health == "starting" and not answering):
                found.append(f"container {container.name} ({name}) runs and is {health}")
    webs = [container.name for container in rows.get("web", ()) if container.status == "running"]
    port = address.port(site_url)
    daphnes = [pid for pid in _listeners(port) if _is_daphne(pid)]
    if webs and daphnes:
        found.append(
            f"container {webs[0]} (web) runs beside Daphne (process {daphnes[0]}): two sites, and the "
            "old one may answer"
        )
    return found


def _project_of(chat_url: str) -> dict[str, list[Any]]:
    """Service → containers of the compose project that has Rocket.Chat's port, running or not."""
    parts = urlsplit(chat_url)
    if not address.is_loopback(parts.hostname or "") or not engine_is_likely():
        return {}
    # A second of imports that a machine without Docker does without.
    from docker.errors import DockerException  # type: ignore[import-untyped]  # noqa: PLC0415

    from besedka.stacks.docker import engine  # noqa: PLC0415

    port = str(parts.port or (443 if parts.scheme == "https" else 80))
    rows: dict[str, list[Any]] = {}
    try:
        everything = engine.find().client.containers.list(
            all=True, ignore_removed=True, filters={"label": PROJECT_LABEL}
        )
    except (BesedkaError, DockerException, OSError):
        return {}
    projects = {row.labels[PROJECT_LABEL] for row in everything if port in _declared_ports(row)}
    for row in everything:
        if row.labels[PROJECT_LABEL] in projects:
            rows.setdefault(row.labels.get(SERVICE_LABEL, ""), []).append(row)
    return rows


def _declared_ports(container: Any) -> set[str]:
    bindings = (container.attrs["HostConfig"]["PortBindings"] or {}).values()
    return {row["HostPort"] for rows in bindings for row in rows or ()}


def _listeners(port: int) -> list[int]:
    with suppress(psutil.AccessDenied):
        rows = psutil.net_connections(kind="tcp")
        listening = [row for row in rows if row.status == psutil.CONN_LISTEN]
        return sorted({row.pid for row in listening if row.pid and row.laddr and row.laddr.port == port})
    return []


def _is_daphne(pid: int) -> bool:
    with suppress(psutil.Error):
        return any("daphne" in word for word in psutil.Process(pid).cmdline())
    return False
