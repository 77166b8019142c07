"""Layer `iframe`: the settings and headers that let the chat live in the site's frame, and SSO work."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import requests

from besedka import address
from besedka.checks import mail_servers
from besedka.checks.check import Check, check
from besedka.checks.compare import KINDS, MISSING, three_ways
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, Skipped, answer, finding
from besedka.contract import Contract
from besedka.names import RESERVED, refused_user
from besedka.rocketchat import conditions
from besedka.ways import ORIGINS

_BLOCKED_DOMAINS = "Accounts_BlockedDomainsList"
_DNS = "Accounts_UseDNSDomainCheck"
_FRAME_GATE = "Iframe_Restrict_Access"
_ANYBODY = "*"


def _setting_check(setting_id: str) -> Callable[[Examination], Answer]:
    def ask(examination: Examination) -> Answer:
        if setting_id not in examination.contract.settings:
            return Skipped("the contract says nothing about this setting")
        expected = examination.contract.settings[setting_id]
        known = examination.catalogue.setting(setting_id)
        if known is None and setting_id not in examination.effective:
            return Skipped(f"Rocket.Chat {examination.catalogue.version} has no such setting")
        if known is not None and known.hidden and examination.stored is None:
            return Skipped("hidden settings show in Mongo alone (--mongo-url)")
        observed = _frame_gate(examination) if setting_id == _FRAME_GATE else MISSING
        found = three_ways(examination, f"setting.{setting_id}", setting_id, expected, observed)
        if setting_id in ORIGINS and examination.effective.get(setting_id) == _ANYBODY:
            # It admits the site, too (client/startup/iframeCommands.ts): nobody is kept out.
            found = [replace(one, severity=Severity.RISK) for one in found]
        return answer(
            found,
            evidence=f"{expected!r}, expected, stored and effective",
            watched=(f"settings.{setting_id}",),
        )

    return ask


def checks(contract: Contract) -> tuple[Check, ...]:
    """One check per required setting of the contract, and those about what a frame needs besides."""
    settings = (
        check(
            f"setting.{setting_id}",
            codes=" ".join(KINDS),
            needs=["services.admin"],
            after=["services.same_data"],
            question=f"Is {setting_id} the contract's, expected, stored and effective?",
        )(_setting_check(setting_id))
        for setting_id in contract.settings
    )
    after = [f"setting.{_FRAME_GATE}"] if _FRAME_GATE in contract.settings else []
    headers = check(
        "iframe.headers", codes="x_frame_options frame_ancestors", needs=["services.chat"], after=after
    )
    return (authentication, content_policy, new_accounts, *settings, headers(_headers))


def _headers(examination: Examination) -> Answer:
    """Does Rocket.Chat let a page of the site put it into a frame?"""
    found: list[Finding] = []
    room = f"{examination.contract.default_channel.path}?layout=embedded"
    # A refusal: with a code, or without, Rocket.Chat would ask the site, and wait for it.
    callback = f"/_oauth/{examination.contract.provider.name}?error=access_denied"
    for path in ("/", room, callback):
        page = examination.chat_page(path)
        found += _frame_refusals(examination, path.partition("?")[0], page)
    return answer(found, evidence="no X-Frame-Options and no frame-ancestors in its way")


def _frame_gate(examination: Examination) -> object:
    """What the header says of the setting; MISSING where it says nothing, for browsers do not heed it."""
    # What `/api/info` carries, Rocket.Chat's pages carry (`apps/meteor/app/cors/server/cors.ts`).
    page = examination.chat_page("/api/info")
    # Another word than Rocket.Chat's own is a proxy's, which `iframe.headers` names.
    own = examination.effective.get("Iframe_X_Frame_Options", "sameorigin")
    option = page.headers.get("X-Frame-Options")
    return MISSING if option and not _refusing_option(examination, page) else bool(option == own)


def _refusing_option(examination: Examination, page: requests.Response) -> str | None:
    """The X-Frame-Options that keeps the page out of the site's frame.

    Browsers do not look at it beside `frame-ancestors` (CSP level 3, 6.4.2.2). Nor do they look at a value
    other than the standard's two (HTML, 7.7).
    """
    option = page.headers.get("X-Frame-Options")
    if option is None or _ancestors(page):
        return None
    contract = examination.contract
    own = address.origin(contract.site.url) == address.origin(contract.chat.url)
    known = {value.strip().lower() for value in option.split(",")} & {"deny", "sameorigin"}
    return None if not known or (own and known == {"sameorigin"}) else option


def _ancestors(page: requests.Response) -> list[str]:
    """Each `frame-ancestors` of the page; two headers arrive as one, joined by a comma."""
    directives = re.split("[;,]", page.headers.get("Content-Security-Policy", ""))
    return [row.strip() for row in directives if row.strip().lower().startswith("frame-ancestors")]


def _frame_refusals(examination: Examination, path: str, page: requests.Response) -> list[Finding]:
    found = []
    option = _refusing_option(examination, page)
    where = examination.where("Iframe_Restrict_Access", f"GET {path}, header X-Frame-Options")
    if option is not None:
        fix = (
            "In the proxy's configuration: no X-Frame-Options for the chat; Iframe_Restrict_Access is right."
        )
        found.append(
            finding(
                "iframe.headers.x_frame_options",
                option,
                "no such header",
                where,
                advice=(fix,),
            )
        )
    site, chat = examination.contract.site.url, examination.contract.chat.url
    # Each policy has to admit the site.
    for directive in _ancestors(page):
        if not any(address.admits(source, site, chat) for source in directive.split()[1:]):
            fix = "A proxy sends frame-ancestors: let its Content-Security-Policy name the site."
            place = f"GET {path}, header Content-Security-Policy"
            expected = address.source(site)
            found.append(finding("iframe.headers.frame_ancestors", directive, expected, place, advice=(fix,)))
    return found


@check("iframe.authentication", codes="enabled proxied", needs=["services.admin"])
def authentication(examination: Examination) -> Answer:
    """Is Rocket.Chat's own iframe log-in, which replaces the log-in page, off or asked for?"""
    found = []
    wanted = examination.contract.settings.get("Accounts_iframe_enabled", False)
    if examination.effective.get("Accounts_iframe_enabled") and not wanted:
        fix = "it means logging in by an iframe, not being shown in one: switch it off"
        where = examination.where("Accounts_iframe_enabled")
        found = [
            finding(
                "iframe.authentication.enabled",
                "True",
                "False",
                where,
                commands=(examination.provision_command,),
                advice=(fix,),
            )
        ]
    name = examination.contract.provider.name
    if name in conditions.proxied(examination.effective) and conditions.PROXIED not in (
        examination.contract.settings
    ):
        fix = f"Take {name} off that list: the log-in leaves for another server, which the site refuses."
        found.append(
            finding(
                "iframe.authentication.proxied",
                f"{conditions.PROXIED} lists {name}",
                "the site asked by the chat itself",
                examination.where(conditions.PROXIED),
                commands=(examination.provision_command,),
                advice=(fix,),
            )
        )
    return answer(found, evidence="off, or the contract's")


