"""How clients of the provider prove who they are."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote, unquote_plus

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request


class PlainCredentialsValidator(OAuth2Validator):
    """Takes client id and secret of the Basic header as they are.

    The library decodes them first, as RFC 6749 has it, but Rocket.Chat does not encode
    (apps/meteor/app/custom-oauth/server/custom_oauth_server.js): an id or a secret with `+` or `%` would
    never fit. A secret that was encoded fits all the same.
    """

    def _extract_basic_auth(self, request: Request) -> str | None:
        header = super()._extract_basic_auth(request)
        try:
            client_id, _, secret = base64.b64decode(header or "").decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return header
        return base64.b64encode(f"{quote(client_id)}:{quote(secret)}".encode()).decode() if header else header

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        fits = super()._check_secret
        return bool(
            fits(provided_secret, stored_secret) or fits(unquote_plus(provided_secret), stored_secret)
        )
