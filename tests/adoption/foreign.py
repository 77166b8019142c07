"""The club's site with Rocket.Chat of its own, both running: what another person would attach to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from besedka import contract as contracts
from besedka import site_status
from besedka.contract import OVERLAYS_ENV, PROJECT_ROOT, Contract
from besedka.rocketchat import provider
from besedka.stacks.process.ports import free_ports
from besedka.stacks.process.processes import ServiceProcess, base_environment, stop_all
from besedka.stacks.targets import given
from besedka.target import Target
from tests import bare_chat

FOLDER = Path(__file__).parent
SITE = FOLDER / "site"
OVERLAY = FOLDER / "besedka.toml"
START_BUDGET_SECONDS = 60.0
# Five log-ins in ten seconds are what a real one allows: `fixtures.pace` keeps to it there alone.
UNLIMITED = ("--unlimited-logins",)
# Those that a site of June 2025 had; what they need beside is in our own environment.
PACKAGES = ("django==4.2.30", "django-oauth-toolkit==2.4.0")
_CACHE = PROJECT_ROOT / ".besedka" / "adoption" / "-".join(PACKAGES).replace("==", "-")
_INSTALL_SECONDS = 120.0


@dataclass(frozen=True)
class Foreign:
    """The stack: the contract at its addresses, its databases, and what the site's commands are told."""

    contract: Contract
    mongo_url: str
    site_database_url: str
    environment: dict[str, str]
    django: str

    @property
    def target(self) -> Target:
        """As `--site-url` and the others lead to it."""
        return given(
            self.contract,
            site_url=self.contract.site.url,
            chat_url=self.contract.chat.url,
            mongo_url=self.mongo_url,
            site_database_url=self.site_database_url,
        )

    @property
    def options(self) -> tuple[str, ...]:
        """The words that attach a run to it."""
        return (
            "--stack=attached",
            f"--site-url={self.contract.site.url}",
            f"--chat-url={self.contract.chat.url}",
            f"--mongo-url={self.mongo_url}",
            f"--site-database-url={self.site_database_url}",
        )


def django() -> tuple[str, str]:
    """The folder with this site's Django, and its version; ours ("") where the package index is out of reach."""
    if not _CACHE.exists():
        making = _CACHE.with_name(f"{_CACHE.name}.{os.getpid()}")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(making)]
        done = subprocess.run(
            [*command, *PACKAGES], capture_output=True, timeout=_INSTALL_SECONDS, check=False
        )
        if done.returncode == 0 and not _CACHE.exists():
            making.rename(_CACHE)
    folder = str(_CACHE) if _CACHE.exists() else ""
    asked = "import sys; sys.path.insert(0, sys.argv[1]); import django; print(django.__version__)"
    version = subprocess.run(
        [sys.executable, "-c", asked, folder], capture_output=True, text=True, check=True
    )
    return folder, version.stdout.strip()


@contextmanager
def running(folder: Path, *, unmended: bool = False) -> Iterator[Foreign]:
    """Both in `folder`; Rocket.Chat as after its first boot, the site with its members and the chat's record."""
    (port,) = free_ports(1)
    plain = contracts.load(overlays=[OVERLAY])
    url = f"http://127.0.0.1:{port}"
    packages, version = django()
    with bare_chat.running(folder, plain.at(site_url=url, chat_url=plain.chat.url), UNLIMITED) as chat:
        told = {
            "VEREIN_DJANGO": packages,
            "VEREIN_DATEN": str(folder / "verein.sqlite3"),
            "VEREIN_CHAT_URL": chat.url,
            "VEREIN_UNMENDED": str(int(unmended)),
        }
        _command(told, "eroeffnen", stdin=json.dumps(_opening(chat.contract)))
        command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
        site = ServiceProcess("site", command, log=folder / "site.log", cwd=SITE, environment=told)
        try:
            site.wait_until(
                lambda: site_status.ready(chat.contract.site, timeout=2),
                budget=START_BUDGET_SECONDS,
                expected=site_status.expected(chat.contract.site),
            )
            yield Foreign(
                chat.contract, chat.mongo_url, f"sqlite:///{folder / 'verein.sqlite3'}", told, version
            )
        finally:
            stop_all([site])


def environment(foreign: Foreign, *overlays: Path) -> dict[str, str]:
    """What a run or a command needs beside its options: the contract, and what the site's command is told."""
    files = os.pathsep.join(map(str, (OVERLAY, *overlays)))
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {OVERLAYS_ENV: files, "PATH": path} | foreign.environment


def _opening(contract: Contract) -> dict[str, object]:
    role = contract.site.adapter.site_role
    members = [
        {
            "kuerzel": user.username,
            "email": user.email,
            "anzeigename": user.full_name,
            "funktion": role(user.role),
            "password": user.secret,
        }
        for user in contract.users
    ]
    application = {
        "client_id": contract.provider.client_id,
        "client_secret": contract.provider.secret,
        "redirect_uris": provider.redirect_uri(contract),
    }
    return {"members": members, "application": application}


def _command(told: Mapping[str, str], *words: str, stdin: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=SITE,
        env=base_environment() | dict(told),
        input=stdin,
        text=True,
        check=True,
    )
