"""Layer `login_service`: the provider as Rocket.Chat's log-in works with it.

The row is made from the settings some two seconds after the last write
(`apps/meteor/server/configuration/oauth.ts`). So right settings do not yet mean a right service.
"""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.compare import fingerprint, read, shown
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Findings, Ok, Severity, answer, finding
from besedka.checks.severity import severity_of
from besedka.contract import Contract
from besedka.look_alikes import with_double
from besedka.rocketchat import provider
from besedka.rocketchat.rest import Json

# Suffix of the setting → field of the row (`apps/meteor/server/lib/oauth/updateOAuthServices.ts`).
FIELDS = {
    "id": "clientId",
    "url": "serverURL",
    "token_path": "tokenPath",
    "identity_path": "identityPath",
    "authorize_path": "authorizePath",
    "scope": "scope",
    "access_token_param": "accessTokenParam",
    "token_sent_via": "tokenSentVia",
    "identity_token_sent_via": "identityTokenSentVia",
    "login_style": "loginStyle",
    "button_label_text": "buttonLabelText",
    "key_field": "keyField",
    "username_field": "usernameField",
    "email_field": "emailField",
    "name_field": "nameField",
    "avatar_field": "avatarField",
    "merge_users": "mergeUsers",
    "merge_users_distinct_services": "mergeUsersDistinctServices",
    "show_button": "showButton",
}


def _row(examination: Examination) -> Json | None:
    name = examination.contract.provider.name
    return next((row for row in examination.login_services if row.get("service") == name), None)


def _present(examination: Examination) -> Answer:
    """Does Rocket.Chat offer the log-in service?"""
    if _row(examination) is not None:
        return Ok("service.configurations names it")
    others = [str(row.get("service")) for row in examination.login_services]
    place = examination.where(provider.base_id(examination.contract.provider), "service.configurations")
    name = examination.contract.provider.name
    seen = with_double(f"no service {name!r}; there are {others or 'none'}", others, name)
    return Findings(
        (
            finding(
                "login_service.present.absent",
                seen,
                "the service",
                place,
                commands=(examination.provision_command,),
            ),
        )
    )


@check(
    "login_service.alone",
    codes="twin ghost blank",
    needs=["services.admin"],
    after=["services.calls", "provider.spelling"],
)
def alone(examination: Examination) -> Answer:
    """Is there no second custom service that leads nowhere?

    The client makes an object of each, and one whose address is no text stops it (measured on 6.13.0). One
    with an empty text passes: its button leads nowhere (client/custom-oauth, 7.7.1).
    """
    own = examination.contract.provider.name
    twins = [row for row in examination.login_services if str(row.get("service")).lower() == own]
    others = [row for row in examination.login_services if row.get("custom") and row not in twins]
    ghosts = [str(row.get("service")) for row in others if not isinstance(row.get("serverURL"), str)]
    found = [
        blank
        for row in others
        if isinstance(row.get("serverURL"), str) and (blank := _blank(examination, row)) is not None
    ]
    found += _twins(examination, twins)
    if ghosts:
        rows = examination.stored or {}
        kept = [name for name in ghosts if f"{provider.PREFIX}{name.capitalize()}" in rows]
        fix = f"Remove {', '.join(kept)}: Administration → Settings → OAuth, or method removeOAuthService."
        commands, advice = ((), (fix,)) if kept else ((examination.provision_command,), ())
        seen = f"custom services {', '.join(ghosts)}"
        place = examination.where(provider.base_id(examination.contract.provider), "service.configurations")
        code, expected = "login_service.alone.ghost", f"{own}, and others with an address and a label"
        found.append(finding(code, seen, expected, place, commands=commands, advice=advice))
    return answer(found, evidence="no ghost")


def _twins(examination: Examination, rows: list[Json]) -> list[Finding]:
    """Two rows of one service: the client calls both loginWithBesedka, and which of them stays is chance.

    It sets only the first letter large (client/lib/customOAuth, `capitalize`). Meteor's unique index on
    `service` refuses a second row of the same spelling, and no other (packages/service-configuration).
    """
    if len(rows) < 2:
        return []
    named = ", ".join(repr(row.get("service")) for row in rows)
    seen = f"{len(rows)} log-in services of one name: {named}; a browser may take the wrong one"
    place = "meteor_accounts_loginServiceConfiguration, service"
    fix = "The command keeps the one that the settings describe, and removes the others."
    commands = (examination.provision_command,)
    code, expected = "login_service.alone.twin", examination.contract.provider.name
    return [finding(code, seen, expected, place, commands=commands, advice=(fix,))]


