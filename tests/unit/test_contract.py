"""besedka.toml: what it says, and how each mistake in it is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from besedka import contract, ways
from besedka.contract import CONTRACT_FILE
from besedka.errors import ContractError
from besedka.names import DISPLAY_RULE, USER_RULE, is_twin
from besedka.rocketchat import provider
from besedka.stacks import environment


def test_the_runbook_has_five_users_three_rooms_and_eight_memberships() -> None:
    found = contract.load()

    assert [user.username for user in found.users] == [
        "owner",
        "admin",
        "store_owner",
        "store_admin",
        "test_user",
    ]
    memberships = {(user.username, channel.name) for user, channel in found.subscriptions}
    assert memberships == {
        ("owner", "general"),
        ("owner", "vip"),
        ("owner", "moderators"),
        ("admin", "general"),
        ("admin", "moderators"),
        ("store_owner", "general"),
        ("store_admin", "general"),
        ("test_user", "general"),
    }
    assert [channel.private for channel in found.channels] == [False, True, True]
    assert found.default_channel.name == "general"


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ("[site]", "[site", "not valid TOML"),
        ('label = "VIP"', 'lable = "VIP"', "channels.2 (vip).lable: unknown key"),
        ("[services]", "[servises]", "servises: unknown key"),
        ('role = "moderator"', 'role = "modrator"', "users.2 (admin).channels: lists"),
        (
            'channels = ["general", "moderators"]',
            'channels = ["general", "vips"]',
            "'vips', which does not exist",
        ),
        ('username = "admin"', 'username = "owner"', "users.2 (owner): username 'owner' stands twice"),
        (
            'email = "admin@besedka.com"',
            'email = "OWNER@besedka.com"',
            "email 'owner@besedka.com' stands twice",
        ),
        ('name = "vip"', 'name = "general"', "name 'general' stands twice"),
        ('name = "vip"', 'name = "вип"', "UTF8_Channel_Names_Validation allows [0-9a-zA-Z-_.]+"),
        ('moderator = "admin"', 'moderators = "admin"', "role 'moderators', which does not exist"),
        ("default = true", "default = false", "at least one must have default = true"),
        ('url = "http://127.0.0.1:8001"', 'url = "127.0.0.1:8001"', "is not an address like"),
        ("mongo = 27017", "mongo = 270170", "services.mongo"),
        ('channels = ["general", "moderators"]', 'channels = ["general"]', "admits the role 'moderator' to"),
    ],
)
def test_each_mistake_is_named_with_its_place(right: str, wrong: str, named: str, tmp_path: Path) -> None:
    text = CONTRACT_FILE.read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "besedka.toml"
    broken.write_text(text.replace(right, wrong, 1), encoding="utf-8")

    with pytest.raises(ContractError) as error:
        contract.load(broken)

    assert named in str(error.value)
    assert str(broken) in str(error.value)
    assert error.value.exit_status == 11


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read"):
        contract.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("place", "variable"),
    [("chat.admin", "BESEDKA_CHAT_ADMIN_PASSWORD"), ("users.1 (owner)", "BESEDKA_OWNER_PASSWORD")],
)
@pytest.mark.parametrize("left", ['password = ""\n', ""], ids=["empty", "left-out"])
def test_who_has_no_password_is_named(
    place: str, variable: str, left: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = CONTRACT_FILE.read_text("utf-8")
    path = tmp_path / "besedka.toml"
    row = f'password_env = "{variable}"'
    path.write_text(re.sub(rf'password = ".*"\n{row}', left + row, lines), "utf-8")
    monkeypatch.delenv(variable, raising=False)

    with pytest.raises(ContractError) as refused:
        contract.load(path, ())

    why = f"there is no password: write it here, or set {variable}"
    assert refused.value.found == f"1 wrong row: {place}: {why}"
    monkeypatch.setenv(variable, "from elsewhere")
    assert "from elsewhere" in contract.load(path, ()).secrets


def test_a_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESEDKA_OWNER_PASSWORD", "from elsewhere")

    assert contract.load().user("owner").secret == "from elsewhere"


def test_no_secret_shows_in_a_repr() -> None:
    found = contract.load()

    shown = repr(found)

    assert [secret for secret in found.secrets if secret in shown] == []


def test_moving_the_contract_moves_every_address() -> None:
    moved = contract.load().at(
        site_url="http://127.0.0.1:1", chat_url="http://127.0.0.1:2", provider_url="http://site.internal:1"
    )

    assert moved.settings["Iframe_Integration_receive_origin"] == "http://127.0.0.1:1"
    rows = provider.settings(moved)
    assert rows["Accounts_OAuth_Custom-Besedka-url"] == "http://site.internal:1"
    assert rows["Accounts_OAuth_Custom-Besedka-authorize_path"] == "http://127.0.0.1:1/o/authorize/"
    assert list(rows)[-1] == "Accounts_OAuth_Custom-Besedka", "the base switch is written last"
    assert provider.redirect_uri(moved) == "http://127.0.0.1:2/_oauth/besedka"


def test_the_first_boot_environment_names_the_provider_with_underscores() -> None:
    rows = provider.environment(contract.load())

    assert rows["Accounts_OAuth_Custom_Besedka"] == "true"
    assert rows["Accounts_OAuth_Custom_Besedka_merge_users"] == "true"
    assert rows["Accounts_OAuth_Custom_Besedka_login_style"] == "redirect"
    assert not [name for name in rows if "-" in name]


@pytest.mark.parametrize(
    ("right", "wrong", "row", "reason"),
    [
        ('username = "test_user"', 'username = "Store_Owner"', "users.3", "stands twice, whatever the case"),
        ('username = "test_user"', 'username = "test user"', "users.5 (test user).username", USER_RULE),
        ('username = "test_user"', 'username = "all"', "users.5 (all).username", "mentions everybody"),
        (
            'Accounts_SystemBlockedUsernameList = "administrator,system,user"',
            'Accounts_SystemBlockedUsernameList = "admin,administrator"',
            "users.2 (admin).username",
            "reserves 'admin'",
        ),
        ('roles = ["owner"]', 'roles = ["owner", "chief"]', "channels.2 (vip).roles", "role 'chief'"),
        ('roles = ["owner"]', "roles = []", "channels.2 (vip).roles", "nobody may enter"),
        ("private = false", "private = true", "channels.1 (general).default", "cannot be private"),
        (
            "private = false",
            'private = false\nroles = ["owner"]',
            "channels.1 (general).roles",
            "every new account joins a default room",
        ),
        ('label = "VIP"', 'label = "VIP"\nfname = "Важные"', "channels.2 (vip).fname", DISPLAY_RULE),
        ('name = "vip"', 'name = "system"', "channels.2 (system).name", "reserves 'system'"),
        (
            "default = true",
            "default = true\nread_only = true",
            "channels.1 (general).read_only",
            "nobody could write there",
        ),
        ('name = "besedka"', 'name = "Беседка"', "provider.name", "no latin letter"),
        ('name = "besedka"', 'name = "Google"', "provider.name", "a log-in service of Rocket.Chat's own"),
        ('username = "owner"', 'username = "rcadmin"', "chat.admin", "share a name or an address"),
        ('username = "owner"', 'username = "Owner"', "chat.admin.username", "one account to Rocket.Chat"),
        (
            'chat_roles = ["admin", "user"]',
            'chat_roles = ["user"]',
            "users.1 (owner).chat_roles",
            "lacks 'admin'",
        ),
        (
            '"owner123secure"\npassword_env = "BESEDKA_OWNER',
            '"a\\nb"\npassword_env = "BESEDKA_OWNER',
            "users.1 (owner).password",
            "a line break",
        ),
        (
            'label = "VIP"',
            'label = "Модераторы"',
            "channels.3 (moderators).label",
            "and owner sees both buttons",
        ),
        ('"/accounts/login/"', '"/chat/test/"', "site.login_path", "the path of site.test_page too"),
        (
            'version = "7.7.1"',
            'version = "7.7.1"\nsso = "oauth-modern"',
            "chat.sso",
            "came with Rocket.Chat 8.7",
        ),
        (
            "Iframe_Restrict_Access = false",
            "Iframe_Restrict_Access = [1]",
            "settings.Iframe_Restrict_Access",
            "true, false",
        ),
        ('version = "7.7.1"', 'version = "7.7"', "chat.version", "'7.7' is no release like 7.7.1"),
        ('"http://127.0.0.1:3000"', '"http://127.0.0.1:8001"', "chat.url", "on the site's own host"),
        (
            '"http://127.0.0.1:3000"',
            '"http://127.0.0.1:8001/chat"',
            "chat.url",
            "site.test_page lies below /chat",
        ),
        (
            'Show_Setup_Wizard = "completed"',
            'UTF8_User_Names_Validation = "[a-"',
            "settings.UTF8_User_Names_Validation",
            "no regular expression",
        ),
    ],
)
def test_bad_input_is_one_message_with_its_row(
    right: str, wrong: str, row: str, reason: str, tmp_path: Path
) -> None:
    text = CONTRACT_FILE.read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "besedka.toml"
    broken.write_text(text.replace(right, wrong, 1), encoding="utf-8")

    with pytest.raises(ContractError) as error:
        contract.load(broken, overlays=[])

    said = str(error.value)
    assert "1 wrong row: " in said
    assert row in said
    assert reason in said


@pytest.mark.parametrize("other", ["VIP", "vip-chat", "vip_1", "vip2", "Vip.Room", "vip-channel", "v\u0456p"])
def test_a_second_room_is_told_by_what_is_appended(other: str) -> None:
    assert is_twin(other, "vip")


@pytest.mark.parametrize(
    "other", ["vip", "vip-lounge", "vipassana", "vip-help", "vip-log", "my-vip", "vip-archive"]
)
def test_a_room_that_begins_alike_is_no_twin(other: str) -> None:
    assert not is_twin(other, "vip")


def test_a_path_and_a_host_are_written_as_browsers_send_them() -> None:
    raw = contract.load(overlays=[]).model_dump(mode="json")
    raw["site"] |= {"url": "http://Беседка.рф/портал", "test_page": "/чат/тест/"}
    raw["settings"] |= dict.fromkeys(ways.ORIGINS, "*")
    raw["provider"]["client_secret"] = raw["chat"]["admin"]["password"] = "a secret"
    for user in raw["users"]:
        user["password"] = "a secret"

    found = contract.Contract.model_validate(raw)

    assert found.site.url == "http://xn--80abjda5a9b.xn--p1ai/%D0%BF%D0%BE%D1%80%D1%82%D0%B0%D0%BB"
    assert found.site.test_page == "/%D1%87%D0%B0%D1%82/%D1%82%D0%B5%D1%81%D1%82/"
    told = environment.site(found, database_url="", secret_key="")
    assert json.loads(told["SITE_PATHS"])["test"] == "/чат/тест/"
