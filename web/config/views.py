"""Pages that belong to no app: the home page and the readiness answer."""

from __future__ import annotations

import secrets

from besedka_chat.answers import json_error
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Home page, the same for everybody but for the greeting."""
    return render(request, "home.html")


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Readiness: 200 once database and cache answer, else the fault page of Django (500 JSON)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    mark = secrets.token_hex(8)
    cache.set("status", mark, 10)
    if cache.get("status") is None:
        return json_error(503, "cache_down", "Кэш не отвечает (REDIS_URL).")
    return JsonResponse({"status": "ok", "version": settings.VERSION, "service": "besedka-site"})
