"""Faults of the services themselves."""

from __future__ import annotations

from besedka.faults.fault import Fault

_ADMIN = {"username": "owner"}
_SECRET = "services.password.bcrypt"  # noqa: S105 - a field

FAULTS = (
    Fault("site_stopped", "services.site.unanswered", lambda one: one.stopped("site")),
    Fault("chat_stopped", "services.chat.unanswered", lambda one: one.stopped("rocketchat")),
    Fault(
        "administrator_with_another_password",
        "services.admin.wrong_password",
        lambda one: one.changed("users", _ADMIN, {"$set": {_SECRET: "$2b$10$" + "a" * 53}}),
    ),
    Fault(
        "chat_thinks_it_lives_elsewhere",
        "services.root_url.differs",
        lambda one: one.setting("Site_Url", "http://localhost:3000"),
    ),
    Fault(
        "iframe_login_of_rocketchat_on",
        "iframe.authentication.enabled",
        lambda one: one.setting("Accounts_iframe_enabled", True),
    ),
    Fault(
        "no_accounts_by_sso",
        "iframe.new_accounts.closed",
        lambda one: one.setting("Accounts_Registration_AuthenticationServices_Enabled", False),
    ),
    Fault(
        "new_accounts_need_approval",
        "iframe.new_accounts.approval",
        lambda one: one.setting("Accounts_ManuallyApproveNewUsers", True),
    ),
    Fault(
        "mail_domain_not_allowed",
        "iframe.new_accounts.domains",
        lambda one: one.setting("Accounts_AllowedDomainsList", "elsewhere.example"),
    ),
)
