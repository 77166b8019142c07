"""What the chat pages ask the site: who is signed in, and a login token for the chat. JSON only."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from accounts.models import User
from config.errors import json_error
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model, get_application_model

from chat import proof
from chat.rocketchat import TOKEN_SECONDS, ChatLoginError, log_in

log = logging.getLogger("besedka.chat")

MESSAGES = {
    "chat_unreachable": "Сервер чата не отвечает.",
    "chat_timeout": "Сервер чата не ответил вовремя.",
    "chat_rate_limited": "Чат просит подождать: слишком много входов.",
    "chat_not_json": "По адресу чата отвечает не Rocket.Chat.",
    "chat_refused": "Чат не принял вход.",
    "chat_wrong_user": "Чат вошёл под другим пользователем.",
    "application_missing": "На сайте нет приложения чата. Выполните: manage.py ensure_oauth_application",
}


def _not_signed_in() -> HttpResponse:
    return json_error(401, "not_signed_in", "Вы не вошли на сайт.")


@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """`{"id", "username"}` of the signed-in user, or 401."""
    if not isinstance(request.user, User):
        return _not_signed_in()
    response = JsonResponse({"id": str(request.user.pk), "username": request.user.username})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def chat_proof(request: HttpRequest) -> HttpResponse:
    """`{"silence", "commands"}`, see `proof.found`; 401 for who is not signed in."""
    if not isinstance(request.user, User):
        return _not_signed_in()
    response = JsonResponse(proof.found(settings.BESEDKA))
    response["Cache-Control"] = "no-store"
    return response


@contextmanager
def _short_lived_token(user: User) -> Iterator[str]:
    """Yield an access token of the chat's application for this user; afterwards it has expired.

    The row stays until `cleartokens`: Rocket.Chat stores the token with the account, and the row is what
    shows that the site had issued it. Each database call stands alone (autocommit), so nothing is locked
    while the chat is asked.
    Raises ChatLoginError where the application is missing.
    """
    application = get_application_model().objects.filter(client_id=settings.BESEDKA.client_id).first()
    if application is None:
        raise ChatLoginError("application_missing", 503, f"no application {settings.BESEDKA.client_id}")
    value = generate_client_secret()
    token = get_access_token_model().objects.create(
        user=user,
        application=application,
        token=value,
        scope=" ".join(settings.BESEDKA.scopes),
        expires=timezone.now() + timedelta(seconds=TOKEN_SECONDS),
    )
    try:
        yield value
    finally:
        token.expires = timezone.now()
        token.save(update_fields=["expires"])


@require_http_methods(["GET", "POST"])
def chat_login(request: HttpRequest) -> HttpResponse:
    """`{"loginToken", "userId", "username"}`: a session in the chat for the signed-in user.

    The site's pages use POST (with CSRF token); GET is what Rocket.Chat's iframe authentication
    (`Accounts_Iframe_api_method`) may be set to. Anonymous: 401. Failures: `error` is one of MESSAGES,
    `found` what the chat answered, status 502, 503 or 504.
    """
    user = request.user
    if not isinstance(user, User):
        return _not_signed_in()
    site = settings.BESEDKA
    try:
        with _short_lived_token(user) as token:
            login = log_in(site.chat_internal_url, site.service, token, user.username)
    except ChatLoginError as error:
        log.warning("chat log-in of %s failed: %s", user.username, error)
        response = json_error(
            error.status, error.code, MESSAGES[error.code], found=error.found, retryAfter=error.retry_after
        )
        if error.retry_after:
            response["Retry-After"] = str(error.retry_after)
        return response
    answer = JsonResponse({"loginToken": login.token, "userId": login.user_id, "username": login.username})
    answer["Cache-Control"] = "no-store"
    return answer
