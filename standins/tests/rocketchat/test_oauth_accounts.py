"""From identities to accounts: ids, field mapping, merging, creation.

apps/meteor/app/custom-oauth/server/custom_oauth_server.js and transform_helpers.js;
app/authentication/server/startup/index.js. Log-ins go by access token: the same hooks, one request less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from .chat import Chat, collection
from .database import finds_in_any_case, needs
from .provider import OAuth, identity
from .versions import at

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "its provider is the test's own, and the clock is moved"


def _stored(oauth: OAuth, user_id: str | None) -> dict[str, Any]:
    stored: dict[str, Any] = oauth.user(user_id)["services"]["tempbesedka"]
    return stored


@pytest.mark.trap("OAuth", 'the id 1 is not the id "1"')
def test_string_and_number_ids_are_different_people(oauth: OAuth) -> None:
    """`1` and `"1"` do not find each other (updateOrCreateUserFromExternalService)."""
    number, text = identity(id=4242), identity(id="4242")
    by_number, by_text = oauth.come_back(number)[0], oauth.come_back(text)[0]
    assert by_number.user_id != by_text.user_id
    assert (_stored(oauth, by_number.user_id)["id"], _stored(oauth, by_text.user_id)["id"]) == (4242, "4242")
    assert oauth.come_back(number)[0].user_id == by_number.user_id


@pytest.mark.trap("OAuth", "where an id is looked for")
@pytest.mark.parametrize(
    "shape",
    [
        {"_id": "x"},
        {"ID": "x"},
        {"user_id": "x"},
        {"sub": "x"},
        {"user": {"userid": "x", "email": "temp_x@besedka.test"}},
        {"userid": "x"},
    ],
    ids=lambda shape: next(iter(shape)),
)
def test_an_id_is_looked_for_in_known_places(oauth: OAuth, shape: dict[str, Any]) -> None:
    """renameInvalidProperties and normalizers in transform_helpers.js."""
    person = identity()
    del person["id"]
    client, answer = oauth.come_back(person | shape)
    assert answer.status == 200
    assert _stored(oauth, client.user_id)["id"] == "x"


def test_without_an_id_nobody_is_signed_in(oauth: OAuth) -> None:
    """Meteor wants one (accounts-base, updateOrCreateUserFromExternalService)."""
    person = identity()
    del person["id"]
    answer = oauth.come_back(person)[1]
    assert answer.status == 401
    assert answer.body["message"] == "Service data for service tempbesedka must include id"


@pytest.mark.trap("OAuth", "templates of fields")
@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("nick", "nina"),
        ("deep.er.name", "deep"),
        ("{{first}}-{{deep.er.name}}", "ann-deep"),
        ("{{/^(.+)@/::mail}}", "nina.b"),
        ("x_{{absent}}", "x_undefined"),
    ],
)
def test_fields_are_keys_paths_and_templates(oauth: OAuth, template: str, value: str) -> None:
    """fromTemplate in transform_helpers.js; one group of the expression is taken."""
    oauth.configure(username_field=template)
    person = identity(nick="nina", first="ann", deep={"er": {"name": "deep"}}, mail="nina.b@besedka.test")
    client, answer = oauth.come_back(person)
    assert answer.status == 200, answer.text
    assert oauth.user(client.user_id)["username"] == value


def test_the_name_has_fallbacks(oauth: OAuth) -> None:
    """getName: name, username, nickname, …"""
    person = identity()
    del person["full_name"]
    client, _ = oauth.come_back(person)
    assert oauth.user(client.user_id)["name"] == person["username"]
    named, _ = oauth.come_back(identity(full_name=None, name="Нина"))
    assert oauth.user(named.user_id)["name"] == "Нина"


def test_what_is_stored(oauth: OAuth) -> None:
    """services.tempbesedka holds the identity and the token; dots in names become underscores."""
    oauth.provider.token = (200, {"access_token": "at", "refresh_token": "rt", "expires_in": 3600})
    oauth.configure(avatar_field="avatar_url")
    person = identity(**{"avatar_url": "http://127.0.0.1/a.png", "with.dot": 1})
    client, _ = oauth.come_back(person)
    stored = _stored(oauth, client.user_id)
    assert stored["_OAuthCustom"] is True
    assert (stored["accessToken"], stored["refreshToken"]) == ("at", "rt")
    assert stored["expiresAt"] > 0
    assert (stored["id"], stored["username"], stored["with_dot"]) == (person["id"], person["username"], 1)
    assert stored["avatarUrl"] == person["avatar_url"]


def test_a_new_account(oauth: OAuth) -> None:
    """Role, type, verified address (onCreateUser); no password."""
    person = identity()
    client, _ = oauth.come_back(person)
    user = oauth.user(client.user_id)
    assert (user["roles"], user["type"], user["active"]) == (["user"], "user", True)
    assert user["emails"] == [{"address": person["email"], "verified": True}]
    assert "password" not in user["services"]
    assert user["services"]["email2fa"]["enabled"] is True


def test_registration_can_be_closed_to_services(oauth: OAuth) -> None:
    """Accounts_Registration_AuthenticationServices_Enabled refuses new users and keeps old ones."""
    person = identity()
    assert oauth.come_back(person)[1].status == 200
    oauth.chat.set("Accounts_Registration_AuthenticationServices_Enabled", False)
    assert oauth.come_back(person)[1].status == 200
    assert oauth.come_back(identity())[1].status == 401


def test_new_accounts_can_need_approval(oauth: OAuth) -> None:
    """Accounts_ManuallyApproveNewUsers."""
    oauth.chat.set("Accounts_ManuallyApproveNewUsers", True)
    answer = oauth.come_back(identity())[1]
    assert (answer.status, answer.body["error"]) == (401, "error-user-is-not-activated")


@pytest.mark.trap("OAuth", "no username_field: Register username")
def test_without_a_username_field_the_user_is_asked_for_a_name(oauth: OAuth) -> None:
    """No username, no default channels until one is chosen (client: Register username; setUsername.ts)."""
    oauth.configure(username_field="")
    person = identity()
    del person["username"]
    client, answer = oauth.come_back(person)
    assert answer.status == 200
    assert "username" not in client.get("me").body
    assert client.get("subscriptions.get").body["update"] == []
    chosen = f"{person['id'][3:]}.x"
    assert client.method("setUsername", chosen)["result"] == chosen
    rooms = client.get("subscriptions.get").body["update"]
    assert [room["name"] for room in rooms] == ["general"]


# (merge_users, merge_users_distinct_services) -> whether a local account of the same name is adopted.
_ADOPTION = [(False, False, False), (True, False, False), (False, True, False), (True, True, True)]


@pytest.mark.trap("OAuth", "merging needs both flags")
@pytest.mark.parametrize(("merge", "distinct", "adopted"), _ADOPTION)
def test_a_local_account_of_the_same_name_is_adopted_with_both_flags_only(
    oauth: OAuth, merge: bool, distinct: bool, adopted: bool
) -> None:
    """beforeUpdateOrCreateUserFromExternalService; else the unique index, or "already exists", masked."""
    local = oauth.chat.account()
    oauth.configure(merge_users=merge, merge_users_distinct_services=distinct)
    client, answer = oauth.come_back(identity(full_name="Новое Имя", username=local["username"]))
    if adopted:
        assert client.user_id == local["_id"]
        user = oauth.user(local["_id"])
        assert user["name"] == "Новое Имя"
        assert "password" in user["services"], "the password still works"
    else:
        assert answer.status == 401
        masked = oauth.chat.version >= (7,)
        assert ("already exists" in answer.body["message"]) is not masked, "asked of 6.5.3"
        assert "tempbesedka" not in oauth.user(local["_id"])["services"]


@pytest.mark.trap("OAuth", "adoption by e-mail, flags or not")
@pytest.mark.parametrize("flags", [(False, False), (True, True)])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_a_verified_address_is_adopted_whatever_the_flags_say(
    oauth: OAuth, flags: tuple[bool, bool], case: Callable[[str], str]
) -> None:
    """server/configuration/accounts_meld.js, case ignored (measured on 6.13.0)."""
    local = oauth.chat.account(verified=True)
    oauth.configure(merge_users=flags[0], merge_users_distinct_services=flags[1])
    address = local["emails"][0]["address"]
    person = identity(username=local["username"], full_name=local["name"], email=address)
    assert oauth.come_back(person | {"email": case(address)})[0].user_id in {local["_id"], None}
    user = oauth.user(local["_id"])
    assert user["services"]["tempbesedka"]["id"] == person["id"], "linked"
    # In other letters the address is found, but not as the one that was verified (accounts_meld.js).
    assert ("password" in user["services"]) is (case(address) == address)


@pytest.mark.trap("OAuth", "an unverified address costs the password")
def test_an_unverified_address_costs_the_password(oauth: OAuth) -> None:
    """It might be somebody else's: the page "Reset password" waits (accounts_meld.js; measured on 6.13.0)."""
    local = oauth.chat.account()
    person = identity(username=local["username"], full_name=local["name"])
    client, answer = oauth.come_back(person | {"email": local["emails"][0]["address"]})
    assert (answer.status, client.user_id) == (200, local["_id"])
    user = oauth.user(local["_id"])
    assert "password" not in user["services"]
    assert user["requirePasswordChange"] is True
    assert user["requirePasswordChangeReason"].startswith("This_email_has_already_been_used")
    assert user["emails"][0]["verified"] is True
    assert client.get("me").body["requirePasswordChange"] is True


