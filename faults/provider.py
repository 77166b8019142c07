"""Faults of the OAuth provider as a whole, and of the log-in service that Rocket.Chat makes from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from besedka.rocketchat import provider
from faults import mongo_proxy, names
from faults.breakable_stack import LOGIN_SERVICES, BreakableStack
from faults.fault import Fault
from faults.proxy import Reply, Rule
from faults.rules import changed, fields, to

_CODES_LEFT = 4
# What the button of the admin page makes, when nobody fills it in.
_LEFT_BLANK = {
    "_id": "blankService00001",
    "service": f"second_{names.SERVICE}",
    "custom": True,
    "serverURL": "",
    "clientId": "",
    "buttonLabelText": "Second",
}
_LOUD = names.SERVICE.capitalize()
# UTF-8 read as a Russian Windows reads files by default.
_GARBLED_LABEL = "Войти через Беседку".encode().decode("cp1251", "replace")


def _service(name: str, cause: str, field: str, value: object) -> Fault:
    @contextmanager
    def breaking(one: BreakableStack) -> Iterator[None]:
        query = {"service": one.contract.provider.name}
        with one.settled(), one.changed(LOGIN_SERVICES, query, {"$set": {field: value}}):
            yield

    return Fault(name, f"login_service.{cause}", breaking)


@contextmanager
def _twin(one: BreakableStack, spelling: str) -> Iterator[None]:
    """A second row of the service, as a script writes it: another address, and all else as it was."""
    own = one.mongo[LOGIN_SERVICES].find_one({"service": one.contract.provider.name}) or {}
    row = own | {"_id": "twinService000001", "service": spelling, "serverURL": "http://127.0.0.1:1"}
    with one.settled(), one.inserted(LOGIN_SERVICES, row):
        yield


@contextmanager
def _there_twice(one: BreakableStack) -> Iterator[None]:
    """The same spelling: a restore brought the rows twice, and the unique index could not be built."""
    services = one.mongo[LOGIN_SERVICES]
    services.drop_index("service_1")
    try:
        with _twin(one, one.contract.provider.name):
            yield
    finally:
        services.create_index("service", unique=True)


@contextmanager
def _service_gone(one: BreakableStack) -> Iterator[None]:
    with one.settled(), one.removed(LOGIN_SERVICES, {"service": one.contract.provider.name}):
        yield


@contextmanager
def _blank(one: BreakableStack) -> Iterator[None]:
    with ExitStack() as held:
        for suffix in ("url", "id", "secret"):
            held.enter_context(one.setting(one.row(suffix), ""))
        yield


def _shown_as(setting_id: str, value: object) -> Rule:
    """What an administrator is shown of one setting."""

    def shown(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"value": value} if row["_id"] == setting_id else row

    return _settings(lambda rows: [shown(row) for row in rows])


def _settings(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Rule:
    def told(reply: Reply) -> Reply:
        page: dict[str, Any] = json.loads(reply.body)
        page["settings"] = change(page.get("settings", []))
        return replace(reply, body=json.dumps(page).encode())

    return changed(to("/api/v1/settings", "GET"), told)


@contextmanager
def _without_a_licence(one: BreakableStack) -> Iterator[None]:
    """Rocket.Chat 9.0, which the contract wants here, on a MongoDB it supports, without a licence."""
    right = one.contract
    chat = right.chat.model_copy(update={"version": "9.0.0"})
    with ExitStack() as held:
        base = provider.base_id(right.provider)
        held.enter_context(one.ruled("chat", fields(to("/api/info"), version="9.0"), _shown_as(base, False)))
        change = mongo_proxy.of_version("8.0")
        url = held.enter_context(mongo_proxy.before(str(one.stack.mongo_url), change))
        held.enter_context(one.seen_at(mongo_url=url))
        one.contract = right.model_copy(update={"chat": chat})
        held.callback(setattr, one, "contract", right)
        yield


@contextmanager
def _inert(one: BreakableStack) -> Iterator[None]:
    """Merging of roles is stored, and shown as off for want of a licence."""
    setting_id = one.row("merge_roles")
    update = {"$set": {"value": True}}
    with (
        one.changed("rocketchat_settings", {"_id": setting_id}, update),
        one.ruled("chat", _shown_as(setting_id, False)),
    ):
        yield


@contextmanager
def _codes_left(one: BreakableStack) -> Iterator[None]:
    """Codes that nobody came for, as Rocket.Chat leaves them when it cannot reach the site."""
    then = datetime.now(UTC) - timedelta(hours=1)
    stamp = then.replace(tzinfo=None).isoformat(" ")
    application = one.site_value(
        "oauth2_provider_application", ("client_id", one.contract.provider.client_id)
    )
    user = one.site_value("accounts_user", ("username", names.PLAIN.username))
    rows = [
        {
            "id": 900 + number,
            "code": f"code-nobody-came-for-{number}",
            "expires": stamp,
            "redirect_uri": provider.redirect_uri(one.contract),
            "scope": one.contract.provider.scope,
            "application_id": application,
            "user_id": user,
            "created": stamp,
            "updated": stamp,
            "code_challenge": "",
            "code_challenge_method": "",
            "nonce": "",
            "claims": "",
            "resource": "[]",
        }
        for number in range(_CODES_LEFT)
    ]
    with (
        _nobody_linked(one),
        one.emptied("oauth2_provider_accesstoken"),
        one.rows("oauth2_provider_grant", *rows),
    ):
        yield


@contextmanager
def _nobody_linked(one: BreakableStack) -> Iterator[None]:
    """No account has signed in by SSO yet: without a token no link could be the site's."""
    users, link = one.mongo["users"], f"services.{one.contract.provider.name}"
    linked = list(users.find({link: {"$exists": True}}))
    for user in linked:
        users.update_one({"_id": user["_id"]}, {"$unset": {link: ""}})
    try:
        yield
    finally:
        for user in linked:
            kept = user["services"][one.contract.provider.name]
            users.update_one({"_id": user["_id"]}, {"$set": {link: kept}})


