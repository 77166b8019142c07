"""Faults of Rocket.Chat's documents: what scripts left in MongoDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from besedka.faults.fault import Fault

_SETTINGS = "rocketchat_settings"
_ROOMS = "rocketchat_room"
_OWNER = {"username": "owner"}
_VIP = {"name": "vip"}


def _more(name: str, cause: str, collection: str, document: dict[str, Any]) -> Fault:
    return Fault(name, cause, lambda one: one.inserted(collection, document))


def _changed(
    name: str, cause: str, collection: str, query: dict[str, Any], update: dict[str, Any], *also: str
) -> Fault:
    return Fault(name, cause, lambda one: one.changed(collection, query, update), also)


FAULTS = (
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
        {"_id": "Accounts_OAuth_Custom_Besedka_url", "value": "x"},
    ),
    _more(
        "provider_row_in_lower_case",
        "provider.spelling.lower_case",
        _SETTINGS,
        {"_id": "Accounts_OAuth_Custom-besedka", "value": True},
    ),
    _more(
        "provider_row_with_another_prefix",
        "provider.spelling.wrong_prefix",
        _SETTINGS,
        {"_id": "Custom_OAuth_besedka-url", "value": "x"},
    ),
    _more(
        "second_login_service",
        "login_service.alone.ghost",
        "meteor_accounts_loginServiceConfiguration",
        {"_id": "ghostService00001", "service": "custom_besedka", "custom": True},
    ),
    Fault(
        "login_service_gone",
        "login_service.present.absent",
        lambda one: one.removed(
            "meteor_accounts_loginServiceConfiguration", {"service": one.contract.provider.name}
        ),
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
        {"username": "test_user"},
        {"$set": {"services": {}}},
    ),
    _changed(
        "account_date_as_text",
        "integrity.users_ids.dates",
        "users",
        {"username": "test_user"},
        {"$set": {"createdAt": "2025-06-21T00:00:00Z"}},
    ),
    _changed(
        "forged_sso_link",
        "integrity.sso_links.forged",
        "users",
        {"username": "test_user"},
        {"$set": {"services.besedka": {"id": "5", "accessToken": "dummy_token"}}},
    ),
    _changed(
        "room_without_an_owner",
        "integrity.room_owners.dangling",
        _ROOMS,
        _VIP,
        {"$set": {"u": {"_id": "BesedkaOwner2025", "username": "owner"}}},
    ),
    _changed("room_date_as_text", "integrity.dates.no_date", _ROOMS, _VIP, {"$set": {"ts": "2025-06-21"}}),
    _changed(
        "room_of_the_future",
        "integrity.dates.future",
        _ROOMS,
        _VIP,
        {"$set": {"ts": datetime.now(UTC) + timedelta(hours=30)}},
    ),
    _changed(
        "general_renamed", "integrity.general.renamed", _ROOMS, {"_id": "GENERAL"}, {"$set": {"name": "main"}}
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
        {"username": "test_user"},
        {"$push": {"roles": "vip-member"}},
    ),
    _changed(
        "room_counts_a_member_too_many",
        "integrity.room_counts.differs",
        _ROOMS,
        _VIP,
        {"$inc": {"usersCount": 1}},
    ),
)
