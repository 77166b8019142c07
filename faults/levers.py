"""What really decides about a fault that no command of ours mends: a word that the advice must name.

It is written down here apart from doctor, and held against its advice under the fault itself.
"""

from __future__ import annotations

# Cause, or the beginning of several → what somebody has to put a hand on.
LEVERS = {
    "services.site.two_programs": "Stop the program",
    "services.site": "Daphne",
    "services.site_database": "DATABASE_URL",
    "services.chat.not_json": "port",
    "services.chat.starting": "SERVER RUNNING",
    "services.chat.slow": "log",
    "services.chat": "Start Rocket.Chat",
    "services.chat_version.differs": "[chat] version",
    "services.chat_version.unknown": "catalogue",
    "services.mongo.unanswered": "mongod",
    "services.mongo.not_initiated": "rs.initiate()",
    "services.mongo.not_primary": "rs.status()",
    "services.mongo.no_replica_set": "--replSet",
    "services.mongo_version": "image",
    "services.addresses": "127.0.0.1",
    "services.same_data": "MONGO_URL",
    "services.admin.wrong_password": "password",
    "services.admin.missing": "restore",
    "services.admin.not_admin": "role admin",
    "services.admin.totp": "authenticator",
    "services.admin.email_code": "second factor",
    "services.admin.rate_limited": "API_Enable_Rate_Limiter_Limit_Calls_Default",
    "services.admin.blocked": "Block_Multiple_Failed_Logins",
    "services.admin.refused": "log",
    "site.accounts.missing": "username",
    "site.login_form.secure_cookie": "SESSION_COOKIE_SECURE",
    "site.csrf": "CSRF",
    "site.test_page.target": "next",
    "site.integrated_page.target": "next",
    "site.test_page": "address",
    "site.chat_auth.html": "JSON",
    "site.identity.html": "JSON",
    "site.token_endpoint.html": "JSON",
    "site.chat_auth": "view",
    "site.identity": "view",
    "site.token_endpoint.status": "view",
    "site.token_endpoint.get": "TokenView",
    "site.old_chat_auth": "address",
    "site.authorize.status": "/o/",
    "site.authorize.next_lost": "next",
    "site": "Daphne",
    "application.codes": "provider.reachable_from_chat",
    "provider.reachable_from_chat.host": "ALLOWED_HOSTS",
    "provider.reachable_from_chat": "site",
    "provider.step": "licence",
    "iframe.headers": "proxy",
    "setting.Accounts_SystemBlockedUsernameList": "OVERWRITE_SETTING_Accounts_SystemBlockedUsernameList",
    "integrity.users_unique": "Keep the account",
    "integrity.users_ids": "Delete account",
    "integrity.users_able": "delete the account",
    "integrity.subscriptions.mixed": "username",
    "integrity.general": "GENERAL",
    "integrity.migration": "backup",
    "rooms.outsiders.stranger": "remove the member",
    "sso.client.pkce": "PKCE_REQUIRED",
    "sso.token.pkce": "PKCE_REQUIRED",
    "sso.authorize.pkce": "PKCE_REQUIRED",
    "sso.client.refused": "secret",
    "sso.token.refused": "secret",
    "sso.client.not_json": "token_path",
    "sso.token.not_json": "token_path",
    "sso.login.second_factor": "Accounts_TwoFactorAuthentication_Enabled",
    "sso.buttons": "rule",
    "sso.commands.no_script": "collectstatic",
    "sso.commands": "frame",
}


def lever(cause: str) -> str:
    """The word for this cause: that of the longest beginning in the table; empty if there is none."""
    fitting = [known for known in LEVERS if cause == known or cause.startswith(f"{known}.")]
    return LEVERS[max(fitting, key=len)] if fitting else ""
