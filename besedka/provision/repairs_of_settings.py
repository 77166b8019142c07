"""Rows of settings and log-in services that Rocket.Chat did not make, or holds in a type of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from besedka.contract import Contract
from besedka.provision.action import Action
from besedka.provision.documents import Document, changed, removed
from besedka.provision.state import State
from besedka.rocketchat import catalogue, provider
from besedka.rocketchat.database import Document as Row
from besedka.rocketchat.documents import is_date, meant_date
from besedka.rocketchat.settings import fulfils

SETTINGS = "rocketchat_settings"
SERVICES = "meteor_accounts_loginServiceConfiguration"
_DATES = ("_updatedAt", "ts", "createdAt")
# A licence decides about these; without one Rocket.Chat reads its own value, whatever is stored.
_LICENSED = ("roles_claim", "groups_claim", "map_channels", "merge_roles", "roles_to_sync")


def of_rows(rows: Iterable[Document], version: str, contract: Contract) -> Iterator[Action]:
    """Rows to remove, and fields to mend that are no values."""
    known = catalogue.for_version(version)
    wanted = contract.settings | provider.settings(contract)
    for row in rows:
        name = str(row["_id"])
        if name in wanted:
            yield from _within_reach(row, wanted[name], known.setting(name))
        registered = "packageValue" in row or row.get("type") == "group"
        setting = known.setting(name)
        if kind := provider.misspelt(name):
            yield removed(SETTINGS, row, f"Rocket.Chat takes it for something else ({kind})")
        elif not registered and setting is None:
            yield removed(SETTINGS, row, "Rocket.Chat has no such setting")
        elif not registered and setting is not None:
            yield changed(SETTINGS, row, {"packageValue": setting.default}, "it was inserted by hand")
        for field in _DATES:
            if field in row and not is_date(row[field]):
                yield changed(SETTINGS, row, {field: meant_date(row[field])}, f"its {field} is no date")


def row_of(setting: catalogue.Setting) -> Document:
    """The row of a registered setting, at its default; the next start fills in what it lacks."""
    fields = {
        "type": setting.type,
        "public": setting.public,
        "group": setting.group,
        "section": setting.section,
    }
    named = {"i18nLabel": setting.id, "values": [{"key": key, "i18nLabel": key} for key in setting.values]}
    shown = dict.fromkeys(("hidden", "blocked", "secret"), False)
    values = {"value": setting.default, "packageValue": setting.default, "valueSource": "packageValue"}
    return {"_id": setting.id, "sorter": 0} | fields | named | shown | values


def _within_reach(row: Document, wanted: Any, setting: catalogue.Setting | None) -> Iterator[Action]:
    """A call neither shows nor changes a hidden row, and changes no blocked one (Settings.ts, 6.13)."""
    if row.get("hidden") and not (setting and setting.hidden):
        yield changed(SETTINGS, row, {"hidden": False}, "it was hidden, so that no call reaches it")
    if row.get("blocked") and not fulfils(str(row["_id"]), row.get("value"), wanted):
        yield changed(SETTINGS, row, {"blocked": False}, "it was blocked, so that no call changes it")


def of_values(rows: dict[str, Document], state: State, contract: Contract) -> Iterator[Action]:
    """Values that a call can put right, and that no row of the contract decides."""
    known = catalogue.for_version(state.version)
    for name, row in rows.items():
        if name in contract.settings or name not in state.settings or "packageValue" not in row:
            continue
        meant = _typed(row)
        if meant is None and row.get("type") == "select" and not name.startswith(provider.PREFIX):
            setting = known.setting(name)
            choices = (*setting.values, row["packageValue"]) if setting and setting.values else ()
            meant = row["packageValue"] if choices and row.get("value") not in choices else None
        if meant is not None:
            yield Action("setting", name, row.get("value"), meant)
    base = provider.base_id(contract.provider)
    for suffix in _LICENSED:
        name = f"{base}-{suffix}"
        stored = rows.get(name, {}).get("value")
        inert = name in state.settings and name in rows and stored != state.settings[name]
        if inert and name not in contract.settings:
            why = "it has no effect without a licence"
            yield Action("setting", name, stored, state.settings[name], why=why)
    for suffix, sound in (("groups_channel_map", _map_is_sound), ("channels_admin", _admin_is_sound)):
        row = rows.get(f"{base}-{suffix}", {})
        value = row.get("value")
        # A provider that is added again has rows without a value (measured on 6.5.3).
        lost = "packageValue" in row and value is None
        if lost or (value and value != row.get("packageValue") and not sound(str(value), state)):
            yield Action("setting", f"{base}-{suffix}", value, row.get("packageValue"))


def of_blank_services(rows: dict[str, Document], state: State, contract: Contract) -> Iterator[Action]:
    """Custom log-in services beside ours that were added and not filled in: they are switched off."""
    own = provider.base_id(contract.provider)
    for name, value in state.settings.items():
        suffix = name.removeprefix(provider.PREFIX)
        registered = "packageValue" in rows.get(name, {"packageValue": None})
        known = registered and name.startswith(provider.PREFIX) and "-" not in suffix
        if (
            not known
            or name == own
            or value is not True
            or provider.misspelt(name)
            or name in contract.settings
        ):
            continue
        shown = state.settings.get(f"{name}-show_button") is not False
        fields = (state.settings.get(f"{name}-{field}") for field in ("url", "id"))
        if shown and not all(str(field or "").strip() for field in fields):
            yield Action("setting", name, True, False, why="its button leads nowhere: it was not filled in")


def of_services(services: Iterable[Row], rows: dict[str, Document], contract: Contract) -> Iterator[Action]:
    """Custom log-in services without settings: `removeOAuthService` does not remove these.

    Measured on 6.13.0: it answers success, and the service stays. Of rows of the contract's own service the
    one that Rocket.Chat made stays.
    """
    twins = [one for one in services if str(one.get("service")).lower() == contract.provider.name]
    twins.sort(key=lambda one: _distance(one, contract))
    for service in twins[1:]:
        yield removed(SERVICES, service, "it is a second row of the same log-in service")
    for service in (one for one in services if one not in twins):
        name = str(service.get("service"))
        base = f"{provider.PREFIX}{name.capitalize()}"
        if service.get("custom") and base not in rows:
            yield removed(SERVICES, service, "no settings belong to this log-in service")


def _distance(service: Row, contract: Contract) -> int:
    """In how much a row is none of Rocket.Chat's own making: its name, and the values of the contract."""
    own = {"service": contract.provider.name, "clientId": contract.provider.client_id, "custom": True}
    own["serverURL"] = contract.site.url
    return sum(service.get(name) != value for name, value in own.items())


def _typed(row: Document) -> Any:
    """The value in the row's own type, where it is in another and can be meant in one way only."""
    value, kind = row.get("value"), row.get("type")
    text = str(value).strip().lower()
    if kind == "boolean" and not isinstance(value, bool):
        return {"true": True, "false": False, "1": True, "0": False}.get(text, row.get("packageValue"))
    if kind == "int" and (isinstance(value, bool) or not isinstance(value, int | float)):
        return int(text) if text.lstrip("-").isdigit() else row.get("packageValue")
    if kind in {"string", "select", "relativeUrl", "password", "color", "language"} and not isinstance(
        value, str
    ):
        return row.get("packageValue") if isinstance(value, bool) or value is None else str(value)
    return None


def _map_is_sound(value: str, state: State) -> bool:
    try:
        targets = json.loads(value).values()
    except (ValueError, AttributeError):
        return False
    named = {
        name.strip()
        for target in targets
        for name in (target if isinstance(target, list) else str(target).split(","))
    }
    return named - {""} <= set(state.rooms)


def _admin_is_sound(value: str, state: State) -> bool:
    return state.account(value) is not None
