"""Which programs of the embedded stack are real ones of this machine, found and checked before a start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from besedka.contract import Contract
from besedka.errors import StackKindError
from besedka.progress import Say
from besedka.stacks import versions
from besedka.stacks.services import bundle as bundles
from besedka.stacks.services import chat_client as clients
from besedka.stacks.services import mongod, mongod_download, postgres, programs, redis_server
from besedka.stacks.services.bundle import Bundle
from besedka.stacks.services.chat_client import ChatClient

# What an absent service's work is done by.
_INSTEAD = {
    "postgres": "SQLite keeps the site's data",
    "redis": "the site's own memory is its cache",
}


@dataclass(frozen=True)
class ServiceOptions:
    """What the user asked for. `postgres`, `redis`: auto, none or a path; `mongod`: a path or `download`."""

    mongod: str | None = None
    postgres: str = programs.AUTO
    redis: str = programs.AUTO
    bundle: str | None = None
    node: str | None = None
    chat_client: str | None = None
    client_mood: str | None = None
    tls: bool = False

    def given(self) -> list[str]:
        """The options that were given, in the words of a command line: an embedded stack alone obeys them."""
        rows = {
            "--mongod": self.mongod,
            "--postgres": None if self.postgres == programs.AUTO else self.postgres,
            "--redis": None if self.redis == programs.AUTO else self.redis,
            bundles.OPTION: self.bundle,
            "--node": self.node,
            clients.OPTION: self.chat_client,
            clients.MOOD_OPTION: self.client_mood,
        }
        return [f"{name}={value}" for name, value in rows.items() if value] + ["--tls"] * self.tls


@dataclass(frozen=True)
class Programs:
    """The programs to run; None: Rocket.Chat's and MongoDB's stand-in, and no PostgreSQL or Redis at all.

    `tls` puts site and chat behind https. `ports` are fixed ones, by service; others are free ones. `absent`
    says for the latter two what does their work, and why.
    """

    mongod: str | None = None
    postgres: postgres.Program | None = None
    redis: str | None = None
    bundle: Bundle | None = None
    chat_client: ChatClient | None = None
    client_mood: str | None = None
    tls: bool = False
    ports: Mapping[str, int] = field(default_factory=dict)
    absent: Mapping[str, str] = field(
        default_factory=lambda: {name: f"{instead} (not asked for)" for name, instead in _INSTEAD.items()}
    )


def served(wanted: ServiceOptions) -> Bundle | ChatClient | None:
    """What was wished for in place of the stand-in, or of its client. Raises a BesedkaError."""
    if wanted.bundle and wanted.chat_client:
        raise StackKindError(
            f"{bundles.OPTION}={wanted.bundle} with {clients.OPTION}={wanted.chat_client}",
            expected="one of them: a bundle's server serves the client that it came with",
            where="the command line, or the environment",
            next_step=f"{bundles.OPTION} runs Rocket.Chat itself, {clients.OPTION} only shows its client",
        )
    if wanted.client_mood:
        clients.check_mood(wanted.client_mood, beside=wanted.bundle or wanted.chat_client)
    if wanted.bundle:
        return bundles.find(wanted.bundle, wanted.node)
    return clients.find(wanted.chat_client) if wanted.chat_client else None


def find(wanted: ServiceOptions, contract: Contract, *, say: Say) -> Programs:
    """Find what was wished for. Raises StackStartError, before anything is started.

    Nothing is downloaded unless `wanted.mongod` says so.
    """
    chosen = served(wanted)
    bundle = chosen if isinstance(chosen, Bundle) else None
    database, no_database = postgres.find(wanted.postgres)
    cache, no_cache = redis_server.find(wanted.redis)
    if wanted.mongod == mongod_download.WISH:
        accepted = versions.mongo_series((bundle.contract(contract) if bundle else contract).chat.version)
        chat_data: str | None = mongod_download.fetched(accepted, say)
    else:
        chat_data = mongod.find(wanted.mongod)
    if bundle:
        bundle.check_mongod(chat_data, contract)
    reasons = {name: why for name, why in (("postgres", no_database), ("redis", no_cache)) if why}
    found = {"postgres": database, "redis": cache}
    absent = {
        name: f"{_INSTEAD[name]} ({reasons[name]})" for name, program in found.items() if program is None
    }
    client = chosen if isinstance(chosen, ChatClient) else None
    return Programs(chat_data, database, cache, bundle, client, wanted.client_mood, wanted.tls, absent=absent)
