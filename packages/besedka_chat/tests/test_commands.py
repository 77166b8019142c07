"""The three management commands, on a user model that is not ours."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from besedka_chat import roster
from besedka_chat.conf import chat_settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from guests.models import Guest
from oauth2_provider.models import get_application_model

OLGA = {
    "username": "olga",
    "role": "wirt",
    "email": "olga@example.org",
    "full_name": "Olga",
    "password": "pw",
}

CALLBACK = "http://chat.site.test/_oauth/besedka"


def said(command: str, *words: str) -> str:
    out = io.StringIO()
    call_command(command, *words, stdout=out)
    return out.getvalue()


def told(monkeypatch: pytest.MonkeyPatch, *rows: object) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(rows)))


def test_users_are_made_and_mended_by_the_models_own_fields(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, OLGA)
    assert "user olga: created, role wirt" in said("ensure_users")
    found = Guest.objects.get(nick="olga")
    assert (found.mail, found.shown_as, found.kind) == ("olga@example.org", "Olga", "wirt")
    assert found.check_password("pw")

    told(monkeypatch, OLGA | {"role": "gast", "password": "another"})
    lines = said("ensure_users")
    assert "kind 'wirt' -> 'gast'" in lines
    assert "another" not in lines

    told(monkeypatch, OLGA | {"role": "gast", "password": "another"})
    assert "nothing to change" in said("ensure_users")


def test_only_temporary_users_are_removed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, OLGA, {"username": "temp_1", "email": "temp_1@example.org"})
    said("ensure_users")
    with pytest.raises(CommandError, match="olga"):
        said("remove_users", "temp_1", "olga")
    assert Guest.objects.count() == 2
    assert "user temp_1: removed" in said("remove_users", "temp_1")


@pytest.mark.parametrize("rows", [[{"role": "x"}], [{"username": "a", "nickname": "b"}], ["a"]])
def test_a_list_that_cannot_be_used_is_refused_as_a_whole(
    db: None, monkeypatch: pytest.MonkeyPatch, rows: list[object]
) -> None:
    told(monkeypatch, OLGA, *rows)
    with pytest.raises(CommandError, match="row 2"):
        said("ensure_users")
    assert not Guest.objects.exists()


def test_the_chats_application_is_made_and_mended(db: None) -> None:
    assert "application bare-client: created" in said("ensure_oauth_application")
    applications = get_application_model().objects
    applications.update(redirect_uris="http://elsewhere.test/", skip_authorization=False)
    lines = said("ensure_oauth_application")
    assert "redirect_uris" in lines
    assert "skip_authorization" in lines
    found = applications.get()
    assert (found.redirect_uris, found.client_secret) == (CALLBACK, "a+secret%")
    assert "nothing to change" in said("ensure_oauth_application")


@pytest.mark.parametrize("own", [[], [CALLBACK]])
def test_addresses_beside_the_chats_stay(db: None, own: list[str]) -> None:
    said("ensure_oauth_application")
    applications, others = get_application_model().objects, ["http://a.test/", "http://b.test/"]
    applications.update(redirect_uris=" ".join([*others, *own]))

    assert ("nothing to change" in said("ensure_oauth_application")) is bool(own)
    assert applications.get().redirect_uris.split() == [*others, CALLBACK]


def asked(monkeypatch: pytest.MonkeyPatch, request: object) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(request)))
    return said("besedka")


def test_the_suites_temporary_users_come_and_go(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = OLGA | {"username": "temp_1f0c"}
    assert "created" in asked(monkeypatch, {"action": "ensure_users", "users": [guest]})
    assert Guest.objects.get(nick="temp_1f0c").check_password("pw")
    asked(monkeypatch, {"action": "remove_users", "usernames": ["temp_1f0c", "temp_gone"]})
    assert not Guest.objects.exists()


@pytest.mark.parametrize(
    "request_",
    [
        {"action": "ensure_users", "users": [OLGA]},
        {"action": "remove_users", "usernames": ["olga"]},
        {"action": "ensure_users"},
        {"action": "promote"},
        [],
    ],
)
def test_what_the_suite_may_not_ask_is_refused(
    olga: Guest, monkeypatch: pytest.MonkeyPatch, request_: object
) -> None:
    with pytest.raises(CommandError, match="expected"):
        asked(monkeypatch, request_)
    assert [guest.nick for guest in Guest.objects.all()] == ["olga"]


def test_the_name_to_show_goes_into_the_two_fields_of_djangos_own_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = replace(chat_settings(), username_field="username", full_name_field="", role_field="")
    monkeypatch.setattr(roster, "chat_settings", lambda: plain)
    monkeypatch.setattr(roster, "get_user_model", lambda: User)

    fields = roster._fields({"username": "anna", "full_name": "Anna von Ahorn"})

    assert User(**fields).get_full_name() == "Anna von Ahorn"


def test_users_with_each_others_address_get_their_own(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the site keeps addresses unique: no two users have one at any time."""
    vera = OLGA | {"username": "vera", "email": "vera@example.org"}
    told(monkeypatch, OLGA | {"email": "Vera@example.org"}, vera | {"email": "olga@example.org"})
    said("ensure_users")
    with_one, save = [], Guest.save

    def noted(guest: Guest, *words: object, **options: object) -> None:
        with_one.append(Guest.objects.exclude(pk=guest.pk).filter(mail__iexact=guest.mail).count())
        save(guest, *words, **options)

    monkeypatch.setattr(Guest, "save", noted)
    told(monkeypatch, OLGA, vera)
    said("ensure_users")

    assert with_one == [0, 0]
    held = dict(Guest.objects.values_list("nick", "mail"))
    assert held == {"olga": "olga@example.org", "vera": "vera@example.org"}
