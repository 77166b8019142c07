"""What lies in Rocket.Chat's rooms, memberships and accounts that no call of Rocket.Chat can mend.

Each repair is a `document` action. Accounts of other people and rooms with content are left to a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from besedka.contract import Contract
from besedka.provision.action import Action
from besedka.provision.documents import Document, changed, inserted, removed
from besedka.rocketchat import adoption, shapes
from besedka.rocketchat.documents import (
    BUILT_IN_ROLES,
    garbled,
    is_banned,
    is_date,
    is_shown,
    meant_date,
    recovered,
)

GENERAL = "GENERAL"
ROOMS, MEMBERSHIPS, USERS = "rocketchat_room", "rocketchat_subscription", "users"
_ROOM_DATES, _USER_DATES = ("ts", "_updatedAt", "lm", "ls", "lr"), ("createdAt", "lastLogin", "_updatedAt")
_ROOM_TEXTS = ("name", "fname", "topic", "description", "announcement")
# A clock of another machine may be off by as much.
_TOLERANCE = timedelta(hours=1)


class Data:
    """The documents that repairs look at, read once; `messages` are the newest of rooms of these ids."""

    def __init__(self, rows: Any, messages: Callable[[list[Any]], list[Document]] = lambda _: []) -> None:
        self.raw: dict[str, list[Document]] = {name: rows(name) for name in (USERS, ROOMS, MEMBERSHIPS)}
        self.users, self.rooms, self.memberships = (
            [shapes.whole(name, row) for row in found] for name, found in self.raw.items()
        )
        self.roles = {row["_id"] for row in rows("rocketchat_roles")}
        self.banners: list[Document] = rows("rocketchat_banner")
        self.messages = messages


def of_shapes(data: Data) -> Iterator[Action]:
    """Fields that hold text where a list or a document belongs: what was meant, or nothing."""
    for collection, rows in data.raw.items():
        for row in rows:
            for name, shape in shapes.misshapen(collection, row):
                meant = shapes.meant(name, shape, shapes.at(row, name))
                yield changed(collection, row, {name: meant}, f"its {name} is not {shape}")


def of_messages(data: Data, contract: Contract) -> Iterator[Action]:
    """Messages that the web client cannot draw. Without its author or time nothing mends one: it is hidden.

    Rocket.Chat shows no message that is `_hidden` (packages/models/src/models/Messages.ts).
    """
    known = {channel.name for channel in contract.channels}
    for row in data.messages([room["_id"] for room in data.rooms if room.get("name") in known]):
        wrong = dict(shapes.misshapen(shapes.MESSAGES, row))
        if shapes.undrawn(row):
            yield changed(shapes.MESSAGES, row, {"_hidden": True}, "it has no author or no time")
        elif wrong:
            # Without these the text itself is shown.
            after = {name: str(row[name]) if name == "msg" else None for name in wrong}
            yield changed(shapes.MESSAGES, row, after, f"its {', '.join(wrong)} cannot be shown")


def of_rooms(data: Data, contract: Contract) -> Iterator[Action]:
    """Repairs of rooms, but not of their counts."""
    people = {user["_id"] for user in data.users}
    members = Counter(str(row.get("rid")) for row in data.memberships)
    default = contract.default_channel.name
    if all(room["_id"] != GENERAL and room.get("name") != default for room in data.rooms):
        now = datetime.now(UTC)
        row = {"_id": GENERAL, "name": default, "fname": default, "t": "c", "default": True, "ts": now}
        row |= {"msgs": 0, "usersCount": members[GENERAL], "_updatedAt": now}
        yield inserted(ROOMS, row, "Rocket.Chat's own first room is gone")
    for room in data.rooms:
        if room.get("t") not in {"c", "p"}:
            continue
        if not isinstance(room["_id"], str):
            if not members[str(room["_id"])] and not room.get("msgs"):
                yield removed(ROOMS, room, "its id is no text, and nobody and nothing is in it")
            continue
        owner = (room.get("u") or {}).get("_id")
        if owner is not None and owner not in people and (heir := _heir(data, contract, room)):
            yield changed(ROOMS, room, {"u": heir}, "its maker does not exist")
        yield from _texts(ROOMS, room, _ROOM_TEXTS[1:] if room.get("name") else _ROOM_TEXTS)
        yield from _dates(ROOMS, room, _ROOM_DATES)


def of_kinds(data: Data, contract: Contract) -> Iterator[tuple[Action, Document]]:
    """Rooms of the contract that a script wrote as direct messages or discussions, and how each will be.

    No call lists such a room, and none of its name can be made beside it.
    """
    kinds = {channel.name: "p" if channel.private else "c" for channel in contract.channels}
    for room in data.rooms:
        called = _called(data, room)
        if called in kinds and all(one.get("name") != called for one in data.rooms):
            yield changed(ROOMS, room, {"name": called}, "its name is gone"), room
            room["name"] = called
        kind = kinds.get(str(room.get("name")))
        if kind and room.get("t") not in {"c", "p"} and isinstance(room["_id"], str):
            yield changed(ROOMS, room, {"t": kind}, f"it is of another kind, {room.get('t')!r}"), room
            room["t"] = kind
        if kind and room.get("prid"):
            # Nor do calls tell a discussion from the rooms that people make in a room.
            yield changed(ROOMS, room, {"prid": None}, "it is a discussion of another room"), room


def _called(data: Data, room: Document) -> str | None:
    """What all its memberships call a room that has lost its name."""
    if room.get("name") or room.get("t") not in {"c", "p"}:
        return None
    names = {str(row.get("name")) for row in data.memberships if row.get("rid") == room["_id"]}
    return names.pop() if len(names) == 1 else None


def people_in(data: Data, room: Document) -> set[str]:
    """User names of those who have a membership there."""
    own = [row.get("u") or {} for row in data.memberships if row.get("rid") == room["_id"]]
    return {str(user.get("username")) for user in own}


def of_memberships(data: Data, contract: Contract) -> Iterator[Action]:
    """Repairs of membership rows; of a double one the row with a role stays, else the first."""
    rooms, names = (
        {room["_id"] for room in data.rooms},
        {user["_id"]: user.get("username") for user in data.users},
    )
    known, canonical = set(), {user.username for user in contract.users}
    # GENERAL comes back by a repair of its own, and its members with it.
    rooms |= {GENERAL}
    for row in sorted(data.memberships, key=lambda row: not row.get("roles")):
        member, room = (row.get("u") or {}).get("_id"), row.get("rid")
        pair = (str(room), str(member))
        if not isinstance(row["_id"], str) or not isinstance(room, str):
            yield removed(MEMBERSHIPS, row, "its id is no text")
        elif room not in rooms:
            yield removed(MEMBERSHIPS, row, "its room does not exist")
        elif member not in names:
            yield removed(MEMBERSHIPS, row, "its user does not exist")
        elif pair in known:
            yield removed(MEMBERSHIPS, row, "there is a second row of the same membership")
        else:
            known.add(pair)
            yield from _membership(data, row, names[member], canonical)


def _membership(data: Data, row: Document, username: str | None, canonical: set[str]) -> Iterator[Action]:
    if (row.get("u") or {}).get("username") != username:
        user = row["u"] | {"username": username}
        yield changed(MEMBERSHIPS, row, {"u": user}, "it names its user by another name")
    room = next(one for one in [*data.rooms, {"_id": GENERAL}] if one["_id"] == row.get("rid"))
    told = {name: room[name] for name in ("name", "t") if room.get(name) and row.get(name) != room[name]}
    if told and room.get("t") in {"c", "p"}:
        yield changed(MEMBERSHIPS, row, told, "it calls its room by another name or kind")
    if row.get("status") == "INVITED" and username in canonical:
        yield changed(MEMBERSHIPS, row, {"status": None}, "it is only an invitation")
    roles = row.get("roles") or []
    if unknown := [role for role in roles if role not in data.roles | BUILT_IN_ROLES]:
        kept = [role for role in roles if role not in unknown]
        yield changed(MEMBERSHIPS, row, {"roles": kept}, f"there is no role {', '.join(map(str, unknown))}")
    yield from _texts(MEMBERSHIPS, row, ("name", "fname"))
    yield from _dates(MEMBERSHIPS, row, _ROOM_DATES)


def of_people(data: Data, contract: Contract) -> Iterator[Action]:
    """Repairs of canonical accounts: dates, banners. Names and e-mails are put right by calls."""
    canonical = {user.username for user in contract.users}
    for user in data.users:
        shown = {name: row for name, row in (user.get("banners") or {}).items() if not row.get("read")}
        if shown and user.get("username") in canonical | {contract.chat.admin.username}:
            read = {f"banners.{name}.read": True for name in shown}
            yield changed(USERS, user, read, "a banner covers the chat")
        if user.get("username") not in canonical:
            continue
        yield from _dates(USERS, user, _USER_DATES)
        yield from _listed(data, user)
        if user.get("type") != "user":
            yield changed(USERS, user, {"type": "user"}, f"its type is {user.get('type')!r}")
        emails = user.get("emails") or []
        if user.get("username") == contract.chat.admin.username and emails and not emails[0].get("verified"):
            # Rocket.Chat lets nobody verify their own address. An unverified account loses its password at
            # the first log-in by SSO (measured on 6.13.0).
            mended = [emails[0] | {"verified": True}, *emails[1:]]
            yield changed(USERS, user, {"emails": mended}, "the administrator's e-mail is not verified")
        yield from _tokens(user)
    for banner in (one for one in data.banners if is_shown(one, datetime.now(UTC))):
        yield removed("rocketchat_banner", banner, "it covers the chat")


def of_letters(data: Data, contract: Contract, at_the_site: dict[str, str]) -> Iterator[Action]:
    """Addresses in the letters that the site sends, where others would cost the password at the next log-in.

    `users.update` takes no address that somebody has in any letters, the account itself included
    (`apps/meteor/app/lib/server/functions/setEmail.ts`, `checkEmailAvailability.ts`).
    """
    if contract.chat.sso == "iframe-auth":
        return
    accounts = {str(user.get("username")): user for user in data.users}
    for user in contract.users:
        account, spelt = accounts.get(user.username, {}), at_the_site.get(user.username.lower())
        emails = adoption.respelt(account, contract.provider.name, user.email, spelt)
        if emails is not None:
            why = "the site writes its address in other letters, which would cost the password"
            yield changed(USERS, account, {"emails": emails}, why)


def _tokens(user: Document) -> Iterator[Action]:
    """Sessions and personal access tokens; one without its hash lets nobody in, and nothing removes it."""
    tokens = shapes.at(user, shapes.TOKENS) or []
    kept = [
        token | {"when": meant_date(token["when"])}
        if "when" in token and not is_date(token["when"])
        else token
        for token in tokens
        if isinstance(token.get("hashedToken"), str)
    ]
    if kept != tokens:
        yield changed(USERS, user, {shapes.TOKENS: kept}, "dates or hashes of its tokens are none")


def _listed(data: Data, user: Document) -> Iterator[Action]:
    """Members are read from the account's own list: it holds rooms that exist, and each that it is in."""
    if not any("__rooms" in one for one in data.users):
        return
    listed = list(user.get("__rooms") or [])
    rooms = {room["_id"] for room in data.rooms if room.get("t") in {"c", "p"}}
    # A room that is to come back still has its members.
    there = {room["_id"] for room in data.rooms} | {row.get("rid") for row in data.memberships}
    own = [row for row in data.memberships if _is_of(row, user) and not is_banned(row)]
    lacking = {row["rid"] for row in own if row.get("rid") in rooms}
    meant = [*(room for room in listed if room in there), *sorted(lacking - {*listed})]
    if lacking - {*listed}:
        yield changed(USERS, user, {"__rooms": meant}, "it is missing among the members")
    elif meant != listed:
        yield changed(USERS, user, {"__rooms": meant}, "it is told of rooms that do not exist")


