"""Layer `integrity`, settings: rows in Mongo that Rocket.Chat does not know, or cannot read as meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, Skipped, answer, finding
from besedka.contract import Contract
from besedka.rocketchat import migrations
from besedka.rocketchat.database import Document
from besedka.rocketchat.documents import garbled, is_date, is_shown

_GROUND = ["services.same_data"]
_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "int": (int, float),
    "string": (str,),
    "select": (str,),
    "relativeUrl": (str,),
    "password": (str,),
    "color": (str,),
    "language": (str,),
}
# Reported by provider.spelling and provider.exists.
_PROVIDER_ROW = re.compile(r"^(Accounts_OAuth_Custom[-_]|Custom_OAuth_)", re.IGNORECASE)
_OWN_ID = "uniqueID"
_FINGERPRINT = "Deployment_FingerPrint_Verified"
_SHOWN = 5
_RETENTION = "RetentionPolicy_Enabled"
_KINDS = {"Channels": "public rooms", "Groups": "private rooms", "DMs": "direct messages"}
# Rocket.Chat's own default (server/settings/retention-policy.ts).
_DAYS_KEPT, _MILLISECONDS_OF_A_DAY = 30, 86_400_000


@check("integrity.settings_known", codes="unknown near_miss raw", needs=_GROUND)
def settings_known(examination: Examination) -> Answer:
    """Does Rocket.Chat know every settings row in Mongo?"""
    found = []
    for setting_id, row in sorted((examination.stored or {}).items()):
        # Rocket.Chat registers each of its settings with a packageValue; groups have none.
        if "packageValue" in row or row.get("type") == "group" or _PROVIDER_ROW.match(setting_id):
            continue
        found.append(_unknown(examination, setting_id))
    return answer(found, evidence=f"{len(examination.stored or {})} rows")


def _unknown(examination: Examination, setting_id: str) -> Finding:
    place = f"rocketchat_settings, {setting_id}"
    remove = "The command removes the row, which has no effect."
    if examination.catalogue.setting(setting_id) is not None:
        seen = f"{setting_id} was inserted by hand: it has no packageValue"
        return finding(
            "integrity.settings_known.raw",
            seen,
            "a row that Rocket.Chat registered",
            examination.where(setting_id, place),
            commands=(examination.provision_command,),
            advice=("A restart of Rocket.Chat registers it.",),
        )
    meant = examination.catalogue.near(setting_id)
    if meant:
        return finding(
            "integrity.settings_known.near_miss",
            f"{setting_id} does not exist in Rocket.Chat; did you mean {meant}?",
            f"{meant}, written by REST",
            examination.where(meant, place),
            commands=(examination.provision_command,),
            advice=(remove,),
        )
    seen = f"{setting_id} does not exist in Rocket.Chat and has no effect"
    return finding(
        "integrity.settings_known.unknown",
        seen,
        "no such row",
        place,
        commands=(examination.provision_command,),
        advice=(remove,),
    )


@check("integrity.settings_types", codes="wrong outside", needs=_GROUND)
def settings_types(examination: Examination) -> Answer:
    """Has every setting a value of its own type?"""
    found = []
    for setting_id, row in sorted((examination.stored or {}).items()):
        expected = _TYPES.get(str(row.get("type")))
        value = row.get("value")
        if expected is None or value is None or "packageValue" not in row:
            continue
        if _is_default(row):
            continue
        found += _outside(examination, setting_id, row)
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            seen = f"{setting_id} holds {type(value).__name__} {value!r}"
            where = examination.where(setting_id, f"rocketchat_settings, {setting_id}")
            fix = "write it by REST in its own type: Rocket.Chat does not check what it is given"
            found.append(
                finding(
                    "integrity.settings_types.wrong",
                    seen,
                    str(row["type"]),
                    where,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
    return answer(found, evidence="every value of its type")


def _outside(examination: Examination, setting_id: str, row: Document) -> list[Finding]:
    """A choice that is none of the list's: Rocket.Chat stores it unasked, and acts on none of them."""
    known = examination.catalogue.setting(setting_id)
    values = known.values if known is not None and row.get("type") == "select" else ()
    own = setting_id in examination.contract.settings or _PROVIDER_ROW.match(setting_id)
    if own or not values or not isinstance(row["value"], str) or row["value"] in values:
        return []
    return [
        finding(
            "integrity.settings_types.outside",
            f"{setting_id} is {row['value']!r}, which is none of its choices",
            " or ".join(map(repr, values)),
            examination.where(setting_id, f"rocketchat_settings, {setting_id}"),
            commands=(examination.provision_command,),
            advice=("Choose one of the list: Administration → Settings.",),
        )
    ]


