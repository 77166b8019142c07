"""Log-in, log-out and the page after it."""

from __future__ import annotations

from besedka_chat.conf import chat_settings
from django.conf import settings
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.forms import LoginForm

SIGNED_OUT_COOKIE = "besedka_signed_out"
SIGNED_OUT_SECONDS = 300


class LoginView(auth_views.LoginView):
    """Follows `next` only within this site (Django's own check); sends a signed-in visitor on at once."""

    form_class = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True


class LogoutView(auth_views.LogoutView):
    """POST only. Marks the browser for a while, so that the page after it knows that a log-out happened."""

    http_method_names = ["post", "options"]
    next_page = reverse_lazy("logged-out")

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        super().post(request, *args, **kwargs)
        response = HttpResponseRedirect(reverse("logged-out"))
        response.set_signed_cookie(
            SIGNED_OUT_COOKIE,
            "1",
            max_age=SIGNED_OUT_SECONDS,
            path=reverse("logged-out"),
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        return response


@never_cache
@require_safe
def logged_out(request: HttpRequest) -> HttpResponse:
    """Signs the chat out in this browser as well; without a log-out just before, leads home."""
    marked = request.get_signed_cookie(SIGNED_OUT_COOKIE, default=None, max_age=SIGNED_OUT_SECONDS)
    if request.user.is_authenticated or not marked:
        return redirect("home")
    site = chat_settings()
    told = {"chat_url": site.chat_url, "patience": site.patience, "login_url": reverse("login")}
    return render(request, "besedka_chat/signed_out.html", told)
