"""Pending credentials, and the users that external services sign in.

Meteor's `oauth/pending_credentials.js` and `accounts-oauth`; adoption by e-mail after `accounts_meld.js`,
merging after `custom_oauth_server.js`.
"""

from datetime import timedelta
from typing import Any

from standins.rocketchat.accounts import create_user, exactly
from standins.rocketchat.documents import Document, millis, random_id
from standins.rocketchat.errors import MatchError, PlainError, RocketError, message_of
from standins.rocketchat.oauth import provider
from standins.rocketchat.server import Server

_PENDING = "meteor_oauth_pendingCredentials"
_LIFE = timedelta(minutes=1)
# A credential stays usable this much longer after it was used, for the second try with a 2FA code.
_REUSE = timedelta(minutes=2)
_RESET = "This_email_has_already_been_used_and_has_not_been_verified__Please_change_your_password"
# Accounts.LoginCancelledError.numericError
_CANCELLED = 0x8ACDC2F


async def store_credential(
    server: Server, key: str, credential: Document | Exception, secret: str | None
) -> None:
    """Keep the outcome of a callback for the log-in that asks with this key."""
    if isinstance(credential, Exception):
        stored: Document = {"message": message_of(credential)}
        if isinstance(credential, RocketError):
            names = {"error": credential.code, "reason": credential.reason, "details": credential.details}
            stored |= names | {"errorType": "Meteor.Error", "meteorError": True}
        credential = {"error": stored}
    now, pending = server.now(), server.db[_PENDING]
    await pending.delete_many({"createdAt": {"$lt": now - _LIFE}})
    fields = {"credential": credential, "credentialSecret": secret, "createdAt": now}
    change = {"$set": fields, "$setOnInsert": {"_id": random_id()}}
    await pending.update_one({"key": key}, change, upsert=True)


async def _retrieve(server: Server, key: str, secret: str | None) -> Document | None:
    """The stored credential, None if there is none; raises the stored error."""
    pending, now = server.db[_PENDING], server.now()
    row = await pending.find_one({"key": key, "credentialSecret": secret})
    if row is None or row["createdAt"] < now - _LIFE:
        return None
    error = row["credential"].get("error")
    if error is None:
        await pending.update_one({"_id": row["_id"]}, {"$set": {"createdAt": now + _REUSE}})
        return dict(row["credential"])
    await pending.delete_one({"_id": row["_id"]})
    if error.get("meteorError"):
        raise RocketError(error["error"], error.get("reason") or "", error.get("details"))
    # The resend copies what an empty Error has of its own, which is no message (measured on 6.13.0;
    # app/2fa/server/loginHandler.ts): the text stays in the row, and the row is gone.
    raise PlainError("")


async def login_by_credential(server: Server, given: Any) -> tuple[str, Document]:
    """`{credentialToken, credentialSecret}` of a finished callback: (service, user)."""
    given = given if isinstance(given, dict) else {}
    key, secret = given.get("credentialToken"), given.get("credentialSecret")
    if not isinstance(key, str) or not isinstance(secret, str | None):
        raise MatchError("Match error: Expected string in field credentialToken")
    result = await _retrieve(server, key, secret)
    if result is None:
        raise RocketError(_CANCELLED, "No matching login attempt found")
    return result["serviceName"], await external_user(server, result["serviceName"], result["serviceData"])


async def login_by_access_token(server: Server, options: Document) -> tuple[str, Document]:
    """`{serviceName, accessToken, expiresIn}`: the server asks the provider for the identity itself."""
    service, token, lifetime = (options.get(name) for name in ("serviceName", "accessToken", "expiresIn"))
    if not isinstance(service, str):
        raise MatchError("Match error: Missing key 'serviceName'")
    if service not in server.services.known:
        raise PlainError(f"Unexpected AccessToken service {service}")
    config = await server.services.find(service)
    if not isinstance(token, str) or not isinstance(lifetime, int) or isinstance(lifetime, bool):
        raise MatchError("Match error: Expected accessToken a string and expiresIn an integer")
    found = await provider.identity(server.services.client, config, token)
    kept = ("id", "email", "username", "name", config.get("rolesClaim") or "roles")
    data = {"accessToken": token, "expiresAt": millis(server.now()) + 1000 * lifetime}
    return service, await external_user(server, service, data | {n: found[n] for n in kept if n in found})


