"""Answers to requests that fail: JSON for programs (API_PREFIXES, API_PAGES), pages for people."""

from __future__ import annotations

from besedka_chat.answers import json_error
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

API_PREFIXES = ("/api/", "/chat/api/")
API_PAGES = ("auth", "proof", "session", "besedka-identity")


def _for_programs(request: HttpRequest) -> bool:
    moved = [settings.BESEDKA.paths.get(name) for name in API_PAGES]
    return request.path_info.startswith(API_PREFIXES) or request.path_info in moved


def _answer(request: HttpRequest, status: int, error: str, title: str, message: str) -> HttpResponse:
    if _for_programs(request):
        return json_error(status, error, message)
    return render(
        request, "error.html", {"status": status, "title": title, "message": message}, status=status
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such address, or a channel that is not this user's."""
    return _answer(request, 404, "not_found", "Страница не найдена", "По этому адресу ничего нет.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Request that Django itself refuses (for example a foreign Host)."""
    return _answer(request, 400, "bad_request", "Неверный запрос", "Сервер не смог разобрать запрос.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Fault of the site: details are in its log only."""
    return _answer(request, 500, "server_error", "Ошибка сервера", "Подробности записаны в журнал сайта.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """POST without a valid CSRF token; for a visitor who is not signed in at all, a 401 says more."""
    if _for_programs(request) and not request.user.is_authenticated:
        return json_error(401, "not_signed_in", "Вы не вошли на сайт.")
    return _answer(
        request,
        403,
        "csrf",
        "Запрос отклонён",
        "Форма устарела. Откройте страницу заново и повторите действие.",
    )
