"""From configuration to a running server: wait for Mongo, register what a fresh database lacks.

Texts and exit statuses after `server/startup/serverRunning.js`; the administrator after `initialData.js`.
"""

import asyncio
import logging
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.uri_parser import parse_uri

from standins.rocketchat.accounts import insert_user
from standins.rocketchat.config import Config
from standins.rocketchat.documents import random_id
from standins.rocketchat.passwords import hash_password
from standins.rocketchat.rooms import seed_rooms
from standins.rocketchat.server import Server

_log = logging.getLogger("startup")
_TRY_MS = 2000
_OPLOG = """OPLOG / REPLICASET IS REQUIRED TO RUN ROCKET.CHAT, MORE INFORMATION AT:
https://go.rocket.chat/i/oplog-required"""


_MIGRATIONS = (((6, 3), (6, 3), 301), ((6, 4), (6, 4), 303), ((6, 5), (6, 13), 304), ((7, 7), (7, 7), 318))


class BootError(Exception):
    """The server cannot run; the text is for the box, `status` for the process."""

    def __init__(self, text: str, status: int = 1) -> None:
        self.status = status
        super().__init__(text)


def box(title: str, text: str, sign: str = "+") -> str:
    """Rocket.Chat's framed message on the console."""
    lines = ["", *text.splitlines(), ""]
    width = max(len(line) for line in (*lines, title)) + 4
    edge = f"{sign}{'-' * width}{sign}"
    return "\n".join(
        [edge, f"|{title:^{width}}|", edge, *(f"|  {line:<{width - 2}}|" for line in lines), edge]
    )


async def connect(config: Config) -> tuple[AsyncMongoClient[dict[str, Any]], str]:
    """A client whose server answers as primary, and Mongo's version; tries for as long as it takes.

    The driver does the waiting: each try ends with its server selection time-out. Raises BootError for a
    Mongo that belongs to no replica set.
    """
    # A single member is asked directly and whatever its set. So its role is seen before the driver judges it;
    # the name by which a set knows its member need not be one that can be reached from here.
    single = len(parse_uri(config.mongo_url)["nodelist"]) == 1
    more: dict[str, Any] = {"directConnection": True, "replicaSet": None} if single else {}
    name: str | None = None
    while True:
        if name:
            # A member without a primary answers at once; only the driver's search for one takes time.
            await _answer(config, {"replicaSet": name}, "ping")
        found = await _answer(config, more, "hello", "buildInfo")
        if found is None:
            continue
        hello, info = found
        name = hello.get("setName")
        if not name:
            raise BootError(f"Rocket.Chat Version: {config.version}\n\n{_OPLOG}")
        if hello.get("isWritablePrimary"):
            return AsyncMongoClient(config.mongo_url, tz_aware=True, **more), info["version"]


async def _answer(config: Config, options: dict[str, Any], *commands: str) -> list[dict[str, Any]] | None:
    """The answers to commands of a Mongo that may not be there yet; None when the time-out came first."""
    async with AsyncMongoClient[dict[str, Any]](
        config.mongo_url, serverSelectionTimeoutMS=_TRY_MS, **options
    ) as client:
        try:
            return [await client["admin"].command(command) for command in commands]
        except ServerSelectionTimeoutError as error:
            _log.warning("waiting for MongoDB: %s", str(error).partition(" (configured")[0])
        except PyMongoError as error:
            raise BootError(f"MongoDB refused: {error}") from error
    return None


async def start(config: Config, client: AsyncMongoClient[dict[str, Any]]) -> Server:
    """Everything that is kept in memory, loaded, and a fresh database filled."""
    server = Server(config, client.get_default_database("meteor"))
    users, pending = server.users, server.db["meteor_oauth_pendingCredentials"]
    await asyncio.gather(
        server.settings.load(),
        server.permissions.load(server.now()),
        seed_rooms(server),
        users.create_index([("username", 1)], unique=True, sparse=True),
        users.create_index([("emails.address", 1)], unique=True, sparse=True),
        users.create_index([("services.resume.loginTokens.hashedToken", 1)], unique=True, sparse=True),
        pending.create_index([("key", 1)], unique=True),
        _one_row_per_service(server),
    )
    await _make_users(server)
    await _note_version(server)
    await server.services.start()
    return server


