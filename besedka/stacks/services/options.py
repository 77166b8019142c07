"""Which programs of the embedded stack are real ones of this machine, found and checked before a start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from besedka.contract import Contract
from besedka.errors import UsageError
from besedka.progress import Say
from besedka.stacks import versions
from besedka.stacks.services import bundle as bundles
from besedka.stacks.services import chat_client as clients
from besedka.stacks.services import mongod, mongod_download, nginx, postgres, programs, redis_server
from besedka.stacks.services.bundle import Bundle
from besedka.stacks.services.chat_client import ChatClient

# What each answer of a slow network takes more: above the 170 ms of WebPageTest's "4G".
SLOW_SECONDS = 0.175


def instead(name: str, why: str) -> str:
    """What does the work of a service that is absent, and why."""
    said = {
        "postgres": f"SQLite keeps the site's data ({why})",
        "redis": f"the site's own memory is its cache ({why})",
        "nginx": f"a small proxy of this project stands before site and chat ({why})",
    }
    return said[name]


@dataclass(frozen=True)
class ServiceOptions:
    """What the user asked for. `postgres`, `redis`, `nginx`: auto, none or a path; `mongod`: a path or
    `download`."""

    mongod: str | None = None
    postgres: str = programs.AUTO
    redis: str = programs.AUTO
    bundle: str | None = None
    node: str | None = None
    chat_client: str | None = None
    client_mood: str | None = None
    tls: bool = False
    proxy: bool = False
    one_host: bool = False
    nginx: str = programs.AUTO
    slow_network: bool = False

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
            "--nginx": None if self.nginx == programs.AUTO else self.nginx,
        }
        switches = {
            "--tls": self.tls,
            "--proxy": self.proxy,
            "--one-host": self.one_host,
            "--slow-network": self.slow_network,
        }
        given = [f"{name}={value}" for name, value in rows.items() if value]
        return given + [name for name, on in switches.items() if on]


@dataclass(frozen=True)
class Programs:
    """The programs to run; None: Rocket.Chat's and MongoDB's stand-in, and no PostgreSQL or Redis at all.

    `tls` puts site and chat behind https, `proxy` behind nginx, or a proxy of ours where that is None.
    `one_host` gives both one host there. Each answer comes `delay` seconds late. `ports` are fixed ones, by
    service; others are free ones. `absent` says what does the work of PostgreSQL, Redis and nginx, and why.
    """

    mongod: str | None = None
    postgres: postgres.Program | None = None
    redis: str | None = None
    bundle: Bundle | None = None
    chat_client: ChatClient | None = None
    client_mood: str | None = None
    tls: bool = False
    proxy: bool = False
    one_host: bool = False
    nginx: str | None = None
    delay: float = 0.0
    ports: Mapping[str, int] = field(default_factory=dict)
    absent: Mapping[str, str] = field(
        default_factory=lambda: {name: instead(name, "not asked for") for name in ("postgres", "redis")}
    )


def served(wanted: ServiceOptions) -> Bundle | ChatClient | None:
    """What was wished for in place of the stand-in, or of its client. Raises a BesedkaError."""
    if wanted.bundle and wanted.chat_client:
        raise UsageError(
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
    if chosen and versions.unlike(contract, chosen.version):
        option = bundles.OPTION if wanted.bundle else clients.OPTION
        told = contract.chat.version
        say(f"besedka.toml targets Rocket.Chat {told}, {option} is {chosen.version}; the stack goes by this")
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
    front, no_front = _front(wanted, contract, say)
    reasons = {"postgres": no_database, "redis": no_cache, "nginx": no_front}
    return Programs(
        chat_data,
        database,
        cache,
        bundle,
        chosen if isinstance(chosen, ChatClient) else None,
        wanted.client_mood,
        wanted.tls,
        wanted.proxy or wanted.slow_network,
        wanted.one_host,
        front,
        SLOW_SECONDS * wanted.slow_network,
        absent={name: instead(name, why) for name, why in reasons.items() if why},
    )


def _front(wanted: ServiceOptions, contract: Contract, say: Say) -> tuple[str | None, str]:
    """nginx, or None and why not; nothing of both without `--proxy`."""
    if wanted.slow_network:
        return None, "--slow-network"
    if wanted.proxy:
        nginx.settings(contract)
        return nginx.find(wanted.nginx, say)
    if given := [name for name in wanted.given() if name.startswith(("--one-host", "--nginx"))]:
        raise UsageError(
            f"{given[0]} without --proxy",
            expected="--proxy, which it is about",
            where="the command line",
            next_step="add --proxy, or leave it out",
        )
    return None, ""
