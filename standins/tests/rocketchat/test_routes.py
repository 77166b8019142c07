"""The routes and limits of 7.7.1 as data, against the stand-in's own tables: no request is sent.

Rows come from apps/meteor/app/api/server/v1/*.ts: who may call without a session, what demands the second
factor, which permission stands at the route itself.
"""

from __future__ import annotations

import pytest

from standins.rocketchat.app import declare_handlers
from standins.rocketchat.config import Config
from standins.rocketchat.registry import METHODS, ROUTES
from standins.rocketchat.settings import packaged_rows

pytestmark = pytest.mark.conformance
declare_handlers()

_FREE = (
    "POST login",
    "GET settings.public",
    "GET settings.oauth",
    "GET service.configurations",
    "POST users.register",
    "POST method.callAnon/:method",
)
_SECOND_FACTOR = (
    "POST settings/:_id",
    "POST settings.addCustomOAuth",
    "POST users.update",
    "POST users.generatePersonalAccessToken",
    "POST users.removePersonalAccessToken",
)
_PERMISSIONS = {
    "GET roles.getUsersInRole": ("access-permissions",),
    "POST roles.removeUserFromRole": ("access-permissions",),
    "POST permissions.update": ("access-permissions",),
    "GET groups.listAll": ("view-room-administration",),
    "GET users.list": ("view-d-room",),
    "POST users.delete": ("delete-user",),
}
_FAMILY = (
    "POST create,invite,kick,leave,delete,setReadOnly,setType,setTopic GET info,list,members,messages,history"
)
_OTHERS = (
    "GET me",
    "POST logout",
    "GET logout",
    "GET settings",
    "GET settings/:_id",
    "POST method.call/:method",
    "POST channels.join",
    "POST channels.setJoinCode",
    "GET rooms.adminRooms",
    "GET rooms.adminRooms.getRoom",
    "POST rooms.muteUser",
    "POST rooms.unmuteUser",
    "POST channels.setDefault",
    "GET channels.list.joined",
    "GET rooms.info",
    "POST rooms.saveRoomSettings",
    "POST users.create",
    "GET users.info",
    "GET users.list",
    "POST users.delete",
    "POST users.createToken",
    "GET subscriptions.get",
    "GET subscriptions.getOne",
    "POST chat.postMessage",
    "POST chat.sendMessage",
    "GET roles.list",
    "POST roles.addUserToRole",
)
# Not routes of 7.7.1: `info` is at /api, the others went in 7.0, or come later.
_NOT_ROUTES = ("info", "channels.images", "settings.removeCustomOAuth", "livez", "readyz")
_METHODS = ("login", "logout", "addOAuthService", "removeOAuthService", "refreshOAuthService", "setUsername")
# server/settings/rate.ts, server/lib/..., authentication settings: id and default of 7.7.1.
_LIMITS = {
    "API_Enable_Rate_Limiter": True,
    "API_Enable_Rate_Limiter_Limit_Calls_Default": 10,
    "API_Enable_Rate_Limiter_Limit_Time_Default": 60000,
    "Rate_Limiter_Limit_RegisterUser": 1,
    "DDP_Rate_Limit_Connection_By_Method_Enabled": True,
    "DDP_Rate_Limit_Connection_By_Method_Requests_Allowed": 10,
    "DDP_Rate_Limit_Connection_By_Method_Interval_Time": 10000,
    "API_Default_Count": 50,
    "API_Upper_Count_Limit": 100,
    "API_Allow_Infinite_Count": True,
    "Accounts_TwoFactorAuthentication_RememberFor": 1800,
    "Accounts_TwoFactorAuthentication_Enforce_Password_Fallback": True,
    "Block_Multiple_Failed_Logins_Enabled": True,
    "Block_Multiple_Failed_Logins_Attempts_Until_Block_by_User": 10,
    "Block_Multiple_Failed_Logins_Attempts_Until_Block_By_Ip": 50,
}


def _named() -> dict[str, tuple[bool, bool, tuple[str, ...]]]:
    return {
        f"{route.verb} {route.path}": (route.auth, route.two_factor, route.permissions)
        for route in ROUTES.values()
    }


def test_every_route_that_is_known_of_is_there() -> None:
    family = []
    for part in (_FAMILY.partition(" GET ")[0], "GET " + _FAMILY.partition(" GET ")[2]):
        verb, _, names = part.partition(" ")
        family += [f"{verb} {kind}.{name}" for kind in ("channels", "groups") for name in names.split(",")]
    missing = {*_FREE, *_SECOND_FACTOR, *_PERMISSIONS, *_OTHERS, *family} - set(_named())
    assert not missing
    assert not set(_METHODS) - set(METHODS)


def test_no_route_of_another_version_is_there() -> None:
    assert not {path for path, _ in ROUTES} & set(_NOT_ROUTES)


def test_only_these_need_no_session() -> None:
    assert sorted(name for name, (auth, _, _) in _named().items() if not auth) == sorted(_FREE)


def test_only_these_need_the_second_factor() -> None:
    assert sorted(name for name, (_, second, _) in _named().items() if second) == sorted(_SECOND_FACTOR)


def test_only_these_have_a_permission_at_the_route() -> None:
    assert {name: wanted for name, (_, _, wanted) in _named().items() if wanted} == _PERMISSIONS


def test_the_limits_are_those_of_7_7_1() -> None:
    """Values that a fresh server has; what they do is in test_rate_limits.py and test_second_factor.py."""
    config = Config(mongo_url="mongodb://127.0.0.1/x", root_url="http://127.0.0.1")
    fresh = {row["_id"]: row["value"] for row in packaged_rows(config)}
    assert {name: fresh.get(name) for name in _LIMITS} == _LIMITS
