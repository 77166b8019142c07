"""Faults of the services themselves: gone, slow, of another version, or not what answers at their address."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from besedka import address
from besedka.stacks.services.mongod import REPLICA_SET
from faults import mongo_proxy, names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.paused import paused
from faults.proxy import Forward, Reply, Request, Rule
from faults.rules import answers, answers_json, every, fields, late, to

_ADMIN = {"username": names.ADMIN}
_SECRET = "services.password.bcrypt"  # noqa: S105 - a field
_INFO = to("/api/info")
_LOGIN = to("/api/v1/login", "POST")
_STATUS = to("/api/v1/status/")
_ASKED = ("integrity.banners.moved",)
# Doctor gives up after four seconds, asks once more, and gives up after twelve.
_TOO_LATE_SECONDS = 12.5


def _chat(name: str, cause: str, rule: Rule, *also: str) -> Fault:
    return Fault(name, f"services.{cause}", lambda one: one.ruled("chat", rule), also)


def _site(name: str, cause: str, rule: Rule) -> Fault:
    return Fault(name, f"services.site.{cause}", lambda one: one.ruled("site", rule))


def _refused(name: str, cause: str, status: int, error: str, method: str = "") -> Fault:
    details = {"details": {"method": method}} if method else {}
    answer = answers_json(_LOGIN, status, status="error", error=error, message="refused", **details)
    return _chat(name, f"admin.{cause}", answer)


def now_and_then(rule: Rule) -> Rule:
    """Every second request that the rule is for falls to it, the others do not."""
    turns = itertools.cycle((False, True))

    def treat(request: Request, forward: Forward) -> Reply | None:
        return rule.treat(request, forward) if next(turns) else forward(request)

    return Rule(rule.matches, treat)


@contextmanager
def _elsewhere(one: BreakableStack, url: str) -> Iterator[None]:
    with one.setting("Site_Url", url):
        yield
    # Rocket.Chat asks whether the workspace has moved, there and back.
    one.admin.post("fingerprint", setDeploymentAs="updated-configuration")


@contextmanager
def _mongo_stopped(one: BreakableStack) -> Iterator[None]:
    # Rocket.Chat ends with its database, as a real one does.
    with one.stopped("rocketchat"), one.stopped("mongo"):
        yield


@contextmanager
def _mongo_paused(one: BreakableStack) -> Iterator[None]:
    """SIGSTOP: the kernel goes on taking connections, and nobody answers."""
    port = address.port(str(one.stack.mongo_url))
    listening = {row.pid for row in psutil.net_connections("tcp4") if row.pid and _listens(row, port)}
    with paused([psutil.Process(pid) for pid in listening]):
        yield


def _listens(row: Any, port: int) -> bool:
    return bool(row.status == psutil.CONN_LISTEN and row.laddr.port == port)


@contextmanager
def _seen_as(one: BreakableStack, change: mongo_proxy.Change) -> Iterator[None]:
    with mongo_proxy.before(str(one.stack.mongo_url), change) as url, one.seen_at(mongo_url=url):
        yield


@contextmanager
def _standalone(one: BreakableStack) -> Iterator[None]:
    # A driver that is told the name of a replica set does not talk to a server without one.
    with mongo_proxy.before(str(one.stack.mongo_url), mongo_proxy.standalone) as url:
        plain = url.replace(f"replicaSet={REPLICA_SET}&", "")
        with one.seen_at(mongo_url=plain):
            yield


@contextmanager
def _file_away(one: BreakableStack) -> Iterator[None]:
    away = one.site_file.with_suffix(".away")
    os.replace(one.site_file, away)
    try:
        yield
    finally:
        os.replace(away, one.site_file)


_AWAY = Rule(
    lambda _: True,
    lambda request, _: Reply(301, (("Location", f"https://chat.invalid{request.target}"),), b""),
)
FAULTS = (
    Fault("chat_redirects_to_nobody", "services.chat.redirected", lambda one: one.ruled("chat", _AWAY)),
    Fault("site_stopped", "services.site.unanswered", lambda one: one.stopped("site")),
    Fault("chat_stopped", "services.chat.unanswered", lambda one: one.stopped("rocketchat")),
    Fault("mongo_stopped", "services.mongo.unanswered", _mongo_stopped),
    Fault("mongo_paused", "services.mongo.slow", _mongo_paused),
    Fault(
        "mongo_secondary_only",
        "services.mongo.not_primary",
        lambda one: _seen_as(one, mongo_proxy.secondary),
    ),
    Fault("mongo_without_a_replica_set", "services.mongo.no_replica_set", _standalone),
    Fault(
        "mongo_too_old",
        "services.mongo_version.unsupported",
        lambda one: _seen_as(one, mongo_proxy.of_version("4.4")),
    ),
    Fault("site_database_gone", "services.site_database.unanswered", _file_away),
    _site("site_starting", "starting", answers(every, 503, "<h1>Service Unavailable</h1>")),
    _site("another_program_on_the_port_of_the_site", "not_json", answers(every, 200, "<h1>It works!</h1>")),
    Fault(
        "old_site_on_the_port_of_the_site",
        "services.site.two_programs",
        lambda one: one.ruled("site", now_and_then(fields(_STATUS, version="0.9-image"))),
    ),
    _site("site_without_its_host_name", "host", answers(every, 400, "<h1>Bad Request (400)</h1>")),
    _site("site_redirects_to_https", "redirected", answers(every, 301, Location="https://127.0.0.1/")),
    _site("site_not_ready", "not_ready", answers_json(_STATUS, 503, status="starting", version="1")),
    _chat("chat_starting", "chat.starting", answers(every, 502, "<h1>Bad Gateway</h1>")),
    _chat(
        "another_program_on_the_port_of_the_chat", "chat.not_json", answers(every, 200, "<h1>It works!</h1>")
    ),
    _chat("chat_slow", "chat.slow", late(_INFO, _TOO_LATE_SECONDS)),
    _chat("chat_of_another_version", "contract_version.differs", fields(_INFO, version="7.6")),
    Fault(
        "chat_of_a_version_with_a_dead_join_button",
        "services.chat_defects.reported",
        lambda one: one.ruled("chat", fields(_INFO, version="7.3.1")),
        ("services.contract_version.differs",),
    ),
    _chat("chat_of_an_unknown_version", "chat_version.unknown", fields(_INFO, version="12.1")),
    Fault(
        "site_and_chat_spelt_differently",
        "services.addresses.host_mix",
        lambda one: one.seen_at(chat_url=one.stack.chat_url.replace("127.0.0.1", "localhost")),
    ),
    Fault(
        "administrator_with_another_password",
        "services.admin.wrong_password",
        lambda one: one.changed("users", _ADMIN, {"$set": {_SECRET: "$2b$10$" + "a" * 53}}),
    ),
    Fault(
        "administrator_without_a_password",
        "services.admin.no_password",
        lambda one: one.changed("users", _ADMIN, {"$unset": {"services.password": 1}}),
    ),
    Fault(
        "administrator_without_the_role",
        "services.admin.not_admin",
        lambda one: one.changed("users", _ADMIN, {"$set": {"roles": ["user"]}}),
    ),
    _refused("administrator_with_an_app_code", "totp", 401, "totp-required", "totp"),
    _refused("administrator_with_a_mailed_code", "email_code", 401, "totp-required", "email"),
    _refused(
        "administrator_signs_in_too_often",
        "rate_limited",
        429,
        "error-too-many-requests",
        "Too many requests",
    ),
    _refused("administrator_blocked_after_failures", "blocked", 401, "error-login-blocked-for-ip"),
    _refused("administrator_refused", "refused", 400, "error-invalid-params"),
    Fault(
        "chat_address_with_a_slash_at_its_end",
        "services.root_url.differs",
        lambda one: _elsewhere(one, f"{one.stack.chat_url}/"),
        _ASKED,
    ),
    Fault(
        "chat_thinks_it_lives_elsewhere",
        "services.root_url.differs",
        lambda one: _elsewhere(one, "http://localhost:3000"),
        _ASKED,
    ),
)
