"""How clients of the provider prove who they are."""

from __future__ import annotations

from urllib.parse import unquote_plus

from oauth2_provider.oauth2_validators import OAuth2Validator


class PlainSecretValidator(OAuth2Validator):
    """Takes a secret in the Basic header encoded for a form, as RFC 6749 has it, and plain.

    Rocket.Chat sends it plain (apps/meteor/app/custom-oauth/server/custom_oauth_server.js), and the library
    decodes what comes: a secret with `+` or `%` would never fit.
    """

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        fits = super()._check_secret
        return bool(
            fits(provided_secret, stored_secret) or fits(provided_secret, unquote_plus(stored_secret))
        )
