"""Passwords as Meteor keeps them: bcrypt of the SHA-256 of the password, and time-based one-time codes."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
from datetime import datetime
from typing import Any

import bcrypt

# Rocket.Chat's own number (accounts-password's default); a test's stack may say fewer.
ROUNDS_ENV, _ROUNDS = "TEST_BCRYPT_ROUNDS", 10


def digest_of(password: Any) -> str | None:
    """SHA-256 in hex of a plain password or of `{digest, algorithm: "sha-256"}`; otherwise None."""
    if isinstance(password, str):
        return hashlib.sha256(password.encode()).hexdigest()
    if isinstance(password, dict) and isinstance(password.get("digest"), str):
        return str(password["digest"]) if password.get("algorithm") == "sha-256" else None
    return None


async def hash_password(password: str) -> str:
    return await hash_secret(digest_of(password) or "")


async def hash_secret(secret: str) -> str:
    """bcrypt, off the event loop: one hash of ten rounds takes some fifty milliseconds."""
    salt = bcrypt.gensalt(int(os.environ.get(ROUNDS_ENV) or _ROUNDS))
    hashed = await asyncio.to_thread(bcrypt.hashpw, secret.encode(), salt)
    return hashed.decode()


async def matches(secret: str, hashed: Any) -> bool:
    """Whether `hashed` is the bcrypt of `secret`; False for a value that is no bcrypt."""
    try:
        return await asyncio.to_thread(bcrypt.checkpw, secret.encode(), str(hashed).encode())
    except ValueError:
        return False


def password_hash(user: dict[str, Any]) -> str | None:
    stored: str | None = user.get("services", {}).get("password", {}).get("bcrypt")
    return stored


def totp_matches(secret: str, code: str, now: datetime, delta: int) -> bool:
    """RFC 6238, 30 seconds, six digits, `delta` steps either side."""
    try:
        key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    except (binascii.Error, ValueError):
        return False
    step = int(now.timestamp()) // 30
    for counter in range(step - delta, step + delta + 1):
        mac = hmac.new(key, counter.to_bytes(8, "big"), hashlib.sha1).digest()
        at = mac[-1] & 15
        number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF
        if hmac.compare_digest(f"{number % 1_000_000:06d}", code):
            return True
    return False
