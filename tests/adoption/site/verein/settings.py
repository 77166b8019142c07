"""Settings of the club's site: models, cookies, addresses and roles are its own."""

import os
from pathlib import Path

# As found, it cannot carry Rocket.Chat's sign-in; mended, it can.
UNMENDED = os.environ.get("VEREIN_UNMENDED") == "1"
CHAT_URL = os.environ.get("VEREIN_CHAT_URL", "http://127.0.0.1:3000")
# What Rocket.Chat calls this site, and the rooms: name, label, private, and who may enter.
CHAT_SERVICE = "verein"
ROOMS = [("diele", "Diele", False, "VM"), ("vorstand", "Vorstandszimmer", True, "V")]

SESSION_COOKIE_NAME = "verein_sitzung"
# The token lies in the session: there is no cookie of it.
CSRF_USE_SESSIONS = True
SECRET_KEY = "of-a-test"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "verein.urls"
LANGUAGE_CODE = "de"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("VEREIN_DATEN", Path(__file__).parent / "verein.sqlite3"),
        "OPTIONS": {"timeout": 20},
    }
}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "oauth2_provider",
    "verein",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
# Tables are made from the models: a test's database has no history.
MIGRATION_MODULES = {"oauth2_provider": None, "verein": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "verein.Mitglied"
PASSWORD_HASHERS = ["verein.models.Hasher"]
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "/anmelden/", "/", "/"
OAUTH2_PROVIDER_APPLICATION_MODEL = "verein.Anwendung"
OAUTH2_PROVIDER = {
    "SCOPES": {"profil": "Name und E-Mail"},
    "PKCE_REQUIRED": UNMENDED,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
}
