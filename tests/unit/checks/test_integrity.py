"""Data that scripts left behind, found in documents alone; each incident by its own code."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from besedka.checks.catalogue import checks_for
from besedka.checks.finding import Findings, Skipped
from besedka.checks.integrity_settings import garbled
from besedka.provision import repairs_of_data
from besedka.provision.repairs_of_data import Data
from besedka.site_database import SiteUser
from tests.unit.checks.documents import NOW, Make, Mongo, Row, codes, membership, room, setting, user


@pytest.mark.parametrize(
    ("setting_id", "row", "code"),
    [
        ("Restrict_access_inside_any_Iframe", {"value": False}, "near_miss"),
        ("Iframe_Restrict_Access", {"value": False}, "raw"),
        ("Enable_PWA", {"value": True}, "unknown"),
    ],
)
def test_settings_that_rocket_chat_does_not_know(holding: Make, setting_id: str, row: Row, code: str) -> None:
    examination = holding(stored={setting_id: row})
    assert codes("integrity.settings_known", examination) == [f"integrity.settings_known.{code}"]


@pytest.mark.parametrize(
    ("setting_id", "code"),
    [
        ("Accounts_OAuth_Custom_Besedka_url", "underscore"),
        ("Accounts_OAuth_Custom-besedka", "lower_case"),
        ("Custom_OAuth_besedka-url", "wrong_prefix"),
    ],
)
def test_provider_rows_under_other_spellings(holding: Make, setting_id: str, code: str) -> None:
    examination = holding(stored={setting_id: {"value": "x"}})
    assert codes("provider.spelling", examination) == [f"provider.spelling.{code}"]
    assert codes("integrity.settings_known", examination) == []


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        ("select", False, True),
        ("boolean", "true", True),
        ("int", True, True),
        ("int", "10", True),
        ("boolean", False, False),
        ("int", 10, False),
        ("code", 5, False),
    ],
)
def test_settings_of_a_wrong_type(holding: Make, kind: str, value: Any, wrong: bool) -> None:
    expected = ["integrity.settings_types.wrong"] if wrong else []
    row = setting(value, kind, packageValue=None)
    assert codes("integrity.settings_types", holding(stored={"X": row})) == expected


def test_a_default_of_rocketchats_own_is_of_its_type(holding: Make) -> None:
    assert codes("integrity.settings_types", holding(stored={"X": setting("10", "int")})) == []


@pytest.mark.parametrize("value", [{"$date": 1}, "2025-06-21T00:00:00Z", 1750000000000])
def test_dates_that_are_none(holding: Make, value: Any) -> None:
    examination = holding(
        stored={"X": setting("", _updatedAt=value)},
        chat_rooms=[room("general", ts=value)],
        chat_users=[user("owner", createdAt=value)],
    )
    assert codes("integrity.settings_dates", examination) == ["integrity.settings_dates.no_date"]
    assert codes("integrity.dates", examination) == ["integrity.dates.no_date"]
    assert codes("integrity.users_ids", examination) == ["integrity.users_ids.dates"]


def test_local_time_stored_as_utc_lies_in_the_future(holding: Make) -> None:
    examination = holding(chat_rooms=[room("general", ts=NOW + timedelta(hours=3))])
    assert codes("integrity.dates", examination) == ["integrity.dates.future"]


@pytest.mark.parametrize(
    ("text", "is_garbled"),
    [
        ("Войти через Беседку", False),
        ("Войти через Беседку".encode().decode("cp1251", "replace"), True),
        ("Общий".encode().decode("latin-1"), True),
        ("\ufffd\ufffd", True),
        ("Модераторы", False),
        ("Café Résumé", False),
        ("РС", False),
    ],
)
def test_text_read_in_a_wrong_encoding(holding: Make, text: str, is_garbled: bool) -> None:
    assert garbled(text) is is_garbled
    found = codes("integrity.text", holding(chat_rooms=[room("vip", fname=text)]))
    assert found == (["integrity.text.garbled"] if is_garbled else [])


def test_rooms_made_by_scripts(holding: Make) -> None:
    examination = holding(
        chat_users=[user("owner")],
        chat_rooms=[
            room("general", _id="general"),
            room("Общий"),
            room("VIP", u={"_id": "BesedkaOwner2025"}),
            room("vip", _id=ObjectId()),
        ],
    )
    assert codes("integrity.general", examination) == ["integrity.general.missing"]
    assert codes("integrity.room_names", examination) == [
        "integrity.room_names.letters",
        "integrity.room_names.double",
    ]
    assert codes("integrity.room_owners", examination) == ["integrity.room_owners.dangling"]
    assert codes("integrity.ids", examination) == ["integrity.ids.type"]


def test_general_renamed(holding: Make) -> None:
    examination = holding(chat_rooms=[room("general") | {"name": "main"}])
    assert codes("integrity.general", examination) == ["integrity.general.renamed"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (membership("owner", "id-gone"), "no_room"),
        (membership("nobody", "GENERAL"), "no_user"),
        (membership("owner", "GENERAL", u={"_id": "id-owner", "username": "admin"}), "mixed"),
    ],
)
def test_memberships_that_join_nothing(holding: Make, row: Row, code: str) -> None:
    examination = holding(chat_users=[user("owner")], chat_rooms=[room("general")], chat_subscriptions=[row])
    assert codes("integrity.subscriptions", examination) == [f"integrity.subscriptions.{code}"]


def test_double_membership_and_wrong_count(holding: Make) -> None:
    examination = holding(
        chat_users=[user("owner")],
        chat_rooms=[room("general", usersCount=1)],
        chat_subscriptions=[membership("owner", "GENERAL"), membership("owner", "GENERAL", _id="two")],
    )
    assert codes("integrity.subscriptions", examination) == ["integrity.subscriptions.double"]
    assert codes("integrity.room_counts", examination) == ["integrity.room_counts.differs"]


def test_roles_that_do_not_exist(holding: Make) -> None:
    examination = holding(
        chat_users=[user("owner")],
        chat_subscriptions=[membership("owner", "GENERAL", roles=["vip"])],
        mongo=Mongo(roles=[{"_id": "user"}, {"_id": "owner"}]),
    )
    assert codes("integrity.roles", examination) == ["integrity.roles.unknown"]


def test_double_accounts(holding: Make) -> None:
    people = [user("owner"), user("Owner"), user("admin_1750000000"), user("temp_Owner")]
    assert codes("integrity.users_unique", holding(chat_users=people)) == [
        "integrity.users_unique.name",
        "integrity.users_unique.stamped",
    ]
    people = [user("owner", emails=[{"address": "owner@besedka.com"}])]
    people.append(user("boss", emails=[{"address": "OWNER@besedka.com"}]))
    assert codes("integrity.users_unique", holding(chat_users=people)) == ["integrity.users_unique.email"]


def test_accounts_inserted_without_a_way_in(holding: Make) -> None:
    examination = holding(chat_users=[user("owner", _id="owner", services={})])
    assert codes("integrity.users_able", examination) == ["integrity.users_able.powerless"]
    assert codes("integrity.users_ids", examination) == ["integrity.users_ids.username"]


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ({"id": "1", "accessToken": "dummy_token"}, "forged"),
        ({"id": "2", "accessToken": "issued"}, "foreign"),
        ({"id": 1, "accessToken": "issued"}, "id_type"),
        ({"id": "1", "accessToken": "issued"}, None),
        # Django forgets expired tokens when they are cleared.
        ({"id": "1", "accessToken": "old", "expiresAt": 1}, None),
    ],
)
def test_sso_links_that_the_site_never_made(holding: Make, link: Row, code: str | None) -> None:
    site_user = SiteUser(1, "owner", "owner@besedka.com", True, "owner", "Владелец", "")
    examination = holding(
        chat_users=[user("owner", services={"besedka": link})],
        site_users=[site_user],
        site_tokens={"issued"},
    )
    expected = [f"integrity.sso_links.{code}"] if code else []
    assert codes("integrity.sso_links", examination) == expected
    if code == "forged":
        assert "dummy_token" in examination.secrets


def test_a_command_is_printed_for_the_links_that_it_takes_away(holding: Make) -> None:
    """Provisioning answers for canonical users alone: their accounts, and their links elsewhere."""
    ids = {"owner": 1, "somebody": 7, "stranger": 8}
    site_users = [SiteUser(n, name, f"{name}@x", True, "user", name, "") for name, n in ids.items()]

    def commands(username: str, link: Any) -> int:
        people = [user(username, services={"besedka": {"id": link}})]
        examination = holding(chat_users=people, site_users=site_users)
        ask = next(row for row in checks_for(examination.contract) if row.name == "integrity.sso_links").ask
        answered = ask(examination)
        assert isinstance(answered, Findings)
        (found,) = answered.found
        return len(found.commands)

    assert [commands("owner", "7"), commands("stranger", "1"), commands("stranger", 1)] == [1, 1, 1]
    assert [commands("stranger", "7"), commands("stranger", "9"), commands("stranger", 9)] == [0, 0, 0]


@pytest.mark.parametrize("exchanged", [True, False])
def test_links_of_names_that_are_exchanged_at_the_site_are_right(holding: Make, exchanged: bool) -> None:
    """Then the names are wrong, which `site.accounts` says."""
    one, other = contract_users = holding().contract.users[:2]
    names = [other.username, one.username] if exchanged else [one.username, other.username]
    site_users = [
        SiteUser(number, name, own.email, True, own.role, own.full_name, "")
        for number, (name, own) in enumerate(zip(names, contract_users, strict=True), 1)
    ]
    links = ("1", "2") if exchanged else ("2", "1")
    people = [
        user(own.username, services={"besedka": {"id": link}})
        for own, link in zip(contract_users, links, strict=True)
    ]
    examination = holding(chat_users=people, site_users=site_users)
    expected = [] if exchanged else ["integrity.sso_links.foreign"] * 2
    assert codes("integrity.sso_links", examination) == expected


def test_people_of_the_site_may_rename_themselves_or_leave(holding: Make) -> None:
    people = [user(f"u{link}", services={"besedka": {"id": link}}) for link in ("7", "9")]
    site_users = [SiteUser(7, "somebody", "s@x", True, "user", "S", "")]
    examination = holding(chat_users=people, site_users=site_users)
    assert codes("integrity.sso_links", examination) == []


@pytest.mark.parametrize(
    ("more", "is_found"),
    [
        ({}, True),
        ({"federated": True}, False),
        ({"importIds": ["U012"]}, False),
        ({"crowd": True}, False),
        ({"active": False}, False),
        ({"services": {"cas": {"external_id": "sam"}}}, False),
        # Of a canonical user it is asked all the same.
        ({"username": "owner", "active": False}, True),
    ],
)
def test_accounts_of_people_elsewhere_need_no_way_in(holding: Make, more: Row, is_found: bool) -> None:
    examination = holding(chat_users=[user("sam", services={}) | more])
    expected = ["integrity.users_able.powerless"] if is_found else []
    assert codes("integrity.users_able", examination) == expected


@pytest.mark.parametrize(
    ("banner", "is_found"),
    [
        ({}, True),
        ({"active": False}, False),
        ({"expireAt": NOW - timedelta(days=1)}, False),
        ({"expireAt": (NOW - timedelta(days=1)).replace(tzinfo=None)}, False),
        ({"expireAt": NOW + timedelta(days=1), "active": True}, True),
    ],
)
def test_a_banner_that_is_over_covers_nothing(holding: Make, banner: Row, is_found: bool) -> None:
    """Nor does one that is shown to an administrator who is nobody of the contract."""
    own = user("owner", emails=[{"address": "owner@besedka.com", "verified": True}])
    people = [user("another.admin", banners={"versionUpdate-7_7_1": {}}), own]
    examination = holding(chat_users=people, mongo=Mongo(banners=[{"_id": "b"} | banner]))
    assert codes("integrity.banners", examination) == (["integrity.banners.shown"] if is_found else [])
    rows = {"users": people, "rocketchat_banner": [{"_id": "b"} | banner]}
    mends = repairs_of_data.of_people(Data(lambda name: rows.get(name, [])), examination.contract)
    assert bool(list(mends)) == is_found


def test_two_accounts_linked_to_one_user_of_the_site(holding: Make) -> None:
    people = [user(name, services={"besedka": {"id": "7"}}) for name in ("one", "two")]
    examination = holding(chat_users=people)
    assert "integrity.sso_links.shared" in codes("integrity.sso_links", examination)


def test_banners_and_a_downgraded_database(holding: Make) -> None:
    examination = holding(
        chat_users=[user("owner", banners={"versionUpdate-7_7_1": {}})],
        mongo=Mongo(banners=[{"_id": "closeToSeatsLimit"}], migration=400),
    )
    assert codes("integrity.banners", examination) == ["integrity.banners.shown"]
    assert codes("integrity.migration", examination) == ["integrity.migration.newer"]


@pytest.mark.parametrize(
    ("version", "stored", "newer"),
    [
        ("6.5", 304, False),
        ("6.4", 304, True),
        ("6.13.0", 304, False),
        ("6.13", 305, True),
        ("6.13", 0, False),  # a first boot leaves it so (measured)
        ("7.3", 318, False),
        ("7.3", 319, True),
        ("7.7.1", 318, False),
    ],
)
def test_migrations_by_version(holding: Make, version: str, stored: int, newer: bool) -> None:
    examination = holding(info={"version": version}, mongo=Mongo(migration=stored))
    assert bool(codes("integrity.migration", examination)) is newer


def test_a_version_whose_migrations_are_not_known_is_a_note(contract: Any, holding: Make) -> None:
    ask = next(row for row in checks_for(contract) if row.name == "integrity.migration").ask
    answered = ask(holding(info={"version": "8.1"}, mongo=Mongo(migration=330)))
    assert isinstance(answered, Skipped)
    assert "330" in answered.reason
    assert "8.1" in answered.reason


def test_a_ghost_provider_beside_ours(holding: Make) -> None:
    services = [{"service": "besedka", "custom": True}, {"service": "custom_besedka", "custom": True}]
    examination = holding(login_services=services)
    assert codes("login_service.alone", examination) == ["login_service.alone.ghost"]


def test_a_hash_pasted_in_place_of_the_secret(holding: Make) -> None:
    secret_id = "Accounts_OAuth_Custom-Besedka-secret"
    pasted = "pbkdf2_sha256$600000$salt$digest"
    examination = holding(effective={secret_id: pasted}, stored={secret_id: setting(pasted)})
    assert codes("provider.secret", examination) == ["provider.secret.pasted_hash"]


def test_an_enterprise_field_without_a_licence(holding: Make) -> None:
    field = "Accounts_OAuth_Custom-Besedka-map_channels"
    examination = holding(effective={field: False}, stored={field: setting(True, "boolean")})
    assert codes("provider.enterprise", examination) == ["provider.enterprise.inert"]


def test_a_provider_beside_ours_that_nobody_filled_in(holding: Make) -> None:
    shown = {"custom": True, "buttonLabelText": "Second"}
    empty = {"service": "second", "serverURL": "", "clientId": "x"} | shown
    whole = {"service": "third", "serverURL": "https://elsewhere.example", "clientId": "x"} | shown
    hidden = empty | {"service": "fourth", "showButton": False}
    examination = holding(login_services=[empty, whole, hidden])
    assert codes("login_service.alone", examination) == ["login_service.alone.blank"]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"RetentionPolicy_MaxAge_Channels": 1}, 1),
        ({"RetentionPolicy_MaxAge_Channels": 30}, 0),
        ({"RetentionPolicy_MaxAge_Channels": 1, "RetentionPolicy_AppliesToChannels": False}, 0),
        ({"RetentionPolicy_MaxAge_Channels": 1, "RetentionPolicy_Enabled": False}, 0),
        # Milliseconds win over the days of older versions.
        ({"RetentionPolicy_MaxAge_Channels": 30, "RetentionPolicy_TTL_Channels": 3_600_000}, 1),
        ({"RetentionPolicy_MaxAge_Channels": 1, "RetentionPolicy_TTL_Channels": 2_592_000_000}, 0),
    ],
)
def test_messages_that_are_deleted_soon(holding: Make, values: Row, found: int) -> None:
    on = {"RetentionPolicy_Enabled": True, "RetentionPolicy_AppliesToChannels": True}
    examination = holding(effective=on | values)
    assert codes("integrity.retention", examination) == ["integrity.retention.short"] * found


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ({"enabled": True, "overrideGlobal": True, "maxAge": 1}, 1),
        ({"enabled": True, "overrideGlobal": True, "maxAge": 30}, 0),
        ({"enabled": True, "overrideGlobal": False, "maxAge": 1}, 0),
        ({"enabled": False, "overrideGlobal": True, "maxAge": 1}, 0),
        ({"enabled": True, "overrideGlobal": True, "maxAge": "1"}, 0),
        ("1 day", 0),
    ],
)
def test_a_room_with_a_policy_of_its_own(holding: Make, own: Any, found: int) -> None:
    examination = holding(
        effective={"RetentionPolicy_Enabled": True}, chat_rooms=[room("general", retention=own)]
    )
    assert codes("integrity.retention", examination) == ["integrity.retention.short"] * found


def test_a_workspace_without_an_id(holding: Make) -> None:
    for stored in ({}, {"uniqueID": setting("", "string")}):
        assert codes("integrity.workspace", holding(stored=stored)) == ["integrity.workspace.nameless"]
    assert codes("integrity.workspace", holding(stored={"uniqueID": setting("x1", "string")})) == []


def test_two_rows_of_one_login_service(holding: Make) -> None:
    own = {"service": "besedka", "custom": True, "serverURL": "https://site.example", "clientId": "x"}
    for second in ("Besedka", "besedka"):
        examination = holding(login_services=[own, own | {"service": second}])
        assert codes("login_service.alone", examination) == ["login_service.alone.twin"]