def _is_of(row: Document, user: Document) -> bool:
    return bool((row.get("u") or {}).get("_id") == user["_id"])


def of_links(
    data: Data, contract: Contract, issued: tuple[dict[str, str], set[str] | None] | None
) -> Iterator[Action]:
    """Links of canonical accounts that the site did not make, and theirs that another account holds.

    The next log-in links anew; until then a canonical user would come in as that other account.
    `issued` are the site's user ids with their names, and its access tokens. None where they cannot be read,
    or no table keeps the tokens.
    """
    service = contract.provider.name
    canonical = {user.username for user in contract.users}
    for user in data.users:
        link, username = (user.get("services") or {}).get(service), str(user.get("username"))
        if not link:
            continue
        owner = (issued[0].get(str(link.get("id"))) if issued else None) or username
        is_taken = owner in canonical and owner.lower() != username.lower()
        if is_taken or (username in canonical and not _is_own(link, username, issued)):
            why = "the site did not make its link to this user"
            yield changed(USERS, user, {f"services.{service}": None}, why)


def _is_own(link: Document, username: str, issued: tuple[dict[str, str], set[str] | None] | None) -> bool:
    own_id, expires, token = (link.get(name) for name in ("id", "expiresAt", "accessToken"))
    # A sign-in leaves a token. A number beside one came from the site, which answers numbers: the next
    # sign-in would write it again.
    if not isinstance(own_id, str) and not (token and isinstance(own_id, int)):
        return False
    if issued is None:
        return True
    names, tokens = issued
    lapsed = isinstance(expires, int | float) and expires / 1000 < datetime.now(UTC).timestamp()
    is_known = not token or lapsed or tokens is None or token in tokens
    return names.get(str(own_id), "").lower() == username.lower() and is_known