async def _merge(server: Server, service: str, config: Document, data: Document) -> None:
    """Adopt an account that is the same person's, if the provider's flags allow it; else refuse."""
    if not data.get("username"):
        return
    by_email, any_service = config.get("keyField") == "email", config.get("mergeUsersDistinctServices")
    query: Document = {"username": exactly(str(data["username"]))}
    if by_email:
        query = {"emails.address": exactly(str(data.get("email")))}
    mine = {} if any_service else {f"services.{service}.id": data.get("id")}
    user = await server.users.find_one(query | mine)
    if user is None:
        return
    addresses = [email["address"] for email in user.get("emails") or []]
    known_email = by_email or not data.get("email") or data["email"] in addresses
    same_id = user.get("services", {}).get(service, {}).get("id") == data.get("id")
    if same_id and user.get("name") == data.get("name") and known_email:
        return
    if config.get("mergeUsers") is not True:
        raise RocketError("CustomOAuth", f"User with username {user.get('username')} already exists")
    change = {"name": data.get("name"), f"services.{service}.id": data.get("id")}
    if not by_email and data.get("email"):
        change["emails"] = [{"address": data["email"], "verified": True}]
    await server.users.update_one({"_id": user["_id"]}, {"$set": change})


async def _adopt(server: Server, service: str, data: Document) -> None:
    """Link the account that has this e-mail address, whatever the merge flags say.

    `server/configuration/accounts_meld.js` of 6.5 to 7.7, first of all; measured on 6.13.0. An account whose
    address nobody has verified loses its password, for it might be somebody else's. 6.5.3 does so at every
    log-in; 6.13.0-rc.1 and 7.7.1 leave an account alone that has this id already.
    """
    address = data.get("email")
    user = await server.users.find_one({"emails.address": exactly(str(address))}) if address else None
    if user is None:
        return
    linked = user.get("services", {}).get(service, {}).get("id") == data.get("id")
    if linked and server.config.since(6, 13):
        return
    verified = any(row.get("address") == address and row.get("verified") for row in user["emails"])
    proved = {"verified": True}
    emails = [row | (proved if row.get("address") == address else {}) for row in user["emails"]]
    fields = {f"services.{service}.id": data.get("id"), "emails": emails}
    change: Document = {"$set": fields}
    if user.get("services", {}).get("password") and not verified:
        fields |= {"requirePasswordChange": True, "requirePasswordChangeReason": _RESET}
        change["$unset"] = {"services.password": ""}
    await server.users.update_one({"_id": user["_id"]}, change)


async def external_user(server: Server, service: str, data: Document) -> Document:
    """The user of this service data: merged, updated or created (updateOrCreateUserFromExternalService)."""
    config = server.services.known.get(service)
    if config is None:
        raise RocketError(_CANCELLED, f"No registered oauth service found for: {service}")
    if data.get("_OAuthCustom"):
        await _adopt(server, service, data)
    await _merge(server, service, config, data)
    if "id" not in data:
        raise PlainError(f"Service data for service {service} must include id")
    mine, key = (
        {f"services.{service}.{name}": value for name, value in data.items()},
        f"services.{service}.id",
    )
    user = await server.users.find_one_and_update({key: data["id"]}, {"$set": mine}, return_document=True)
    if user is not None:
        return dict(user)
    fields: Document = {"name": data.get("name") or data.get("username"), "services": {service: data}}
    if config.get("usernameField"):
        fields["username"] = data.get("username")
    if data.get("email"):
        verified = bool(server.settings.get("Accounts_Verify_Email_For_External_Accounts"))
        fields["emails"] = [{"address": data["email"], "verified": verified}]
    return await create_user(server, fields)
