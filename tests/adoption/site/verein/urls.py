"""Addresses of the club's site: none is one of `web/`."""

from django.conf import settings
from django.urls import path
from oauth2_provider.views import AuthorizationView, TokenView

from verein import views

found = settings.UNMENDED
urlpatterns = [
    path("", views.start),
    path("anmelden/", views.anmelden),
    path("anmelden/kennwort/", views.kennwort, name="kennwort"),
    path("abmelden/", views.Abmelden.as_view(), name="abmelden"),
    path("plausch/", views.plausch, name="plausch"),
    path("plausch/raeume/", views.plausch, {"raeume": True}, name="raeume"),
    path("zugang/erlauben/", views.authorize_by_hand if found else AuthorizationView.as_view()),
    path("zugang/schein/", TokenView.as_view()),
    path("zugang/wer/", views.wer_by_session if found else views.Wer.as_view()),
]
