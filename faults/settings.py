"""Faults of settings: each of the contract's rows with a wrong value, one at a time."""

from __future__ import annotations

from collections.abc import Iterator

from besedka.contract import Contract, SettingValue
from besedka.rocketchat import provider
from faults.fault import Breaking, Fault

# Wrong values that somebody really had, or that are Rocket.Chat's default; the others are made up.
_WRONG: dict[str, SettingValue] = {
    "Iframe_Integration_receive_origin": "http://localhost:8001",
    "Iframe_Integration_send_target_origin": "http://localhost:8001",
    "First_Channel_After_Login": "",
    "Accounts_SystemBlockedUsernameList": "admin,administrator,system,user",
    "Accounts_RegistrationForm": "Public",
    "Show_Setup_Wizard": "pending",
    "url": "http://127.0.0.1:1",
    "identity_path": "/api/v1/auth/rocket/user/",
    "login_style": "popup",
    "token_sent_via": "payload",
    "identity_token_sent_via": "payload",
    "key_field": "email",
    "secret": "rotated",
}

# Rocket.Chat never shows these over REST, so only a hand in Mongo can change them.
_HIDDEN = {"Accounts_SystemBlockedUsernameList"}


def faults(contract: Contract) -> Iterator[Fault]:
    """One fault per setting, per provider row, for the provider's switch, and for rows of old scripts."""
    for setting_id, right in contract.settings.items():
        yield _setting(setting_id, wrong(setting_id, right))
    for suffix, right in provider.values(contract).items():
        yield _row(suffix, wrong(suffix, right))
    # Rocket.Chat 7.7 does not look into Mongo again (#35981). Of the other settings REST tells what is
    # stored; of this one the frame's header tells what is effective.
    yield Fault(
        "iframe_setting_written_into_mongo",
        "setting.Iframe_Restrict_Access.not_stored",
        _in_mongo("Iframe_Restrict_Access", True),
    )
    yield Fault(
        "provider_switched_off",
        "provider.enabled.wrong",
        lambda one: one.setting(provider.base_id(one.contract.provider), False),
    )
    pasted = "pbkdf2_sha256$600000$salt$digest"
    yield Fault(
        "provider_secret_is_a_pasted_hash",
        "provider.secret.pasted_hash",
        lambda one: one.setting(one.row("secret"), pasted),
    )


def wrong(name: str, right: SettingValue) -> SettingValue:
    """A value of the same type that is not the contract's."""
    if name in _WRONG:
        return _WRONG[name]
    if isinstance(right, bool):
        return not right
    return right - 1 if isinstance(right, int) else f"{right}_else"


def _setting(setting_id: str, value: SettingValue) -> Fault:
    cause = f"setting.{setting_id}.wrong"
    name = f"setting_{setting_id}"
    if setting_id in _HIDDEN:
        return Fault(name, cause, _in_mongo(setting_id, value))
    return Fault(name, cause, lambda one: one.setting(setting_id, value))


def _in_mongo(setting_id: str, value: SettingValue) -> Breaking:
    update = {"$set": {"value": value}}
    return lambda one: one.changed("rocketchat_settings", {"_id": setting_id}, update)


def _row(suffix: str, value: SettingValue) -> Fault:
    return Fault(
        f"provider_{suffix}", f"provider.{suffix}.wrong", lambda one: one.setting(one.row(suffix), value)
    )