FAULTS = (
    Fault("codes_never_exchanged", "application.codes.never_exchanged", _codes_left),
    Fault("provider_inert_without_a_licence", "provider.step.licence", _without_a_licence),
    Fault(
        "provider_missing",
        "provider.exists.missing",
        lambda one: one.removed("rocketchat_settings", {"_id": provider.base_id(one.contract.provider)}),
    ),
    Fault(
        "provider_rows_deleted_in_mongo",
        "provider.exists.missing",
        lambda one: one.removed_all(
            "rocketchat_settings", {"_id": {"$regex": f"^{provider.base_id(one.contract.provider)}"}}
        ),
    ),
    Fault(
        "provider_without_the_row_of_its_token_path",
        "provider.token_path.missing",
        lambda one: one.removed("rocketchat_settings", {"_id": one.row("token_path")}),
    ),
    Fault(
        "provider_written_into_mongo_alone",
        "provider.exists.raw",
        lambda one: one.changed(
            "rocketchat_settings",
            {"_id": provider.base_id(one.contract.provider)},
            {"$set": {"hidden": True}},
        ),
    ),
    Fault("provider_added_and_left_blank", "provider.filled.blank", _blank),
    Fault("roles_merged_without_a_licence", "provider.enterprise.inert", _inert),
    Fault("login_service_gone", "login_service.present.absent", _service_gone),
    Fault(
        "second_login_service",
        "login_service.alone.ghost",
        lambda one: one.inserted(
            LOGIN_SERVICES, {"_id": "ghostService00001", "service": f"custom_{names.SERVICE}", "custom": True}
        ),
    ),
    Fault("second_login_service_by_case", "login_service.alone.twin", lambda one: _twin(one, _LOUD)),
    Fault("login_service_there_twice", "login_service.alone.twin", _there_twice),
    Fault(
        "second_login_service_left_blank",
        "login_service.alone.blank",
        lambda one: one.inserted(LOGIN_SERVICES, _LEFT_BLANK),
    ),
    Fault(
        "button_label_garbled",
        "provider.button_label_text.garbled",
        lambda one: one.setting(one.row("button_label_text"), _GARBLED_LABEL),
        ("integrity.text.garbled",),
    ),
    _service("login_service_that_is_not_custom", "values.differs", "custom", False),
    _service("login_service_with_another_url", "values.differs", "serverURL", "http://127.0.0.1:1"),
    _service("login_service_with_an_old_client_id", "values.differs", "clientId", "OhyAnotherId"),
    _service("login_service_with_an_old_address", "values.differs", "tokenPath", "/oauth/token"),
    _service("login_service_with_an_old_secret", "secret.differs", "secret", "the one before"),
)
