"""Canonical users who sign in for the SSO hops where no temporary one can be made.

They sign in as they do every day. What that leaves is ended where it can be, and said in any case.
"""

from __future__ import annotations

from collections.abc import Callable

from besedka.checks.examination import SERVER_SECONDS, Examination
from besedka.checks.visitor import Visitor, Visitors
from besedka.contract import Contract, Role, User
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat.rest import Credentials, RocketChatError
from besedka.site import Site

_PLAIN_ROLES = ("user",)


def chosen(contract: Contract) -> User:
    """Who walks the chain: the adapter's visitor, or the user with the fewest rooms and no special role."""
    named = contract.site.adapter.visitor
    return contract.user(named) if named else min(contract.users, key=lambda user: _weight(contract, user))


def of_role(contract: Contract, role: Role) -> User | None:
    """The least powerful user of that role; None if nobody has it."""
    having = [user for user in contract.users if user.role == role]
    return min(having, key=lambda user: _weight(contract, user), default=None)


def _weight(contract: Contract, user: User) -> tuple[bool, bool, bool, int]:
    special = user.chat_roles != _PLAIN_ROLES
    administrator = contract.is_administrator(user.username)
    return (administrator, special, user.role != contract.common_role, len(user.channels))


def make(examination: Examination) -> Visitors:
    """The users of the contract, each with cookies of its own, signed out when the examination closes."""
    contract = examination.contract
    roles = sorted({role for channel in contract.channels for role in channel.roles or ()})
    holders = {role: user for role in roles if (user := of_role(contract, role))}
    made = Visitors(
        _visitor(examination, chosen(contract)),
        {role: _visitor(examination, user) for role, user in holders.items()},
    )
    known = _known(examination, made.user.username)
    examination.cleanups.append(lambda: _end(examination, made, known=known))
    return made


def _visitor(examination: Examination, user: User) -> Visitor:
    return Visitor(
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        password=user.secret,
        site=Site.of(examination.contract, timeout=SERVER_SECONDS),
        role=user.role,
        rooms=frozenset(user.channels),
        temporary=False,
    )


def _known(examination: Examination, username: str) -> bool:
    """Whether Rocket.Chat has the account already; a first log-in makes it."""
    try:
        examination.admin.get("users.info", username=username)
    except RocketChatError as error:
        return error.status not in {400, 404}
    except ServiceUnreachableError:
        # Nobody is there to make an account, either; `services.admin` says so.
        return True
    return True


def _end(examination: Examination, made: Visitors, *, known: bool) -> str:
    """End what can be ended; `examination.traces` names what stays. No account of ours is among it."""
    for one in (made.user, *made.holders.values()):
        if one.site.session_cookies() and not one.site.is_out and not _ended(one.site.sign_out):
            path = examination.contract.site.adapter.logout_path
            left = f"a session of {one.username} at the site"
            examination.traces.append(f"{left}, which [site.adapter] logout_path {path} did not end")
    walker = made.user
    tokens = [token for token in (walker.refresh_token, walker.access_token) if token]
    if tokens and not _ended(lambda: _revoked(examination, tokens[0])):
        examination.traces.append(f"an access token of {walker.username} at the site")
    if walker.credential.get("credentialSecret"):
        # Rocket.Chat keeps the one that its callback got, in the account's services.
        examination.traces.append(f"the access token that Rocket.Chat got for {walker.username}")
    if walker.chat_token:
        client = examination.chat.as_user(Credentials(walker.chat_user_id, walker.chat_token))
        if not _ended(lambda: bool(client.post("logout"))):
            examination.traces.append(f"a session of {walker.username} in Rocket.Chat")
        if not known:
            examination.traces.append(f"Rocket.Chat's account {walker.username}, made by this first log-in")
    return ""


def _revoked(examination: Examination, token: str) -> bool:
    """RFC 7009, at django-oauth-toolkit's place: beside the token endpoint."""
    own = examination.contract.provider
    path = f"{own.token_path.rstrip('/').rpartition('/')[0]}/revoke_token/"
    form = {"token": token, "client_id": own.client_id, "client_secret": own.secret}
    return examination.site.request("POST", path, data=form).status_code == 200


def _ended(end: Callable[[], bool]) -> bool:
    try:
        return end()
    except ServiceUnreachableError:
        return False
