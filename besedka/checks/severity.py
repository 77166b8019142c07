"""How bad a finding is, by its code: what still works under it decides, not how wrong it looks.

A finding that is not named here is as bad as its check says, and that is broken unless it says otherwise.
"Works" was measured on a running Rocket.Chat 6.13.0: an existing user signs in, hop by hop and, where a
browser differs from that, in the browser.
"""

from __future__ import annotations

from collections.abc import Mapping

from besedka.checks.finding import Severity

# Code, or the beginning of several → its severity; the longest beginning decides.
_MEASURED: Mapping[str, Severity] = {
    # Nobody is kept out: somebody may come in, or a code may go elsewhere.
    "site.csrf": Severity.RISK,
    "sso.foreign_redirect": Severity.RISK,
    "application.redirect_uri.foreign": Severity.RISK,
    "application.client_type.client_type": Severity.RISK,
    "iframe.content_policy": Severity.RISK,
    # A second address that no page of the contract asks.
    "site.old_chat_auth": Severity.NOTE,
    # The log-in goes on; the button, its text or its window is another one.
    "provider.access_token_param": Severity.RISK,
    "provider.button_label_text": Severity.RISK,
    "provider.login_style": Severity.RISK,
    "provider.show_button": Severity.RISK,
    "provider.token_sent_via": Severity.RISK,
    "provider.identity_token_sent_via": Severity.RISK,
    "provider.enterprise": Severity.RISK,
    "setting.First_Channel_After_Login": Severity.RISK,
    # Data that Rocket.Chat does not read, or reads all the same.
    "integrity.banners": Severity.RISK,
    "integrity.dates": Severity.RISK,
    "integrity.mapping": Severity.RISK,
    "integrity.migration": Severity.RISK,
    "integrity.settings_dates": Severity.RISK,
    "integrity.settings_known": Severity.RISK,
    "integrity.sso_links.forged": Severity.RISK,
    "integrity.sso_links.id_type": Severity.RISK,
    "integrity.text": Severity.RISK,
    "integrity.users_able": Severity.RISK,
    "integrity.users_ids.dates": Severity.RISK,
    "integrity.users_unique.email": Severity.RISK,
}


def measured(code: str, told: Severity) -> Severity:
    """The severity of that code; `told`, its check's own word, where nothing was measured or it says less."""
    beginning = code
    while beginning and beginning not in _MEASURED:
        beginning = beginning.rpartition(".")[0]
    return _MEASURED.get(beginning, told) if told is Severity.BROKEN else told
