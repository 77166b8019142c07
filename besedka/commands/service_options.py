"""The options that choose what an embedded stack is made of, with one text for every command."""

from __future__ import annotations

from typing import Annotated

import typer

from besedka.stacks.services import bundle, chat_client

Mongod = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Embedded: run this MongoDB server; `download` fetches one."),
]
Postgres = Annotated[
    str, typer.Option(metavar="DIR", help="Embedded: folder of a PostgreSQL server's programs, or none.")
]
Redis = Annotated[str, typer.Option(metavar="PATH", help="Embedded: the site's Redis server, or none.")]
Bundle = Annotated[
    str | None,
    typer.Option(
        bundle.OPTION, metavar="DIR", help="Embedded: Rocket.Chat itself, from that unpacked server."
    ),
]
Node = Annotated[str | None, typer.Option(metavar="PATH", help="Embedded: the Node.js that runs the bundle.")]
Tls = Annotated[bool, typer.Option("--tls", help="Embedded: site and chat by https.")]
Proxy = Annotated[bool, typer.Option("--proxy", help="Embedded: behind nginx, by the host names of [proxy].")]
OneHost = Annotated[
    bool, typer.Option("--one-host", help="With --proxy: the chat below [proxy] chat_path of the site.")
]
Nginx = Annotated[
    str, typer.Option(metavar="PATH", help="With --proxy: this nginx, or none: our own small proxy.")
]
Client = Annotated[
    str | None,
    typer.Option(
        chat_client.OPTION,
        metavar="DIR",
        help="Embedded: Rocket.Chat's own web client from that folder, served by the stand-in.",
    ),
]
Mood = Annotated[
    str | None,
    typer.Option(
        chat_client.MOOD_OPTION,
        metavar="MOOD",
        help=f"Embedded: how awkward the stand-in's own client is: {', '.join(chat_client.MOODS)}.",
    ),
]