def _is_default(row: Document) -> bool:
    """Whether the value is Rocket.Chat's own: some of its defaults are not of their setting's type."""
    default, value = row.get("packageValue"), row.get("value")
    return type(default) is type(value) and default == value


@check("integrity.settings_dates", codes="no_date", needs=_GROUND)
def settings_dates(examination: Examination) -> Answer:
    """Are the dates of settings BSON dates?"""
    bad = [
        f"{setting_id}.{field}"
        for setting_id, row in sorted((examination.stored or {}).items())
        for field in ("_updatedAt", "ts", "createdAt")
        if field in row and not is_date(row[field])
    ]
    found = []
    if bad:
        fix = "write settings by REST: a script stored {$date: …} as a document, or a date as text"
        seen, place = f"{len(bad)} like {bad[0]}", "rocketchat_settings"
        code = "integrity.settings_dates.no_date"
        found = [
            finding(
                code,
                seen,
                "BSON dates",
                place,
                commands=(examination.provision_command,),
                advice=(fix,),
                evidence=bad[:_SHOWN],
            )
        ]
    return answer(found, evidence="BSON dates")


@check("integrity.text", codes="garbled", needs=_GROUND)
def text(examination: Examination) -> Answer:
    """Is no text garbled by a wrong encoding?"""
    bad = sorted({place for place, value in _texts(examination) if garbled(value)})
    found = []
    if bad:
        fix = "write the text again by REST from a UTF-8 file: a console or a file had another code page"
        seen = f"garbled text in {bad[0]}" + (f" and {len(bad) - 1} more" if len(bad) > 1 else "")
        found = [
            finding(
                "integrity.text.garbled",
                seen,
                "readable text",
                bad[0],
                commands=(examination.provision_command,),
                advice=(fix,),
                evidence=bad[:_SHOWN],
            )
        ]
    return answer(found, evidence="readable")


def _texts(examination: Examination) -> Iterator[tuple[str, str]]:
    for setting_id, row in (examination.stored or {}).items():
        yield from _strings(f"rocketchat_settings, {setting_id}", row, ("value",))
    for room in examination.chat_rooms:
        fields = ("name", "fname", "topic", "description", "announcement")
        yield from _strings(f"rocketchat_room, {room['_id']}", room, fields)
    for row in examination.chat_subscriptions:
        yield from _strings(f"rocketchat_subscription, {row['_id']}", row, ("name", "fname"))
    for user in examination.chat_users:
        yield from _strings(f"users, {user.get('username')}", user, ("name",))


