"""The people, rooms and paths that faults are about, out of the contract."""

from __future__ import annotations

from besedka import contract as contracts
from besedka.contract import Channel

CONTRACT = contracts.load()
_SITE, _PROVIDER = CONTRACT.site, CONTRACT.provider


def _holders(channel: Channel) -> int:
    return sum(channel.name in user.channels for user in CONTRACT.users)


DEFAULT = CONTRACT.default_channel
# Of a site without private rooms, or of one user, the faults that need them do not apply; all others do.
_private = sorted((channel for channel in CONTRACT.channels if channel.private), key=_holders) or [DEFAULT]
# Rocket.Chat's administrator.
ADMIN = CONTRACT.chat.admin.username
# Somebody without rights, and another person.
PLAIN, OTHER = CONTRACT.users[-1], CONTRACT.users[-2:][0]
# The private room of the fewest, with one who is in it, and the room of the most.
PRIVATE, SHARED = _private[0], _private[-1]
MEMBER = next(user for user in CONTRACT.users if PRIVATE.name in user.channels)
# Where the frame begins, without its layout.
DEFAULT_PATH = DEFAULT.path.partition("?")[0]

SERVICE = _PROVIDER.name
LOGIN, TEST_PAGE, INTEGRATED_PAGE = _SITE.login_path, _SITE.test_page, _SITE.integrated_page
CHAT_AUTH, SESSION = _SITE.chat_auth_path, _SITE.adapter.session_path
LOGOUT = _SITE.adapter.logout_path
AUTHORIZE, TOKEN, IDENTITY = _PROVIDER.authorize_path, _PROVIDER.token_path, _PROVIDER.identity_path
