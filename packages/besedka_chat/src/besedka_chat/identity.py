"""The identity answer: who the bearer of an access token is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.oauth2_backends import get_oauthlib_core

from besedka_chat import person
from besedka_chat.answers import json_error
from besedka_chat.conf import chat_settings

_TOLD = ("error", "error_description")


def identity_of(user: Any) -> dict[str, Any]:
    """Describe a user to the chat.

    `id` is a string: Rocket.Chat stores it as it comes, and `1` and `"1"` would be two users
    (apps/meteor/app/custom-oauth/server/custom_oauth_server.js). A role without groups of its own gets
    those of DEFAULT_ROLE.
    """
    site, role = chat_settings(), person.role(user)
    told = {
        "username": person.username(user),
        "email": person.email(user),
        "full_name": person.full_name(user),
        "avatar_url": urljoin(f"{site.site_url}/", static("besedka_chat/img/avatar.svg")),
    }
    return _named(told, site.identity_fields) | {
        "id": str(user.pk),
        "role": role,
        "roles": [role],
        "groups": list(site.groups.get(role, site.groups.get(site.default_role, ()))),
    }


def _named(told: dict[str, str], fields: dict[str, str]) -> dict[str, Any]:
    """The values under the site's own names; a dot in a name is a table in a table."""
    answer: dict[str, Any] = {}
    for name, value in told.items():
        *tables, last = fields[name].split(".")
        place = answer
        for table in tables:
            place = place.setdefault(table, {})
        if last:
            place[last] = value
    return answer


@transaction.non_atomic_requests
@csrf_exempt
@never_cache
def identity(request: HttpRequest) -> HttpResponse:
    """GET with `Authorization: Bearer <token>`, or `?access_token=<token>` where there is no such header.

    The second form is what Rocket.Chat's `identity_token_sent_via = payload` sends, by the name of its
    `access_token_param`, ACCESS_TOKEN_PARAM here. Answers 200, or 401 without a valid
    token, 403 for one of another scope, 405 for another method: always JSON. Sessions count for nothing.
    """
    if request.method not in {"GET", "HEAD"}:
        response = json_error(405, "method_not_allowed", "Этот адрес понимает только GET.")
        response["Allow"] = "GET, HEAD"
        return response
    sent = request.GET.get(chat_settings().access_token_param)
    if sent and "Authorization" not in request.headers:
        request.META["HTTP_AUTHORIZATION"] = f"Bearer {sent}"
    valid, verified = get_oauthlib_core().verify_request(request, scopes=list(chat_settings().scopes))
    if valid and verified.user is not None and verified.user.is_active:
        return JsonResponse(identity_of(verified.user))
    error = dict(getattr(verified, "oauth2_error", None) or {})
    if valid:
        error = {"error": "invalid_token", "error_description": "The user is not active."}
    if error.get("error") == "insufficient_scope":
        response = json_error(403, "insufficient_scope", "У токена нет нужного scope.")
    else:
        response = json_error(
            401, error.get("error", "not_authenticated"), "Нужен действующий токен доступа."
        )
    # RFC 6750, section 3. oauthlib's own words hold no quotation marks.
    named = {"realm": "besedka", **{key: str(error[key]) for key in _TOLD if error.get(key)}}
    response["WWW-Authenticate"] = "Bearer " + ", ".join(f'{key}="{value}"' for key, value in named.items())
    return response
