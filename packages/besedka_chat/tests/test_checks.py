"""`manage.py check`: silent on the bare project, and each setting that keeps people out is named."""

from __future__ import annotations

from typing import Any

import pytest
from bare_settings import BESEDKA_CHAT, MIDDLEWARE, OAUTH2_PROVIDER
from besedka_chat.conf import chat_settings, read
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from oauth2_provider.oauth2_validators import OAuth2Validator

OPENID = OAUTH2_PROVIDER | {"OIDC_ENABLED": True, "SCOPES": {"openid": "Anmeldung", "read": "Name und Rolle"}}
ISSUER = {"OIDC_ISS_ENDPOINT": "http://site.test/verein/o"}
ASKS = BESEDKA_CHAT | {"SCOPES": ["openid"], "CLIENT_SECRET": "a+secret%" * 4}
HTTPS = BESEDKA_CHAT | {"SITE_URL": "https://site.test", "CHAT_URL": "https://chat.site.test"}


def found() -> list[str]:
    return [message.id for message in run_checks(tags=["besedka_chat"])]


def test_a_project_that_is_right_is_told_nothing() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"BESEDKA_CHAT": {}}, "E001"),
        ({"OAUTH2_PROVIDER": OAUTH2_PROVIDER | {"PKCE_REQUIRED": True}}, "E002"),
        ({"OAUTH2_PROVIDER": OAUTH2_PROVIDER | {"PKCE_REQUIRED": lambda _client: True}}, "E002"),
        ({"OAUTH2_PROVIDER": OAUTH2_PROVIDER | {"SCOPES": {"groups": "Gruppen"}}}, "E003"),
        ({"OAUTH2_PROVIDER": OAUTH2_PROVIDER | {"ALLOWED_REDIRECT_URI_SCHEMES": ["https"]}}, "E004"),
        ({"BESEDKA_CHAT": BESEDKA_CHAT | {"CHAT_URL": "http://localhost:3000"}}, "E005"),
        ({"BESEDKA_CHAT": BESEDKA_CHAT | {"CHAT_URL": "https://chat.site.test"}}, "E005"),
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, "W005"),
        ({"SESSION_COOKIE_SAMESITE": "None"}, "E006"),
        ({"SESSION_COOKIE_SECURE": True}, "E007"),
        ({"CSRF_COOKIE_SECURE": True}, "E007"),
        ({"ALLOWED_HOSTS": []}, "E008"),
        ({"ALLOWED_HOSTS": ["www.site.test"]}, "E008"),
        ({"BESEDKA_CHAT": HTTPS}, "W009"),
        ({"MIDDLEWARE": [one for one in MIDDLEWARE if "csrf" not in one]}, "W010"),
        ({"X_FRAME_OPTIONS": "DENY"}, "W011"),
        ({"ROOT_URLCONF": "guests.urls", "LOGIN_URL": "https://login.test/"}, "W012"),
        ({"BESEDKA_CHAT": BESEDKA_CHAT | {"USERNAME_FIELD": "mail"}}, "W013"),
        ({"LOGIN_URL": "/verein/nirgends/"}, "W014"),
        ({"LOGIN_URL": "nirgends"}, "W014"),
        ({"BESEDKA_CHAT": ASKS, "OAUTH2_PROVIDER": OPENID}, "E015"),
        ({"BESEDKA_CHAT": ASKS | {"CLIENT_SECRET": "short"}, "OAUTH2_PROVIDER": OPENID | ISSUER}, "E016"),
    ],
    ids=lambda one: one if isinstance(one, str) else next(iter(one)),
)
def test_what_keeps_people_out_is_named(wrong: dict[str, Any], name: str) -> None:
    with override_settings(**wrong):
        ids = found()
        hints = [message.hint for message in run_checks(tags=["besedka_chat"])]
    assert set(ids) == {f"besedka_chat.{name}"}
    assert all(hints)


def test_a_name_in_the_place_of_the_function_is_named_where_it_would_ask_for_pkce() -> None:
    """django-oauth-toolkit 2.4 takes any text for True; 3.x imports it. The check follows either."""
    named = OAUTH2_PROVIDER | {"PKCE_REQUIRED": "besedka_chat.pkce.pkce_required"}
    with override_settings(OAUTH2_PROVIDER=named):
        asks = OAuth2Validator().is_pkce_required("bare-client", None)
        assert found() == (["besedka_chat.E002"] if asks else [])


@pytest.mark.parametrize(
    "right",
    [
        {"ALLOWED_HOSTS": [".test"]},
        {"ALLOWED_HOSTS": ["*"]},
        {"BESEDKA_CHAT": HTTPS, "CSRF_TRUSTED_ORIGINS": ["https://*.test"]},
        {"BESEDKA_CHAT": HTTPS, "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        {"MIDDLEWARE": [one for one in MIDDLEWARE if "clickjacking" not in one], "X_FRAME_OPTIONS": "DENY"},
        {"OAUTH2_PROVIDER": OAUTH2_PROVIDER | {"PKCE_REQUIRED": False}},
        {"OAUTH2_PROVIDER": OPENID},
        {"BESEDKA_CHAT": ASKS, "OAUTH2_PROVIDER": OPENID | ISSUER},
    ],
    ids=lambda one: next(iter(one)),
)
def test_what_works_is_not_named(right: dict[str, Any]) -> None:
    with override_settings(**right):
        assert found() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_URL", "site.test"),
        ("CHAT_URL", ""),
        ("CLIENT_ID", None),
        ("CLIENT_SECRET", b"hidden-word"),
        ("SERVICE", "Besedka"),
        ("SCOPES", "read"),
        ("LOGIN_STYLE", "window"),
        ("CHANNELS", [{"name": "a", "label": "A"}]),
        ("CHANNELS", [{"name": "a"}]),
        ("CHANNELS", 7),
        ("GROUPS", {"wirt": "admin"}),
        ("PATIENCE", "120"),
        ("USERNAME_FIELD", "no_such_field"),
        ("ROLE_FIELD", "no_such_field"),
        ("CHANELS", []),
    ],
)
def test_each_row_is_checked(name: str, value: object) -> None:
    _, problems = read(BESEDKA_CHAT | {name: value})
    assert len(problems) == 1, problems
    assert name in problems[0]
    assert "hidden-word" not in problems[0]


def test_every_problem_is_named_at_once() -> None:
    with override_settings(BESEDKA_CHAT={"CHANELS": []}), pytest.raises(ImproperlyConfigured) as caught:
        chat_settings()
    for name in ("SITE_URL", "CHAT_URL", "CLIENT_ID", "CLIENT_SECRET", "CHANELS"):
        assert name in str(caught.value)


def test_defaults_follow_from_what_is_told() -> None:
    told = {
        name: settings.BESEDKA_CHAT[name] for name in ("SITE_URL", "CHAT_URL", "CLIENT_ID", "CLIENT_SECRET")
    }
    chat, problems = read(told)
    assert problems == []
    assert chat.chat_internal_url == chat.chat_url
    assert chat.redirect_uri == "http://chat.site.test/_oauth/besedka"
    assert (chat.service, chat.scopes, chat.default_channel.name) == ("besedka", ("read",), "general")
    assert (chat.username_field, chat.role_field) == ("mail", "")
