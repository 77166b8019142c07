"""What every part of the stand-in is handed: configuration, database, clock, settings, streams."""

from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from standins.rocketchat.clock import Clock
from standins.rocketchat.config import Config
from standins.rocketchat.hub import Hub
from standins.rocketchat.limits import Limiter
from standins.rocketchat.oauth.services import Services
from standins.rocketchat.permissions import ROOM_ROLES, Permissions
from standins.rocketchat.settings import Settings


class Server:
    """The running stand-in; one per process. Collections are attributes, named by what they hold."""

    def __init__(self, config: Config, db: AsyncDatabase[dict[str, Any]]) -> None:
        self.config, self.db, self.clock, self.hub, self.limiter = config, db, Clock(), Hub(), Limiter()
        self.users, self.roles, self.events = (
            db["users"],
            db["rocketchat_roles"],
            db["rocketchat_server_events"],
        )
        self.rooms, self.messages = db["rocketchat_room"], db["rocketchat_message"]
        self.subscriptions = db["rocketchat_subscription"]
        self.settings = Settings(db, config, self.clock, self.hub)
        self.permissions = Permissions(db)
        # Of the server-side OAuth flow: what a browser's session holds, and codes that nobody has claimed.
        self.oauth_sessions: dict[str, dict[str, str]] = {}
        self.login_codes: dict[str, str] = {}
        self.services = Services(db, config, self.settings, self.clock, self.hub)

    @property
    def root_url(self) -> str:
        """Where the server believes to be: `Site_Url` as it is now; ROOT_URL only fills that the first time.

        `app/lib/server/startup/settingsOnLoadSiteUrl.ts`; measured on 6.13.0.
        """
        return str(self.settings.get("Site_Url") or self.config.root_url).rstrip("/")

    def now(self) -> datetime:
        return self.clock.now()

    async def may(self, user: dict[str, Any] | None, permission: str, room_id: str | None = None) -> bool:
        """Whether the user's roles, or those of their subscription in the room, hold the permission.

        Nobody signed in is the role `anonymous`.
        """
        allowed = self.permissions.roles(permission)
        held = ["anonymous"] if user is None else user.get("roles") or []
        if any(role in allowed for role in held):
            return True
        if user is None or room_id is None or not any(role in allowed for role in ROOM_ROLES):
            return False
        subscription = await self.subscriptions.find_one({"rid": room_id, "u._id": user["_id"]})
        return any(role in allowed for role in (subscription or {}).get("roles") or [])
