"""Faults of settings: each of the contract's rows with a wrong value, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from besedka.contract import Contract
from besedka.rocketchat import provider
from besedka.values import SettingValue
from besedka.ways import ORIGINS
from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Breaking, Fault

RECEIVE, SEND = ORIGINS
# Wrong values that somebody really had, or that are Rocket.Chat's default; the others are made up.
_WRONG: dict[str, SettingValue] = {
    "Iframe_Integration_receive_origin": "http://localhost:8001",
    "Iframe_Integration_send_target_origin": "http://localhost:8001",
    "First_Channel_After_Login": "",
    "Accounts_SystemBlockedUsernameList": "admin,administrator,system,user",
    "Accounts_RegistrationForm": "Public",
    "Show_Setup_Wizard": "pending",
    "url": "http://127.0.0.1:1",
    "identity_path": f"{names.IDENTITY}user/",
    "login_style": "popup",
    "token_sent_via": "payload",
    "identity_token_sent_via": "payload",
    "key_field": "email",
    "secret": "rotated",
}

# Values that read right, and are not: (name, row, value).
_SPELT: tuple[tuple[str, str, Callable[[BreakableStack], str]], ...] = (
    ("url_with_a_slash_at_its_end", "url", lambda one: f"{one.contract.provider.url}/"),
    ("url_with_a_blank_at_its_end", "url", lambda one: f"{one.contract.provider.url} "),
    ("url_by_https", "url", lambda one: one.contract.provider.url.replace("http:", "https:")),
    ("url_on_localhost", "url", lambda one: one.contract.provider.url.replace("127.0.0.1", "localhost")),
    ("id_in_lower_case", "id", lambda one: one.contract.provider.client_id.lower()),
    ("secret_with_a_line_break", "secret", lambda one: f"{one.contract.provider.secret}\n"),
    ("token_path_without_its_slash", "token_path", lambda one: one.contract.provider.token_path.rstrip("/")),
    ("email_field_in_capitals", "email_field", lambda one: one.contract.provider.email_field.upper()),
    ("scope_empty", "scope", lambda one: ""),
)

# Of whom the chat takes commands, and to whom it speaks: (name, setting, the site's address → value).
_ORIGINS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("commands_from_anybody", RECEIVE, lambda site: "*"),
    ("commands_from_an_address_with_a_slash", RECEIVE, lambda site: f"{site}/"),
    ("commands_from_a_page_of_the_site", RECEIVE, lambda site: f"{site}{names.TEST_PAGE}"),
    ("commands_from_a_list_with_a_blank", RECEIVE, lambda site: f"http://elsewhere.invalid, {site}"),
    ("commands_from_nobody", RECEIVE, lambda site: ""),
    ("events_for_anybody", SEND, lambda site: "*"),
    ("events_for_nobody", SEND, lambda site: ""),
    ("events_for_two_addresses", SEND, lambda site: f"{site},http://elsewhere.invalid"),
    ("events_for_a_host_without_its_scheme", SEND, lambda site: site.partition("//")[2]),
)

# Rocket.Chat never shows these over REST.
_HIDDEN = {"Accounts_SystemBlockedUsernameList"}


def faults(contract: Contract) -> Iterator[Fault]:
    """One fault per setting, per provider row, for the provider's switch, and for rows of old scripts."""
    for setting_id, right in contract.settings.items():
        yield _setting(setting_id, wrong(setting_id, right))
    for name, setting_id, origin in _ORIGINS:
        yield Fault(name, f"setting.{setting_id}.wrong", _of_the_site(setting_id, origin))
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
    for name, suffix, value in _SPELT:
        yield Fault(f"provider_{name}", f"provider.{suffix}.wrong", _spelt(suffix, value))
    yield Fault("provider_id_and_secret_swapped", "provider.id.wrong", _swapped, ("provider.secret.wrong",))
    yield Fault("messages_deleted_after_a_day", "integrity.retention.short", _pruned)
    pasted = "pbkdf2_sha256$600000$salt$digest"
    yield Fault(
        "provider_secret_is_a_pasted_hash",
        "provider.secret.pasted_hash",
        lambda one: one.setting(one.row("secret"), pasted),
    )


def _of_the_site(setting_id: str, value: Callable[[str], str]) -> Breaking:
    return lambda one: one.setting(setting_id, value(one.contract.site.url))


def _spelt(suffix: str, value: Callable[[BreakableStack], str]) -> Breaking:
    return lambda one: one.setting(one.row(suffix), value(one))


@contextmanager
def _pruned(one: BreakableStack) -> Iterator[None]:
    """Somebody wanted to save room on the disk."""
    with (
        one.setting("RetentionPolicy_TTL_Channels", 24 * 60 * 60 * 1000),
        one.setting("RetentionPolicy_AppliesToChannels", True),
        one.setting("RetentionPolicy_Enabled", True),
    ):
        yield


@contextmanager
def _swapped(one: BreakableStack) -> Iterator[None]:
    own = one.contract.provider
    with one.setting(one.row("id"), own.secret), one.setting(one.row("secret"), own.client_id):
        yield


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
