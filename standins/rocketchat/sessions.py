"""Log-in tokens: issued, found, expired and removed (Meteor's `accounts-base`, in `services.resume`).

When a token dies, `("tokens", "<hashed token>")` is published on the hub. So the sockets that signed in with
it can be signed out.
"""

from datetime import datetime, timedelta
from typing import Any

from standins.rocketchat.documents import Document, hash_token, random_secret
from standins.rocketchat.server import Server

TOKENS = "services.resume.loginTokens"


def login_tokens(user: Document) -> list[Document]:
    """Every token entry of the user, personal access tokens included."""
    return user.get("services", {}).get("resume", {}).get("loginTokens") or []


def token_entry(user: Document | None, token_hash: str | None) -> Document | None:
    return next((entry for entry in login_tokens(user or {}) if entry.get("hashedToken") == token_hash), None)


def expires_at(server: Server, when: datetime) -> datetime:
    """End of a token's life: `Accounts_LoginExpiration` days, 90 where that is no positive number."""
    days = server.settings.get("Accounts_LoginExpiration")
    usable = isinstance(days, int | float) and not isinstance(days, bool) and 0 < days < 100_000
    return when + timedelta(days=days if usable else 90)


def is_expired(server: Server, entry: Document) -> bool:
    """Personal access tokens and tokens without a time (createToken's in old data) never expire.

    Nor does a text that Meteor makes no date of (`_tokenExpiration`); one that it could is not told apart.
    """
    when = entry.get("when")
    return isinstance(when, datetime) and server.now() >= expires_at(server, when)


async def user_by_hash(server: Server, token_hash: str | None, user_id: str | None) -> Document | None:
    """The user who holds this token; None if it is unknown, expired, or another user's."""
    query = {f"{TOKENS}.hashedToken": token_hash} | ({"_id": user_id} if user_id else {})
    user = await server.users.find_one(query)
    entry = token_entry(user, token_hash)
    return None if entry is None or is_expired(server, entry) else user


async def issue_token(
    server: Server, user: Document, token: str | None = None, **fields: Any
) -> tuple[str, Document]:
    """Give the user a new token: (token, entry). Beyond MAX_RESUME_LOGIN_TOKENS the oldest die.

    `fields` are added to the entry, e.g. a personal access token's `type` and `name`.
    """
    token = token or random_secret()
    entry = {"when": server.now(), "hashedToken": hash_token(token)} | fields
    await server.users.update_one({"_id": user["_id"]}, {"$push": {TOKENS: entry}})
    sessions = [known for known in login_tokens(user) if known.get("type") != "personalAccessToken"]
    surplus = max(0, len(sessions) + 1 - server.config.max_resume_tokens)
    for known in sorted(sessions, key=_age)[:surplus]:
        await remove_tokens(server, user["_id"], known["hashedToken"])
    return token, entry


def _age(entry: Document) -> float:
    """MongoDB sorts them: what is no date comes before every date."""
    when = entry.get("when")
    return when.timestamp() if isinstance(when, datetime) else 0.0


async def remove_tokens(server: Server, user_id: str, token_hash: str | Document) -> None:
    """Remove one token, or those that a query selects, e.g. `{"$ne": hash}`."""
    await server.users.update_one({"_id": user_id}, {"$pull": {TOKENS: {"hashedToken": token_hash}}})
    if isinstance(token_hash, str):
        server.hub.publish("tokens", token_hash)


async def end_sessions(server: Server, user: Document, keep: str | None = None) -> None:
    """Every token of the user dies, but the one to keep."""
    for entry in login_tokens(user):
        if entry["hashedToken"] != keep:
            await remove_tokens(server, user["_id"], entry["hashedToken"])
