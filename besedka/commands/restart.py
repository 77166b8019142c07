"""`besedka restart`: restart a developer's stack of docker-compose.local.yml without losing anything."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.console import Console

from besedka import address, database_url
from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.restart import preview, procedure
from besedka.restart.engine import DockerServices
from besedka.restart.services import ORDER
from besedka.restart.target import ComposeTarget
from besedka.stacks import environment
from besedka.stacks.docker import in_container
from besedka.translation import spoken

FOLDER = PROJECT_ROOT / ".besedka" / "restart"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(restart)


def restart(  # noqa: PLR0913, PLR0917 - one parameter per option
    only: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE", help="Restart this one only; may be repeated.")
    ] = None,
    restore: Annotated[Path | None, typer.Option(help="Folder of a dump to bring back on the way.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would be stopped, dumped, started; do nothing.")
    ] = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Do not go on with an interrupted restart; count anew.")
    ] = False,
    project: Annotated[
        str | None, typer.Option(help="Compose project; COMPOSE_PROJECT_NAME or the folder's name.")
    ] = None,
    site_url: Annotated[str | None, typer.Option(help="Address of the site.")] = None,
    chat_url: Annotated[str | None, typer.Option(help="Address of Rocket.Chat.")] = None,
    mongo_url: Annotated[str | None, typer.Option(help="Rocket.Chat's MongoDB.")] = None,
    site_database_url: Annotated[str | None, typer.Option(help="DATABASE_URL of the site.")] = None,
    bind: Annotated[str, typer.Option(help="Address on which Daphne listens.")] = "127.0.0.1",
) -> None:
    """Restart postgres, redis, mongo and rocketchat, start Daphne, provision, examine; lose nothing.

    Both databases are dumped first; users, rooms, subscriptions and messages are counted before and after.

    Exit status: doctor's verdict: 0 healthy, 1 findings, 2 the stack could not be asked.
    What went wrong has a status of its own: see the end of `besedka --help`.
    """
    for name in only or ():
        if name not in ORDER:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(ORDER)}")
    name = project or os.environ.get("COMPOSE_PROJECT_NAME") or _project_of(PROJECT_ROOT)
    console = Console(highlight=False, soft_wrap=True)

    def say(line: str) -> None:
        console.print(spoken(line), markup=False)

    services = DockerServices(name)
    target = _target(name, site_url, chat_url, mongo_url, site_database_url, bind)
    target = replace(target, gateway=services.gateway)
    if plan:
        for line in preview.of(target, services, only=only or (), restore=restore, afresh=afresh):
            say(line)
        return
    report = procedure.restart(
        target,
        services,
        say=say,
        only=only or (),
        restore=restore,
        afresh=afresh,
    )
    report.print(console)
    healthy = report.exit_status == 0
    say(f"verdict: nothing was lost, and the stack is {'healthy' if healthy else 'not healthy: see above'}")
    raise typer.Exit(report.exit_status)


def _target(  # noqa: PLR0913, PLR0917 - the options
    project: str,
    site_url: str | None,
    chat_url: str | None,
    mongo_url: str | None,
    site_database_url: str | None,
    bind: str,
) -> ComposeTarget:
    database_url.refuse_unreadable(mongo_url=mongo_url, site_database_url=site_database_url)
    address.refuse_others(site_url=site_url, chat_url=chat_url)
    contract = contracts.load()
    own = contract.own_provider_url
    site = address.normal(site_url or contract.site.url)
    # Rocket.Chat is in a container, where 127.0.0.1 is the container.
    moved = contract.at(
        site_url=site,
        chat_url=address.normal(chat_url or contract.chat.url),
        provider_url=own or in_container.provider_url(site),
    )
    ports = contract.services
    password = quote(os.environ.get("BESEDKA_POSTGRES_PASSWORD") or "besedka", safe="")
    database = site_database_url or f"postgres://besedka:{password}@127.0.0.1:{ports.postgres}/besedka"
    told = environment.site(
        moved,
        database_url=database,
        # The one that docker-compose.local.yml gives to web: another would sign everybody out.
        secret_key=os.environ.get("BESEDKA_SECRET_KEY") or "development-only",
        redis_url=f"redis://127.0.0.1:{ports.redis}/0",
    )
    return ComposeTarget(
        project=project,
        contract=moved,
        mongo_url=mongo_url or f"mongodb://127.0.0.1:{ports.mongo}/rocketchat?directConnection=true",
        site_database_url=database,
        site_environment=told,
        folder=FOLDER / project,
        bind=bind,
    )


def _project_of(folder: Path) -> str:
    """The name compose gives to a project by its folder: lower case, letters, digits, - and _ alone."""
    return re.sub(r"[^-_a-z0-9]", "", folder.name.lower()).lstrip("_-")
