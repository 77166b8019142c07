"""Who must use PKCE."""

from __future__ import annotations

from django.conf import settings


def pkce_required(client_id: str) -> bool:
    """Every client but the chat.

    Rocket.Chat's Custom OAuth sends neither code_challenge nor code_verifier
    (apps/meteor/app/custom-oauth/client/CustomOAuth.ts); it authenticates by its secret.
    """
    return client_id != settings.BESEDKA.client_id
