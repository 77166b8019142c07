"""Log-in tokens that the site makes by an administrator of the chat: for a chat without OAuth of ours.

From Rocket.Chat 9.0 on Custom OAuth needs a licence. `POST users.createToken` is left, with the secret of
CREATE_TOKENS_FOR_USERS_SECRET (`apps/meteor/app/api/server/v1/users.ts`, 8.0); docs/iframe-auth.md.
"""

from __future__ import annotations

import hashlib
import json

from besedka.contract import Contract
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import versions

_NAME = "besedka-site"


def needed(contract: Contract) -> bool:
    """Whether the version of the contract has no Custom OAuth to ask for a token."""
    chat = contract.chat
    if chat.sso != "iframe-auth" or not chat.version:
        return False
    return versions.pair(chat.version, chat.sso) is versions.WITHOUT_CUSTOM_OAUTH


def of_chat(contract: Contract) -> dict[str, str]:
    """What Rocket.Chat is told by its environment."""
    return {"CREATE_TOKENS_FOR_USERS_SECRET": _secret(contract)}


def of_site(contract: Contract) -> dict[str, str]:
    """What the site is told: a personal access token of the administrator. Raises RocketChatError."""
    admin = contract.chat.admin
    chat = RocketChat.sign_in(contract.chat.url, admin.username, admin.secret)
    made = chat.post("users.generatePersonalAccessToken", tokenName=_NAME, bypassTwoFactor=True)["token"]
    maker = {"user_id": chat.me()["_id"], "token": made, "secret": _secret(contract)}
    chat.sign_out()
    return {"CHAT_CREATE_TOKENS": json.dumps(maker)}


def _secret(contract: Contract) -> str:
    """Equal for both, and after a restart of one; nobody outside knows what it is made from."""
    return hashlib.sha256(f"{contract.provider.secret}/{contract.chat.admin.secret}".encode()).hexdigest()
