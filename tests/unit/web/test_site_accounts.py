from __future__ import annotations

import io
import json

import pytest
from accounts.forms import LoginForm
from accounts.models import User
from besedka_chat.roster import RosterError, ensure_users, read_roster, remove_users
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

OLGA = {
    "username": "olga",
    "role": "owner",
    "email": "olga@example.org",
    "full_name": "Ольга",
    "password": "olga-pw",
}


def roster(*rows: object) -> list[dict[str, str]]:
    return read_roster(io.StringIO(json.dumps(rows)))


@pytest.mark.usefixtures("db")
class TestEnsureUsers:
    def test_creates_once_and_then_changes_nothing(self) -> None:
        assert ensure_users(roster(OLGA)) == ["user olga: created, role owner"]
        assert ensure_users(roster(OLGA)) == []
        assert User.objects.get(username="olga").role == "owner"

    def test_repairs_each_field_and_never_prints_a_password(self) -> None:
        ensure_users(roster(OLGA))
        lines = ensure_users(roster(OLGA | {"role": "moderator", "password": "another-pw"}))
        text = "\n".join(lines)
        assert "role 'owner' -> 'moderator'" in text
        assert "password differs" in text
        assert "another-pw" not in text

    def test_one_bad_row_leaves_everything_as_it_was(self) -> None:
        with pytest.raises(RosterError, match="row 2"):
            ensure_users(roster(OLGA, {"username": "x", "role": ""}))
        assert not User.objects.exists()

    @pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"username":"a","nickname":"b"}]'])
    def test_refuses_what_is_not_a_roster(self, text: str) -> None:
        with pytest.raises(RosterError, match="expected"):
            read_roster(io.StringIO(text))

    def test_removes_temporary_users_only(self) -> None:
        ensure_users(roster(OLGA, {"username": "temp_1", "password": "p"}))
        with pytest.raises(RosterError, match="olga"):
            remove_users(["temp_1", "olga"])
        assert User.objects.count() == 2
        assert remove_users(["temp_1", "temp_2"]) == ["user temp_1: removed", "user temp_2: not there"]


@pytest.mark.usefixtures("db")
class TestLogin:
    @pytest.mark.parametrize("name", ["olga", "OLGA", "olga@example.org", "Olga@Example.org"])
    def test_by_username_or_email(self, name: str) -> None:
        ensure_users(roster(OLGA))
        assert authenticate(username=name, password="olga-pw") == User.objects.get()
        assert authenticate(username=name, password="wrong") is None

    def test_not_for_a_disabled_account(self) -> None:
        ensure_users(roster(OLGA))
        User.objects.update(is_active=False)
        typed = {"username": "olga", "password": "olga-pw"}
        form = LoginForm(data=typed)
        assert not form.is_valid()
        assert "отключена" in str(form.non_field_errors())
        # With a wrong password nobody is told that the account exists.
        assert "отключена" not in str(LoginForm(data=typed | {"password": "x"}).non_field_errors())

    @pytest.mark.parametrize("twin", [{"username": "Olga"}, {"username": "b", "email": "OLGA@example.org"}])
    def test_names_and_addresses_are_unique_whatever_the_case(self, twin: dict[str, str]) -> None:
        ensure_users(roster(OLGA))
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create(**twin)

    def test_several_users_may_have_no_address(self) -> None:
        ensure_users(roster({"username": "a"}, {"username": "b"}))
        assert User.objects.filter(email="").count() == 2
