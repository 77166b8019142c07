"""Differences between versions, each on a stand-in of that version: the table in `versions.py`, applied.

The other files apply the same table to the version that runs. This one is what only a stand-in can be asked.
"""

from __future__ import annotations

import pytest

from .chat import Chat, collection, eventually
from .provider import OAuth, connect, providing
from .standin import ADMIN, ADMIN_PASSWORD, Standins
from .versions import at

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "wants servers of other versions"


@pytest.mark.parametrize("version", ["6.4.8", "7.5.0", "7.11.0", "8.0.0"])
def test_the_table_of_versions(standins: Standins, version: str) -> None:
    """Sources stand beside each row of `versions.CHANGES`."""
    with standins.running(version=version) as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        assert chat.version == tuple(int(part) for part in version.split("."))

        assert set(chat.anybody().get("me").body) == at(chat.version, "names in a 401")
        wrong = chat.anybody().post("login", {"user": ADMIN, "password": "wrong"}).body
        assert (wrong["error"], wrong["message"]) == at(chat.version, "wrong password")
        right = chat.anybody().login({"user": ADMIN, "password": ADMIN_PASSWORD}).body
        assert ("success" in right) is at(chat.version, "success in login")

        refused = chat.anna.get("roles.getUsersInRole", role="admin")
        assert refused.status == at(chat.version, "missing permission")
        assert bool(chat.anybody().request("GET", "/livez").body) is at(chat.version, "livez")

        exempting = "Accounts_twoFactorAuthentication_email_available_for_OAuth_users"
        known = chat.admin.get(f"settings/{exempting}").status == 200
        assert known is at(chat.version, "2FA exempts OAuth users")

        live = at(chat.version, "Mongo write is live")
        with collection(standin.mongo_url, "rocketchat_settings") as rows:
            rows.update_one({"_id": "Iframe_Restrict_Access"}, {"$set": {"value": False}})
        if live:
            eventually(lambda: not _is_framed(chat), "the watchers see it")
        else:
            chat.advance(60)
            assert _is_framed(chat)


@pytest.mark.parametrize("version", ["6.5.3", "6.13.0"])
def test_a_linked_account_by_version(standins: Standins, version: str) -> None:
    """accounts_meld.js of 6.5.3 (asked of a server, too) and of 6.13.0-rc.1."""
    with providing() as provider, standins.running(version=version) as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        connect(chat, provider)
        chat.set("Accounts_TwoFactorAuthentication_By_Email_Enabled", False)
        user, again = OAuth(chat, provider).back_unverified(), at(chat.version, "adopts at every log-in")
        assert ("password" in user["services"], user["emails"][0]["verified"]) == (not again, again)


def _is_framed(chat: Chat) -> bool:
    return "X-Frame-Options" in chat.anybody().request("GET", "/home").headers


@pytest.mark.trap("Database", "watchers by version")
def test_watchers_can_be_switched_on_again(standins: Standins) -> None:
    """DISABLE_DB_WATCHERS=false restores them in 7.7 and later 7.x (PR #35981)."""
    with standins.running(DISABLE_DB_WATCHERS="false") as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        with collection(standin.mongo_url, "rocketchat_settings") as rows:
            rows.update_one({"_id": "Iframe_Restrict_Access"}, {"$set": {"value": False}})
        eventually(lambda: not _is_framed(chat), "the watchers see it")
