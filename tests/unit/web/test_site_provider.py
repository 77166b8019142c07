from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from accounts.models import User
from besedka_chat.application import ensure_application
from besedka_chat.pkce import pkce_required
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from provider.template_database import copy_template, migration_fingerprint

IDENTITY = "/api/v1/auth/rocket/"


@pytest.mark.usefixtures("db")
class TestApplication:
    def test_is_made_once(self) -> None:
        assert "application unit-client: created" in ensure_application()
        assert ensure_application() == []

    def test_each_spoilt_field_is_repaired_and_named(self) -> None:
        ensure_application()
        spoilt = {"redirect_uris": "", "skip_authorization": False, "client_type": "public"}
        Application.objects.update(client_secret="stale", **spoilt)
        text = "\n".join(ensure_application())
        assert all(field in text for field in [*spoilt, "client_secret differs"])
        assert "unit-secret" not in text
        assert "stale" not in text
        assert Application.objects.get().client_secret == "unit-secret"

    def test_no_other_application_is_touched(self) -> None:
        other = Application.objects.create(
            client_id="other", client_type="public", authorization_grant_type="implicit"
        )
        ensure_application()
        other.refresh_from_db()
        assert (other.client_type, other.authorization_grant_type) == ("public", "implicit")


def test_pkce_is_spared_to_the_chat_alone() -> None:
    assert not pkce_required("unit-client")
    assert pkce_required("another")


@pytest.mark.usefixtures("db")
class TestIdentity:
    def answer(
        self, role: str = "owner", scope: str = "read", seconds: int = 60, **user: object
    ) -> tuple[int, dict]:
        ensure_application()
        owner = User.objects.create(username="olga", email="olga@example.org", role=role, **user)
        AccessToken.objects.create(
            user=owner,
            token="a-token",
            application=Application.objects.get(),
            scope=scope,
            expires=timezone.now() + timedelta(seconds=seconds),
        )
        response = Client().get(IDENTITY, headers={"Authorization": "Bearer a-token"})
        return response.status_code, response.json()

    def test_names_the_bearer(self) -> None:
        status, who = self.answer()
        assert status == 200
        assert who["id"] == str(User.objects.get().pk)
        assert (who["username"], who["email"], who["role"]) == ("olga", "olga@example.org", "owner")
        assert who["groups"] == ["admin", "vip"]

    def test_a_role_without_groups_gets_those_of_a_user(self) -> None:
        assert self.answer(role="store_admin")[1]["groups"] == ["user"]

    def test_expired(self) -> None:
        assert self.answer(seconds=-1)[0] == 401

    def test_wrong_scope(self) -> None:
        status, body = self.answer(scope="other")
        assert (status, body["error"]) == (403, "insufficient_scope")

    def test_disabled_user(self) -> None:
        assert self.answer(is_active=False)[0] == 401

    def test_a_session_alone_is_nobody(self) -> None:
        client = Client()
        client.force_login(User.objects.create(username="olga"))
        response = client.get(IDENTITY)
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert response["Content-Type"] == "application/json"


def test_a_template_database_of_other_migrations_is_not_used(tmp_path: Path) -> None:
    template, target = tmp_path / "template.sqlite3", tmp_path / "site.sqlite3"
    assert not copy_template(template, target)
    for version, used in ((migration_fingerprint() ^ 1, False), (migration_fingerprint(), True)):
        database = sqlite3.connect(template)
        database.execute(f"PRAGMA user_version = {version}")
        database.close()
        assert copy_template(template, target) is used
        assert target.exists() is used