@pytest.mark.trap("OAuth", "a linked account is adopted again, or not")
def test_a_linked_account_is_adopted_again_by_version(oauth: OAuth) -> None:
    """Before 6.13 each log-in does it, so an unverified address costs a later password, too (accounts_meld.js)."""
    user, again = oauth.back_unverified(), at(oauth.chat.version, "adopts at every log-in")
    assert ("password" in user["services"]) is not again
    assert user["emails"][0]["verified"] is again


def test_a_refused_log_in_costs_the_password_too(oauth: OAuth) -> None:
    """The account is linked before anything else is looked at (measured on 6.13.0)."""
    needs(oauth.chat, finds_in_any_case)
    local = oauth.chat.account()
    address = local["emails"][0]["address"]
    other = identity(username=local["username"], full_name="Другая", email=address)
    assert oauth.come_back(other)[1].status == 401
    user = oauth.user(local["_id"])
    assert "password" not in user["services"]
    assert user["services"]["tempbesedka"]["id"] == other["id"]


def test_access_tokens_adopt_nobody_by_address(oauth: OAuth) -> None:
    """The unique indexes speak (measured on 6.13.0: 403 "Email already exists."); masked since 7.0."""
    local = oauth.chat.account(verified=True)
    assert oauth.by_access_token(identity(email=local["emails"][0]["address"]))[1].status == 401
    assert "tempbesedka" not in oauth.user(local["_id"])["services"]