def _blank(examination: Examination, row: Json) -> Finding | None:
    """A service that was added and not filled in: its button is beside the site's own."""
    name = str(row.get("service"))
    base = f"{provider.PREFIX}{name.capitalize()}"
    fields = {"url": row.get("serverURL"), "id": row.get("clientId")}
    lacks = [suffix for suffix, value in fields.items() if not str(value or "").strip()]
    if not lacks or row.get("showButton") is False:
        return None
    commands = (examination.provision_command,)
    fix = f"Or, if you want it: fill in {base}-{lacks[0]}. The command switches it off."
    seen = f"{name} has a button on the log-in page and no {', '.join(lacks)}: it leads nowhere"
    expected = "services with an address and an id"
    return finding(
        "login_service.alone.blank", seen, expected, examination.where(base), commands=commands, advice=(fix,)
    )


@check("login_service.values", codes="differs", needs=["login_service.present"])
def values(examination: Examination) -> Answer:
    """Does the service work with the values of the settings?"""
    row = _row(examination) or {}
    wanted = provider.values(examination.contract)
    base = provider.base_id(examination.contract.provider)
    found = []
    if row.get("custom") is not True:
        # The web client makes its log-in of rows marked so, and of no other (client/startup/customOAuth.ts).
        found.append(
            finding(
                "login_service.values.differs",
                f"custom is {row.get('custom')!r}: the web client takes it for no log-in service",
                "custom is True",
                examination.where(base, "service.configurations, custom"),
                commands=(examination.provision_command,),
            )
        )
    for suffix, field in FIELDS.items():
        seen, setting_id = row.get(field), f"{base}-{suffix}"
        # A setting that is wrong itself has been reported by the provider's own check.
        if seen not in (wanted[suffix], examination.effective.get(setting_id)):
            found.append(
                finding(
                    "login_service.values.differs",
                    f"{field} is {read(setting_id, seen, wanted[suffix])}",
                    shown(setting_id, wanted[suffix]),
                    examination.where(setting_id, f"service.configurations, {field}"),
                    commands=(examination.provision_command,),
                    # The server asks the settings for the token's address (measured on 6.13.0).
                    severity=Severity.RISK
                    if suffix == "token_path"
                    else severity_of(_named(examination, suffix), Severity.BROKEN),
                )
            )
    return answer(found, evidence=f"{len(FIELDS)} fields agree")


def _named(examination: Examination, suffix: str) -> str:
    """The provider's finding of the same row: without its button nobody opens a window."""
    hidden = suffix == "show_button" and examination.contract.provider.login_style == "popup"
    return f"provider.{suffix}{'.hidden' if hidden else ''}"


@check("login_service.secret", codes="differs", needs=["login_service.present", "services.mongo"])
def secret(examination: Examination) -> Answer:
    """Does the service work with the secret of the settings?"""
    name, expected = examination.contract.provider.name, examination.contract.provider.secret
    row = examination.mongo.login_service(name) or {}
    seen = examination.secret(str(row.get("secret", "")))
    found = []
    if seen != expected:
        setting_id = f"{provider.base_id(examination.contract.provider)}-secret"
        place = examination.where(setting_id, "meteor_accounts_loginServiceConfiguration, secret")
        code = "login_service.secret.differs"
        found = [
            finding(
                code,
                fingerprint(seen),
                fingerprint(expected),
                place,
                commands=(examination.provision_command,),
            )
        ]
    return answer(found, evidence="equal")


def checks(contract: Contract) -> tuple[Check, ...]:
    """The checks of the log-in service; they stand on every row of the provider."""
    every_row = (f"provider.{suffix}" for suffix in provider.values(contract))
    present = check(
        "login_service.present",
        codes="absent",
        needs=(*every_row, "provider.enabled"),
        after=["services.calls"],
    )
    return (present(_present), alone, values, secret)
