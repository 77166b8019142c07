"""login, logout, me and info (apps/meteor/app/api/server/v1/misc.ts, api.ts; default/info.ts)."""

from __future__ import annotations

import pytest

from .chat import Chat, collection, eventually
from .client import Client, Json, digest
from .versions import at

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "moves the clock by days for every account"


@pytest.fixture
def backdated(changeable: Chat) -> Chat:
    """A server whose database the test may write into, for accounts of its own."""
    if changeable.mongo_url is None:
        pytest.skip("backdates accounts in Rocket.Chat's database: no --mongo-url")
    return changeable


def _credentials(client: Client, **more: str) -> dict[str, str]:
    return {"username": client.username, "password": client.password} | more


def test_login_answers_user_token_and_me(chat: Chat) -> None:
    """`{status, data: {userId, authToken, me}}` (api.ts, login)."""
    answer = chat.anybody().login(_credentials(chat.anna))
    data = answer.body["data"]
    assert answer.body["status"] == "success"
    assert ("success" in answer.body) is at(chat.version, "success in login")
    assert data["userId"] == chat.anna.user_id == data["me"]["_id"]
    assert len(data["authToken"]) == 43
    assert data["authToken"] != chat.anna.token, "each log-in has a token of its own"
    assert data["me"]["roles"] == ["user"]
    assert data["me"]["settings"]["preferences"]
    assert "services" not in data["me"] or "password" not in str(data["me"]["services"].get("resume"))


@pytest.mark.trap("Log-in and sessions", "names, addresses, digests")
@pytest.mark.parametrize("form", ["user", "username", "e-mail", "email", "sha-256"])
def test_login_takes_names_addresses_and_digests(chat: Chat, form: str) -> None:
    """loginCompatibility in api.ts; a `user` with @ is an address."""
    anna = chat.anna
    address = f"{anna.username}@besedka.test"
    hashed = {"digest": digest(anna.password), "algorithm": "sha-256"}
    bodies: dict[str, Json] = {
        "user": {"user": anna.username, "password": anna.password},
        "username": {"username": anna.username, "password": anna.password},
        "e-mail": {"user": address, "password": anna.password},
        "email": {"email": address, "password": anna.password},
        "sha-256": {"user": anna.username, "password": hashed},
    }
    assert chat.anybody().login(bodies[form]).status == 200


@pytest.mark.trap("Envelopes and statuses", "bodies of 401 and of a refused log-in")
def test_bad_user_and_bad_password_look_alike(chat: Chat) -> None:
    """401 with both `message` and `error`; uniform since 7.0 (loginErrorMessageOverride, PR #32159)."""
    person = chat.person()
    wrong = chat.anybody().post("login", _credentials(person, password="wrong"))
    nobody = chat.anybody().post("login", {"username": "temp_nobody", "password": "wrong"})
    assert (wrong.status, nobody.status) == (401, 401)
    assert wrong.body["status"] == "error"
    assert (wrong.body["error"], wrong.body["message"]) == at(chat.version, "wrong password")
    assert (nobody.body["error"], nobody.body["message"]) == ("Unauthorized", "Unauthorized")
    assert (wrong.body.get("success") is False) is at(chat.version, "success in login")


@pytest.mark.trap("Log-in and sessions", "unusual bodies go to Meteor's log-in")
def test_a_resume_token_logs_in_and_stays_itself(chat: Chat) -> None:
    """Unusual bodies go to Meteor's login as they are (api.ts, loginCompatibility)."""
    answer = chat.anybody().login({"resume": chat.anna.token})
    assert answer.status == 200
    assert answer.body["data"]["authToken"] == chat.anna.token
    assert chat.anybody().post("login", {"resume": "no-such-token"}).status == 401


@pytest.mark.trap("Log-in and sessions", "URL-encoded log-ins are refused")
def test_urlencoded_logins_are_refused(chat: Chat) -> None:
    """Since 7.6 (issue #36073)."""
    answer = chat.anybody().request("POST", "/api/v1/login", data=_credentials(chat.anna))
    assert answer.status == (401 if at(chat.version, "success in login") else 200)


@pytest.mark.parametrize("body", [{}, {"user": 5, "password": {}}, {"resume": {"$ne": 1}}, {"password": []}])
def test_nonsense_is_401_never_500(chat: Chat, body: dict[str, object]) -> None:
    """Meteor's check refuses it (meteor accounts-base, attemptLogin)."""
    answer = chat.anybody().post("login", body)
    assert (answer.status, answer.body["status"]) == (401, "error")


@pytest.mark.trap("Log-in and sessions", "a token dies with its own log-out")
def test_a_token_dies_with_its_own_logout_only(chat: Chat) -> None:
    """logout pulls that token from services.resume.loginTokens (v1/misc.ts)."""
    one, other = chat.anybody(), chat.anybody()
    one.sign_in(chat.anna.username, chat.anna.password)
    other.sign_in(chat.anna.username, chat.anna.password)
    answer = one.post("logout")
    assert (answer.status, answer.body["status"]) == (200, "success")
    assert answer.body["data"] == {"message": "You've been logged out!"}
    assert one.get("me").status == 401
    assert chat.anybody().post("login", {"resume": one.token}).status == 401
    assert other.get("me").status == 200
    assert one.post("logout").status == 401


def test_me_shows_the_caller(chat: Chat) -> None:
    """getUserInfo.ts: `email` is the first verified address; preferences are filled with the defaults."""
    verified = chat.person(verified=True)
    me = verified.get("me").body
    assert me["_id"] == verified.user_id
    assert me["username"] == verified.username
    assert me["email"] == f"{verified.username}@besedka.test"
    assert me["services"]["password"] == {"exists": True}
    assert "email" not in chat.anna.get("me").body
    assert "bcrypt" not in str(me)
    assert "loginTokens" not in str(me)


