"""Layer `provider`: the settings of the Custom OAuth service in Rocket.Chat."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from besedka import address
from besedka.checks import stopped
from besedka.checks.check import Check, check
from besedka.checks.compare import KINDS, MISSING, three_ways
from besedka.checks.examination import Examination, redirected
from besedka.checks.finding import Answer, Finding, Findings, Ok, Skipped, answer, finding
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat import licences
from besedka.rocketchat import provider as provider_rows
from besedka.rocketchat.documents import garbled

# django.contrib.auth.hashers writes `<algorithm>$<rounds>$<salt>$<digest>`.
_HASHED = re.compile(r"^(pbkdf2_|argon2|bcrypt)\w*\$")
_MUST_BE_FILLED = ("url", "id", "secret")
_LABEL, _BUTTON = "button_label_text", "show_button"
_MORE_KINDS = {"secret": ("pasted_hash",), _LABEL: ("garbled",), _BUTTON: ("hidden",)}
# Under redirect the page's command starts the log-in, button or not (measured on 6.13.0).
_HIDDEN = "provider.show_button.hidden"
_NO_CLICK = "A browser opens a window at a click alone, and there is no button to click: nobody signs in."


_INSTEAD = (
    "Get the licence, or stay on 8.x, where unlicensed 8.9 still works. Or sign people in without OAuth: "
    'sso = "iframe-auth" in [chat] of besedka.toml; docs/iframe-auth.md says what the site then has to do.'
)


def _add_by_hand(examination: Examination) -> str:
    name = examination.contract.provider.name
    return f"or Administration → Settings → OAuth → Add custom OAuth, name {name}"


@check(
    "provider.step",
    codes="licence",
    needs=["services.admin"],
    after=["services.same_data"],
)
def step(examination: Examination) -> Answer:
    """Does this version of Rocket.Chat allow a Custom OAuth service at all?"""
    rule = examination.catalogue.steps["custom_oauth_login"]
    if rule.allowed != "licence":
        return Ok(rule.how)
    base = provider_rows.base_id(examination.contract.provider)
    row, modules = (examination.stored or {}).get(base, {}), licences.modules(examination.admin)
    seen = ""
    if modules is not None and licences.CUSTOM_OAUTH not in modules:
        seen = f"Rocket.Chat {examination.info['version']} without the licence module {licences.CUSTOM_OAUTH}"
    elif row.get("value") is True and examination.effective.get(base) is False:
        seen = f"{base} is stored as true, but false is effective"
    if not seen:
        return Ok(rule.how)
    if examination.contract.chat.sso == "iframe-auth":
        return Skipped(f"{seen}; people are signed in by iframe authentication")
    expected = "a licence with oauth-enterprise: from Rocket.Chat 9.0 Custom OAuth needs one"
    place = examination.where(base, "GET /api/v1/licenses.info")
    return Findings((finding("provider.step.licence", seen, expected, place, advice=(_INSTEAD,)),))


@check(
    "provider.spelling",
    codes="underscore lower_case letter_case wrong_prefix",
    needs=["services.same_data"],
)
def spelling(examination: Examination) -> Answer:
    """Are there no provider rows under ids that Rocket.Chat reads as other ones?"""
    base = provider_rows.base_id(examination.contract.provider)
    kinds = (
        (
            "underscore",
            "ids have a dash after Custom; every boolean among these is taken for a provider of its own",
        ),
        (
            "lower_case",
            "the name is capitalised; while one of these is falsy, Rocket.Chat removes the log-in service",
        ),
        (
            "letter_case",
            "one capital at the beginning; each boolean among these fights for the one log-in service",
        ),
        ("wrong_prefix", "ids begin with Accounts_OAuth_Custom-"),
    )
    found = []
    for kind, why in kinds:
        ids = sorted(row for row in examination.stored or {} if provider_rows.misspelt(row) == kind)
        if ids:
            fix = "If the log-in service goes away again, restart Rocket.Chat: it keeps such rows in memory."
            seen = f"{len(ids)} rows like {ids[0]}"
            place = examination.where(base, "rocketchat_settings")
            found.append(
                finding(
                    f"provider.spelling.{kind}",
                    seen,
                    why,
                    place,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                    evidence=ids[:5],
                )
            )
    return answer(found, evidence="no stray rows")


@check(
    "provider.exists",
    codes="missing raw",
    needs=["provider.step"],
    after=["provider.spelling"],
)
def exists(examination: Examination) -> Answer:
    """Does Rocket.Chat know the provider?"""
    base = provider_rows.base_id(examination.contract.provider)
    if base in examination.effective:
        return Ok(base)
    by_hand = _add_by_hand(examination)
    code, seen = "missing", f"no setting {base}"
    if base in (examination.stored or {}):
        code, seen = "raw", f"{base} lies in Mongo, but Rocket.Chat never registered it"
    place = examination.where(base)
    return Findings(
        (
            finding(
                f"provider.exists.{code}",
                seen,
                "the provider",
                place,
                commands=(examination.provision_command,),
                advice=(by_hand,),
            ),
        )
    )


@check("provider.filled", codes="blank", needs=["provider.exists"])
def filled(examination: Examination) -> Answer:
    """Was the provider filled in, not only added?"""
    base = provider_rows.base_id(examination.contract.provider)
    empty = [name for name in _MUST_BE_FILLED if examination.effective.get(f"{base}-{name}") == ""]
    if len(empty) < len(_MUST_BE_FILLED):
        return Ok(f"{base} has an address")
    seen = f"{', '.join(empty)} are empty"
    place = examination.where(base)
    return Findings(
        (
            finding(
                "provider.filled.blank",
                seen,
                "the contract's values",
                place,
                commands=(examination.provision_command,),
            ),
        )
    )


def _value_check(suffix: str) -> Callable[[Examination], Answer]:
    def ask(examination: Examination) -> Answer:
        base = provider_rows.base_id(examination.contract.provider)
        expected = provider_rows.values(examination.contract)[suffix]
        setting_id = f"{base}-{suffix}"
        found = three_ways(examination, f"provider.{suffix}", setting_id, expected)
        value = str(examination.effective.get(setting_id, ""))
        if suffix == "secret":
            examination.secret(value)
            if found and _HASHED.match(value):
                found = [_pasted_hash(examination, setting_id, value)]
        elif found and suffix == _LABEL and garbled(value):
            found = [_garbled(examination, setting_id, value)]
        elif suffix == _BUTTON and examination.contract.provider.login_style == "popup":
            found = [replace(one, code=_HIDDEN, advice=(*one.advice, _NO_CLICK)) for one in found]
        return answer(found, evidence="expected, stored and effective agree", watched=(f"provider.{suffix}",))

    return ask


def _pasted_hash(examination: Examination, setting_id: str, value: str) -> Finding:
    return finding(
        "provider.secret.pasted_hash",
        f"a {value.partition('$')[0]} hash",
        "the secret itself: the site shows only its hash once it is saved",
        examination.where(setting_id),
        commands=(examination.provision_command,),
    )


def _garbled(examination: Examination, setting_id: str, value: str) -> Finding:
    return finding(
        f"provider.{_LABEL}.garbled",
        f"{value!r}, once read in a wrong encoding",
        repr(examination.contract.provider.button_label_text),
        examination.where(setting_id),
        commands=(examination.provision_command,),
    )


def checks(contract: Contract) -> tuple[Check, ...]:
    """The checks of the provider: one per row of it, and what stands on them."""
    rows = (
        check(
            f"provider.{suffix}",
            codes=" ".join((*KINDS, *_MORE_KINDS.get(suffix, ()))),
            needs=["provider.filled"],
            question=f"Is the provider's {suffix} the contract's, expected, stored and effective?",
        )(_value_check(suffix))
        for suffix in provider_rows.values(contract)
    )
    return (step, spelling, exists, filled, enterprise, *rows, enabled, reachable)


@check("provider.enabled", codes=" ".join(KINDS), needs=["provider.filled"])
def enabled(examination: Examination) -> Answer:
    """Is the provider switched on, stored and effective?"""
    base = provider_rows.base_id(examination.contract.provider)
    return answer(three_ways(examination, "provider.enabled", base, True), evidence="on")


@check("provider.enterprise", codes="inert", needs=["provider.exists", "services.mongo"])
def enterprise(examination: Examination) -> Answer:
    """Does no enterprise field hold a value that has no effect?"""
    base = provider_rows.base_id(examination.contract.provider)
    found = []
    for suffix in ("roles_claim", "groups_claim", "map_channels", "merge_roles", "roles_to_sync"):
        setting_id = f"{base}-{suffix}"
        stored = (examination.stored or {}).get(setting_id, {}).get("value", MISSING)
        effective = examination.effective.get(setting_id, MISSING)
        # What the contract asks for itself is a row of [settings], with a check of its own.
        declared = setting_id in examination.contract.settings
        if MISSING not in (stored, effective) and stored != effective and not declared:
            fix = "Provisioning maps roles to rooms without a licence."
            seen = f"{setting_id} is stored as {stored!r}, but {effective!r} is effective"
            expected = f"{effective!r}, or a licence with oauth-enterprise"
            place = examination.where(setting_id)
            found.append(
                finding(
                    "provider.enterprise.inert",
                    seen,
                    expected,
                    place,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
    return answer(found, evidence="no inert value")


_FILTERED = (
    "Something before the site lets browsers pass and no programs: a filter of bots, a password of the "
    "proxy. Let Rocket.Chat's server pass to token_path and identity_path, by its address or its name "
    "(Meteor)."
)


def _container_hint(url: str) -> str:
    parts = urlsplit(url)
    if address.is_loopback(parts.hostname or ""):
        return "inside a container 127.0.0.1 is the container: use host.docker.internal"
    return (
        "let the site listen on Docker's bridge too, and the firewall let Docker's bridges pass. On Linux: "
        f"daphne -b 127.0.0.1 -p {parts.port} -e tcp:port={parts.port}:interface=172.17.0.1 "
        "config.asgi:application"
    )


@check(
    "provider.reachable_from_chat",
    codes="refused unreached_from_container host redirected filtered other",
    needs=["services.chat_version"],
    after=["services.site"],
)
def reachable(examination: Examination) -> Answer:
    """Does the site answer at the provider's address, asked from where Rocket.Chat runs?"""
    provider = examination.contract.provider
    hint = "is the site bound to an address that Rocket.Chat's machine reaches (not to 127.0.0.1 alone)?"
    if not examination.probe_is_ours:
        hint = _container_hint(provider.url)
    place = examination.where(f"{provider_rows.base_id(provider)}-url")
    address = provider.url + provider.token_path
    try:
        probed = examination.probe("POST", address, {"Accept": "application/json"}, {})
    except ServiceUnreachableError as error:
        code = "refused" if examination.probe_is_ours else "unreached_from_container"
        return Findings(
            (
                finding(
                    f"provider.reachable_from_chat.{code}",
                    error.found,
                    "any HTTP answer",
                    place,
                    advice=(hint,),
                ),
            )
        )
    # Rocket.Chat reads JSON under any name, and `error` in it with any status.
    is_json = probed.content_type.startswith("application/json") or probed.fields
    if (probed.status in {400, 401} and is_json) or (probed.status == 200 and probed.fields.get("error")):
        asker = "this machine" if examination.probe_is_ours else "inside Rocket.Chat's container"
        return Ok(f"{probed.status} from {address}, asked from {asker}")
    if probed.status == 400 and "html" in probed.content_type:
        name = urlsplit(provider.url).hostname or ""
        fix = f"add {f'[{name}]' if ':' in name else name} to ALLOWED_HOSTS"
        seen = "400 with HTML: the site does not know itself by this host name"
        return Findings(
            (finding("provider.reachable_from_chat.host", seen, "400 with JSON", place, advice=(fix,)),)
        )
    moved = redirected(probed.status, probed.location, address)
    seen = f"{probed.status} {f'to {probed.location}' if moved else probed.content_type} from {address}"
    known = stopped.by_status(probed.status, probed.body)
    kind, advice = ("redirected", moved) if moved else ("other", known or (hint,))
    by_page = not probed.content_type.startswith("application/json") and "csrf" not in probed.body.lower()
    if probed.status in {401, 403, 406, 429, 503} and by_page:
        # Anybody else was answered: the checks of the site come first.
        kind, advice = "filtered", (_FILTERED,)
    code = f"provider.reachable_from_chat.{kind}"
    return Findings((finding(code, seen, "400 with JSON", place, advice=advice),))
