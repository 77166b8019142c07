"""A stack that tests may break, and ways to break and heal it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from pymongo.database import Database

from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.contract import Contract
from besedka.rocketchat import provider
from besedka.rocketchat.rest import RocketChat
from besedka.stack.embedded import EmbeddedStack
from besedka.stack.model import Stack


@dataclass
class Patient:
    """A stack that tests may break, with every way to break it."""

    running: EmbeddedStack
    contract: Contract
    stack: Stack
    admin: RocketChat
    mongo: Database[dict[str, Any]]

    def set(self, setting_id: str, value: Any) -> None:
        self.admin.post(f"settings/{setting_id}", value=value)

    def sql(self, statement: str, *values: object) -> None:
        assert self.stack.site_database_url is not None
        with closing(sqlite3.connect(self.stack.site_database_url.removeprefix("sqlite:///"))) as site:
            site.execute(statement, values)
            site.commit()

    def examine(self, **options: Any) -> Report:
        return examine(self.stack, self.contract, **options)


Break = Callable[[Patient], None]


@dataclass(frozen=True)
class Broken:
    """How to break the patient, how to heal it, and the cause that must be named."""

    name: str
    cause: str
    break_it: Break
    heal: Break


def setting(setting_id: str, wrong: Any) -> Broken:
    def heal(patient: Patient) -> None:
        patient.set(setting_id, patient.contract.settings[setting_id])

    return Broken(setting_id, f"setting.{setting_id}.wrong", lambda one: one.set(setting_id, wrong), heal)


def row(suffix: str, wrong: Any) -> Broken:
    def named(patient: Patient) -> str:
        return f"{provider.base_id(patient.contract.provider)}-{suffix}"

    def heal(patient: Patient) -> None:
        patient.set(named(patient), provider.values(patient.contract)[suffix])
        wait_for_service(patient)

    return Broken(suffix, f"provider.{suffix}.wrong", lambda one: one.set(named(one), wrong), heal)


def wait_for_service(patient: Patient) -> None:
    """The service follows its settings with a delay of its own."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not patient.examine(only=["login_service"], write=False).findings:
            return
    pytest.fail("the log-in service did not come back within 10 s")


def document(name: str, cause: str, collection: str, body: dict[str, Any]) -> Broken:
    return Broken(
        name,
        cause,
        lambda one: one.mongo[collection].insert_one(dict(body)) and None,
        lambda one: one.mongo[collection].delete_one({"_id": body["_id"]}) and None,
    )


def application(column: str, wrong: Any, cause: str) -> Broken:
    def right(patient: Patient) -> Any:
        values = {
            "client_secret": patient.contract.provider.secret,
            "redirect_uris": provider.redirect_uri(patient.contract),
            "skip_authorization": 1,
        }
        return values[column]

    statement = f"UPDATE oauth2_provider_application SET {column} = ?"  # noqa: S608 - a column of this file
    return Broken(
        column, cause, lambda one: one.sql(statement, wrong), lambda one: one.sql(statement, right(one))
    )


BROKEN = [
    setting("Iframe_Restrict_Access", True),
    setting("Accounts_TwoFactorAuthentication_Enabled", True),
    setting("Iframe_Integration_receive_origin", "http://localhost:8001"),
    setting("First_Channel_After_Login", ""),
    row("secret", "rotated"),
    row("url", "http://127.0.0.1:1"),
    application("client_secret", "another", "application.secret.differs"),
    application("redirect_uris", "", "application.redirect_uri.empty"),
    application("skip_authorization", 0, "application.consent.asked"),
    document(
        "invented setting",
        "integrity.settings_known.near_miss",
        "rocketchat_settings",
        {"_id": "Restrict_access_inside_any_Iframe", "value": False},
    ),
    document(
        "ghost provider row",
        "provider.spelling.underscore",
        "rocketchat_settings",
        {"_id": "Accounts_OAuth_Custom_Besedka_url", "value": "x"},
    ),
    document(
        "vip-chat beside vip",
        "rooms.exist.twin",
        "rocketchat_room",
        {"_id": "kP3sYtWq8RbN5vXzA", "name": "vip-chat", "t": "c", "usersCount": 0},
    ),
]
