"""The first hop: why the site refuses somebody whose password is right."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import pytest
import requests

from besedka.checks.sso_user import user
from besedka.checks.visitor import Visitor, Visitors
from besedka.contract import Contract
from besedka.site import SignInRefusedError
from besedka.site_database import SiteUser
from tests.unit.checks.documents import Make

_FORM = '<form method="post"><input name="username"><input type="password" name="password"></form>'


class _Refusing:
    """A site that shows its form again."""

    def sign_in(self, *_: Any, **__: Any) -> NoReturn:
        again = requests.Response()
        again.status_code, again.url, again._content = 200, "http://127.0.0.1/", _FORM.encode()
        refused = SignInRefusedError("the form came back", expected="", where="POST /", next_step="look")
        refused.answer = again
        raise refused


@dataclass
class _Stored:
    """The site's accounts as its database holds them now."""

    accounts: list[SiteUser]

    def users(self) -> list[SiteUser]:
        return self.accounts


def _account(contract: Contract, password: str, *, active: bool = True) -> SiteUser:
    one = contract.users[0]
    return SiteUser(
        id=1,
        username=one.username,
        email=one.email,
        full_name=one.full_name,
        role=None,
        is_active=active,
        password=password,
    )


def test_a_hash_that_is_not_reckoned_here_leaves_two_reasons(examine_with: Make, contract: Contract) -> None:
    one, site = contract.users[0], _Refusing()
    somebody = Visitor(
        one.username, one.email, one.full_name, "any", cast(Any, site), one.role, frozenset(), temporary=False
    )
    stored = _Stored([_account(contract, "argon2$argon2id$v=19$m=8,t=2,p=8$c2FsdA$AAAA")])
    examination = examine_with(site_database=stored, visitors=Visitors(somebody, {}), manage=print)
    answered: Any = user.ask(examination)
    assert [found.code for found in answered.found] == ["sso.user.hasher"]
    assert "password" in answered.found[0].advice[0]
    assert "PASSWORD_HASHERS" in answered.found[0].advice[0]


@pytest.mark.parametrize(
    ("stored", "active", "temporary", "code"),
    [
        ("right", True, False, "sso.user.hasher"),
        ("right", True, True, "sso.user.backend"),
        ("another", True, True, "sso.user.refused"),
        ("right", False, False, "sso.user.refused"),
    ],
)
def test_a_right_password_that_is_refused_names_the_hashers(
    examine_with: Make, contract: Contract, stored: str, active: bool, temporary: bool, code: str
) -> None:
    one = contract.users[0]
    digest = base64.b64encode(hashlib.pbkdf2_hmac("sha256", stored.encode(), b"salt", 1)).decode()
    account = _account(contract, f"pbkdf2_sha256$1$salt${digest}", active=active)
    site: Any = _Refusing()
    somebody = Visitor(
        one.username, one.email, one.full_name, "right", site, one.role, frozenset(), temporary
    )
    examination = examine_with(
        site_database=_Stored([account]), visitors=Visitors(somebody, {}), manage=print
    )
    answered: Any = user.ask(examination)
    assert [found.code for found in answered.found] == [code]
    assert ("PASSWORD_HASHERS" in answered.found[0].advice[0]) is (code == "sso.user.hasher")
