"""Who must use PKCE: `OAUTH2_PROVIDER = {"PKCE_REQUIRED": pkce_required, …}`, the function itself.

Its name as a text works with newer versions of django-oauth-toolkit only; 2.4 takes any text for True.
"""

from __future__ import annotations

from besedka_chat.conf import chat_settings


def pkce_required(client_id: str) -> bool:
    """Every client but the chat.

    Rocket.Chat's Custom OAuth sends neither code_challenge nor code_verifier
    (apps/meteor/app/custom-oauth/client/CustomOAuth.ts); it authenticates by its secret.
    """
    return client_id != chat_settings().client_id
