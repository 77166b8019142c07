"""A developer's stack: docker-compose.local.yml by docker-compose 1.29, at ports of its own, and its restarts."""

from __future__ import annotations

import json
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import yaml
from pymongo import MongoClient
from pymongo.database import Database

from besedka import contract as contracts
from besedka.commands.restart import FOLDER
from besedka.contract import CONTRACT_ENV, CONTRACT_FILE, PROJECT_ROOT, Contract
from besedka.restart import mongo_dump, site_dump
from besedka.restart.inventory import Inventory
from besedka.stacks.docker.compose import COMPOSE_FILE, SERVICES
from besedka.stacks.process.ports import free_ports
from tests import inner

COMMAND_SECONDS = 120
POLL_SECONDS = 0.005
# Holds the site's port, as an old `web` does; nothing of what it does there matters to a restart.
SLEEPING_WEB = {"entrypoint": ["sleep", "600"], "stop_signal": "SIGKILL", "command": [], "volumes": []}


@dataclass(frozen=True)
class ComposeStack:
    """One compose project; `environment` is what its commands are told."""

    project: str
    file: Path
    contract: Contract
    environment: Mapping[str, str]

    @classmethod
    def made(cls, folder: Path, surroundings: Mapping[str, str]) -> ComposeStack:
        """Compose file and contract at free ports; nothing is started."""
        names = (*SERVICES, "site")
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        contract = folder / "besedka.toml"
        contract.write_text(_moved(CONTRACT_FILE.read_text("utf-8"), ports), "utf-8")
        told = dict(surroundings) | {CONTRACT_ENV: str(contract), "COLUMNS": "200"}
        told["BESEDKA_IMAGE_WEB"] = told["BESEDKA_IMAGE_POSTGRES"]
        file = folder / "docker-compose.local.yml"
        raw = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))
        for name, service in raw["services"].items():
            (row,) = service["ports"]
            port = ports["site" if name == "web" else name]
            service["ports"] = [f"127.0.0.1:{port}:{row.rpartition(':')[2]}"]
            for variable, value in service["environment"].items() if "environment" in service else ():
                service["environment"][variable] = _moved(value, ports)
        raw["services"]["web"] |= SLEEPING_WEB
        file.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), "utf-8")
        project = f"besedka-test-{secrets.token_hex(4)}"
        return cls(project, file, contracts.load(contract), inner.environment(told))

    @property
    def port(self) -> int:
        """The site's port."""
        return int(self.contract.site.url.rpartition(":")[2])

    @property
    def folder(self) -> Path:
        """Where a restart of this project keeps its journal, dumps and log."""
        return FOLDER / self.project

    @property
    def site_database_url(self) -> str:
        """PostgreSQL, from this machine."""
        return f"postgres://besedka:besedka@127.0.0.1:{self.contract.services.postgres}/besedka"

    @property
    def mongo_url(self) -> str:
        """MongoDB, from this machine."""
        return f"mongodb://127.0.0.1:{self.contract.services.mongo}/rocketchat?directConnection=true"

    @contextmanager
    def mongo(self) -> Iterator[Database[dict[str, Any]]]:
        """Rocket.Chat's database."""
        with MongoClient[dict[str, Any]](self.mongo_url) as client:
            yield client.get_default_database()

    def sql(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement in the site's database; its rows, if it has any."""
        with closing(self._site_database()) as connection:
            cursor = connection.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []

    def _site_database(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection; who was killed may have been restarting PostgreSQL at that moment."""
        deadline = time.monotonic() + COMMAND_SECONDS
        while True:
            try:
                return psycopg.connect(self.site_database_url, autocommit=True)
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL does not come back"
                Event().wait(POLL_SECONDS)

    def inventory(self) -> Inventory:
        """What is in both databases now."""
        inventory = Inventory()
        site_dump.count(self.site_database_url, inventory)
        mongo_dump.count(self.mongo_url, inventory)
        return inventory

    def dumps(self) -> list[Path]:
        """The dumps of this project, oldest first."""
        return sorted((self.folder / "dumps").iterdir(), key=lambda path: path.stat().st_mtime)

    def composed(self, *arguments: str) -> str:
        """Run docker-compose and return what it printed."""
        finished = self._run("docker-compose", "-p", self.project, "-f", str(self.file), *arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def restart(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script to its end."""
        return self._run(*self._command(arguments))

    def besedka(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the project's."""
        return self._run(sys.executable, "-m", "besedka.cli", *arguments)

    def kill_restart(self, step: str, *arguments: str) -> None:
        """Run the script and kill it (SIGKILL, with all its processes but Daphne) once it has noted a step."""
        running = subprocess.Popen(
            self._command(arguments),
            cwd=PROJECT_ROOT,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        deadline = time.monotonic() + COMMAND_SECONDS
        while step not in self._steps():
            assert running.poll() is None, f"ended before {step!r}:\n{running.communicate()[0]}"
            assert time.monotonic() < deadline, f"never came to {step!r}"
            Event().wait(POLL_SECONDS)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert running.returncode == -signal.SIGKILL, "it had ended before it was killed"

    def _steps(self) -> list[str]:
        try:
            steps: list[str] = json.loads((self.folder / "journal.json").read_text("utf-8"))["steps"]
        except FileNotFoundError:
            return []
        return steps

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        script = PROJECT_ROOT / "scripts" / "magic_restart.py"
        return [sys.executable, str(script), "--project", self.project, *arguments]

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=PROJECT_ROOT,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )


def _moved(text: str, ports: Mapping[str, int]) -> str:
    """Contract or value with the addresses at other ports."""
    for name in SERVICES:
        text = re.sub(rf"(?m)^{name} = \d+$", f"{name} = {ports[name]}", text)
    text = text.replace("//127.0.0.1:3000", f"//127.0.0.1:{ports['rocketchat']}")
    return re.sub(r"(//(?:127\.0\.0\.1|host\.docker\.internal)):8001", rf"\1:{ports['site']}", text)
