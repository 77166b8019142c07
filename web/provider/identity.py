"""The identity answer: who the bearer of an access token is."""

from __future__ import annotations

from typing import Any

from accounts.models import COMMON_ROLE, User
from config.errors import json_error
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.oauth2_backends import get_oauthlib_core
from oauth2_provider.www_authenticate import build_bearer_challenge


def identity_of(user: User) -> dict[str, Any]:
    """Describe a user to the chat.

    `id` is a string: Rocket.Chat stores it as it comes, and `1` and `"1"` would be two users
    (apps/meteor/app/custom-oauth/server/custom_oauth_server.js). A role without groups of its own gets
    those of "user".
    """
    site = settings.BESEDKA
    return {
        "id": str(user.pk),
        "username": user.username,
        "email": user.email,
        "full_name": user.get_full_name(),
        "avatar_url": f"{site.site_url}{static('img/avatar.svg')}",
        "role": user.role,
        "roles": [user.role],
        "groups": list(site.groups.get(user.role, site.groups.get(COMMON_ROLE, ()))),
    }


@csrf_exempt
@never_cache
def identity(request: HttpRequest) -> HttpResponse:
    """GET with `Authorization: Bearer <token>`, or `?access_token=<token>` where there is no such header.

    The second form is what Rocket.Chat's `identity_token_sent_via = payload` sends; oauthlib reads it by
    itself (oauthlib/oauth2/rfc6749/tokens.py, get_token_from_header). Answers 200, or 401 without a valid
    token, 403 for one of another scope, 405 for another method: always JSON. Sessions count for nothing.
    """
    if request.method not in {"GET", "HEAD"}:
        response = json_error(405, "method_not_allowed", "Этот адрес понимает только GET.")
        response["Allow"] = "GET, HEAD"
        return response
    valid, verified = get_oauthlib_core().verify_request(request, scopes=list(settings.BESEDKA.scopes))
    if valid and verified.user is not None and verified.user.is_active:
        return JsonResponse(identity_of(verified.user), json_dumps_params={"ensure_ascii": False})
    error = dict(getattr(verified, "oauth2_error", None) or {})
    if valid:
        error = {"error": "invalid_token", "error_description": "The user is not active."}
    if error.get("error") == "insufficient_scope":
        response = json_error(403, "insufficient_scope", "У токена нет нужного scope.")
    else:
        response = json_error(
            401, error.get("error", "not_authenticated"), "Нужен действующий токен доступа."
        )
    response["WWW-Authenticate"] = build_bearer_challenge(
        request, error, realm="besedka", resource_metadata_url=None
    )
    return response
