"""Faults that take the message box from members, and those that let somebody else into an account."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.people import plain_user

_ROLES = "Accounts_Registration_AuthenticationServices_Default_Roles"
_AIR_GAP = {"_id": "Cloud_Workspace_AirGapped_Restrictions_Remaining_Days"}
_MEMBERSHIPS = "rocketchat_subscription"


@contextmanager
def _permission_taken(one: BreakableStack, *names: str, holder: str = "admin") -> Iterator[None]:
    rows = {row["_id"]: row["roles"] for row in one.admin.get("permissions.listAll")["update"]}

    def write(roles: dict[str, list[str]]) -> None:
        one.admin.post("permissions.update", permissions=[{"_id": key, "roles": roles[key]} for key in names])

    write({name: [holder] for name in names})
    try:
        yield
    finally:
        write({name: rows[name] for name in names})


@contextmanager
def _encrypts_new(one: BreakableStack) -> Iterator[None]:
    with one.setting("E2E_Enable", True), one.setting("E2E_Enabled_Default_PrivateRooms", True):
        yield


@contextmanager
def _encrypted(one: BreakableStack) -> Iterator[None]:
    query = {"name": one.contract.default_channel.name}
    with one.changed("rocketchat_room", query, {"$set": {"encrypted": True}}):
        yield


@contextmanager
def _no_index(one: BreakableStack, collection: str, *fields: str) -> Iterator[None]:
    rows = one.mongo[collection]
    name, row = next(
        (name, row)
        for name, row in rows.index_information().items()
        if row.get("unique") and {key for key, _ in row["key"]} == {*fields}
    )
    rows.drop_index(name)
    try:
        yield
    finally:
        rows.create_index(row["key"], unique=True, sparse=row.get("sparse", False), name=name)


@contextmanager
def _lost_room(one: BreakableStack) -> Iterator[None]:
    query = {"username": plain_user(one).username}
    with one.changed("users", query, {"$push": {"__rooms": "roomThatIsGone001"}}):
        yield


@contextmanager
def _orphan_message(one: BreakableStack) -> Iterator[None]:
    message = {"_id": secrets.token_hex(8), "rid": "roomThatIsGone001", "msg": "—", "u": {"_id": "x"}}
    with one.inserted("rocketchat_message", message):
        yield


@contextmanager
def _namesake(one: BreakableStack) -> Iterator[None]:
    """A user of the site who is not canonical, and the chat's account of that name with a password."""
    name = "temp_namesake"
    account = {"username": name, "role": one.contract.users[-1].role, "email": f"{name}@besedka.test"}
    row = account | {"full_name": name, "password": secrets.token_urlsafe()}
    one.running.manage("ensure_users", stdin=json.dumps([row]))
    made = one.admin.post(
        "users.create",
        username=name,
        name=name,
        email=f"{name}@elsewhere.example",
        password=secrets.token_urlsafe(),
        joinDefaultChannels=False,
    )
    try:
        yield
    finally:
        one.admin.post("users.delete", userId=made["user"]["_id"], confirmRelinquish=True)
        one.running.manage("remove_users", name)


FAULTS = (
    Fault(
        "workspace_read_only_without_the_cloud",
        "rooms.writing.air_gapped",
        lambda one: one.changed("rocketchat_settings", _AIR_GAP, {"$set": {"value": 0}}),
    ),
    Fault(
        "workspace_read_only_in_some_days",
        "rooms.writing.air_gap_near",
        lambda one: one.changed("rocketchat_settings", _AIR_GAP, {"$set": {"value": 3}}),
    ),
    Fault("default_room_encrypted", "rooms.writing.encrypted", _encrypted),
    Fault("private_rooms_encrypted_from_now_on", "rooms.writing.encrypts_new", _encrypts_new),
    Fault(
        "messages_of_a_few_letters",
        "rooms.writing.short",
        lambda one: one.setting("Message_MaxAllowedSize", 5),
    ),
    Fault(
        "administrator_may_make_no_rooms",
        "rooms.permissions.provisioning",
        lambda one: _permission_taken(one, "create-c", "create-p", holder="guest"),
    ),
    Fault(
        "administrator_may_make_no_accounts",
        "rooms.permissions.provisioning",
        lambda one: _permission_taken(one, "create-user", holder="guest"),
    ),
    Fault(
        "administrator_may_change_no_rooms",
        "rooms.permissions.provisioning",
        lambda one: _permission_taken(one, "edit-room", "add-user-to-joined-room", holder="guest"),
    ),
    Fault(
        "administrator_may_change_no_permissions",
        "rooms.permissions.provisioning",
        # By MongoDB: without this permission nothing gives it back by REST.
        lambda one: one.changed(
            "rocketchat_permissions", {"_id": "access-permissions"}, {"$set": {"roles": ["guest"]}}
        ),
    ),
    Fault(
        "rule_of_room_names_refuses_the_rooms",
        "integrity.room_names.rule",
        lambda one: one.setting("UTF8_Channel_Names_Validation", "[0-9]+"),
    ),
    Fault(
        "rule_of_usernames_refuses_the_people",
        "iframe.new_accounts.names",
        lambda one: one.setting("UTF8_User_Names_Validation", "[0-9]+"),
    ),
    Fault(
        "username_on_the_list_of_blocked",
        "iframe.new_accounts.names",
        lambda one: one.setting("Accounts_BlockedUsernameList", plain_user(one).username),
    ),
    Fault(
        "mail_domain_on_the_list_of_blocked",
        "iframe.new_accounts.names",
        lambda one: one.setting("Accounts_BlockedDomainsList", plain_user(one).email.partition("@")[2]),
    ),
    Fault(
        "nobody_may_open_public_rooms",
        "rooms.permissions.cannot_read",
        lambda one: _permission_taken(one, "view-c-room", "view-joined-room"),
    ),
    Fault(
        "nobody_may_open_private_rooms",
        "rooms.permissions.cannot_read",
        lambda one: _permission_taken(one, "view-p-room", "view-joined-room"),
    ),
    Fault("new_accounts_without_a_role", "rooms.new_people.no_role", lambda one: one.setting(_ROLES, "")),
    Fault("new_accounts_are_guests", "rooms.new_people.no_role", lambda one: one.setting(_ROLES, "guest")),
    Fault(
        "new_accounts_with_a_misspelt_role",
        "rooms.new_people.no_role",
        lambda one: one.setting(_ROLES, "usr"),
    ),
    Fault(
        "new_accounts_are_administrators",
        "rooms.new_people.administrators",
        lambda one: one.setting(_ROLES, "user,admin"),
    ),
    Fault(
        "memberships_without_an_index",
        "integrity.indexes.not_unique",
        lambda one: _no_index(one, _MEMBERSHIPS, "rid", "u._id"),
    ),
    Fault(
        "usernames_without_an_index",
        "integrity.indexes.not_unique",
        lambda one: _no_index(one, "users", "username"),
    ),
    Fault(
        "addresses_without_an_index",
        "integrity.indexes.not_unique",
        lambda one: _no_index(one, "users", "emails.address"),
    ),
    Fault(
        "room_names_without_an_index",
        "integrity.indexes.not_unique",
        lambda one: _no_index(one, "rocketchat_room", "name"),
    ),
    Fault("account_in_a_room_that_is_gone", "integrity.room_links.users", _lost_room),
    Fault("messages_of_a_room_that_is_gone", "integrity.room_links.messages", _orphan_message),
    Fault("namesake_waits_to_be_adopted", "integrity.takeover.waiting", _namesake),
)
