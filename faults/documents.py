"""Faults of Rocket.Chat's documents: what scripts left in MongoDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from bson import ObjectId

from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.rules import every, reply_with

_SETTINGS = "rocketchat_settings"
_ROOMS = "rocketchat_room"
_OWNER = {"username": names.ADMIN}
_VIP = {"name": names.PRIVATE.name}
_PLAIN = {"username": names.PLAIN.username}
_LINK = f"services.{names.SERVICE}"
_KEY = names.SERVICE.capitalize()
_PASSWORD = {"password": {"bcrypt": "$2b$10$" + "a" * 53}}


def _more(name: str, cause: str, collection: str, document: dict[str, Any], *also: str) -> Fault:
    return Fault(name, cause, lambda one: one.inserted(collection, document), also)


def _changed(
    name: str, cause: str, collection: str, query: dict[str, Any], update: dict[str, Any], *also: str
) -> Fault:
    return Fault(name, cause, lambda one: one.changed(collection, query, update), also)


def _person(username: str, user_id: object = "somebodyElse00001") -> dict[str, Any]:
    return {
        "_id": user_id,
        "username": username,
        "name": username,
        "type": "user",
        "active": True,
        "roles": ["user"],
        "services": _PASSWORD,
    }


def _room(name: str) -> dict[str, Any]:
    return {"_id": "roomMadeByAScript", "name": name, "t": "c", "usersCount": 0}


@contextmanager
def _clock_ahead(one: BreakableStack) -> Iterator[None]:
    """Rocket.Chat runs on a machine whose clock is two days ahead, and writes its dates."""
    then = datetime.now(UTC) + timedelta(days=2)
    with (
        one.changed(_ROOMS, _VIP, {"$set": {"ts": then}}),
        one.ruled("chat", reply_with(every, "Date", format_datetime(then, usegmt=True))),
    ):
        yield


FAULTS = (
    Fault(
        "setting_outside_its_choices",
        "integrity.settings_types.outside",
        lambda one: one.setting("Accounts_Directory_DefaultView", "rooms"),
    ),
    _more(
        "invented_setting",
        "integrity.settings_known.near_miss",
        _SETTINGS,
        {"_id": "Restrict_access_inside_any_Iframe", "value": False},
    ),
    _more(
        "setting_of_nobody",
        "integrity.settings_known.unknown",
        _SETTINGS,
        {"_id": "Enable_PWA", "value": True},
    ),
    _more(
        "provider_row_with_underscores",
        "provider.spelling.underscore",
        _SETTINGS,
        {"_id": f"Accounts_OAuth_Custom_{_KEY}_url", "value": "x"},
    ),
    _more(
        "provider_row_in_lower_case",
        "provider.spelling.lower_case",
        _SETTINGS,
        {"_id": f"Accounts_OAuth_Custom-{_KEY.lower()}", "value": True},
    ),
    _more(
        "provider_row_in_capitals",
        "provider.spelling.letter_case",
        _SETTINGS,
        {"_id": f"Accounts_OAuth_Custom-{_KEY.upper()}", "value": True},
    ),
    _more(
        "provider_row_with_another_prefix",
        "provider.spelling.wrong_prefix",
        _SETTINGS,
        {"_id": f"Custom_OAuth_{names.SERVICE}-url", "value": "x"},
    ),
    _changed(
        "setting_of_a_wrong_type",
        "integrity.settings_types.wrong",
        _SETTINGS,
        {"_id": "Accounts_AllowAnonymousWrite"},
        {"$set": {"value": "false"}},
    ),
    _changed(
        "setting_date_as_text",
        "integrity.settings_dates.no_date",
        _SETTINGS,
        {"_id": "Accounts_ManuallyApproveNewUsers"},
        {"$set": {"_updatedAt": "2025-06-21T00:00:00Z"}},
    ),
    _changed(
        "garbled_room_name",
        "integrity.text.garbled",
        _ROOMS,
        _VIP,
        {"$set": {"fname": "Общий".encode().decode("latin-1")}},
    ),
    _changed(
        "banner_over_the_chat",
        "integrity.banners.shown",
        "users",
        _OWNER,
        {"$set": {"banners": {"versionUpdate-7_7_1": {"id": "versionUpdate-7_7_1"}}}},
    ),
    _changed(
        "account_without_a_way_in",
        "integrity.users_able.powerless",
        "users",
        _PLAIN,
        {"$set": {"services": {}}},
    ),
    _changed(
        "account_date_as_text",
        "integrity.users_ids.dates",
        "users",
        _PLAIN,
        {"$set": {"createdAt": "2025-06-21T00:00:00Z"}},
    ),
    _changed(
        "forged_sso_link",
        "integrity.sso_links.forged",
        "users",
        _PLAIN,
        {"$set": {_LINK: {"id": "5", "accessToken": "dummy_token"}}},
    ),
    _changed(
        "room_without_an_owner",
        "integrity.room_owners.dangling",
        _ROOMS,
        _VIP,
        {"$set": {"u": {"_id": "ownerMadeByAScript", "username": names.ADMIN}}},
    ),
    _changed("room_date_as_text", "integrity.dates.no_date", _ROOMS, _VIP, {"$set": {"ts": "2025-06-21"}}),
    Fault(
        "room_of_the_future",
        "integrity.dates.future",
        lambda one: one.changed(_ROOMS, _VIP, {"$set": {"ts": datetime.now(UTC) + timedelta(hours=30)}}),
    ),
    Fault("clock_of_rocketchat_ahead", "integrity.dates.future", _clock_ahead),
    _changed(
        "general_renamed", "integrity.general.renamed", _ROOMS, {"_id": "GENERAL"}, {"$set": {"name": "main"}}
    ),
    Fault(
        "general_gone",
        "integrity.general.missing",
        lambda one: one.removed(_ROOMS, {"_id": "GENERAL"}),
        ("integrity.subscriptions.no_room",) * 5,
    ),
    _more(
        "membership_of_no_room",
        "integrity.subscriptions.no_room",
        "rocketchat_subscription",
        {
            "_id": "ghostMember000001",
            "rid": "roomThatIsGone000",
            "u": {"_id": "rocket.cat", "username": "rocket.cat"},
        },
    ),
    _changed(
        "role_that_does_not_exist",
        "integrity.roles.unknown",
        "users",
        _PLAIN,
        {"$push": {"roles": "vip-member"}},
    ),
    _changed(
        "room_counts_a_member_too_many",
        "integrity.room_counts.differs",
        _ROOMS,
        _VIP,
        {"$inc": {"usersCount": 1}},
    ),
    # Rocket.Chat's first boot has made that row.
    _changed(
        "database_of_a_newer_version",
        "integrity.migration.newer",
        "migrations",
        {"_id": "control"},
        {"$set": {"version": 900}},
    ),
    _more(
        "account_twice_by_case", "integrity.users_unique.name", "users", _person(names.PLAIN.username.upper())
    ),
    _more(
        "account_twice_by_email",
        "integrity.users_unique.email",
        "users",
        _person("somebody") | {"emails": [{"address": names.PLAIN.email.upper(), "verified": True}]},
    ),
    _more(
        "account_with_a_time_stamp",
        "integrity.users_unique.stamped",
        "users",
        _person(f"{names.PLAIN.username}_1750499200"),
    ),
    _more("room_in_cyrillic", "integrity.room_names.letters", _ROOMS, _room("Общий")),
    _more("second_vip_by_case", "integrity.room_names.double", _ROOMS, _room(names.PRIVATE.name.upper())),
    _more(
        "membership_with_an_object_id",
        "integrity.ids.type",
        "rocketchat_subscription",
        {"_id": ObjectId(), "rid": "GENERAL", "u": {"_id": "rocket.cat", "username": "rocket.cat"}},
    ),
    _more("account_with_an_object_id", "integrity.users_ids.type", "users", _person("somebody", ObjectId())),
    _more(
        "account_whose_id_is_its_name",
        "integrity.users_ids.username",
        "users",
        _person("somebody", "somebody"),
    ),
    _changed(
        "setting_inserted_by_hand",
        "integrity.settings_known.raw",
        _SETTINGS,
        {"_id": "Accounts_iframe_url"},
        {"$unset": {"packageValue": 1}},
    ),
    _changed(
        "sso_link_with_a_number",
        "integrity.sso_links.id_type",
        "users",
        _PLAIN,
        {"$set": {_LINK: {"id": 5}}},
    ),
    _changed(
        "sso_link_to_somebody_else",
        "integrity.sso_links.foreign",
        "users",
        _PLAIN,
        {"$set": {_LINK: {"id": "1"}}},
    ),
    # Its owner would come in as the other account (seen on a running 6.5.3).
    _more(
        "sso_link_of_a_canonical_user_elsewhere",
        "integrity.sso_links.foreign",
        "users",
        _person("somebody") | {"services": _PASSWORD | {names.SERVICE: {"id": "1"}}},
    ),
    _more(
        "membership_of_nobody",
        "integrity.subscriptions.no_user",
        "rocketchat_subscription",
        {
            "_id": "ghostMember000002",
            "rid": "GENERAL",
            "u": {"_id": "accountThatIsGone", "username": "gone"},
        },
        "integrity.room_counts.differs",
    ),
)