def _strings(place: str, row: Document, fields: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for field in fields:
        if isinstance(row.get(field), str):
            yield f"{place}, {field}", row[field]


@check("integrity.migration", codes="newer locked", needs=_GROUND)
def migration(examination: Examination) -> Answer:
    """Does the database belong to the version of Rocket.Chat that runs on it?"""
    if examination.mongo.migration_is_locked():
        return answer([_locked_migration()])
    version = str(examination.info["version"])
    expected, seen = migrations.highest(version), examination.mongo.migration()
    if seen is None:
        return Skipped("Mongo holds no record of migrations")
    if expected is None:
        return Skipped(f"{seen}; the number of {version}'s last migration is not known")
    found = []
    if seen > expected:
        fix = "never start an older Rocket.Chat on newer data: restore a backup of the old version"
        place = "migrations, control"
        found = [finding("integrity.migration.newer", str(seen), f"at most {expected}", place, advice=(fix,))]
    return answer(found, evidence=str(seen))


def _locked_migration() -> Finding:
    """https://github.com/RocketChat/Rocket.Chat/issues/11374: each start then ends after thirty attempts."""
    fix = (
        "No migration runs while Rocket.Chat answers: an earlier one broke off. In mongosh: "
        "db.migrations.updateOne({_id: 'control'}, {$set: {locked: false}}). Keep a backup before a restart."
    )
    seen = "locked: Rocket.Chat does not start again (Not migrating, control is locked)"
    code, place = "integrity.migration.locked", "migrations, control"
    return finding(code, seen, "not locked", place, advice=(fix,), severity=Severity.RISK)


@check("integrity.banners", codes="shown moved", needs=_GROUND)
def banners(examination: Examination) -> Answer:
    """Does no banner cover the chat of an administrator?"""
    now, contract = datetime.now(UTC), examination.contract
    own = {contract.chat.admin.username, *(user.username for user in contract.users)}
    texts = [str(row.get("_id")) for row in examination.mongo.banners() if is_shown(row, now)]
    for user in (one for one in examination.chat_users if one.get("username") in own):
        shown = {name for name, row in (user.get("banners") or {}).items() if not row.get("read")}
        texts += [f"{name} for {user.get('username')}" for name in sorted(shown)]
    found = []
    if texts:
        fix = "dismiss it as administrator; Update_EnableChecker = false stops the news of versions"
        where = examination.where("Update_EnableChecker", "rocketchat_banner and users.banners")
        found = [
            finding(
                "integrity.banners.shown",
                texts[0],
                "none",
                where,
                commands=(examination.provision_command,),
                advice=(fix,),
                evidence=texts[:_SHOWN],
            )
        ]
    return answer([*found, *_moved(examination)], evidence="none")


def _moved(examination: Examination) -> list[Finding]:
    """A dialog over all of the client of every administrator, message box included (seen on a running 6.5.3).

    Rocket.Chat asks it once `Site_Url` has changed or it has started at another MongoDB. It goes on asking
    when both are back (server/settings/misc.ts of 6.5.3 and 7.7.1).
    """
    if examination.effective.get(_FINGERPRINT) is not False:
        return []
    seen = "administrators are asked whether the workspace has moved, over the chat"
    fix = (
        'Or sign in as an administrator and choose "Configuration update". A copy of another workspace is a '
        '"New workspace", which only a person may say.'
    )
    where, code = examination.where(_FINGERPRINT), "integrity.banners.moved"
    kept_out = any("admin" in user.chat_roles for user in examination.contract.users)
    severity = Severity.BROKEN if kept_out else Severity.RISK
    commands = (examination.provision_command,)
    return [finding(code, seen, "no question", where, commands=commands, advice=(fix,), severity=severity)]


@check("integrity.retention", codes="short", needs=["services.admin"])
def retention(examination: Examination) -> Answer:
    """Does Rocket.Chat keep what people write?

    `RetentionPolicy_TTL_…`, in milliseconds, replaces `RetentionPolicy_MaxAge_…`, in days, where it is there
    (app/retention-policy/server/cronPruneMessages.ts, 6.x and 7.x).
    """
    values = examination.effective
    if values.get(_RETENTION) is not True or _RETENTION in examination.contract.settings:
        return answer([], evidence="no policy deletes messages")
    kept = {kind: _days(values, kind) for kind in _KINDS if values.get(f"RetentionPolicy_AppliesTo{kind}")}
    found = _kept_by_rooms(examination)
    for kind, days in kept.items():
        if days is None or days >= _DAYS_KEPT:
            continue
        fix = (
            f"Choose a longer time, or none: RetentionPolicy_AppliesTo{kind} and {_RETENTION}, in the pages "
            "of Administration → Settings → Retention Policy. What is deleted comes back from a backup alone."
        )
        seen = f"messages in {_KINDS[kind]} are deleted after {days:g} days"
        if values.get("RetentionPolicy_FilesOnly"):
            seen = f"files in {_KINDS[kind]} are deleted after {days:g} days"
        place = f"RetentionPolicy_AppliesTo{kind}"
        expected = f"kept for {_DAYS_KEPT} days or longer"
        found.append(
            finding("integrity.retention.short", seen, expected, place, advice=(fix,), severity=Severity.RISK)
        )
    return answer(found, evidence=f"{len(kept)} kinds of rooms are pruned, none soon")


def _kept_by_rooms(examination: Examination) -> list[Finding]:
    """Rooms with a policy of their own, which wins over the one for all rooms; its `maxAge` is in days."""
    found = []
    for room in examination.chat_rooms if examination.stored is not None else ():
        policy = room.get("retention")
        own: Document = policy if isinstance(policy, dict) else {}
        days = own.get("maxAge") if own.get("enabled") is True and own.get("overrideGlobal") is True else None
        if not isinstance(days, int | float) or not 0 <= days < _DAYS_KEPT:
            continue
        name = str(room.get("name"))
        fix = (
            f"In the room {name}: Room Information, Edit, Prune: choose a longer time, or take the "
            f"room's own policy off. {_RETENTION} off ends it everywhere. What is deleted comes back from a "
            "backup alone."
        )
        seen = f"messages in the room {name} are deleted after {days:g} days"
        if own.get("filesOnly"):
            seen = f"files in the room {name} are deleted after {days:g} days"
        place, expected = (
            f"rocketchat_room, {room['_id']}, retention",
            f"kept for {_DAYS_KEPT} days or longer",
        )
        code, risk = "integrity.retention.short", Severity.RISK
        found.append(finding(code, seen, expected, place, advice=(fix,), severity=risk))
    return found


@check("integrity.workspace", codes="nameless", needs=_GROUND)
def workspace(examination: Examination) -> Answer:
    """Has this Rocket.Chat the id by which it is told from any other?

    Rocket.Chat makes it at a start where the row is missing, and never changes it
    (server/settings/misc.ts, 6.x and 7.x).
    """
    row = (examination.stored or {}).get(_OWN_ID)
    if row is not None and str(row.get("value") or "").strip():
        return answer([], evidence=f"{_OWN_ID} is there")
    seen = f"there is no row {_OWN_ID}" if row is None else f"{_OWN_ID} is empty"
    take = (
        "" if row is None else f"In mongosh: db.rocketchat_settings.deleteOne({{_id: '{_OWN_ID}'}}). Then: "
    )
    fix = (
        f"{take}Restart Rocket.Chat: it gives itself a new id. Until then provisioning cannot tell this "
        "server from another one and changes nothing. A backup has the old id, by which the cloud knows the "
        "workspace."
    )
    place, code, expected = f"rocketchat_settings, {_OWN_ID}", "integrity.workspace.nameless", "an id"
    return answer([finding(code, seen, expected, place, advice=(fix,), severity=Severity.RISK)])


def _days(values: dict[str, Any], kind: str) -> float | None:
    milliseconds, days = (values.get(f"RetentionPolicy_{name}_{kind}") for name in ("TTL", "MaxAge"))
    if isinstance(milliseconds, int | float):
        return float(milliseconds) / _MILLISECONDS_OF_A_DAY
    return float(days) if isinstance(days, int | float) else None


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (settings_known, settings_types, settings_dates, text, migration, banners, retention, workspace)
