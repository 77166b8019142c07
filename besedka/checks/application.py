"""Layer `application`: the site's record of Rocket.Chat, an Application of django-oauth-toolkit."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from besedka.checks.check import Check, check
from besedka.checks.compare import fingerprint
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Findings, Ok, Severity, Skipped, answer, finding
from besedka.contract import Contract
from besedka.look_alikes import with_double
from besedka.rocketchat import provider
from besedka.site_database import Application

# One abandoned log-in leaves one code behind; a chain broken at its first hop leaves them all.
_ABANDONED = 3
# What happened once says no more about the reason than this; the hops are walked anew beside it.
_WALK = (
    "Rocket.Chat came for none of them: it did not reach the site (provider.reachable_from_chat), or was "
    "refused (sso.client and sso.token say why). If these are ok, sign in once: a token clears this note."
)


def _record(examination: Examination) -> Application:
    found = examination.site_database.application(examination.contract.provider.client_id)
    if found is None:
        raise LookupError("application.exists was ok, but the record is gone")
    return found


def _place(examination: Examination, field: str) -> str:
    contract = examination.contract
    table = contract.site.adapter.tables.application
    return f"{table}, client_id {contract.provider.client_id}, {field}"


@check(
    "application.exists",
    codes="missing",
    needs=["services.site_database", "services.site"],
)
def exists(examination: Examination) -> Answer:
    """Does the site know Rocket.Chat's client id?"""
    if without := examination.contract.site.features.missing("oauth_tables"):
        return Skipped(without)
    client_id = examination.contract.provider.client_id
    if examination.site_database.application(client_id) is not None:
        return Ok(client_id)
    others = [found.client_id for found in examination.site_database.applications()]
    seen = with_double(f"no application {client_id}; there are {others or 'none'}", others, client_id)
    place = _place(examination, "client_id")
    return Findings(
        (
            finding(
                "application.exists.missing",
                seen,
                client_id,
                place,
                commands=examination.site_commands,
                advice=examination.site_advice,
            ),
        )
    )


@check("application.secret", codes="differs", needs=["application.exists"])
def secret(examination: Examination) -> Answer:
    """Does the application have the contract's secret?"""
    stored, expected = _record(examination).client_secret, examination.contract.provider.secret
    examination.secret(stored)
    if stored == expected:
        return Ok("equal")
    place = _place(examination, "client_secret")
    algorithm, _, rest = stored.partition("$")
    if not rest:
        seen, wanted = fingerprint(stored), fingerprint(expected)
        return Findings(
            (
                finding(
                    "application.secret.differs",
                    seen,
                    wanted,
                    place,
                    commands=examination.site_commands,
                    advice=examination.site_advice,
                ),
            )
        )
    if algorithm != "pbkdf2_sha256":
        return Skipped(f"the secret is stored as a {algorithm} hash, which this check cannot verify")
    rounds, salt, digest = rest.split("$")
    raw = hashlib.pbkdf2_hmac("sha256", expected.encode(), salt.encode(), int(rounds))
    if hmac.compare_digest(base64.b64encode(raw).decode(), digest):
        return Ok("the stored hash fits the contract's secret")
    seen = "the stored hash fits another secret"
    return Findings(
        (
            finding(
                "application.secret.differs",
                seen,
                fingerprint(expected),
                place,
                commands=examination.site_commands,
                advice=examination.site_advice,
            ),
        )
    )


@check(
    "application.redirect_uri",
    codes="empty differs host_spelling foreign",
    needs=["application.exists"],
    after=["services.addresses"],
)
def redirect_uri(examination: Examination) -> Answer:
    """Is Rocket.Chat's callback registered, and nothing beside it that the contract does not name?"""
    wanted = provider.redirect_uri(examination.contract)
    registered = _record(examination).redirect_uris
    place = _place(examination, "redirect_uris")
    if not registered:
        return Findings(
            (
                finding(
                    "application.redirect_uri.empty",
                    "empty",
                    wanted,
                    place,
                    commands=examination.site_commands,
                    advice=examination.site_advice,
                ),
            )
        )
    if wanted not in registered:
        seen = with_double(" ".join(registered), registered, wanted)
        mixed = wanted.replace("127.0.0.1", "localhost") in registered
        mixed = mixed or wanted.replace("localhost", "127.0.0.1") in registered
        code = "host_spelling" if mixed else "differs"
        return Findings(
            (
                finding(
                    f"application.redirect_uri.{code}",
                    seen,
                    wanted,
                    place,
                    commands=examination.site_commands,
                    advice=examination.site_advice,
                ),
            )
        )
    known = {wanted, *examination.contract.provider.more_redirect_uris}
    foreign = [uri for uri in registered if uri not in known]
    found = []
    if foreign:
        fix = (
            "Codes can be sent there. Remove what nobody needs from redirect_uris; what is meant goes into "
            "[provider] more_redirect_uris in besedka.toml."
        )
        found = [
            finding(
                "application.redirect_uri.foreign",
                " ".join(foreign),
                wanted,
                place,
                advice=(fix,),
                severity=Severity.RISK,
            )
        ]
    return answer(found, evidence=wanted)


@check(
    "application.client_type",
    codes="client_type authorization_grant_type",
    needs=["application.exists"],
)
def client_type(examination: Examination) -> Answer:
    """Is it a confidential client for authorization codes?"""
    record = _record(examination)
    rows = (
        ("client_type", record.client_type, "confidential"),
        ("authorization_grant_type", record.authorization_grant_type, "authorization-code"),
    )
    found = [
        finding(
            f"application.client_type.{field}",
            seen,
            expected,
            _place(examination, field),
            commands=examination.site_commands,
            advice=examination.site_advice,
        )
        for field, seen, expected in rows
        if seen != expected
    ]
    return answer(found, evidence="confidential, authorization-code")


@check("application.consent", codes="asked", needs=["application.exists"])
def consent(examination: Examination) -> Answer:
    """Is the consent page skipped, so that nobody has to click?"""
    found = []
    if not _record(examination).skip_authorization:
        place = _place(examination, "skip_authorization")
        found = [
            finding(
                "application.consent.asked",
                "a consent page is shown",
                "none",
                place,
                commands=examination.site_commands,
                advice=examination.site_advice,
            )
        ]
    return answer(found, evidence="skip_authorization")


@check("application.codes", codes="never_exchanged", needs=["application.exists"])
def codes(examination: Examination) -> Answer:
    """Are authorization codes exchanged, not left to die?"""
    client_id = examination.contract.provider.client_id
    tables, now = examination.contract.site.adapter.tables, datetime.now(UTC)
    grants = [row for row in examination.site_database.grants() if row.application_client_id == client_id]
    dead = sum(grant.expires < now for grant in grants)
    tokens = [
        row for row in examination.site_database.access_tokens() if row.application_client_id == client_id
    ]
    if dead < _ABANDONED or tokens:
        return Ok(f"{len(tokens)} tokens issued, {dead} codes expired")
    return Findings(
        (
            finding(
                "application.codes.never_exchanged",
                f"{dead} codes expired unexchanged, and not one access token was ever issued",
                "a token for each code",
                f"{tables.grant} and {tables.access_token}",
                advice=(_WALK,),
                severity=Severity.RISK,
            ),
        )
    )


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (exists, secret, redirect_uri, client_type, consent, codes)
