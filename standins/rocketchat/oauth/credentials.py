"""Pending credentials, and the users that external services sign in.

Meteor's `oauth/pending_credentials.js` and `accounts-oauth`; merging after `custom_oauth_server.js`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from standins.rocketchat.accounts import create_user, exactly
from standins.rocketchat.documents import millis, random_id
from standins.rocketchat.envelope import MatchError, PlainError, message_of
from standins.rocketchat.oauth import provider
from standins.rocketchat.registry import Document, RocketError

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

_PENDING = "meteor_oauth_pendingCredentials"
_LIFE = timedelta(minutes=1)
# A credential stays usable this much longer after it was used, for the second try with a 2FA code.
_REUSE = timedelta(minutes=2)
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
    now, pending = server.clock.now(), server.db[_PENDING]
    await pending.delete_many({"createdAt": {"$lt": now - _LIFE}})
    fields = {"credential": credential, "credentialSecret": secret, "createdAt": now}
    await pending.update_one(
        {"key": key}, {"$set": fields, "$setOnInsert": {"_id": random_id()}}, upsert=True
    )


async def _retrieve(server: Server, key: str, secret: str | None) -> Document | None:
    """The stored credential, None if there is none; raises the stored error."""
    pending, now = server.db[_PENDING], server.clock.now()
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
    raise PlainError(error["message"])


async def login_by_credential(server: Server, given: Any) -> tuple[str, Document]:
    """`{credentialToken, credentialSecret}` of a finished callback: (service, user)."""
    key = given.get("credentialToken") if isinstance(given, dict) else None
    secret = given.get("credentialSecret") if isinstance(given, dict) else None
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
    if config is None:
        raise PlainError(f"Service {service} not configured")
    if not isinstance(token, str) or not isinstance(lifetime, int) or isinstance(lifetime, bool):
        raise MatchError("Match error: Expected accessToken a string and expiresIn an integer")
    found = await provider.identity(server.services.client, config, token)
    kept = ("id", "email", "username", "name", config.get("rolesClaim") or "roles")
    data = {"accessToken": token, "expiresAt": millis(server.clock.now()) + 1000 * lifetime}
    return service, await external_user(server, service, data | {n: found[n] for n in kept if n in found})


async def _merge(server: Server, service: str, config: Document, data: Document) -> None:
    """Adopt an account that is the same person's, if the provider's flags allow it; else refuse."""
    if not data.get("username"):
        return
    users, by_email = server.db["users"], config.get("keyField") == "email"
    any_service = config.get("mergeUsersDistinctServices")
    if by_email:
        address = str(data.get("email"))
        query: Document = {"emails.address": address if any_service else exactly(address)}
    else:
        query = {"username": exactly(str(data["username"]))}
    user = await users.find_one(query if any_service else query | {f"services.{service}.id": data.get("id")})
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
    await users.update_one({"_id": user["_id"]}, {"$set": change})


async def external_user(server: Server, service: str, data: Document) -> Document:
    """The user of this service data: merged, updated or created (updateOrCreateUserFromExternalService)."""
    config, users = server.services.known.get(service), server.db["users"]
    if config is None:
        raise RocketError(_CANCELLED, f"No registered oauth service found for: {service}")
    await _merge(server, service, config, data)
    if "id" not in data:
        raise PlainError(f"Service data for service {service} must include id")
    user = await users.find_one_and_update(
        {f"services.{service}.id": data["id"]},
        {"$set": {f"services.{service}.{name}": value for name, value in data.items()}},
        return_document=True,
    )
    if user is not None:
        return dict(user)
    fields: Document = {"name": data.get("name") or data.get("username"), "services": {service: data}}
    if config.get("usernameField"):
        fields["username"] = data.get("username")
    if data.get("email"):
        verified = bool(server.settings.get("Accounts_Verify_Email_For_External_Accounts"))
        fields["emails"] = [{"address": data["email"], "verified": verified}]
    return await create_user(server, fields)
