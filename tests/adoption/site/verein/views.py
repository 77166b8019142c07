"""The club's pages, and what Rocket.Chat asks of them."""

import secrets
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views import View
from django.views.decorators.clickjacking import xframe_options_exempt
from oauth2_provider.models import Grant, get_application_model
from oauth2_provider.views.mixins import OAuthLibMixin, ScopedResourceMixin


def start(request: HttpRequest) -> HttpResponse:
    return render(request, "start.html")


def anmelden(request: HttpRequest) -> HttpResponse:
    """The first page of the log-in: who it is."""
    if request.method != "POST":
        return render(request, "anmelden.html", {"next": request.GET.get("next", "/")})
    request.session["wer"] = request.POST["wer"]
    return HttpResponseRedirect(f"{reverse('kennwort')}?{urlencode({'next': request.POST['next']})}")


def kennwort(request: HttpRequest) -> HttpResponse:
    """The second: the password."""
    if request.method != "POST":
        return render(request, "anmelden.html", {"kennwort": True, "next": request.GET["next"]})
    member = authenticate(request, username=request.session["wer"], password=request.POST["kennwort"])
    if member is None:
        told = {"kennwort": True, "next": request.POST["next"], "fehler": "Das stimmt nicht."}
        return render(request, "anmelden.html", told)
    login(request, member)
    return HttpResponseRedirect(request.POST["next"])


class Abmelden(LogoutView):
    """Asks once more, as django-allauth does: a link alone ends no session."""

    http_method_names = ("get", "post")

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "abmelden.html")


@login_required
def plausch(request: HttpRequest, *, raeume: bool = False) -> HttpResponse:
    """The chat: one room, or all rooms of the member with a button each."""
    own = [room for room in settings.ROOMS if request.user.funktion in room[3]]
    rooms = [
        {"label": label, "path": f"/{'group' if private else 'channel'}/{name}?layout=embedded"}
        for name, label, private, _ in own
    ]
    told = {
        "chat": settings.CHAT_URL,
        "service": settings.CHAT_SERVICE,
        "rooms": rooms if raeume else [],
        "frame": f"{settings.CHAT_URL}{rooms[0]['path']}",
        "unmended": settings.UNMENDED,
    }
    return render(request, "plausch.html", told)


def profile(member) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {
        "id": str(member.pk),
        "kuerzel": member.kuerzel,
        "mail": member.email,
        "name": member.anzeigename,
        "bild": "http://127.0.0.1/bild.svg",
    }


class Wer(ScopedResourceMixin, OAuthLibMixin, View):
    """Who the bearer of a token is."""

    required_scopes = ("profil",)

    def get(self, request: HttpRequest) -> HttpResponse:
        valid, asked = self.verify_request(request)
        if valid:
            return JsonResponse(profile(asked.user))
        error = getattr(asked, "oauth2_error", None) or {"error": "invalid_token"}
        refusal = JsonResponse(error, status=403 if error["error"] == "insufficient_scope" else 401)
        refusal["WWW-Authenticate"] = f'Bearer error="{error["error"]}"'
        return refusal


def wer_by_session(request: HttpRequest) -> HttpResponse:
    """As found: tokens are not looked at."""
    if request.user.is_authenticated:
        return JsonResponse(profile(request.user))
    return JsonResponse({"error": "nicht angemeldet"}, status=401)


@login_required
@xframe_options_exempt
def authorize_by_hand(request: HttpRequest) -> HttpResponse:
    """As found: a code for everybody who asks, sent wherever they say."""
    code, target = secrets.token_urlsafe(30), request.GET["redirect_uri"]
    Grant.objects.create(
        user=request.user,
        code=code,
        application=get_application_model().objects.get(client_id=request.GET["client_id"]),
        expires=timezone.now() + timedelta(minutes=1),
        redirect_uri=target,
        scope=request.GET.get("scope", ""),
    )
    return HttpResponseRedirect(
        f"{target}?{urlencode({'code': code, 'state': request.GET.get('state', '')})}"
    )
