"""The two chat pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from accounts.models import User
from config.environment import Channel
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe


def _page(user: User, here: str, channel: Channel) -> dict[str, Any]:
    """What both templates need; `here` is where a new log-in must lead back to."""
    site = settings.BESEDKA
    return {
        "chat_url": site.chat_url,
        "service": site.service,
        "login_style": site.login_style,
        "button_label": site.button_label,
        "channel": channel,
        "frame_url": f"{site.chat_url}{channel.path}",
        "login_url": f"{reverse('login')}?{urlencode({'next': here})}",
        "user_id": str(user.pk),
        "site_url": site.site_url,
        "patience": site.chat_patience,
    }


@require_safe
def chat_root(request: HttpRequest) -> HttpResponse:
    """Lead to the integrated page."""
    return redirect("chat-integrated")


@never_cache
@require_safe
@login_required
def test_page(request: HttpRequest) -> HttpResponse:
    """Isolated page: the chat's default channel, SSO by the chat's own OAuth command."""
    page = _page(request.user, request.path, settings.BESEDKA.default_channel)
    return render(request, "chat/rocketchat_test.html", page)


@never_cache
@require_safe
@login_required
@ensure_csrf_cookie
def integrated_page(request: HttpRequest) -> HttpResponse:
    """Chat with a button per channel of the user's role; SSO by a login token.

    `?channel=<name>` opens that channel. One that does not exist and one that is not this user's are both
    404, so that the answer does not tell which private channels there are.
    """
    site = settings.BESEDKA
    channels = [channel for channel in site.channels if channel.admits(request.user.role)]
    wish = request.GET.get("channel") or site.default_channel.name
    channel = next((channel for channel in channels if channel.name == wish), None)
    if channel is None:
        raise Http404
    page = _page(request.user, request.get_full_path(), channel)
    return render(request, "chat/rocketchat_integrated.html", page | {"channels": channels})
