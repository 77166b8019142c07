"""Faults of what lets the chat live in a frame, and of what lets a first log-in make an account."""

from __future__ import annotations

from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.proxy import Request
from faults.rules import reply_with


def _pages(request: Request) -> bool:
    """Pages alone: nginx adds a header in one `location` and not in the other."""
    return not request.path.startswith("/api/")


def _domains_in_capitals(one: BreakableStack) -> str:
    return ",".join({user.email.partition("@")[2].capitalize() for user in one.contract.users})


FAULTS = (
    Fault(
        "proxy_forbids_the_frame",
        "iframe.headers.x_frame_options",
        lambda one: one.ruled("chat", reply_with(_pages, "X-Frame-Options", "SAMEORIGIN")),
        ("iframe.headers.x_frame_options",) * 2,
    ),
    Fault(
        "proxy_names_other_frame_ancestors",
        "iframe.headers.frame_ancestors",
        lambda one: one.ruled(
            "chat", reply_with(_pages, "Content-Security-Policy", "frame-ancestors 'self'")
        ),
        ("iframe.headers.frame_ancestors",) * 2,
    ),
    Fault(
        "proxy_adds_a_policy_of_its_own",
        "iframe.headers.frame_ancestors",
        lambda one: one.ruled(
            "chat",
            reply_with(_pages, "Content-Security-Policy", "img-src *, frame-ancestors 'self'; img-src *"),
        ),
        ("iframe.headers.frame_ancestors",) * 2,
    ),
    Fault(
        "content_policy_switched_off",
        "iframe.content_policy.off",
        lambda one: one.setting("Enable_CSP", False),
    ),
    Fault(
        "iframe_login_of_rocketchat_on",
        "iframe.authentication.enabled",
        lambda one: one.setting("Accounts_iframe_enabled", True),
    ),
    Fault(
        "log_in_goes_over_another_server",
        "iframe.authentication.proxied",
        lambda one: one.setting("Accounts_OAuth_Proxy_services", f"github, {one.contract.provider.name}"),
    ),
    Fault(
        "addresses_of_new_accounts_unverified",
        "iframe.new_accounts.unverified",
        lambda one: one.setting("Accounts_Verify_Email_For_External_Accounts", False),
    ),
    Fault(
        "each_window_signs_in_anew",
        "iframe.new_accounts.forgotten",
        lambda one: one.setting("Accounts_ForgetUserSessionOnWindowClose", True),
    ),
    Fault(
        "users_may_ask_little",
        "iframe.pace.few",
        lambda one: one.setting("DDP_Rate_Limit_User_Requests_Allowed", 20),
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
    Fault(
        "mail_domains_allowed_in_capitals",
        "iframe.new_accounts.domains",
        lambda one: one.setting("Accounts_AllowedDomainsList", _domains_in_capitals(one)),
    ),
)
