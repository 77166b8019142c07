"""What every part of the stand-in is handed: configuration, database, clock, settings, streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from standins.rocketchat.limits import Limiter

if TYPE_CHECKING:
    from pymongo.asynchronous.database import AsyncDatabase

    from standins.rocketchat.clock import Clock
    from standins.rocketchat.config import Config
    from standins.rocketchat.hub import Hub
    from standins.rocketchat.oauth.services import Services
    from standins.rocketchat.permissions import Permissions
    from standins.rocketchat.settings import Settings


@dataclass
class Server:
    """The running stand-in; one per process. `services` are the configured Custom OAuth providers."""

    config: Config
    db: AsyncDatabase[dict[str, Any]]
    clock: Clock
    settings: Settings
    hub: Hub
    permissions: Permissions
    services: Services
    limiter: Limiter = field(default_factory=Limiter)