@check("iframe.content_policy", codes="off", needs=["services.admin"])
def content_policy(examination: Examination) -> Answer:
    """Does Rocket.Chat keep its Content-Security-Policy, which never stood in the frame's way?"""
    found = []
    wanted = examination.contract.settings.get("Enable_CSP", True)
    if wanted and examination.effective.get("Enable_CSP", True) is False:
        fix = "switch it on: it has no frame-ancestors, Iframe_Restrict_Access alone decides about the frame"
        where = examination.where("Enable_CSP")
        found = [
            finding(
                "iframe.content_policy.off",
                "Enable_CSP is False",
                "True",
                where,
                commands=(examination.provision_command,),
                advice=(fix,),
            )
        ]
    return answer(found, evidence="on")


@check(
    "iframe.new_accounts",
    codes="closed approval unverified forgotten domains names mail_server",
    needs=["services.admin"],
)
def new_accounts(examination: Examination) -> Answer:
    """May a first log-in by SSO make an account that works at once, and in the next window?"""
    found = []
    rows = (
        ("Accounts_Registration_AuthenticationServices_Enabled", True, "closed"),
        ("Accounts_ManuallyApproveNewUsers", False, "approval"),
        # The next sign-in by SSO asks an unverified address for a new password, below 6.13 each time.
        ("Accounts_Verify_Email_For_External_Accounts", True, "unverified"),
        # Each window signs in anew: nothing is kept in the local storage, where the client looks first.
        ("Accounts_ForgetUserSessionOnWindowClose", False, "forgotten"),
    )
    for setting_id, expected, code in rows:
        seen = examination.effective.get(setting_id, expected)
        if seen is not expected and examination.contract.settings.get(setting_id) is not seen:
            where = examination.where(setting_id)
            fix = f"set {setting_id} to {expected}"
            found.append(
                finding(
                    f"iframe.new_accounts.{code}",
                    f"{setting_id} is {seen!r}",
                    repr(expected),
                    where,
                    commands=(examination.provision_command,),
                    advice=(fix,),
                )
            )
    domains = str(examination.effective.get("Accounts_AllowedDomainsList") or "")
    missing = conditions.shut_out(examination.contract, examination.effective)
    if missing:
        where = examination.where("Accounts_AllowedDomainsList")
        fix = f"add {', '.join(sorted(missing))}, or empty the list"
        found.append(
            finding(
                "iframe.new_accounts.domains",
                domains,
                "the users' domains",
                where,
                commands=(examination.provision_command,),
                advice=(fix,),
            )
        )
    found += _refused_names(examination) + _without_a_mail_server(examination)
    closed = conditions.closed(examination.contract)
    return answer(found, evidence=f"closed to newcomers by {closed}" if closed else "open to SSO")


