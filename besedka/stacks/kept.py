"""A stack in containers that outlives its starter: `besedka up` keeps it, `up --reuse` and pytest find it.

It is used again only while it is what a new one would be: the hash covers the compose file's services, the
images' ids, the contract with its secrets, and the site's code.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
from docker.errors import DockerException  # type: ignore[import-untyped]

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT, Contract
from besedka.progress import Say
from besedka.stacks import containers, readiness, run_folders, up_records
from besedka.stacks.docker import engine, leftovers
from besedka.stacks.docker.compose import SERVICES, ComposeService
from besedka.stacks.docker.container_logs import ContainerLogs
from besedka.stacks.docker.engine import Engine
from besedka.stacks.model import Stack
from besedka.stacks.process import detached

KEPT_FOLDER = PROJECT_ROOT / ".besedka" / "kept"
RECORD = KEPT_FOLDER / "kept.json"


@dataclass(frozen=True)
class Kept:
    """What is remembered of a kept stack."""

    hash: str
    engine_url: str
    site_pid: int
    site_started: float
    stack: Stack

    @property
    def client(self) -> Any:
        """Docker's client for the engine that runs it."""
        return docker.DockerClient(base_url=self.engine_url, version="auto")


def recorded() -> Kept | None:
    """The kept stack on record, running or not; None if there is none."""
    try:
        raw = json.loads(RECORD.read_text(encoding="utf-8"))
        return Kept(**raw | {"stack": Stack.from_json(raw["stack"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def start(
    contract: Contract,
    *,
    version: str | None = None,
    ports: Mapping[str, int] | None = None,
    say: Say,
) -> Stack:
    """Start a stack and leave it running. Raises an error of engine_errors.py; nothing is left then."""
    name = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder = KEPT_FOLDER / name
    running = containers.prepared(contract, version=version, ports=ports, folder=folder, say=say)
    folder.mkdir(parents=True)
    try:
        hashed = configuration_hash(running.contract, running.services, running.engine)
        stack = running.start()
        site = running.site
        assert site is not None  # noqa: S101 - a started stack has one
        record = {
            "hash": hashed,
            "engine_url": running.engine.url,
            "site_pid": site.pid,
            "site_started": detached.started(site.pid),
            "stack": stack.to_json(),
        }
        RECORD.touch(mode=0o600)
        RECORD.write_text(json.dumps(record), encoding="utf-8")
    except BaseException:
        running.stop()
        raise
    running.release()
    return stack


def reusable(contract: Contract, *, version: str | None = None) -> tuple[Stack | None, str]:
    """The kept stack if it is what a new one would be, else None and the reason in words."""
    kept = recorded()
    if kept is None:
        return None, "no stack is kept"
    contract, services = containers.plan(contract, version)
    found = engine.find()
    if kept.hash != configuration_hash(contract, services, found):
        return None, f"stack {kept.stack.run_id} was started with another configuration"
    sick = unwell(kept)
    if sick:
        return None, f"stack {kept.stack.run_id}: {', '.join(sick)}"
    return kept.stack, ""


def unwell(kept: Kept) -> list[str]:
    """What of a kept stack does not run or answer, in words; empty if all is well."""
    rows = leftovers.containers(kept.client, kept.stack.run_id)
    states = {row.labels.get(leftovers.SERVICE_LABEL): row.status for row in rows}
    missing = [f"{name} is {states.get(name, 'gone')}" for name in SERVICES if states.get(name) != "running"]
    if not detached.runs(kept.site_pid, kept.site_started):
        missing.append("site is gone")
    if not missing and not readiness.site(kept.stack.contract(contracts.load())):
        missing.append("site does not answer")
    return missing


def follow(stack: Stack) -> None:
    """Copy what the kept stack's containers write from now on to their log files, as evidence needs it.

    It ends with this process; the containers go on.
    """
    logs = ContainerLogs(Path(stack.folder) / "logs")
    for row in leftovers.containers(engine.find().client, stack.run_id):
        logs.follow(row.labels[leftovers.SERVICE_LABEL], row, from_now_on=True)


def tail(kept: Kept, service: str, lines: int) -> str:
    """The last lines of a service of a kept stack."""
    if service == "site":
        text = Path(kept.stack.service("site").log or os.devnull).read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])
    for row in leftovers.containers(kept.client, kept.stack.run_id):
        if row.labels.get(leftovers.SERVICE_LABEL) == service:
            return str(row.logs(tail=lines).decode("utf-8", "replace"))
    return ""


def remove() -> list[str]:
    """End the kept stack and remove all of it but its logs; returns what could not be removed."""
    kept = recorded()
    if kept is None:
        return []
    detached.end(kept.site_pid, kept.site_started)
    try:
        resisted = leftovers.remove(kept.client, kept.stack.run_id)
    except DockerException as error:
        resisted = [f"its containers: {str(error).splitlines()[0]}"]
    if not resisted:
        RECORD.unlink(missing_ok=True)
        run_folders.finished(Path(kept.stack.folder), "site")
        up_records.forget(kept.stack.run_id)
    return resisted


def configuration_hash(contract: Contract, services: Mapping[str, ComposeService], found: Engine) -> str:
    """A hash of everything that a new stack would be made of."""
    images = {name: getattr(found.image(services[name].image), "id", None) for name in SERVICES}
    rows = {name: asdict(services[name]) for name in SERVICES}
    digest = hashlib.sha256(json.dumps([rows, images, list(contract.secrets)], sort_keys=True).encode())
    digest.update(contract.model_dump_json().encode())
    for path in sorted(file for room in ("web", "packages") for file in (PROJECT_ROOT / room).rglob("*")):
        if path.is_file() and path.suffix in {".py", ".html", ".js", ".css"}:
            digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()
