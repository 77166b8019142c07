"""Faults that scripts, backups and removed volumes left: a stack on data that is not what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from bson import ObjectId
from bson.datetime_ms import DatetimeMS

from besedka.stacks.services.mongod import REPLICA_SET
from faults import mongo_proxy, names
from faults.breakable_stack import LOGIN_SERVICES, BreakableStack, Document
from faults.fault import Fault

_SETTINGS = "rocketchat_settings"
_ROOMS = "rocketchat_room"
_MEMBERSHIPS = "rocketchat_subscription"
_MISSING = "rooms.members.missing"
_MEMBERSHIPS_OF_THE_CONTRACT = 8
_GARBLED = "Войти через Беседку".encode().decode("cp1251", "replace")
# 8 640 000 000 000 000 ms: the greatest date of JavaScript, the year 275760.
_END_OF_TIME = DatetimeMS(8_640_000_000_000_000)


@contextmanager
def emptied(one: BreakableStack, collection: str, query: Document) -> Iterator[None]:
    """Every document of that kind is gone, and comes back at the end."""
    documents = list(one.mongo[collection].find(query))
    one.mongo[collection].delete_many(query)
    try:
        yield
    finally:
        if documents:
            one.mongo[collection].insert_many(documents)


@contextmanager
def _restored_from_four_collections(one: BreakableStack) -> Iterator[None]:
    """Settings, users, rooms and apps came back; memberships and the log-in service were in no backup."""
    with (
        one.settled(),
        one.removed(LOGIN_SERVICES, {"service": one.contract.provider.name}),
        emptied(one, _MEMBERSHIPS, {}),
    ):
        yield


@contextmanager
def _golden_backup(one: BreakableStack) -> Iterator[None]:
    """The backup that was called golden and taken before anything worked."""
    with ExitStack() as held:
        held.enter_context(one.setting(one.row("id"), "OhyAnIdOfFortyCharactersThatAScriptMade1"))
        held.enter_context(one.setting(one.row("identity_path"), f"{names.IDENTITY}user/"))
        held.enter_context(one.setting(one.row("button_label_text"), _GARBLED))
        held.enter_context(one.setting("Iframe_Restrict_Access", True))
        held.enter_context(
            one.inserted(
                _ROOMS,
                {"_id": "kP3sYtWq8RbN5vXzB", "name": f"{names.PRIVATE.name}-chat", "t": "c", "usersCount": 0},
            )
        )
        yield


@contextmanager
def _new_volume(one: BreakableStack) -> Iterator[None]:
    """What a first boot makes and nothing else: the administrator, rocket.cat, GENERAL."""
    kept = [one.contract.chat.admin.username, "rocket.cat"]
    with (
        emptied(one, _MEMBERSHIPS, {}),
        emptied(one, _ROOMS, {"_id": {"$ne": "GENERAL"}}),
        emptied(one, "users", {"username": {"$nin": kept}}),
        emptied(one, "rocketchat_message", {}),
    ):
        yield


@contextmanager
def _another_mongo(one: BreakableStack) -> Iterator[None]:
    """Doctor is given a MongoDB on which some other program works: of this name there is nothing in it."""
    with one.seen_at(mongo_url=str(one.stack.mongo_url).replace("/rocketchat", "/somebody_else", 1)):
        yield


@contextmanager
def _not_initiated(one: BreakableStack) -> Iterator[None]:
    # A driver that is told the name of a replica set does not talk to a server without one.
    plain = str(one.stack.mongo_url).replace(f"replicaSet={REPLICA_SET}&", "")
    with mongo_proxy.before(plain, mongo_proxy.not_initiated) as url, one.seen_at(mongo_url=url):
        yield


def _in_mongo(name: str, cause: str, collection: str, query: Document, update: Document, *also: str) -> Fault:
    return Fault(name, cause, lambda one: one.changed(collection, query, update), also)


def _more(name: str, cause: str, collection: str, document: dict[str, Any]) -> Fault:
    return Fault(name, cause, lambda one: one.inserted(collection, document))


def _mapped(name: str, cause: str, suffix: str, value: str) -> Fault:
    def breaking(one: BreakableStack) -> Any:
        return one.changed(_SETTINGS, {"_id": one.row(suffix)}, {"$set": {"value": value}})

    return Fault(name, f"integrity.role_map.{cause}", breaking)


@contextmanager
def _gone_with_its_memberships(one: BreakableStack) -> Iterator[None]:
    with (
        emptied(one, _MEMBERSHIPS, {"u.username": names.PLAIN.username}),
        one.removed("users", {"username": names.PLAIN.username}),
    ):
        yield


@contextmanager
def _general_made_anew(one: BreakableStack) -> Iterator[None]:
    """The room general has an id of its name in place of GENERAL, and its members went along."""
    with one.removed(_ROOMS, {"_id": "GENERAL"}):
        members = {"rid": "GENERAL"}
        count = one.mongo[_MEMBERSHIPS].count_documents(members)
        made = {
            "_id": names.DEFAULT.name,
            "name": names.DEFAULT.name,
            "t": "c",
            "default": True,
            "usersCount": count,
        }
        one.mongo[_MEMBERSHIPS].update_many(members, {"$set": {"rid": names.DEFAULT.name}})
        try:
            with one.inserted(_ROOMS, made):
                yield
        finally:
            one.mongo[_MEMBERSHIPS].update_many({"rid": names.DEFAULT.name}, {"$set": members})


FAULTS = (
    Fault("mongo_not_initiated", "services.mongo.not_initiated", _not_initiated),
    Fault("mongo_of_another_program", "services.same_data.other", _another_mongo),
    Fault(
        "administrator_gone",
        "services.admin.missing",
        lambda one: one.removed("users", {"username": one.contract.chat.admin.username}),
    ),
    Fault(
        "restored_from_four_collections",
        "login_service.present.absent",
        _restored_from_four_collections,
        (_MISSING,) * _MEMBERSHIPS_OF_THE_CONTRACT,
    ),
    Fault(
        "restored_from_the_golden_backup",
        "provider.id.wrong",
        _golden_backup,
        (
            "provider.identity_path.wrong",
            "provider.button_label_text.garbled",
            "setting.Iframe_Restrict_Access.wrong",
            "integrity.text.garbled",
            "rooms.exist.twin",
        ),
    ),
    Fault("volume_removed", "rooms.seeded.empty", _new_volume, ("integrity.room_links.users",)),
    Fault(
        "every_membership_deleted",
        _MISSING,
        lambda one: emptied(one, _MEMBERSHIPS, {}),
        (_MISSING,) * (_MEMBERSHIPS_OF_THE_CONTRACT - 1),
    ),
    Fault("account_gone_with_its_memberships", "rooms.accounts.missing", _gone_with_its_memberships),
    _in_mongo(
        "vip_still_called_vip_chat",
        "rooms.exist.missing",
        _ROOMS,
        {"name": names.PRIVATE.name},
        {"$set": {"name": f"{names.PRIVATE.name}-chat"}},
    ),
    _in_mongo(
        "vip_renamed_in_cyrillic",
        "integrity.room_names.letters",
        _ROOMS,
        {"name": names.PRIVATE.name},
        {"$set": {"name": "ВИП"}},
    ),
    Fault(
        "general_made_anew_by_a_script",
        "integrity.general.missing",
        _general_made_anew,
        tuple(f"integrity.room_links.{kind}" for kind in ("unlisted", "users", "messages")),
    ),
    _more(
        "room_with_an_object_id",
        "integrity.ids.type",
        _ROOMS,
        {"_id": ObjectId(), "name": "lobby", "t": "c", "usersCount": 0},
    ),
    _in_mongo(
        "membership_with_a_role_that_does_not_exist",
        "integrity.roles.unknown",
        _MEMBERSHIPS,
        {"u.username": names.MEMBER.username, "name": names.PRIVATE.name},
        {"$set": {"roles": [names.PRIVATE.name]}},
    ),
    _in_mongo(
        "setting_date_as_a_document",
        "integrity.settings_dates.no_date",
        _SETTINGS,
        {"_id": "Accounts_ManuallyApproveNewUsers"},
        {"$set": {"_updatedAt": {"$date": 1_750_499_200_000}}},
    ),
    _in_mongo(
        "wizard_state_as_a_boolean",
        "setting.Show_Setup_Wizard.type",
        _SETTINGS,
        {"_id": "Show_Setup_Wizard"},
        {"$set": {"value": False}},
        "integrity.settings_types.wrong",
    ),
    _more(
        "seats_banner_until_the_end_of_time",
        "integrity.banners.shown",
        "rocketchat_banner",
        {"_id": "closeToSeatsLimit", "platform": ["web"], "expireAt": _END_OF_TIME},
    ),
    _mapped(
        "roles_mapped_to_rooms_that_do_not_exist",
        "no_room",
        "groups_channel_map",
        '{"owner": "admin,vip", "moderator": "admin", "user": "user"}',
    ),
    _mapped("map_of_roles_that_is_no_json", "no_json", "groups_channel_map", "owner: admin"),
    _mapped("roles_in_place_of_the_rooms_administrator", "no_admin", "channels_admin", "admin,vip"),
)
