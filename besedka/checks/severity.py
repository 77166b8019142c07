"""How bad a finding is, by its code: what still works under it decides, not how wrong it looks.

A finding that is not named here is as bad as its check says. A check that says nothing means broken. Rows
marked M were measured on Rocket.Chat 6.13.0 itself: an existing user still signs in by HTTP. People sign in,
read and write under the faults of all codes, on the stand-in (tests/faults/test_severity.py). What is refused
in a browser is no row.
"""

from __future__ import annotations

from collections.abc import Mapping

from besedka.checks.finding import Severity

# Code, or the beginning of several → its severity; the longest beginning decides.
_LESS_THAN_BROKEN: Mapping[str, Severity] = {
    # Somebody signs in all the same: later, or in the page itself and not in the frame.
    "iframe.customised": Severity.RISK,
    # The first sign-in is right; a later one asks for a password.
    "iframe.new_accounts.unverified": Severity.RISK,
    "iframe.new_accounts.forgotten": Severity.RISK,
    "site.identity.slow": Severity.RISK,
    "site.token_endpoint.slow": Severity.RISK,
    # Mail and Rocket.Chat's adoption know no case.
    "site.accounts.email_case": Severity.NOTE,
    "rooms.accounts.email_case": Severity.NOTE,
    # A browser goes where a page sends it.
    "site.authorize.page": Severity.RISK,
    "site.test_page.page": Severity.RISK,
    "site.integrated_page.page": Severity.RISK,
    "sso.authorize.page": Severity.RISK,
    # Nobody is kept out: somebody may come in, or a code may go elsewhere.
    "site.csrf.open": Severity.RISK,
    "sso.foreign_redirect": Severity.RISK,
    "application.redirect_uri.foreign": Severity.RISK,
    "application.client_type.client_type": Severity.RISK,  # M
    "iframe.content_policy": Severity.RISK,
    "rooms.new_people.administrators": Severity.RISK,
    "setting.Accounts_AllowAnonymousRead": Severity.RISK,  # M
    "setting.Accounts_RegistrationForm": Severity.RISK,  # M
    "setting.API_Enable_Rate_Limiter_Limit_Calls_Default": Severity.RISK,
    "setting.DDP_Rate_Limit_Connection_By_Method_Requests_Allowed": Severity.RISK,
    "site.token_endpoint.get": Severity.RISK,
    # A second address that no page of the contract asks.
    "site.old_chat_auth": Severity.NOTE,
    # The log-in goes on; the button or its text is another one.
    "provider.avatar_field": Severity.RISK,
    "provider.merge_users_distinct_services": Severity.RISK,  # M
    "provider.name_field": Severity.RISK,
    "provider.access_token_param": Severity.RISK,  # M
    "provider.button_label_text": Severity.RISK,
    "provider.show_button": Severity.RISK,  # M
    "provider.show_button.hidden": Severity.BROKEN,
    "provider.token_sent_via": Severity.RISK,  # M
    "provider.identity_token_sent_via": Severity.RISK,  # M
    "provider.enterprise": Severity.RISK,
    "setting.First_Channel_After_Login": Severity.RISK,
    # It meets provisioning, not people.
    "setting.Accounts_SystemBlockedUsernameList": Severity.RISK,
    "setting.Accounts_TwoFactorAuthentication_Enforce_Password_Fallback": Severity.RISK,
    # The account in the chat takes over what the site says, at the next sign-in.
    "site.accounts.email": Severity.RISK,
    # Who signs in by an address gets in, and the account in the chat is the same by its link.
    "site.accounts.look_alike": Severity.RISK,
    "site.accounts.username": Severity.RISK,
    "site.accounts.name": Severity.RISK,
    # The chat finds accounts whatever the capitals, and people may take one for another.
    "site.accounts.username_twice": Severity.RISK,
    "site.accounts.beside": Severity.RISK,
    "rooms.accounts.username": Severity.RISK,
    "rooms.accounts.beside": Severity.RISK,
    "rooms.accounts.email": Severity.RISK,  # M
    "rooms.accounts.name": Severity.RISK,
    # Members are not asked for the code (measured on 6.13.0).
    "rooms.kind.join_code": Severity.RISK,
    "rooms.roles": Severity.RISK,
    "rooms.roles.none": Severity.BROKEN,
    "rooms.permissions.provisioning": Severity.RISK,
    "setting.Show_Setup_Wizard.type": Severity.RISK,  # M
    # Large files alone are refused.
    "services.body_limit": Severity.RISK,
    # Other services work beside a button that leads nowhere.
    "login_service.alone.blank": Severity.RISK,
    # People read and write; what they wrote is gone later.
    "integrity.retention": Severity.RISK,
    # The sign-in goes on with a number for an id, another name to show, or without a picture.
    "sso.fields.id": Severity.RISK,  # M
    "sso.fields.other_name": Severity.RISK,
    # Merging links the account anew at each log-in.
    "sso.fields.id_changes": Severity.RISK,
    "sso.fields.no_avatar": Severity.NOTE,
    # Data that Rocket.Chat does not read, or reads all the same.
    "integrity.indexes": Severity.RISK,
    "integrity.roles": Severity.RISK,
    "integrity.room_counts": Severity.RISK,
    "integrity.room_owners": Severity.RISK,
    "integrity.settings_types": Severity.RISK,
    "integrity.subscriptions.no_room": Severity.RISK,
    "integrity.subscriptions.no_user": Severity.RISK,
    "integrity.takeover": Severity.RISK,
    "integrity.users_ids": Severity.RISK,
    "integrity.users_unique.stamped": Severity.RISK,
    "integrity.banners": Severity.RISK,
    # A dialog over an administrator's message box (seen on a running 6.5.3).
    "integrity.banners.moved": Severity.BROKEN,
    "integrity.dates": Severity.RISK,  # M
    "integrity.mapping": Severity.RISK,
    "integrity.migration": Severity.RISK,
    # Rocket.Chat makes the room that it misses; while the switch is off, nobody reads the map.
    "integrity.role_map": Severity.RISK,
    "integrity.settings_dates": Severity.RISK,
    "integrity.settings_known": Severity.RISK,
    "integrity.sso_links.forged": Severity.RISK,  # M
    "integrity.sso_links.id_type": Severity.RISK,  # M
    "integrity.text": Severity.RISK,
    "integrity.users_able": Severity.RISK,
    # Seen on a running 6.5.3: SSO lets them in.
    "integrity.users_locked": Severity.RISK,
    "integrity.users_unique.email": Severity.RISK,  # M
}


def severity_of(code: str, told: Severity) -> Severity:
    """The severity of that code; `told`, its check's own word, where the table has no row or it says less."""
    beginning = code
    while beginning and beginning not in _LESS_THAN_BROKEN:
        beginning = beginning.rpartition(".")[0]
    return _LESS_THAN_BROKEN.get(beginning, told) if told is Severity.BROKEN else told
