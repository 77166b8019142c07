"""Addresses under /chat/."""

from __future__ import annotations

from django.urls import path

from chat import session, views

urlpatterns = [
    path("", views.chat_root, name="chat"),
    path("test/", views.test_page, name="chat-test"),
    path("integrated/", views.integrated_page, name="chat-integrated"),
    path("api/auth/", session.chat_login, name="chat-auth"),
    path("api/proof/", session.chat_proof, name="chat-proof"),
    path("api/session/", session.session, name="chat-session"),
]
