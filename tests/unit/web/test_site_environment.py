from __future__ import annotations

from pathlib import Path

import pytest
from config.environment import EnvironmentProblemError, read_environment

HERE = Path("/nowhere")


def test_every_missing_variable_is_named_in_one_message() -> None:
    with pytest.raises(EnvironmentProblemError) as caught:
        read_environment({"DATABASE_URL": "sqlite://:memory:"}, HERE)
    message = str(caught.value)
    for name in ("DJANGO_SECRET_KEY", "SITE_URL", "CHAT_URL", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
        assert f"{name}: found nothing" in message
    for word in ("expected", "where:", "next:"):
        assert word in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_URL", "127.0.0.1:8001"),
        ("SITE_URL", "http://127.0.0.1:8001/?site"),
        ("SITE_PATHS", "[]"),
        ("CHAT_URL", "http://127.0.0.1:3000/?chat"),
        ("CHAT_CHANNELS", "not json"),
        ("CHAT_CHANNELS", '[{"name":"a","label":"A"}]'),
        ("CHAT_CHANNELS", '[{"name":"a"}]'),
        ("CHAT_CHANNELS", "{}"),
        ("SITE_SETTINGS", "[]"),
        ("SITE_SETTINGS", "not json"),
        ("CHAT_GROUPS", "[]"),
        ("PASSWORD_ITERATIONS", "0"),
        ("DATABASE_URL", "nonsense://user:hidden-word@host/x"),
    ],
)
def test_a_wrong_value_is_named(environment: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(EnvironmentProblemError, match=name) as caught:
        read_environment(environment | {name: value}, HERE)
    assert "hidden-word" not in str(caught.value)


def test_what_follows_from_other_variables(environment: dict[str, str]) -> None:
    site = read_environment(environment | {"CHAT_URL": "http://chat.example/"}, HERE)
    assert site.chat_url == site.chat_internal_url == "http://chat.example"
    assert site.redirect_uri == "http://chat.example/_oauth/besedka"
    assert {"127.0.0.1", "localhost", "host.docker.internal"} <= set(site.allowed_hosts)
    six = read_environment(environment | {"SITE_URL": "http://[::1]:8001"}, HERE)
    assert "[::1]" in six.allowed_hosts, "as it stands in the request"


def test_private_channels_live_under_group_and_admit_their_roles(environment: dict[str, str]) -> None:
    lobby, attic = read_environment(environment, HERE).channels
    assert lobby.path == "/channel/lobby?layout=embedded"
    assert attic.path == "/group/attic?layout=embedded"
    assert lobby.admits("user")
    assert attic.admits("owner")
    assert not attic.admits("user")


def test_a_site_may_differ_in_djangos_settings(environment: dict[str, str]) -> None:
    assert read_environment(environment, HERE).django_settings == {}

    site = read_environment(environment | {"SITE_SETTINGS": '{"X_FRAME_OPTIONS": "DENY"}'}, HERE)

    assert site.django_settings == {"X_FRAME_OPTIONS": "DENY"}