@pytest.mark.trap("OAuth", "one identity, one account")
def test_two_accounts_cannot_have_one_identity(oauth: OAuth) -> None:
    """`services.<name>.id` is unique (accounts-oauth, registerService; measured on 6.13.0)."""
    person = identity()
    oauth.come_back(person)
    other = oauth.chat.account()
    with collection(oauth.chat.mongo_url, "users") as users, pytest.raises(DuplicateKeyError):
        users.update_one({"_id": other["_id"]}, {"$set": {"services.tempbesedka.id": person["id"]}})


def test_adoption_by_username_ignores_case_and_replaces_the_address(oauth: OAuth) -> None:
    """key_field=username sets `emails` to one verified entry (custom_oauth_server.js)."""
    local = oauth.chat.account()
    oauth.configure(merge_users=True, merge_users_distinct_services=True)
    person = identity(username=local["username"].upper())
    client, _ = oauth.come_back(person)
    assert client.user_id == local["_id"]
    user = oauth.user(local["_id"])
    assert user["username"] == local["username"]
    assert user["emails"] == [{"address": person["email"], "verified": True}]


@pytest.mark.parametrize("letters", [str.lower, str.upper])
def test_adoption_by_email_keeps_username_and_addresses(oauth: OAuth, letters: Callable[[str], str]) -> None:
    """key_field=email finds by address, whatever the name and the case (`findOneByEmailAddress`, Users.ts, 7.7.1)."""
    local = oauth.chat.account()
    oauth.configure(merge_users=True, merge_users_distinct_services=True, key_field="email")
    client, _ = oauth.come_back(identity(email=letters(local["emails"][0]["address"])))
    assert client.user_id == local["_id"]
    assert oauth.user(local["_id"])["username"] == local["username"]
    assert [row["address"] for row in oauth.user(local["_id"])["emails"]] == [local["emails"][0]["address"]]


@pytest.mark.trap("OAuth", "a changed identity needs merging")
@pytest.mark.parametrize("change", [{"full_name": "Другая"}, {"email": "temp_other@besedka.test"}])
def test_a_changed_identity_comes_back_only_with_merging(oauth: OAuth, change: dict[str, str]) -> None:
    """With merge_users off a known user whose name or address changed cannot log in any more."""
    needs(oauth.chat, finds_in_any_case)
    person = identity()
    first, _ = oauth.come_back(person)
    assert oauth.come_back(person)[0].user_id == first.user_id
    assert oauth.come_back(person | change)[1].status == 401
    oauth.configure(merge_users=True)
    again, _ = oauth.come_back(person | change)
    assert again.user_id == first.user_id
    user = oauth.user(first.user_id)
    shown = {"full_name": user["name"], "email": user["emails"][0]["address"]}
    assert shown == {name: (person | change)[name] for name in shown}


def test_roles_and_groups_of_the_identity_do_nothing(oauth: OAuth) -> None:
    """Role and channel mapping need a licence (ee/server/configuration/oauth.ts)."""
    room: dict[str, Any] = oauth.chat.room()
    oauth.configure(groups_channel_map=f'{{"vip": "{room["name"]}"}}')
    oauth.chat.set("Accounts_OAuth_Custom-Tempbesedka-map_channels", True)
    oauth.chat.set("Accounts_OAuth_Custom-Tempbesedka-merge_roles", True)
    client, _ = oauth.come_back(identity(roles=["admin"], groups=["vip"]))
    assert client.get("me").body["roles"] == ["user"]
    assert oauth.chat.members(room) == [oauth.chat.admin.username]


@pytest.mark.trap("OAuth", "default rooms at the first log-in only")
def test_default_channels_are_joined_at_the_first_login_only(oauth: OAuth) -> None:
    """addUserToDefaultChannels runs when the account is made (app/lib/server/functions)."""
    chat: Chat = oauth.chat
    person = identity()
    client, _ = oauth.come_back(person)
    later = chat.room()
    chat.admin.post("rooms.saveRoomSettings", {"rid": later["_id"], "default": True})
    again, _ = oauth.come_back(person)
    assert again.user_id == client.user_id
    names = [room["name"] for room in again.get("subscriptions.get").body["update"]]
    assert names == ["general"]
    newcomer, _ = oauth.come_back(identity())
    names = [room["name"] for room in newcomer.get("subscriptions.get").body["update"]]
    assert sorted(names) == sorted(["general", later["name"]])
