"""Django settings of the site. Every value that differs between machines comes from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from besedka_chat.pkce import pkce_required

from config.environment import EnvironmentProblemError, read_environment

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "1.0.0"

try:
    BESEDKA = read_environment(os.environ, BASE_DIR)
except EnvironmentProblemError as problem:
    # SystemExit with a text prints it to stderr and ends with status 1, under Daphne and manage.py alike.
    raise SystemExit(str(problem)) from None

SECRET_KEY = BESEDKA.secret_key
DEBUG = False
ALLOWED_HOSTS = list(BESEDKA.allowed_hosts)
ROOT_URLCONF = "config.urls"
# A site may lie below a path of its host, as https://host/portal; servers decode what stands in an address.
_ADDRESS = urlsplit(BESEDKA.site_url)
FORCE_SCRIPT_NAME = unquote(_ADDRESS.path) or None
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "accounts",
    "provider",
    "besedka_chat",
]
MIDDLEWARE = [
    "config.middleware.AccessLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

DATABASES = {"default": BESEDKA.database}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": BESEDKA.redis_url}
    if BESEDKA.redis_url
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# --- People and sessions
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.UsernameOrEmailBackend"]
PASSWORD_HASHERS = ["accounts.hashers.SitePBKDF2PasswordHasher"]
PASSWORD_ITERATIONS = BESEDKA.password_iterations
LOGIN_URL = "login"
# "email": an address alone signs in. The prefix goes before the names of the form's fields.
LOGIN_BY = "username_or_email"
LOGIN_FORM_PREFIX = None
LOGIN_REDIRECT_URL = "home"
# Cookies know no ports: the chat on the same host must not meet a cookie of a common name.
SESSION_COOKIE_NAME = "besedka_session"
CSRF_COOKIE_NAME = "besedka_csrf"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# A Secure cookie is not sent over plain http, where development runs.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BESEDKA.site_url.startswith("https://")
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [f"{_ADDRESS.scheme}://{_ADDRESS.netloc}"]

# --- Headers. The log-in and OAuth error pages may show inside the chat's frame, which stands in a page
# of this site: SAMEORIGIN allows that, Django's default DENY would not.
X_FRAME_OPTIONS = "SAMEORIGIN"
# With a popup login style the chat opens the authorize page and reads window.opener afterwards; an opener
# policy would cut that tie.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None

# --- Static files, served by the site itself without collectstatic
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
# Always asked again (304): a page and its modules must be of one version.
WHITENOISE_MAX_AGE = 0

# --- Language
LANGUAGE_CODE = "ru"
TIME_ZONE = "Europe/Moscow"
USE_TZ = True
USE_I18N = True

# --- The chat's pages and sign-in
BESEDKA_CHAT = BESEDKA.chat()

# --- OAuth provider
OAUTH2_PROVIDER = {
    "SCOPES": dict.fromkeys(BESEDKA.scopes, "Чтение имени, почты и роли"),
    "DEFAULT_SCOPES": list(BESEDKA.scopes),
    "READ_SCOPE": BESEDKA.scopes[0],
    "OAUTH2_VALIDATOR_CLASS": "besedka_chat.clients.PlainCredentialsValidator",
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "PKCE_REQUIRED": pkce_required,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
}

# --- Logs: one line per event to stdout. Levels keep out what would print codes or tokens (DEBUG of the OAuth
# libraries). They also keep out what the access log says already (django.request below ERROR).
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}
    },
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "ERROR"},
        "oauthlib": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
    },
}

# --- What this site has otherwise
globals().update(BESEDKA.django_settings)
