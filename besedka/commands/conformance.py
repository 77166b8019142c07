"""`besedka conformance`: does Rocket.Chat behave as this project takes it to? One page of results.

For somebody who upgrades Rocket.Chat: what was asked, as expected, different, and not asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import requests
import typer

from besedka import contract as contracts
from besedka.commands.target import ChatUrl, MongoUrl, SiteDatabaseUrl, SiteUrl, located
from besedka.contract import PROJECT_ROOT
from besedka.target import Target

_TESTS = "standins/tests/rocketchat"
_PAGE = PROJECT_ROOT / ".besedka" / "conformance.md"
_PAGE_ENV = "BESEDKA_CONFORMANCE_PAGE"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(conformance)


def conformance(  # noqa: PLR0913, PLR0917 - one parameter per option
    kind: Annotated[
        str, typer.Option("--stack", metavar="KIND", help="attached, embedded or containers.")
    ] = ("attached"),
    site_url: SiteUrl = None,
    chat_url: ChatUrl = None,
    mongo_url: MongoUrl = None,
    site_database_url: SiteDatabaseUrl = None,
    change_settings: Annotated[
        bool, typer.Option(help="Change settings for a question, and put them back after it.")
    ] = True,
    page: Annotated[Path, typer.Option(metavar="FILE", help="Where the page of results goes.")] = _PAGE,
    select: Annotated[str, typer.Option("-k", metavar="WORDS", help="Ask only these (pytest's -k).")] = "",
) -> None:
    """Ask a server every question of the conformance tests and show one page of results.

    Without an address it asks the stack of `up` if one runs, else the one that besedka.toml names. Temporary
    users and rooms are made and removed. Ends with 0 when all is as expected, 1 when something is different.
    A stack that cannot be asked ends it with its own status.
    """
    command = [
        sys.executable,
        "-m",
        "pytest",
        _TESTS,
        "-m",
        "conformance",
        "-q",
        "-n",
        "0",
        f"--stack={kind}",
    ]
    server = kind
    if kind == "attached":
        target, _contract, _stack = located(
            contracts.load(),
            site_url=site_url,
            chat_url=chat_url,
            mongo_url=mongo_url,
            site_database_url=site_database_url,
        )
        command += [*_options(target), *(["--change-settings"] if change_settings else [])]
        server = _server(target.chat_url)
    command += ["-k", select] if select else []
    page = page.resolve()
    page.parent.mkdir(parents=True, exist_ok=True)
    page.unlink(missing_ok=True)
    told = {_PAGE_ENV: str(page), f"{_PAGE_ENV}_SERVER": server}
    done = subprocess.run(  # noqa: S603 - our own tests
        command, cwd=PROJECT_ROOT, env=os.environ | told, check=False
    )
    if page.exists():
        typer.echo(page.read_text(encoding="utf-8"))
        typer.echo(f"This page: {page}")
    raise typer.Exit(done.returncode)


def _options(target: Target) -> list[str]:
    """pytest's options for a stack that is there."""
    addresses = {
        "site-url": target.site_url,
        "chat-url": target.chat_url,
        "mongo-url": target.mongo_url,
        "site-database-url": target.site_database_url,
    }
    return [*(f"--{name}={value}" for name, value in addresses.items() if value), "--write", "--no-diagnosis"]


def _server(chat_url: str) -> str:
    """The version that it names to anybody, and its address."""
    try:
        version = requests.get(f"{chat_url}/api/info", timeout=5).json()["version"]
    except (requests.RequestException, ValueError, KeyError):
        return f"nobody knows which version, at {chat_url}"
    return f"Rocket.Chat {version} at {chat_url}"