async def _one_row_per_service(server: Server) -> None:
    """Meteor's index; where rows are there twice, it says so in the log and goes on.

    `packages/service-configuration/service_configuration_server.js` of Meteor 2 and 3.
    """
    try:
        await server.db["meteor_accounts_loginServiceConfiguration"].create_index("service", unique=True)
    except OperationFailure:
        _log.exception("a log-in service has more than one row")


async def _note_version(server: Server) -> None:
    """What a first boot and each change of version do (measured on 6.13.0).

    In a workspace that is not registered `Show_Setup_Wizard` falls back from `completed` to `in_progress`,
    OVERWRITE_SETTING_ or not. Source: `server/startup/cloudRegistration.ts`, 7.7.1 the same; whether 8.x is
    so is unknown. The number of the last migration may stay 0 until the second boot:
    `server/lib/migrations.ts` (6.13) awaits neither of two writes. Here it always stays 0.
    """
    migrations, version = server.db["migrations"], server.config.version
    control = await migrations.find_one({"_id": "control"})
    number = 0 if control is None else last_migration(version)
    if number is not None:
        fields = {"version": number, "locked": False}
        await migrations.update_one({"_id": "control"}, {"$set": fields}, upsert=True)
    told = {"$set": {"hash": version}}
    before = await migrations.find_one_and_update({"_id": "upgrade"}, told, upsert=True)
    if before and before.get("hash") == version:
        return
    registered = server.settings.get("Cloud_Workspace_Client_Id")
    if server.settings.get("Show_Setup_Wizard") == "completed" and not registered:
        await server.settings.force("Show_Setup_Wizard", "in_progress")


def last_migration(version: str) -> int | None:
    """Number of a version's last migration (`server/startup/migrations/`); None where it is not known."""
    line = tuple(int(part) for part in version.split(".")[:2])
    return next((number for first, last, number in _MIGRATIONS if first <= line <= last), None)


async def _make_users(server: Server) -> None:
    """rocket.cat, and the administrator of the environment where there is none.

    That administrator has the one role `admin` and joins no room (measured on 6.13.0). The address is
    verified if ADMIN_EMAIL_VERIFIED is exactly `true` (`initialData.js`; measured on 6.13.0).
    """
    users, now, environ = server.users, server.now(), server.config.environ
    common: dict[str, Any] = {"createdAt": now, "_updatedAt": now, "active": True, "status": "offline"}
    if await users.find_one({"_id": "rocket.cat"}, {"_id": 1}) is None:
        cat = {"_id": "rocket.cat", "name": "Rocket.Cat", "username": "rocket.cat", "roles": ["bot"]}
        await insert_user(server, cat | common | {"type": "bot", "status": "online", "services": {}})
    admin = await users.find_one({"roles": "admin", "type": "user"}, {"_id": 1})
    if admin is None and environ.get("ADMIN_PASS"):
        password = await hash_password(environ["ADMIN_PASS"])
        name = environ.get("ADMIN_USERNAME") or "admin"
        admin = {"_id": random_id(), "username": name, "name": environ.get("ADMIN_NAME") or "Administrator"}
        admin |= common | {"type": "user", "roles": ["admin"], "services": {"password": {"bcrypt": password}}}
        if environ.get("ADMIN_EMAIL"):
            verified = environ.get("ADMIN_EMAIL_VERIFIED") == "true"
            admin["emails"] = [{"address": environ["ADMIN_EMAIL"], "verified": verified}]
        await insert_user(server, admin)
        _log.info("administrator %s was created", name)
    if admin is not None and server.settings.get("Show_Setup_Wizard") == "pending":
        await server.settings.force("Show_Setup_Wizard", "in_progress")