def of_counts(data: Data) -> Iterator[Action]:
    """Rooms that count other members than they have. No call changes a count without a membership."""
    members = Counter(row.get("rid") for row in data.memberships if not is_banned(row))
    for room in data.rooms:
        counted = room.get("usersCount")
        if room.get("t") in {"c", "p"} and counted is not None and counted != members[room["_id"]]:
            why = f"it counts {counted} members and has {members[room['_id']]}"
            yield changed(ROOMS, room, {"usersCount": members[room["_id"]]}, why)


def _heir(data: Data, contract: Contract, room: Document) -> Document | None:
    """Who the room belongs to when its maker is gone: an owner among its members, else the administrator."""
    owners = [
        row["u"]
        for row in data.memberships
        if row.get("rid") == room["_id"] and "owner" in (row.get("roles") or [])
    ]
    admin = contract.chat.admin.username
    boss = [user for user in data.users if user.get("username") == admin]
    known = [user for user in owners if user.get("_id") in {one["_id"] for one in data.users}] or boss
    return {"_id": known[0]["_id"], "username": known[0]["username"]} if known else None


def _texts(collection: str, row: Document, names: tuple[str, ...]) -> Iterator[Action]:
    for name in names:
        text = row.get(name)
        if isinstance(text, str) and garbled(text) and (meant := recovered(text)):
            yield changed(collection, row, {name: meant}, f"its {name} was read in a wrong encoding")


def _dates(collection: str, row: Document, names: tuple[str, ...]) -> Iterator[Action]:
    horizon = datetime.now(UTC) + _TOLERANCE
    for name in names:
        value = row.get(name)
        if value is not None and not is_date(value):
            yield changed(collection, row, {name: meant_date(value)}, f"its {name} is no date")
        elif isinstance(value, datetime) and value > horizon:
            yield changed(collection, row, {name: meant_date(None)}, f"its {name} lies in the future")
