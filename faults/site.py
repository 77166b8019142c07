"""Faults of the site: its accounts and its OAuth application."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager

from besedka.rocketchat import provider
from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault


def _application(name: str, column: str, wrong: object, cause: str) -> Fault:
    def key(one: BreakableStack) -> tuple[str, object]:
        return "client_id", one.contract.provider.client_id

    return Fault(
        name,
        f"application.{cause}",
        lambda one: one.column("oauth2_provider_application", key(one), column, wrong),
    )


def _account(name: str, column: str, wrong: object, cause: str) -> Fault:
    key = ("username", names.PLAIN.username)
    return Fault(name, f"site.{cause}", lambda one: one.column("accounts_user", key, column, wrong))


def _two_callbacks(one: BreakableStack) -> AbstractContextManager[None]:
    both = f"{provider.redirect_uri(one.contract)} http://elsewhere.invalid/_oauth/{names.SERVICE}"
    key = ("client_id", one.contract.provider.client_id)
    return one.column("oauth2_provider_application", key, "redirect_uris", both)


@contextmanager
def _without_a_table(one: BreakableStack) -> Iterator[None]:
    """A half-restored database whose migrations were faked: a table is not there."""
    with one.table_renamed("oauth2_provider_grant", "grants_away"):
        yield


@contextmanager
def _moved_away(one: BreakableStack) -> Iterator[None]:
    """Nobody of the site has the user's name or e-mail."""
    key = ("username", names.PLAIN.username)
    number = one.site_value("accounts_user", key)
    with (
        one.column("accounts_user", ("id", number), "email", "temp_moved@besedka.com"),
        one.column("accounts_user", ("id", number), "username", "temp_moved"),
    ):
        yield


_ACCOUNTS = "accounts_user"


@contextmanager
def namesake(one: BreakableStack, username: str, *, email: str = "", unique: str = "email") -> Iterator[None]:
    """A second account like a canonical user's, as a site keeps it whose column `unique` is not so."""
    with closing(sqlite3.connect(one.site_file)) as database:
        name, made = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND name LIKE ?",
            (_ACCOUNTS, f"%{unique}%"),
        ).fetchone()
        database.execute(f"DROP INDEX {name}")
        row = one.site_row(_ACCOUNTS, ("username", names.PLAIN.username))
        database.commit()
        try:
            second = row | {"id": 9001, "username": username} | ({"email": email} if email else {})
            with one.rows(_ACCOUNTS, second):
                yield
        finally:
            database.execute(made)
            database.commit()


FAULTS = (
    Fault(
        "two_site_accounts_of_one_address",
        "site.accounts.email_twice",
        lambda one: namesake(one, "namesake"),
    ),
    Fault("redirect_uri_of_somebody_else", "application.redirect_uri.foreign", _two_callbacks),
    _application("client_id_mismatch", "client_id", "Ohy", "exists.missing"),
    _application("client_secret_drift", "client_secret", "another", "secret.differs"),
    _application("redirect_uri_empty", "redirect_uris", "", "redirect_uri.empty"),
    _application(
        "redirect_uri_with_a_typo",
        "redirect_uris",
        "http://127.0.0.1:3000/_oauth-apps/x",
        "redirect_uri.differs",
    ),
    Fault(
        "redirect_uri_on_localhost",
        "application.redirect_uri.host_spelling",
        lambda one: one.column(
            "oauth2_provider_application",
            ("client_id", one.contract.provider.client_id),
            "redirect_uris",
            provider.redirect_uri(one.contract).replace("127.0.0.1", "localhost"),
        ),
    ),
    Fault("site_table_missing", "services.site_database.unanswered", _without_a_table),
    _application("consent_page", "skip_authorization", 0, "consent.asked"),
    _application("public_client", "client_type", "public", "client_type.client_type"),
    _application(
        "password_grant", "authorization_grant_type", "password", "client_type.authorization_grant_type"
    ),
    Fault("site_account_missing", "site.accounts.missing", _moved_away),
    _account("site_account_inactive", "is_active", 0, "accounts.inactive"),
    _account("site_account_with_another_role", "role", "moderator", "accounts.role"),
    _account("site_account_with_another_email", "email", "else@besedka.com", "accounts.email"),
    _account("site_account_with_another_name", "full_name", "Кто-то", "accounts.name"),
    _account("site_password_changed", "password", "!", "passwords.differs"),
)
