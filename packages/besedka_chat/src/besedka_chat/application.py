"""The chat's OAuth application: what it must be, and the repair of what it is."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from oauth2_provider.models import AbstractApplication, get_application_model
from oauth2_provider.settings import oauth2_settings

from besedka_chat.conf import chat_settings

SECRET_FIELD = "client_secret"  # noqa: S105 - the name of a field, not a secret


def wanted_application() -> dict[str, Any]:
    """Every field that decides whether the chat can sign users in.

    The secret is stored as it is (`hash_client_secret` False): the chat keeps it in plain text anyway, the
    settings hold it too, a stored hash invites somebody to paste it into the chat, and verifying one
    costs as much as a password at each log-in. It is compared in constant time.
    """
    site = chat_settings()
    return {
        "name": "Rocket.Chat",
        "client_type": AbstractApplication.CLIENT_CONFIDENTIAL,
        "authorization_grant_type": AbstractApplication.GRANT_AUTHORIZATION_CODE,
        "redirect_uris": site.redirect_uri,
        "skip_authorization": True,
        "hash_client_secret": False,
        "algorithm": signing_algorithm(),
        SECRET_FIELD: site.client_secret,
    }


def signing_algorithm() -> str:
    """What signs the ID token that the scope `openid` brings along; nothing where there is no such token.

    Without it the token endpoint answers 500 (oauth2_provider/models.py, `jwk_key`).
    """
    if not oauth2_settings.OIDC_ENABLED:
        return str(AbstractApplication.NO_ALGORITHM)
    if oauth2_settings.OIDC_RSA_PRIVATE_KEY:
        return str(AbstractApplication.RS256_ALGORITHM)
    asked = "openid" in chat_settings().scopes
    return str(AbstractApplication.HS256_ALGORITHM if asked else AbstractApplication.NO_ALGORITHM)


@transaction.atomic
def ensure_application() -> list[str]:
    """Create or repair the application with the chat's client id; touches no other application.

    Redirect URIs beside the chat's stay; a single one in its place is taken for a mistake in it. Returns one
    line for each field changed, never with the secret in it; nothing when all was right.
    """
    model = get_application_model()
    client_id = chat_settings().client_id
    application = model.objects.filter(client_id=client_id).first()
    wanted = wanted_application()
    if application is None:
        model.objects.create(client_id=client_id, **wanted)
        shown = {field: value for field, value in wanted.items() if field != SECRET_FIELD}
        return [
            f"application {client_id}: created",
            *(f"application {client_id}: {field} = {value!r}" for field, value in shown.items()),
            f"application {client_id}: {SECRET_FIELD} set",
        ]
    registered = application.redirect_uris.split()
    if len(registered) > 1 or wanted["redirect_uris"] in registered:
        wanted["redirect_uris"] = " ".join(dict.fromkeys([*registered, wanted["redirect_uris"]]))
    # Another one that works stays: whoever checks the signature knows it by that.
    if application.algorithm == AbstractApplication.HS256_ALGORITHM:
        wanted["algorithm"] = application.algorithm
    lines = []
    for field, value in wanted.items():
        found = getattr(application, field)
        if found == value:
            continue
        change = "differs, set" if field == SECRET_FIELD else f"{found!r} -> {value!r}"
        lines.append(f"application {client_id}: {field} {change}")
        setattr(application, field, value)
    if lines:
        application.save()
    return lines
