"""What each service is told by its environment, made from the contract.

Services import nothing of ours: Rocket.Chat itself in a container and the stand-in are told the same.
"""

from __future__ import annotations

import json
import os
from urllib.parse import unquote

from besedka.contract import Contract
from besedka.rocketchat import identity, provider

SITE_SETTINGS_ENV = "BESEDKA_SITE_SETTINGS"


def site(contract: Contract, *, database_url: str, secret_key: str, redis_url: str = "") -> dict[str, str]:
    """Environment of the Django site; see web/config/settings.py.

    CHAT_INTERNAL_URL is where the site's *server* reaches Rocket.Chat. It is the browser's address here,
    because the site always runs on the host, where Rocket.Chat's port is published.
    """
    channels = [
        {
            "name": channel.name,
            "label": channel.label,
            "private": channel.private,
            "default": channel == contract.default_channel,
            "roles": channel.roles,
        }
        for channel in contract.channels
    ]
    rows = {
        "DJANGO_SECRET_KEY": secret_key,
        "DATABASE_URL": database_url,
        "SITE_URL": contract.site.url,
        "CHAT_URL": contract.chat.url,
        "CHAT_INTERNAL_URL": contract.chat.url,
        "CHAT_SSO": contract.chat.sso,
        "CHAT_PATIENCE": str(contract.chat.patience),
        "OAUTH_SERVICE": contract.provider.name,
        "OAUTH_CLIENT_ID": contract.provider.client_id,
        "OAUTH_CLIENT_SECRET": contract.provider.secret,
        "OAUTH_SCOPE": contract.provider.scope,
        "OAUTH_LOGIN_STYLE": contract.provider.login_style,
        "OAUTH_BUTTON_LABEL": contract.provider.button_label_text,
        "OAUTH_REDIRECT_URI": provider.redirect_uri(contract),
        "CHAT_CHANNELS": json.dumps(channels, ensure_ascii=False),
        "CHAT_GROUPS": json.dumps(contract.provider.groups, ensure_ascii=False),
        "CHAT_IDENTITY_FIELDS": json.dumps(_identity_fields(contract)),
        "OAUTH_ACCESS_TOKEN_PARAM": contract.provider.access_token_param,
        "SITE_PATHS": json.dumps(_site_paths(contract)),
    }
    rows |= {"REDIS_URL": redis_url} if redis_url else {}
    # How this machine's site differs from the one in web/, as JSON of Django's settings.
    differs = os.environ.get(SITE_SETTINGS_ENV)
    return rows | ({"SITE_SETTINGS": differs} if differs else {})


def _identity_fields(contract: Contract) -> dict[str, str]:
    """Names of fields, without those that a text of several fields or a regular expression makes."""
    own = contract.provider
    rows = {
        "username": own.username_field,
        "email": own.email_field,
        "full_name": own.name_field,
        "avatar_url": own.avatar_field,
    }
    return {name: field for name, row in rows.items() if (field := identity.plain_field(row)) is not None}


def _site_paths(contract: Contract) -> dict[str, str]:
    """Path of each page by the name that the site's own URL configuration gives it, as Django routes it."""
    site, provider = contract.site, contract.provider
    rows = {
        "test": site.test_page,
        "integrated": site.integrated_page,
        "auth": site.chat_auth_path,
        "session": site.adapter.session_path,
        "login": site.login_path,
        "logout": site.adapter.logout_path,
        "authorize": provider.authorize_path,
        "token": provider.token_path,
        "besedka-identity": provider.identity_path,
        "status": site.adapter.status_place,
    }
    return {name: unquote(path) for name, path in rows.items() if path}


def site_users(contract: Contract) -> str:
    """The canonical users as the JSON that `manage.py ensure_users` reads from standard input."""
    rows = [
        {
            "username": user.username,
            "role": user.role,
            "email": user.email,
            "full_name": user.full_name,
            "password": user.secret,
        }
        for user in contract.users
    ]
    return json.dumps(rows, ensure_ascii=False)


def _address(contract: Contract) -> str:
    """As the site sends it: other letters cost the administrator the password (rocketchat/adoption.py)."""
    own = contract.chat.admin
    return next(
        (user.email for user in contract.users if contract.is_administrator(user.username)), own.email
    )


def _full_name(contract: Contract) -> str:
    admin = contract.chat.admin
    names = [user.full_name for user in contract.users if contract.is_administrator(user.username)]
    return admin.full_name or next(iter(names), admin.username)


def chat(contract: Contract, *, mongo_url: str, oplog_url: str, port: int) -> dict[str, str]:
    """Environment of Rocket.Chat's first boot.

    `OVERWRITE_SETTING_<id>` is applied at every boot (`apps/meteor/app/settings/server/SettingsRegistry.ts`).
    ADMIN_* is applied only while no administrator exists (`apps/meteor/server/startup/initialData.js`). The
    provider's variables are applied only until its rows exist. ADMIN_EMAIL_VERIFIED counts only as exactly
    `true` (same file; measured on 6.13.0): with any other word the administrator loses the password at the
    first SSO sign-in, see the check `rooms.verified`.
    """
    admin = contract.chat.admin
    rows = {
        "ROOT_URL": contract.chat.url,
        "PORT": str(port),
        "MONGO_URL": mongo_url,
        "MONGO_OPLOG_URL": oplog_url,
        "ADMIN_USERNAME": admin.username,
        "ADMIN_NAME": _full_name(contract),
        "ADMIN_EMAIL": _address(contract),
        "ADMIN_EMAIL_VERIFIED": "true",
        "ADMIN_PASS": admin.secret,
    }
    # A list is left to provisioning: the older ones keep its text
    # (`app/settings/server/functions/convertValue.ts`; JSON is read there later).
    overwritten = {
        f"OVERWRITE_SETTING_{name}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in contract.settings.items()
        if not isinstance(value, list)
    }
    return rows | overwritten | provider.environment(contract)
