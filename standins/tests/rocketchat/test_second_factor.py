"""The second factor of privileged calls and of log-ins (apps/meteor/app/2fa/server/code/index.ts).

A fresh server's settings throughout, whatever the one under test is set up with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

import pytest

from .chat import Chat, collection, error_type
from .client import Client, digest
from .database import needs, updates_by_position

pytestmark = pytest.mark.conformance

HALF_AN_HOUR = 1800
SETTING = "Layout_Home_Title"
_TWO_FACTOR = "Accounts_TwoFactorAuthentication"


@pytest.fixture
def guarded(changeable: Chat) -> Chat:
    """A server that asks for passwords; by e-mail only where a test says so, as nobody reads the codes."""
    if changeable.mongo_url is None:
        pytest.skip("backdates accounts in Rocket.Chat's database: no --mongo-url")
    changeable.set(SETTING, "")
    for part in ("By_Email_Enabled", "Enforce_Password_Fallback", "Enabled"):
        changeable.set(f"{_TWO_FACTOR}_{part}", part != "By_Email_Enabled")
    return changeable


def _write(client: Client, **headers: str) -> tuple[int, object]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post(f"settings/{SETTING}", {"value": "Home"}, headers=named)
    return error_type(answer)


def _administrator(guarded: Chat) -> Client:
    """A fresh one that sends no code by itself."""
    client = guarded.person(roles=["user", "admin"])
    client.second_factor, client.address = {}, "10.1.2.3"
    return client


@pytest.mark.trap("Second factor", "grace of a young administrator")
def test_a_young_administrator_is_exempt_for_half_an_hour(guarded: Chat) -> None:
    """The grace period is Accounts_TwoFactorAuthentication_RememberFor (2fa/server/code/index.ts)."""
    young = _administrator(guarded)
    assert _write(young) == (200, None)
    guarded.age(young, HALF_AN_HOUR - 60)
    assert _write(young) == (200, None)
    guarded.age(young, 61)
    assert _write(young) == (400, "totp-required")


@pytest.mark.trap("Second factor", "what totp-required says")
def test_totp_required_names_the_password(guarded: Chat) -> None:
    """PasswordCheckFallback.ts: no own method and a password."""
    old = _administrator(guarded)
    guarded.age(old, HALF_AN_HOUR + 1)
    answer = old.post(f"settings/{SETTING}", {"value": "Home"})
    assert answer.body == {
        "success": False,
        "error": "TOTP Required [totp-required]",
        "errorType": "totp-required",
        "details": {"method": "password", "codeGenerated": False, "availableMethods": []},
    }


@pytest.mark.trap("Second factor", "the code is a SHA-256")
def test_the_code_is_the_sha256_of_the_password(guarded: Chat) -> None:
    """Both headers, and the hex digest, never the plain password (PasswordCheckFallback.ts)."""
    needs(guarded, updates_by_position)
    old = _administrator(guarded)
    guarded.age(old, HALF_AN_HOUR + 1)
    assert _write(old, x_2fa_method="password", x_2fa_code=old.password) == (400, "totp-invalid")
    assert _write(old, x_2fa_method="password", x_2fa_code=digest("wrong")) == (400, "totp-invalid")
    assert _write(old, x_2fa_method="password", x_2fa_code=digest(old.password)) == (200, None)


@pytest.mark.trap("Second factor", "remembered by token and fingerprint")
def test_token_and_fingerprint_are_remembered_together(guarded: Chat) -> None:
    """User-Agent and address make the fingerprint (2fa/server/code/index.ts, getFingerprintFromConnection)."""
    needs(guarded, updates_by_position)
    old = _administrator(guarded)
    guarded.age(old, HALF_AN_HOUR + 1)
    assert _write(old, x_2fa_method="password", x_2fa_code=digest(old.password)) == (200, None)
    assert _write(old) == (200, None)
    assert _write(old, User_Agent="another") == (400, "totp-required")
    assert _write(old, X_Real_IP="10.3.2.1") == (400, "totp-required")
    second = guarded.anybody(address=old.address)
    second.login({"username": old.username, "password": old.password})
    assert _write(second) == (400, "totp-required"), "another token of the same user"
    guarded.age(old, HALF_AN_HOUR + 1)
    assert _write(old) == (400, "totp-required"), "remembered for half an hour only"


def test_switched_off_nothing_is_asked(guarded: Chat) -> None:
    """Accounts_TwoFactorAuthentication_Enabled, or the password fallback alone."""
    old = _administrator(guarded)
    guarded.age(old, HALF_AN_HOUR + 1)
    for setting in ("Enabled", "Enforce_Password_Fallback"):
        guarded.set(f"{_TWO_FACTOR}_{setting}", False)
        assert _write(old) == (200, None)
        guarded.set(f"{_TWO_FACTOR}_{setting}", True)
        assert _write(old) == (400, "totp-required")


@pytest.mark.trap("Second factor", "a personal access token bypasses it")
def test_a_personal_access_token_may_bypass_it(guarded: Chat) -> None:
    """bypassTwoFactor (v1/users.ts, generatePersonalAccessToken)."""
    old = _administrator(guarded)
    answers = [
        old.post("users.generatePersonalAccessToken", {"tokenName": name, "bypassTwoFactor": bypass})
        for name, bypass in (("with", True), ("without", False))
    ]
    guarded.age(old, HALF_AN_HOUR + 1)
    clients = [guarded.anybody() for _ in answers]
    for client, answer in zip(clients, answers, strict=True):
        client.user_id, client.token = old.user_id, answer.body["token"]
    assert [_write(client) for client in clients] == [(200, None), (400, "totp-required")]


def test_a_login_asks_no_password_again(guarded: Chat) -> None:
    """Log-ins have no password fallback, however old the account (2fa/server/loginHandler.ts)."""
    old = _administrator(guarded)
    guarded.age(old, HALF_AN_HOUR + 1)
    assert guarded.anybody().login({"username": old.username, "password": old.password}).status == 200


@pytest.mark.trap("Second factor", "e-mail 2FA of new users")
def test_a_verified_address_asks_for_a_code_by_email(guarded: Chat) -> None:
    """By default every new user has e-mail 2FA; a verified address makes it bite (EmailCheck.ts)."""
    user = guarded.account(verified=True)
    body = {"username": user["username"], "password": f"{user['username']}-pass"}
    with guarded.past_the_second_factor():
        guarded.set(f"{_TWO_FACTOR}_By_Email_Enabled", True)
        answer = guarded.anybody().post("login", body)
        wrong = guarded.anybody().post("login", body | {"code": "000"})
        guarded.set(f"{_TWO_FACTOR}_By_Email_Enabled", False)
    assert (answer.status, answer.body["error"]) == (401, "totp-required")
    details = answer.body["details"]
    assert (details["method"], details["availableMethods"]) == ("email", ["email"])
    assert details["codeGenerated"] is True
    assert (wrong.status, wrong.body["error"]) == (401, "totp-invalid")
    assert guarded.anybody().login(body).status == 200


def _six_digits(secret: str, moment: datetime) -> str:
    """RFC 6238 with its defaults: SHA-1, steps of thirty seconds."""
    counter = int(moment.timestamp()) // 30
    mac = hmac.digest(base64.b32decode(secret), counter.to_bytes(8, "big"), hashlib.sha1)
    number = int.from_bytes(mac[mac[-1] & 15 :][:4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def test_an_app_that_is_enrolled_asks_for_its_code(guarded: Chat) -> None:
    """services.totp of the user, before e-mail and password (TOTPCheck.ts); within a step either way."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    user = guarded.account()
    enrolled = {"services.totp": {"enabled": True, "secret": secret}}
    with collection(guarded.mongo_url, "users") as users:
        users.update_one({"_id": user["_id"]}, {"$set": enrolled})
    body = {"username": user["username"], "password": f"{user['username']}-pass"}
    asked = guarded.anybody().post("login", body)
    assert (asked.status, asked.body["error"]) == (401, "totp-required")
    assert asked.body["details"] == {"method": "totp", "codeGenerated": False, "availableMethods": ["totp"]}
    code = _six_digits(secret, guarded.now())
    wrong = guarded.anybody().post("login", body | {"code": f"{(int(code) + 1) % 10**6:06d}"})
    assert (wrong.status, wrong.body["error"]) == (401, "totp-invalid")
    assert guarded.anybody().login(body | {"code": code}).status == 200
