"""Which tests of the suite must go red under a fault: node ids, as `pytest` takes them.

Every fault that a read of the stack can show turns the contract test of its layer red. Faults that a person
would meet in the browser, or a client of the OAuth provider over HTTP, name the test that does what they do.
"""

from __future__ import annotations

from besedka.faults.fault import Fault

# The run ends before any test, with an exit status of its own.
NO_STACK = "the run itself"

_LAYER = "tests/api/test_contract.py::test_the_layer_is_as_the_contract_says"
_SIGN_IN = "tests/e2e/test_sign_in.py::test_opening_the_chat_signs_the_user_in[chromium-test_user]"
_BUTTONS = "tests/e2e/test_integrated.py::test_each_user_gets_the_buttons_of_their_rooms[chromium-owner]"
_TOKEN = "tests/api/test_token.py::test_a_code_buys_an_access_token[header]"  # noqa: S105 - a test
_CODE = "tests/api/test_authorize.py::test_a_signed_in_user_gets_a_code_without_a_consent_page"
_IDENTITY = "tests/api/test_identity.py::test_the_bearer_is_named[header-test_user]"

_BY_NAME: dict[str, tuple[str, ...]] = {
    "site_stopped": (NO_STACK,),
    "chat_stopped": (NO_STACK,),
    "mongo_stopped": (NO_STACK,),
    "site_starting": (NO_STACK,),
    "chat_starting": (NO_STACK,),
    "another_program_on_the_port_of_the_site": (NO_STACK,),
    "another_program_on_the_port_of_the_chat": (NO_STACK,),
    "chat_thinks_it_lives_elsewhere": (_SIGN_IN,),
    "client_id_mismatch": (_SIGN_IN, _BUTTONS, _TOKEN, _CODE),
    "client_secret_drift": (_SIGN_IN, _TOKEN, _IDENTITY),
    "redirect_uri_empty": (_SIGN_IN, _CODE),
    "redirect_uri_with_a_typo": (_SIGN_IN, _CODE),
    "consent_page": (_SIGN_IN, _CODE),
    "password_grant": (_SIGN_IN, _CODE),
    "site_account_missing": (_SIGN_IN,),
    "site_account_inactive": (_SIGN_IN,),
    "site_password_changed": (_SIGN_IN,),
    "setting_Iframe_Restrict_Access": (_SIGN_IN,),
    "setting_Iframe_Integration_receive_origin": (_SIGN_IN,),
    "setting_Accounts_TwoFactorAuthentication_Enabled": (_SIGN_IN,),
    "provider_id": (_SIGN_IN,),
    "provider_secret": (_SIGN_IN,),
    "provider_secret_is_a_pasted_hash": (_SIGN_IN,),
    "provider_authorize_path": (_SIGN_IN,),
    "provider_token_path": (_SIGN_IN,),
    "provider_identity_path": (_SIGN_IN, _BUTTONS),
    "provider_scope": (_SIGN_IN,),
    "provider_username_field": (_SIGN_IN, _BUTTONS),
    "provider_email_field": (_SIGN_IN, _BUTTONS),
}


def caught_by(fault: Fault) -> tuple[str, ...]:
    """Node ids of the tests that must fail while the stack has this fault; never empty."""
    return _BY_NAME.get(fault.name, (f"{_LAYER}[{fault.layer}]",))


def unknown(names: set[str]) -> set[str]:
    """Names of this table that no fault has."""
    return set(_BY_NAME) - names
