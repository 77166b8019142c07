"""What a stack in containers consists of: addresses, versions, and whether each service is the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from besedka.contract import Contract
from besedka.stacks import readiness
from besedka.stacks.model import Service
from besedka.stacks.services import genuine, genuine_chat, mongod


def services(
    contract: Contract, ports: Mapping[str, int], url: Callable[[str], str], log: Callable[[str], str]
) -> Iterator[Service]:
    """Each service that runs in a container; `url` is its address with the password, `log` its file."""
    chat, at = contract.chat, {name: f"127.0.0.1:{ports[name]}" for name in ("mongo", "postgres", "redis")}
    is_chat, is_mongo = genuine_chat.is_rocketchat(chat.url), genuine.is_mongodb(ports["mongo"])
    yield Service("rocketchat", chat.url, chat.version or "", is_chat, log("rocketchat"))
    yield Service("mongo", at["mongo"], mongod.version(ports["mongo"]), is_mongo, log("mongo"))
    yield Service(
        "postgres", at["postgres"], readiness.postgres_version(url("postgres")), True, log("postgres")
    )
    yield Service("redis", at["redis"], readiness.redis_version(url("redis")), True, log("redis"))
