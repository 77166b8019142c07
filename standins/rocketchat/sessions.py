"""Log-in tokens: issued, found, expired and removed (Meteor's `accounts-base`, in `services.resume`).

When a token dies, `("tokens", "<hashed token>")` is published on the hub, so that sockets that signed in
with it can be signed out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from standins.rocketchat.documents import hash_token, random_secret

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

Document = dict[str, Any]
TOKENS = "services.resume.loginTokens"


def login_tokens(user: Document) -> list[Document]:
    """Every token entry of the user, personal access tokens included."""
    return user.get("services", {}).get("resume", {}).get("loginTokens") or []


def token_entry(user: Document, token_hash: str | None) -> Document | None:
    return next((entry for entry in login_tokens(user) if entry.get("hashedToken") == token_hash), None)


def expires_at(server: Server, when: datetime) -> datetime:
    """End of a token's life: `Accounts_LoginExpiration` days, 90 where that is no positive number."""
    days = server.settings.get("Accounts_LoginExpiration")
    usable = isinstance(days, int | float) and not isinstance(days, bool) and 0 < days < 100_000
    return when + timedelta(days=days if usable else 90)


def is_expired(server: Server, entry: Document) -> bool:
    """Personal access tokens and tokens without a time (createToken's in old data) never expire."""
    when = entry.get("when")
    return when is not None and server.clock.now() >= expires_at(server, when)


async def user_by_token(
    server: Server, token: str, user_id: str | None = None
) -> tuple[Document, str] | None:
    """The user who holds this token and its hash; None if unknown, expired, or another user's."""
    token_hash = hash_token(token)
    query = {f"{TOKENS}.hashedToken": token_hash} | ({"_id": user_id} if user_id else {})
    user = await server.db["users"].find_one(query)
    entry = token_entry(user, token_hash) if user else None
    if user is None or entry is None or is_expired(server, entry):
        return None
    return user, token_hash


def _age(entry: Document) -> float:
    return float(entry["when"].timestamp()) if "when" in entry else 0.0


async def issue_token(server: Server, user: Document, **fields: Any) -> tuple[str, Document]:
    """Give the user a new token: (token, entry). Beyond MAX_RESUME_LOGIN_TOKENS the oldest die.

    `fields` are added to the entry, e.g. a personal access token's `type` and `name`.
    """
    token = random_secret()
    entry = {"when": server.clock.now(), "hashedToken": hash_token(token)} | fields
    await server.db["users"].update_one({"_id": user["_id"]}, {"$push": {TOKENS: entry}})
    sessions = [known for known in login_tokens(user) if known.get("type") != "personalAccessToken"]
    surplus = len(sessions) + 1 - server.config.max_resume_tokens
    if surplus > 0:
        oldest = sorted(sessions, key=_age)[:surplus]
        await remove_tokens(server, user["_id"], {"$in": [known["hashedToken"] for known in oldest]})
        for known in oldest:
            server.hub.publish("tokens", known["hashedToken"])
    return token, entry


async def remove_tokens(server: Server, user_id: str, token_hash: str | Document) -> None:
    """Remove one token, or those that a query selects, e.g. `{"$ne": hash}`."""
    await server.db["users"].update_one({"_id": user_id}, {"$pull": {TOKENS: {"hashedToken": token_hash}}})
    if isinstance(token_hash, str):
        server.hub.publish("tokens", token_hash)
