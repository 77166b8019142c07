"""Secrets at rest: the journal must bring an old client secret back without anybody reading it there.

The key is made from the administrator's password (scrypt, then Fernet), which an undo needs anyway.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from functools import cache
from typing import Any

from besedka.provision.errors import JournalError


class Cipher:
    """Encrypts and decrypts values under one password."""

    def __init__(self, password: str) -> None:
        self._password = password

    def encrypt(self, value: Any) -> str:
        """Any JSON value as a text without its content."""
        from cryptography.fernet import Fernet  # noqa: PLC0415 - costs 50 ms that most runs need not spend

        salt = secrets.token_hex(16)
        return f"{salt}:{Fernet(_key(self._password, salt)).encrypt(json.dumps(value).encode()).decode()}"

    def decrypt(self, text: str) -> Any:
        """The inverse; JournalError if the password is another than at encryption."""
        from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415 - as above

        salt, _, encrypted = text.partition(":")
        try:
            return json.loads(Fernet(_key(self._password, salt)).decrypt(encrypted.encode()))
        except (InvalidToken, ValueError) as error:
            raise JournalError(
                "a secret in the journal cannot be decrypted with the administrator's password",
                expected="the password that was valid when the change was made",
                where="the journal's encrypted values",
                next_step="run the undo with that password in the variable that [chat.admin] names",
            ) from error


@cache
def _key(password: str, salt: str) -> bytes:
    raw = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32)
    return base64.urlsafe_b64encode(raw)