def _without_a_mail_server(examination: Examination) -> list[Finding]:
    """Rocket.Chat asks the DNS for a mail server of each address that an administrator gives an account.

    app/lib/server/lib/validateEmailDomain.js, asked by saveNewUser and setEmail, 6.x and 7.x; a sign-in by
    SSO asks it not (app/authentication/server/startup/index.js).
    """
    if not examination.effective.get(_DNS) or examination.contract.settings.get(_DNS):
        return []
    domains = sorted({user.email.rpartition("@")[2] for user in examination.contract.users})
    without = next((domain for domain in domains if not mail_servers.known(domain)), "")
    seen = f"{_DNS} is on" + (f", and no mail server is known here for {without}" if without else "")
    fix = (
        f"Set {_DNS} to False, or give each domain an MX record: Rocket.Chat makes and changes no account "
        "whose domain has none, for administrators and provisioning alike. SSO does not ask."
    )
    return [
        finding(
            "iframe.new_accounts.mail_server",
            seen,
            "accounts that need no answer of the DNS",
            examination.where(_DNS),
            advice=(fix,),
            severity=Severity.RISK if without else Severity.NOTE,
        )
    ]


def _refused_names(examination: Examination) -> list[Finding]:
    """Canonical accounts that provisioning could not make: SSO makes them all the same (6.13.0, measured)."""
    rules = {key: value for key, value in examination.effective.items() if key != RESERVED} | {RESERVED: ""}
    users, blocked = examination.contract.users, str(rules.get(_BLOCKED_DOMAINS) or "").lower()
    domains = {part.strip() for part in blocked.split(",")} - {""}
    reasons = [why for user in users for why in refused_user(user.username, rules)]
    reasons += [
        f"{_BLOCKED_DOMAINS} lists {domain}, where {user.username} has an address"
        for user in users
        if (domain := user.email.partition("@")[2].lower()) in domains
    ]
    if not reasons:
        return []
    return [
        finding(
            "iframe.new_accounts.names",
            reasons[0],
            "names and addresses that Rocket.Chat accepts",
            "Administration → Settings → Accounts",
            advice=("Take them off the list, or empty the rule: provisioning makes no such account.",),
            severity=Severity.RISK,
            evidence=reasons,
        )
    ]
