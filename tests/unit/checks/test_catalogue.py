"""The settings registry: what each version of Rocket.Chat knows and allows."""

from __future__ import annotations

import pytest

from besedka.contract import Contract
from besedka.rocketchat import catalogue, provider
from besedka.rocketchat.catalogue import UnknownVersionError


@pytest.mark.parametrize("version", catalogue.VERSIONS)
def test_every_version_knows_the_contract(contract: Contract, version: str) -> None:
    known = catalogue.load(version)
    wanted = [*contract.settings, *provider.settings(contract)]
    assert [setting_id for setting_id in wanted if known.setting(setting_id) is None] == []


@pytest.mark.parametrize("version", catalogue.VERSIONS)
def test_the_contract_has_values_of_the_registered_types(contract: Contract, version: str) -> None:
    types = {"boolean": bool, "int": int}
    known = catalogue.load(version)
    for setting_id, value in (contract.settings | provider.settings(contract)).items():
        setting = known.setting(setting_id)
        assert setting is not None
        assert type(value) is types.get(setting.type, str), setting_id
        assert not setting.values or value in setting.values, setting_id


@pytest.mark.parametrize(
    ("version", "line"), [("6.4", "6.4.8"), ("7.7.1", "7.7.1"), ("8.9", "8.0.0"), ("9.0.0", "9.0.0")]
)
def test_a_version_is_told_by_its_major_number(version: str, line: str) -> None:
    assert catalogue.for_version(version).version == line


@pytest.mark.parametrize("version", ["5.4", "10.0", "develop", ""])
def test_an_unknown_version_is_refused(version: str) -> None:
    with pytest.raises(UnknownVersionError, match=r"Rocket\.Chat"):
        catalogue.for_version(version)


def test_versions_differ_where_rocket_chat_does() -> None:
    switch = "Accounts_OAuth_Custom-Besedka"
    email_factor = "Accounts_twoFactorAuthentication_email_available_for_OAuth_users"
    six, seven, eight, nine = (catalogue.load(name) for name in catalogue.VERSIONS)
    assert six.setting(email_factor) is None
    assert seven.setting(email_factor) is not None
    assert eight.oauth_flows == ("client", "server")
    assert [known.setting(switch).enterprise for known in (six, seven, eight, nine)] == [  # type: ignore[union-attr]
        False,
        False,
        False,
        True,
    ]
    assert nine.steps["add_custom_oauth"].allowed == "licence"
    assert six.steps["mongo_setting_is_live"].allowed == "yes"
    assert seven.steps["mongo_setting_is_live"].allowed == "no"
    assert "SECRET" in eight.steps["create_token"].how


def test_five_fields_are_enterprise_before_nine() -> None:
    fields = ("roles_claim", "groups_claim", "map_channels", "merge_roles", "roles_to_sync")
    known = catalogue.load("7.7.1")
    custom = [row for row in known.settings.values() if row.id.startswith("Accounts_OAuth_Custom-*")]
    assert {row.id.rpartition("-")[2] for row in custom if row.enterprise} == set(fields)
    assert len(custom) == 30


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("Restrict_access_inside_any_Iframe", "Iframe_Restrict_Access"),
        ("Iframe_Restict_Access", "Iframe_Restrict_Access"),
        ("iframe_restrict_access", "Iframe_Restrict_Access"),
        ("Layout_Custom_CSS", "theme-custom-css"),
        ("UI_Show_Setup_Wizard", "Show_Setup_Wizard"),
        ("First_Channel_After_Logn", "First_Channel_After_Login"),
        ("Enable_PWA", ""),
        ("Accounts_Default_User_Preferences_joinDefaultChannels", ""),
    ],
)
def test_a_near_miss_is_told_its_neighbour(unknown: str, meant: str) -> None:
    assert catalogue.load("7.7.1").near(unknown) == meant


def test_admin_paths_are_in_both_languages() -> None:
    known = catalogue.load("7.7.1")
    setting_id = "Iframe_Restrict_Access"
    assert known.path(setting_id, "en") == (
        "Administration → Settings → General → Restrict access inside any Iframe"
    )
    assert known.path(setting_id, "ru").endswith("Общие настройки → Ограничить доступ внутри любого iframe")
    assert "Custom OAuth: Besedka → Secret" in known.path("Accounts_OAuth_Custom-Besedka-secret", "en")
    assert known.path("No_Such_Setting", "en") == ""
