"""The two chat pages, and the one that signs the chat out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from besedka_chat import person
from besedka_chat.conf import Channel, chat_settings


def _page(user: Any, here: str, channel: Channel) -> dict[str, Any]:
    """What both templates need; `here` is where a new log-in must lead back to."""
    site = chat_settings()
    # Named as Django reads it from a request: HTTP_X_CSRFTOKEN is the header X-CSRFToken.
    header = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")
    return {
        "chat_url": site.chat_url,
        "service": site.service,
        "login_style": site.login_style,
        "sso": site.sso,
        "button_label": site.button_label,
        "channel": channel,
        "frame_url": f"{site.chat_url}{channel.path}",
        "login_url": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': here})}",
        "user_id": str(user.pk),
        "site_url": site.site_url,
        "patience": site.patience,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "csrf_header": header,
    }


@require_safe
def chat_root(request: HttpRequest) -> HttpResponse:
    """Lead to the integrated page."""
    return redirect("besedka_chat:integrated")


@transaction.non_atomic_requests
@never_cache
@require_safe
@login_required
def test_page(request: HttpRequest) -> HttpResponse:
    """Isolated page: the chat's default channel, SSO by the chat's own OAuth command."""
    channel, role = chat_settings().default_channel, person.role(request.user)
    if not channel.admits(role):
        return _without_rooms(request, role)
    return render(request, "besedka_chat/test.html", _page(request.user, request.path, channel))


def _without_rooms(request: HttpRequest, role: str) -> HttpResponse:
    """Nothing is wrong with the stack, so 200: the page says what this person can do."""
    return render(request, "besedka_chat/no_rooms.html", {"role": role})


@transaction.non_atomic_requests
@never_cache
@require_safe
@login_required
@ensure_csrf_cookie
def integrated_page(request: HttpRequest) -> HttpResponse:
    """Chat with a button per channel of the user's role; SSO by a login token.

    `?channel=<name>` opens that channel. One that does not exist and one that is not this user's are both
    404, so that the answer does not tell which private channels there are. Without a wish the default
    channel opens, or the user's first one; who has none is told so.
    """
    site, role = chat_settings(), person.role(request.user)
    channels = [channel for channel in site.channels if channel.admits(role)]
    if not channels:
        return _without_rooms(request, role)
    first = site.default_channel if site.default_channel in channels else channels[0]
    wish = request.GET.get("channel") or first.name
    channel = next((channel for channel in channels if channel.name == wish), None)
    if channel is None:
        raise Http404
    page = _page(request.user, request.get_full_path(), channel)
    return render(request, "besedka_chat/integrated.html", page | {"channels": channels})


@never_cache
@require_safe
def signed_out(request: HttpRequest) -> HttpResponse:
    """Sign the chat out in this browser as well; for who is signed in to the site, the chat itself."""
    if request.user.is_authenticated:
        return redirect("besedka_chat:integrated")
    site = chat_settings()
    told = {
        "chat_url": site.chat_url,
        "patience": site.patience,
        "login_url": resolve_url(settings.LOGIN_URL),
    }
    return render(request, "besedka_chat/signed_out.html", told)
