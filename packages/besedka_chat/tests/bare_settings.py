"""A Django project that has nothing of ours but the package; other app names, a user model of its own."""

from __future__ import annotations

from besedka_chat.pkce import pkce_required

SECRET_KEY = "only for these tests"
DEBUG = False
ALLOWED_HOSTS = ["site.test"]
ROOT_URLCONF = "bare_urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "besedka_chat",
    "guests",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth"]},
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "ATOMIC_REQUESTS": True}}
AUTH_USER_MODEL = "guests.Guest"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "/verein/anmelden/"
# The site lies below a path, and its cookies keep the names that Django gives them.
FORCE_SCRIPT_NAME = "/verein"
STATIC_URL = "/verein/files/"
X_FRAME_OPTIONS = "SAMEORIGIN"
USE_TZ = True
OAUTH2_PROVIDER = {
    "SCOPES": {"read": "Name und Rolle"},
    "PKCE_REQUIRED": pkce_required,
    "OAUTH2_VALIDATOR_CLASS": "besedka_chat.clients.PlainCredentialsValidator",
}
BESEDKA_CHAT = {
    "SITE_URL": "http://site.test/verein",
    "CHAT_URL": "http://chat.site.test",
    "CLIENT_ID": "bare-client",
    "CLIENT_SECRET": "a+secret%",
    "USERNAME_FIELD": "nick",
    "FULL_NAME_FIELD": "shown_as",
    "ROLE_FIELD": "kind",
    "DEFAULT_ROLE": "gast",
    "GROUPS": {"wirt": ["admin"], "gast": ["user"]},
    "CHANNELS": [
        {"name": "stammtisch", "label": "Stammtisch", "default": True},
        {"name": "keller", "label": "Keller", "private": True, "roles": ["wirt"]},
    ],
}
