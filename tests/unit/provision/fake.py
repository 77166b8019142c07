"""Rocket.Chat on one page, for what provisioning says to it: routes by name, refusals on demand.

It is no stand-in: it knows just enough of the answers' shapes for plan, apply and undo to run in
milliseconds. It can be told to refuse any call in any way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from besedka.contract import Contract
from besedka.rocketchat import provider
from tests.unit.provision.web import CALLER, Answer, Json, refusal


class FakeChat:
    """State and routes. `refusals` go by `VERB path` and are used up one by one, the last one stays."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.version = "7.7"
        self.unique_id = "aWorkspaceOfItsOwn"
        self.password = contract.chat.admin.secret
        self.passwords: dict[str, str] = {}
        self.settings: Json = {
            name: not value if isinstance(value, bool) else "" if isinstance(value, str) else 10
            for name, value in contract.settings.items()
        }
        self.settings["Accounts_OAuth_Proxy_host"] = "https://oauth-proxy.rocket.chat"
        owner = contract.user(contract.chat.admin.username)
        self.users = [_user(owner.username, owner.full_name, owner.email, ["admin", "user"])]
        self.rooms = [{"_id": "GENERAL", "t": "c", "name": "general", "default": True}]
        self.members: dict[str, set[str]] = {"GENERAL": {owner.username}}
        self.permissions: dict[str, list[str]] = {"add-user-to-any-p-room": []}
        self.refusals: dict[str, list[Answer]] = {}
        self.calls: list[str] = []
        self.writes: list[tuple[str, Json]] = []
        self.before_write: Callable[[], None] = lambda: None

    def answer(self, verb: str, path: str, body: Json, query: Json) -> Answer:
        """One call."""
        self.calls.append(f"{verb} {path}")
        queue = self.refusals.get(f"{verb} {path}", [])
        if queue:
            refused = queue[0] if len(queue) == 1 else queue.pop(0)
            if refused.status != 0:
                return refused
        if verb == "POST" and path != "login":
            self.before_write()
            self.writes.append((path, body))
        handler = getattr(self, "on_" + path.partition("/")[0].replace(".", "_").lower(), None)
        if handler is None:
            return refusal("not-found", 404)
        result = handler(path, body, query)
        return result if isinstance(result, Answer) else Answer(200, {"success": True} | result)

    def on_info(self, path: str, body: Json, query: Json) -> Json:
        return {"version": self.version}

    def on_login(self, path: str, body: Json, query: Json) -> Json | Answer:
        account = self._find(body.get("user", ""))
        if account is None or body["password"] != self.passwords.get(body["user"], self.password):
            unauthorized = {"status": "error", "error": "Unauthorized", "message": "Unauthorized"}
            return Answer(401, unauthorized)
        me = {"_id": account["_id"], "roles": account["roles"]}
        return {"status": "success", "data": {"userId": account["_id"], "authToken": "token", "me": me}}

    def on_me(self, path: str, body: Json, query: Json) -> Json:
        return next(user for user in self.users if user["_id"] == query[CALLER])

    def on_users_getavatar(self, path: str, body: Json, query: Json) -> Answer:
        return Answer(200, text="<svg/>") if self._find(query["username"]) else refusal("error-invalid-user")

    def on_settings(self, path: str, body: Json, query: Json) -> Json:
        _, _, name = path.partition("/")
        if name and "value" not in body:
            return {"_id": name, "value": self.settings.get(name, self.unique_id)}
        if name:
            assert name in self.settings, name
            self.settings[name] = body["value"]
            return {}
        rows = [{"_id": key, "value": value} for key, value in self.settings.items()]
        return {"settings": rows, "total": len(rows)}

    def on_settings_addcustomoauth(self, path: str, body: Json, query: Json) -> Json:
        for name, value in provider.settings(self.contract).items():
            empty = False if isinstance(value, bool) else ""
            self.settings.setdefault(name, empty)
        return {}

    def on_method_call(self, path: str, body: Json, query: Json) -> Json:
        message = json.loads(body["message"])
        name = message["params"][0]
        if message["method"] == "saveSettings":
            self.settings |= {row["_id"]: row["value"] for row in name}
            return {"message": json.dumps({"msg": "result", "id": "1", "result": True})}
        base = f"Accounts_OAuth_Custom-{name.capitalize()}"
        for row in [row for row in self.settings if row.startswith(base)]:
            del self.settings[row]
        return {"message": json.dumps({"msg": "result", "id": "1"})}

    def on_service_configurations(self, path: str, body: Json, query: Json) -> Json:
        base = provider.base_id(self.contract.provider)
        live = self.settings.get(base) is True
        rows = [{"service": "besedka", "serverURL": self.settings[f"{base}-url"]}] if live else []
        return {"configurations": rows}

    def on_users_list(self, path: str, body: Json, query: Json) -> Json:
        return {"users": self.users, "total": len(self.users)}

    def on_users_create(self, path: str, body: Json, query: Json) -> Json:
        self.users.append(_user(body["username"], body["name"], body["email"], body["roles"]))
        self.users[-1]["emails"][0]["verified"] = body["verified"]
        self.passwords[body["username"]] = body["password"]
        if body["joinDefaultChannels"]:
            self.members["GENERAL"].add(body["username"])
        return {"user": self.users[-1]}

    def on_users_update(self, path: str, body: Json, query: Json) -> Json | Answer:
        account = next(user for user in self.users if user["_id"] == body["userId"])
        data = dict(body["data"])
        if data.get("verified") and account["_id"] == query[CALLER]:
            return refusal("error-action-not-allowed")
        if "email" in data:
            account["emails"][0]["address"] = data.pop("email")
        if "verified" in data:
            account["emails"][0]["verified"] = data.pop("verified")
        account.update(data)
        return {"user": account}

    def on_users_delete(self, path: str, body: Json, query: Json) -> Json:
        gone = next(user for user in self.users if user["_id"] == body["userId"])
        self.users.remove(gone)
        for members in self.members.values():
            members.discard(gone["username"])
        return {}

    def on_users_info(self, path: str, body: Json, query: Json) -> Json:
        account = next(user for user in self.users if user["_id"] == query["userId"])
        rooms = [rid for rid, members in self.members.items() if account["username"] in members]
        return {"user": account | {"rooms": [{"rid": rid} for rid in rooms]}}

    def on_roles_list(self, path: str, body: Json, query: Json) -> Json:
        return {"roles": [{"_id": name} for name in ("admin", "user", "guest")]}

    def on_permissions_listall(self, path: str, body: Json, query: Json) -> Json:
        return {"update": [{"_id": name, "roles": roles} for name, roles in self.permissions.items()]}

    def on_permissions_update(self, path: str, body: Json, query: Json) -> Json:
        self.permissions |= {row["_id"]: row["roles"] for row in body["permissions"]}
        return {}

    def on_channels_list(self, path: str, body: Json, query: Json) -> Json:
        rows = [room for room in self.rooms if room["t"] == "c"]
        return {"channels": rows, "total": len(rows)}

    def on_groups_listall(self, path: str, body: Json, query: Json) -> Json:
        rows = [room for room in self.rooms if room["t"] == "p"]
        return {"groups": rows, "total": len(rows)}

    def on_channels_members(self, path: str, body: Json, query: Json) -> Json:
        names = self.members[query["roomId"]]
        return {"members": [{"username": name} for name in sorted(names)], "total": len(names)}

    on_groups_members = on_channels_members

    def on_groups_create(self, path: str, body: Json, query: Json) -> Json:
        room = {"_id": f"id-{body['name']}", "t": "p", "name": body["name"]}
        self.rooms.append(room)
        self.members[room["_id"]] = {self.contract.chat.admin.username, *body["members"]}
        return {"group": room}

    def on_rooms_delete(self, path: str, body: Json, query: Json) -> Json:
        self.rooms = [room for room in self.rooms if room["_id"] != body["roomId"]]
        del self.members[body["roomId"]]
        return {}

    def on_groups_invite(self, path: str, body: Json, query: Json) -> Json:
        self.members[body["roomId"]].add(body["userId"].removeprefix("id-"))
        return {}

    on_channels_invite = on_groups_invite

    def on_groups_kick(self, path: str, body: Json, query: Json) -> Json:
        self.members[body["roomId"]].discard(body["userId"].removeprefix("id-"))
        return {}

    on_channels_kick = on_groups_kick

    def on_rooms_saveroomsettings(self, path: str, body: Json, query: Json) -> Json:
        fields = {"roomName": "name", "roomType": "t", "default": "default", "readOnly": "ro"}
        room = next(room for room in self.rooms if room["_id"] == body["rid"])
        room.update({fields[name]: value for name, value in body.items() if name != "rid"})
        return {"rid": body["rid"]}

    def on_channels_unarchive(self, path: str, body: Json, query: Json) -> Json:
        self._room(body)["archived"] = path.endswith(".archive")
        return {}

    on_channels_archive = on_channels_unarchive

    def snapshot(self) -> Json:
        """Everything there is, for comparing before and after."""
        members = {room: sorted(names) for room, names in self.members.items()}
        state = {"settings": self.settings, "users": self.users, "rooms": self.rooms, "members": members}
        copied: Json = json.loads(json.dumps(state))
        return copied

    def add_user(self, username: str, email: str, **more: Any) -> Json:
        """Somebody else's account."""
        self.users.append(_user(username, username, email, ["user"]) | more)
        return self.users[-1]

    def add_room(self, name: str, members: set[str], **more: Any) -> None:
        """Somebody else's room."""
        self.rooms.append({"_id": f"id-{name}", "t": "p", "name": name} | more)
        self.members[f"id-{name}"] = members

    def _find(self, username: str) -> Json | None:
        return next((user for user in self.users if user["username"] == username), None)

    def _room(self, body: Json) -> Json:
        return next(room for room in self.rooms if room["_id"] == body["roomId"])


def _user(username: str, name: str, email: str, roles: list[str]) -> Json:
    emails = [{"address": email, "verified": True}]
    identity = {"_id": f"id-{username}", "username": username, "name": name}
    return identity | {"emails": emails, "roles": roles, "active": True}
