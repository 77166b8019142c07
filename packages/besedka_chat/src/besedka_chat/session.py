"""What the chat pages ask the site: who is signed in, and a login token for the chat. JSON only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model, get_application_model

from besedka_chat import person, proof, tokens
from besedka_chat.answers import json_error
from besedka_chat.conf import Channel, chat_settings
from besedka_chat.rocketchat import TOKEN_SECONDS, ChatLogin, ChatLoginError, end, log_in, rooms_of
from besedka_chat.tokens import Person

log = logging.getLogger("besedka.chat")
_HANDED_OUT = "besedka_chat_handed_out"

MESSAGES = {
    "chat_unreachable": "Сервер чата не отвечает.",
    "chat_timeout": "Сервер чата не ответил вовремя.",
    "chat_rate_limited": "Чат просит подождать: слишком много входов.",
    "chat_not_json": "По адресу чата отвечает не Rocket.Chat.",
    "chat_refused": "Чат не принял вход. Покажите это сообщение администратору чата.",
    "chat_deactivated": "Ваша учётная запись в чате отключена. Попросите администратора чата включить её.",
    "chat_blocked": "Чат на время закрыл вход: под вашим именем много раз ввели неверный пароль. "
    "Подождите пять минут и попробуйте ещё раз. Если пароль вводили не вы, скажите администратору чата.",
    "chat_address_blocked": "Чат на время закрыл вход с адреса сайта: с него было слишком много неудачных "
    "входов. Подождите пять минут и попробуйте ещё раз; если не поможет, скажите администратору чата.",
    "chat_second_factor": "Чат требует код из письма, а вход через сайт его не спрашивает. Попросите "
    "администратора чата выключить двухфакторную проверку (Accounts_TwoFactorAuthentication_Enabled).",
    "chat_wrong_user": "Чат вошёл под другим пользователем.",
    "application_missing": "На сайте нет приложения чата. Выполните: manage.py ensure_oauth_application",
}


def _not_signed_in() -> HttpResponse:
    return json_error(401, "not_signed_in", "Вы не вошли на сайт.")


@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """`{"id", "username", "handedOut"}` of the signed-in user, or 401.

    `handedOut`: seconds since this session last got a login token for the chat; null for never.
    """
    if not request.user.is_authenticated:
        return _not_signed_in()
    told = {"id": str(request.user.pk), "username": person.username(request.user)}
    since = request.session.get(_HANDED_OUT)
    response = JsonResponse(told | {"handedOut": None if since is None else max(0.0, time.time() - since)})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def chat_proof(request: HttpRequest) -> HttpResponse:
    """`{"silence", "commands"}`, see `proof.found`; 401 for who is not signed in."""
    if not request.user.is_authenticated:
        return _not_signed_in()
    response = JsonResponse(proof.found(chat_settings()))
    response["Cache-Control"] = "no-store"
    return response


@contextmanager
def _short_lived_token(user: Any) -> Iterator[str]:
    """Yield an access token of the chat's application for this user; afterwards it has expired.

    The row stays until `cleartokens`: Rocket.Chat stores the token with the account, and the row is what
    shows that the site had issued it. Each database call stands alone (autocommit), so nothing is locked
    while the chat is asked.
    Raises ChatLoginError where the application is missing.
    """
    application = get_application_model().objects.filter(client_id=chat_settings().client_id).first()
    if application is None:
        raise ChatLoginError("application_missing", 503, f"no application {chat_settings().client_id}")
    value = generate_client_secret()
    token = get_access_token_model().objects.create(
        user=user,
        application=application,
        token=value,
        scope=" ".join(chat_settings().scopes),
        expires=timezone.now() + timedelta(seconds=TOKEN_SECONDS),
    )
    try:
        yield value
    finally:
        token.expires = timezone.now()
        token.save(update_fields=["expires"])


@transaction.non_atomic_requests
@csrf_exempt
@require_http_methods(["GET", "POST", "OPTIONS"])
def chat_login(request: HttpRequest) -> HttpResponse:
    """`{"loginToken", "userId", "username", "absent"}`: a session in the chat for the signed-in user.

    `absent` are the labels of this user's channels that the chat's account is not in.
    The site's pages use POST (with CSRF token); GET is what Rocket.Chat's iframe authentication
    (`Accounts_Iframe_api_method`) may be set to. Anonymous: 401. Failures: `error` is one of MESSAGES,
    `found` what the chat answered, status 502, 503 or 504. Always JSON, also without a CSRF token (403).

    Without a transaction, whatever ATOMIC_REQUESTS says: while this request waits, the chat asks this site
    who the bearer of the token is, in another request, which would not see the token's row.
    """
    if not _asked_by_the_chat(request):
        return _in_words(request, _signed_in_login)
    if request.method == "OPTIONS":
        response = HttpResponse(status=204)
        response["Access-Control-Allow-Methods"] = "GET, POST"
        response["Access-Control-Allow-Headers"] = "Content-Type"
    else:
        response = _in_words(request, _login)
    response["Access-Control-Allow-Origin"] = request.headers["Origin"]
    response["Access-Control-Allow-Credentials"] = "true"
    response["Vary"] = "Origin, Cookie"
    return response


def _asked_by_the_chat(request: HttpRequest) -> bool:
    """Whether Rocket.Chat's own page asks, which iframe authentication lets sign itself in.

    It comes from another origin and has no CSRF token (`client/views/root/hooks/useIframe.ts`, 7.10; before
    that `app/ui-utils/client/lib/IframeLogin.ts`). Browsers let no page choose its `Origin`.
    """
    site = chat_settings()
    own = urlsplit(site.chat_url)
    return site.sso == "iframe-auth" and request.headers.get("Origin") == f"{own.scheme}://{own.netloc}"


@transaction.non_atomic_requests
@csrf_exempt
@require_POST
def chat_check(request: HttpRequest) -> HttpResponse:
    """`{"absent"}`, or why the chat refuses the signed-in user: as `chat_login`, but the session is ended.

    For a page whose frame signs in by itself: the chat's own client says nothing of a refusal. `absent` is
    of the default channel alone.
    """
    return _in_words(request, _signed_in_check)


def _in_words(request: HttpRequest, view: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    if not request.user.is_authenticated:
        return _not_signed_in()
    response = view(request)
    if response.status_code == 403:
        return json_error(403, "csrf", "Страница устарела. Откройте её заново.")
    return response


@csrf_protect
def _signed_in_login(request: HttpRequest) -> HttpResponse:
    return _login(request)


def _login(request: HttpRequest) -> HttpResponse:
    role = person.role(request.user)
    offered = [channel for channel in chat_settings().channels if channel.admits(role)]

    def handed_out(login: ChatLogin) -> dict[str, object]:
        if chat_settings().sso == "iframe-auth":
            request.session[_HANDED_OUT] = time.time()
        return _session_of(login) | {"absent": _absent(login, offered)}

    return _logged_in(request, handed_out)


@csrf_protect
def _signed_in_check(request: HttpRequest) -> HttpResponse:
    site = chat_settings()

    def looked(login: ChatLogin) -> dict[str, object]:
        absent = _absent(login, [site.default_channel])
        end(site.chat_internal_url, login)
        return {"absent": absent}

    return _logged_in(request, looked)


def _session_of(login: ChatLogin) -> dict[str, object]:
    return {"loginToken": login.token, "userId": login.user_id, "username": login.username}


def _absent(login: ChatLogin, channels: list[Channel]) -> list[str]:
    """Labels of the channels that the account is not in; none where the chat does not say."""
    rooms = rooms_of(chat_settings().chat_internal_url, login)
    return [] if rooms is None else [channel.label for channel in channels if channel.name not in rooms]


def _logged_in(request: HttpRequest, told: Callable[[ChatLogin], dict[str, object]]) -> HttpResponse:
    """What is told of a new session of the user in the chat, or why there is none."""
    user, site = request.user, chat_settings()
    username = person.username(user)
    try:
        if site.token_maker is not None:
            asking = Person(username, person.email(user), person.full_name(user))
            answer = JsonResponse(told(tokens.log_in(site.chat_internal_url, site.token_maker, asking)))
        else:
            with _short_lived_token(user) as token:
                answer = JsonResponse(told(log_in(site.chat_internal_url, site.service, token, username)))
    except ChatLoginError as error:
        log.warning("chat log-in of %s failed: %s", username, error)
        response = json_error(
            error.status, error.code, MESSAGES[error.code], found=error.found, retryAfter=error.retry_after
        )
        if error.retry_after:
            response["Retry-After"] = str(error.retry_after)
        return response
    answer["Cache-Control"] = "no-store"
    return answer
