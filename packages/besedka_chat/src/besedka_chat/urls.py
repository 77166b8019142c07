"""Addresses of the chat's pages: `path("chat/", include("besedka_chat.urls"))`."""

from __future__ import annotations

from django.urls import path

from besedka_chat import session, views

app_name = "besedka_chat"

urlpatterns = [
    path("", views.chat_root, name="root"),
    path("test/", views.test_page, name="test"),
    path("integrated/", views.integrated_page, name="integrated"),
    path("signed-out/", views.signed_out, name="signed-out"),
    path("api/auth/", session.chat_login, name="auth"),
    path("api/check/", session.chat_check, name="check"),
    path("api/proof/", session.chat_proof, name="proof"),
    path("api/session/", session.session, name="session"),
]
