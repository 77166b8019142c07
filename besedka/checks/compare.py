"""One setting, held three ways: what the contract expects, what Mongo stores, what is effective."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, Severity, finding
from besedka.look_alikes import alike, with_reason
from besedka.rocketchat import licences
from besedka.rocketchat.settings import fulfils

MISSING = object()
SECRET_SUFFIX = "-secret"  # noqa: S105 - the end of an id
KINDS = ("missing", "wrong", "type", "not_effective", "not_stored")


def three_ways(  # noqa: PLR0911 - one return per verdict
    examination: Examination, code: str, setting_id: str, expected: Any, observed: Any = MISSING
) -> list[Finding]:
    """Findings about one setting; none when all three agree.

    `observed` is the effect itself where it can be seen from outside. REST tells what an administrator is
    shown, which Rocket.Chat reads from Mongo again (`apps/meteor/app/api/server/v1/settings.ts`).

    Codes: `<code>.missing`: Rocket.Chat does not know the id. `.wrong`: stored and effective agree on another
    value. `.not_effective`: stored as expected, without effect. `.not_stored`: effective now, another value
    after a restart. `.type`: a value of another type, even if its text is right.
    """
    effective = examination.effective.get(setting_id, MISSING)
    if effective is not MISSING and observed is not MISSING:
        effective = observed
    row = (examination.stored or {}).get(setting_id)
    stored = row.get("value", MISSING) if row is not None else MISSING
    if examination.stored is None:
        stored = effective
    if effective is MISSING and row is not None and row.get("hidden") and "packageValue" in row:
        # REST never shows a hidden setting, so what is stored is all that can be compared.
        effective = stored
    where = examination.where(setting_id)
    evidence = (f"stored {shown(setting_id, stored)}, effective {shown(setting_id, effective)}",)
    advice = _beside_the_call(setting_id, expected, row or {})

    def wrong(kind: str, seen: str, *more: str, settable: bool = True) -> list[Finding]:
        return [
            finding(
                f"{code}.{kind}",
                f"{setting_id} {seen}",
                shown(setting_id, expected),
                where,
                commands=(examination.provision_command,) if settable else (),
                advice=(*advice, *more),
                evidence=evidence,
                severity=_severity(examination, code, setting_id),
            )
        ]

    if effective is MISSING:
        if stored is MISSING:
            return wrong("missing", "does not exist")
        return wrong("missing", "lies in Mongo, but Rocket.Chat does not know it")
    if fulfils(setting_id, effective, expected) and fulfils(setting_id, stored, expected):
        return []
    if fulfils(setting_id, effective, expected):
        seen = f"is effective, but {shown(setting_id, stored)} is stored and comes with the next restart"
        return wrong("not_stored", seen)
    right = fulfils(setting_id, stored, expected)
    if reason := _without_effect(examination, setting_id, effective, stored=right):
        return wrong("not_effective", *reason, settable=False)
    same_text = str(effective).lower() == str(expected).lower() and type(effective) is not type(expected)
    if same_text or isinstance(effective, bool) != isinstance(expected, bool):
        kind = f"is {shown(setting_id, effective)}, a {type(effective).__name__}"
        return wrong("type", f"{kind} instead of a {type(expected).__name__}")
    return wrong("wrong", f"is {read(setting_id, effective, expected)}")


def shown(setting_id: str, value: Any) -> str:
    """A value for people; a secret only by its fingerprint and length."""
    if value is MISSING:
        return "nothing"
    if setting_id.endswith(SECRET_SUFFIX):
        return fingerprint(str(value))
    return repr(value)


def read(setting_id: str, value: Any, expected: Any) -> str:
    """The value, and what nobody can see in it; of a secret neither the place nor the right character."""
    text = shown(setting_id, value)
    if not setting_id.endswith(SECRET_SUFFIX):
        return with_reason(text, value, expected)
    reason = "some of its characters only look right, or are not seen"
    return f"{text}; {reason}" if alike(value, expected) else text


def fingerprint(secret: str) -> str:
    """Enough to tell two secrets apart, not enough to use one."""
    if not secret:
        return "empty"
    return f"sha256 {hashlib.sha256(secret.encode()).hexdigest()[:8]}…, {len(secret)} characters"


def _beside_the_call(setting_id: str, expected: Any, row: dict[str, Any]) -> tuple[str, ...]:
    """What a person does beside a call that changes the setting.

    `OVERWRITE_SETTING_<id>` is applied at each start (`apps/meteor/app/settings/server/SettingsRegistry.ts`).
    """
    variable = f"OVERWRITE_SETTING_{setting_id}"
    text = str(expected).lower() if isinstance(expected, bool) else str(expected)
    forced = row.get("processEnvValue")
    if row.get("valueSource") == "processEnvValue" and forced != expected:
        again = (
            f"{variable} in Rocket.Chat's environment sets it to {forced!r} at each start: make it {text}."
        )
        return (again,)
    return ()


def _severity(examination: Examination, code: str, setting_id: str) -> Severity:
    """Without what a licence alone brings people sign in all the same, but by OAuth from 9.0 on."""
    known = examination.catalogue.setting(setting_id)
    extra = code.startswith("setting.") and known is not None and known.enterprise
    return Severity.RISK if extra else Severity.BROKEN


def _without_effect(
    examination: Examination, setting_id: str, effective: Any, *, stored: bool
) -> tuple[str, ...]:
    """What is seen of a setting that is `stored` as it should be, or that a licence decides about, and why.

    Nothing where a call can change it.
    """
    known = examination.catalogue.setting(setting_id)
    if stored and not (known and known.enterprise):
        why = "it was written into Mongo: write it by REST, or restart Rocket.Chat"
    elif stored and known:
        why = _no_licence(known.modules, known.invalid)
    elif known and known.enterprise and effective == known.invalid:
        lacking = licences.lacking(known, examination.admin)
        seen = f"is {shown(setting_id, effective)}, whatever is stored: a licence decides about it"
        return (seen, _no_licence(lacking, effective)) if lacking else ()
    else:
        return ()
    return f"is stored as expected, but {shown(setting_id, effective)} is effective", why


def _no_licence(modules: Sequence[str], invalid: Any) -> str:
    return f"the licence lacks {', '.join(modules)}; without it the value stays {invalid!r}"