@pytest.mark.trap("Log-in and sessions", "info without and with permission")
def test_info_names_major_and_minor_to_anybody(chat: Chat) -> None:
    """The whole version needs view-statistics (default/info.ts)."""
    info = chat.anybody().request("GET", "/api/info")
    assert (info.status, info.body["success"]) == (200, True)
    assert info.body["version"] == ".".join(str(part) for part in chat.version[:2])
    assert "info" not in info.body
    full = chat.admin.request("GET", "/api/info").body
    assert full["version"] == full["info"]["version"] == ".".join(str(part) for part in chat.version)


@pytest.mark.trap("Log-in and sessions", "/health by version")
def test_health(chat: Chat) -> None:
    """Text up to 7.10, JSON since 7.11, when /livez and /readyz came (PR #36955)."""
    health = chat.anybody().request("GET", "/health")
    newer = at(chat.version, "livez")
    assert (health.status, health.body or health.text) == (200, {"status": "ok"} if newer else "ok")
    assert bool(chat.anybody().request("GET", "/livez").body) is newer


def test_deactivated_users_are_refused(chat: Chat) -> None:
    """error-user-is-not-activated (app/authentication/server/startup/index.js, validateLogin)."""
    user = chat.account(active=False)
    body = {"username": user["username"], "password": f"{user['username']}-pass"}
    answer = chat.anybody().post("login", body)
    assert (answer.status, answer.body["error"]) == (401, "error-user-is-not-activated")


@pytest.mark.trap("Log-in and sessions", "failures block a user")
def test_ten_failures_block_a_user_for_five_minutes(backdated: Chat) -> None:
    """Block_Multiple_Failed_Logins_* (app/authentication/server/lib/restrictLoginAttempts.ts)."""
    person = backdated.person()
    for _ in range(10):
        assert backdated.anybody().post("login", _credentials(person, password="wrong")).status == 401
    blocked = backdated.anybody().post("login", _credentials(person))
    assert (blocked.status, blocked.body["error"]) == (401, "error-login-blocked-for-user")
    backdated.age(person, 301)
    assert backdated.anybody().login(_credentials(person)).status == 200


@pytest.mark.trap("Log-in and sessions", "a lock is of the typed name")
def test_a_lock_is_of_the_name_that_was_typed(backdated: Chat) -> None:
    """By e-mail and by token the same account signs in (restrictLoginAttempts.ts; seen on a running 6.5.3)."""
    person = backdated.person()
    said = [backdated.anybody().post("login", _credentials(person, password="wrong")) for _ in range(11)]
    assert said[-1].body["error"] == "error-login-blocked-for-user"
    by_mail = {"user": f"{person.username}@besedka.test", "password": person.password}
    assert backdated.anybody().post("login", {"resume": person.token}).status == 200
    assert backdated.anybody().post("login", by_mail).status == 200


@pytest.mark.trap("Log-in and sessions", "tokens expire")
def test_a_token_older_than_ninety_days_signs_nobody_in(backdated: Chat) -> None:
    """Accounts_LoginExpiration (meteor accounts-base, the log-in handler of `resume`)."""
    person = backdated.person()
    assert backdated.anybody().post("login", {"resume": person.token}).status == 200
    backdated.age(person, 91 * 24 * 3600)
    assert backdated.anybody().post("login", {"resume": person.token}).status == 401
    if backdated.has_clock:
        # The administrator's is as old, and has to put the rest back.
        backdated.sign_in_again()


def test_tokens_expire_after_ninety_days(own: Chat) -> None:
    """Accounts_LoginExpiration (meteor accounts-base, _tokenExpiration)."""
    person = own.person()
    own.set("Accounts_LoginExpiration", 1)
    own.advance(23 * 3600)
    assert person.get("me").status == 200
    own.advance(2 * 3600)
    assert person.get("me").status == 401
    assert own.anybody().post("login", {"resume": person.token}).status == 401
    # The administrator's is as old, and has to put the setting back.
    own.admin.sign_in(own.admin.username, own.admin.password)


@pytest.mark.trap("Log-in and sessions", "tokens for others need the environment")
def test_create_token_needs_the_environment(chat: Chat) -> None:
    """CREATE_TOKENS_FOR_USERS as well as the permission (v1/users.ts, users.createToken)."""
    answer = chat.admin.post("users.createToken", {"userId": chat.anna.user_id})
    assert (answer.status, answer.body["errorType"]) == (400, "error-not-authorized")


def test_deleted_users_are_signed_out(chat: Chat) -> None:
    """deleteUser removes the document and with it the tokens (app/lib/server/functions/deleteUser.ts)."""
    person = chat.person()
    assert chat.admin.post("users.delete", {"userId": person.user_id}).status == 200
    eventually(lambda: person.get("me").status == 401, "the token is dead")


@pytest.mark.trap("Iframe", "its log-in on the server")
def test_iframe_authentication_by_token(backdated: Chat) -> None:
    """A user's services.iframe.token, or a resume token as `loginToken` (app/iframe-login/server)."""
    user = backdated.account()
    with collection(backdated.mongo_url, "users") as users:
        users.update_one({"_id": user["_id"]}, {"$set": {"services.iframe.token": "from the site"}})
    answer = backdated.anybody().login({"iframe": True, "token": "from the site"})
    assert answer.body["data"]["userId"] == user["_id"]
    assert backdated.anybody().post("login", {"iframe": True, "token": "another"}).status == 401
