"""Which tests of the suite must go red under a fault: node ids, as `pytest` takes them.

A fault that a person or a client meets names the test that does what they do: a visitor in the browser, a
client of the provider over HTTP, a first log-in from authorize to the session. What only a reading of
settings and data can show turns the contract test of its layer red. The one of the SSO hops reads nothing, so
each of their faults is named here.
"""

from __future__ import annotations

from collections.abc import Iterable

from faults import incident_tests
from faults.fault import Fault

# The run ends before any test, with an exit status of its own.
NO_STACK = "the run itself"

_CONTRACT = "tests/api/test_contract.py::test_the_layer_is_as_the_contract_says"
_SIGN_IN = "tests/e2e/test_sign_in.py::test_opening_the_chat_signs_the_user_in[chromium-test_user]"
_FORM = (
    "tests/e2e/test_sign_in.py::test_a_visitor_logs_in_on_the_site_and_arrives_in_the_chat[chromium-ru-RU]"
)
_RELOADED = "tests/e2e/test_sign_in.py::test_the_chat_stays_signed_in_after_a_reload[chromium]"
_OWNER = "tests/e2e/test_sign_in.py::test_opening_the_chat_signs_the_user_in[chromium-owner]"
_BUTTONS = "tests/e2e/test_integrated.py::test_each_user_gets_the_buttons_of_their_rooms[chromium-owner]"
_MEMBERS = "tests/e2e/test_membership.py::test_everybody_is_where_the_contract_says"
_CODE = "tests/api/test_authorize.py::test_a_signed_in_user_gets_a_code_without_a_consent_page"
_FOREIGN = (
    "tests/api/test_authorize.py::test_a_redirect_uri_must_match_to_the_letter"
    "[http://evil.example/_oauth/{name}]"
)
_SIGNED_OUT = "tests/api/test_authorize.py::test_a_signed_out_visitor_is_sent_to_the_login_and_back"
_CSRF = "tests/api/test_authorize.py::test_a_login_inside_the_flow_needs_its_csrf_token"
_CHAT_TOKEN = "tests/api/test_chat_auth.py::test_the_token_is_a_session_of_this_user[test_user]"  # noqa: S105
_CHAT_AUTH = "tests/api/test_chat_auth.py::test_an_anonymous_caller_gets_json_and_never_a_page"
_IDENTITY = "tests/api/test_identity.py::test_the_bearer_is_named[header-test_user]"
_NO_TOKEN = "tests/api/test_identity.py::test_no_token_is_refused_in_json"  # noqa: S105 - a test
_LOG_IN = "tests/api/test_login_state.py::test_a_login_links_the_account_and_stores_a_hashed_session"
_ACCOUNTS = "tests/api/test_login_state.py::test_canonical_accounts_carry_what_the_contract_says"
_TOKEN = "tests/api/test_token.py::test_a_code_buys_an_access_token[header]"  # noqa: S105 - a test
_PACE = "tests/api/test_pace.py::test_nobody_waits_for_a_hop_of_the_log_in"
_SIGNED_OUT_OF_THE_SITE = "tests/api/test_sign_out.py::test_who_signs_out_is_a_stranger_again"
_UPGRADED = "tests/api/test_chat_pages.py::test_no_page_asks_for_https_of_a_plain_http_frame[/chat/test/]"
_REMEMBERED = "tests/api/test_chat_pages.py::test_each_process_of_the_site_knows_its_visitor"
_CONSOLE = (
    "tests/e2e/test_visibility.py::test_no_console_error_no_failed_request_no_404[chromium-ChatTestPage]"
)
_PKCE = "tests/api/test_token.py::test_no_pkce_is_demanded_of_rocketchat"
_INVENTED = "tests/api/test_token.py::test_an_invented_code_is_refused"
_GET = "tests/api/test_token.py::test_get_is_not_allowed"


def _stranger(row: str) -> str:
    return f"tests/api/test_urls.py::test_anonymous_request[{row}]"


_TO_TEST_PAGE = _stranger("/chat/test/-302-/accounts/login/-200-None")
_TO_INTEGRATED = _stranger("/chat/integrated/-302-/accounts/login/-200-None")
_TEST_FRAME = "tests/api/test_urls.py::test_the_chat_pages_hold_the_frame[/chat/test/]"
_OF_ITS_VISITOR = "tests/api/test_chat_pages.py::test_the_page_is_its_visitors_alone[/chat/test/]"
_ROOM_BUTTONS = (
    "tests/api/test_urls.py::test_the_integrated_page_has_a_button_for_each_room_of_the_user[owner]"
)
_INTEGRATED_FRAME = "tests/api/test_urls.py::test_the_chat_pages_hold_the_frame[/chat/integrated/]"

_BY_TESTS: dict[tuple[str, ...], tuple[str, ...]] = {
    (_REMEMBERED,): ("session_in_the_memory_of_one_process",),
    (NO_STACK,): (
        "site_stopped",
        "chat_stopped",
        "chat_redirects_to_nobody",
        "mongo_stopped",
        "mongo_paused",
        "site_paused",
        "site_starting",
        "site_without_its_host_name",
        "site_redirects_to_https",
        "chat_starting",
        "another_program_on_the_port_of_the_chat",
        "gate_before_the_chat",
        "gate_before_the_site",
    ),
    (_SIGN_IN,): (
        "popup_without_its_opener",
        "chat_for_its_own_pages_alone",
        "chat_in_no_frame",
        "callback_shown_as_text",
        "callback_kept_from_its_script",
        "callback_sent_as_a_download",
        "client_opens_its_socket_elsewhere",
        "callback_in_a_sandbox",
        "script_of_the_callback_gone",
        "gate_before_the_callback",
        "scripts_of_the_page_lack_their_nonce",
        "page_sandboxed_by_a_header",
        "proxy_cuts_answers_short",
        "scripts_of_the_page_from_elsewhere",
        "frame_with_a_text_of_its_own",
        "script_of_the_page_is_misspelt",
        "script_of_both_pages_is_cut",
        "modules_of_the_page_are_no_modules",
        "scripts_of_a_type_of_their_own",
        "page_begins_elsewhere",
        "style_takes_the_frame_away",
        "style_makes_the_frame_transparent",
        "style_leaves_the_frame_no_height",
        "style_hides_what_the_frame_stands_in",
        "callback_forgets_the_log_in",
        "page_wants_another_digest_of_its_script",
        # A site without a status page shows one of its own there: the run begins.
        "another_program_on_the_port_of_the_site",
        "frame_in_a_sandbox",
        "frame_without_credentials",
        "site_frames_itself_alone",
        "site_frames_nobody",
        "site_pages_kept_from_their_scripts",
        "page_kept_from_asking_its_site",
        "site_pages_isolated",
        "proxy_passes_no_websocket",
        "socket_refused_for_its_origin",
        "chat_sets_the_sites_session_cookie",
        "chat_ends_the_sites_session_cookie",
        "proxy_answers_sockets_with_a_page",
        "chat_thinks_it_lives_elsewhere",
        "site_never_answers_rocketchats_server",
        "account_that_sso_adopts_by_an_unverified_address",
        "account_that_sso_adopts_by_other_letters",
        "account_told_to_reset_its_password",
        "setting_Iframe_Restrict_Access",
        "setting_Iframe_Integration_send_enable",
        "setting_Iframe_Integration_receive_origin",
        "setting_Accounts_TwoFactorAuthentication_Enabled",
        "proxy_forbids_the_frame",
        "proxy_names_other_frame_ancestors",
        "proxy_adds_a_policy_of_its_own",
        "provider_id",
        "provider_login_style",
        "provider_secret",
        "provider_secret_is_a_pasted_hash",
        "provider_authorize_path",
        "provider_scope",
    ),
    (_SIGNED_OUT_OF_THE_SITE,): ("site_lets_nobody_go",),
    (_UPGRADED,): ("page_asks_https_of_its_frame",),
    (_CONSOLE,): ("styles_of_the_page_gone", "page_kept_from_its_styles"),
    (_FORM,): (
        "session_cookie_with_a_name_for_https",
        "session_cookie_larger_than_browsers_keep",
        "log_in_takes_its_session_back",
        "proxy_loses_the_query_of_the_log_in",
        "log_in_leads_home",
    ),
    (_RELOADED,): ("authorize_signs_everybody_out",),
    (_OWNER,): ("workspace_asks_whether_it_has_moved",),
    (_SIGN_IN, _LOG_IN): (
        "chat_log_in_too_often",
        "chat_asks_sso_for_a_mailed_code",
        "chat_refuses_the_credential",
        "chat_has_no_seat_left",
    ),
    (_SIGN_IN, _CODE): (
        "redirect_uri_empty",
        "redirect_uri_with_a_typo",
        "consent_page",
        "password_grant",
        "consent_page_of_another_view",
        "authorize_leads_on_in_no_frame",
        "authorize_leads_on_by_a_script_that_may_not_run",
        "site_account_missing",
        "site_account_inactive",
        "site_password_changed",
    ),
    (_SIGN_IN, _BUTTONS, _TOKEN, _CODE): ("client_id_mismatch",),
    (_SIGN_IN, _TOKEN, _IDENTITY): ("client_secret_drift",),
    (_SIGN_IN, _BUTTONS): ("provider_identity_path",),
    (_ROOM_BUTTONS,): (
        "integrated_page_without_its_buttons",
        "integrated_page_kept_for_everybody",
    ),
    (_LOG_IN,): (
        "login_service_gone",
        "provider_switched_off",
        "provider_url",
        "provider_token_path",
        "provider_username_field",
        "provider_email_field",
        "site_unreachable_from_chat",
        "site_does_not_know_its_host_name",
        "gateway_between_chat_and_site",
        "token_endpoint_redirects_to_itself",
        "no_accounts_by_sso",
        "new_accounts_need_approval",
        "mail_domain_not_allowed",
        "vip_is_a_default",
        "authorize_refuses_rocketchats_state",
        "token_beside_an_error",
        "proxy_finds_the_state_too_long",
        "proxy_finds_the_callback_too_long",
        "site_refuses_rocketchats_server",
        "site_refuses_what_only_rocketchat_asks",
        "proxy_loses_the_query_of_the_callback",
        "authorize_answers_from_a_cache",
        "proxy_sends_the_callback_home",
        "firewall_stops_the_callback",
        "rocketchat_refuses_a_private_address",
        "session_of_somebody_else",
        "database_of_the_site_takes_no_row",
        "account_made_twice",
        "account_not_linked",
        "new_account_outside_the_default_room",
        "new_account_in_vip",
    ),
    (_ACCOUNTS,): (
        "account_deactivated",
        "account_with_another_email",
        "account_without_its_role",
        "administrator_too_many",
    ),
    (_MEMBERS,): (
        "owner_unsubscribed_from_vip",
        "owner_unsubscribed_from_moderators",
        "admin_unsubscribed_from_moderators",
        "test_user_unsubscribed_from_general",
        "outsider_in_vip",
    ),
    (_CODE,): (
        "proxy_writes_addresses_in_small_letters",
        "proxy_finds_each_form_too_large",
        "authorize_sends_home_an_earlier_visitor",
        "site_password_that_nobody_here_reckons",
        "login_page_without_its_form",
        "log_in_blocked_by_a_filter",
        "log_in_locked_after_failures",
        "site_forgets_how_it_hashed",
        "site_asks_a_proxy_who_it_is",
        "log_in_form_refused_as_such",
        "log_in_limited",
        "session_cookie_of_another_host",
        "session_cookie_for_the_log_in_alone",
        "session_that_ends_at_once",
        "proxy_takes_the_csrf_cookie",
        "proxy_takes_the_session_cookie",
        "authorize_refuses_the_callback",
        "authorize_fails",
        "proxy_finds_the_cookies_too_large",
        "authorize_wants_pkce",
        "authorize_does_not_know_the_scope",
        "authorize_denies",
        "authorize_sends_the_code_elsewhere",
        "terms_to_accept_first",
        "authorize_changes_the_state",
        "authorize_leads_on_by_a_script",
        "authorize_leads_on_by_a_tag",
        "log_ins_of_two_processes",
        "proxy_takes_the_path_of_cookies",
        "proxy_encodes_the_query_twice",
    ),
    (_FOREIGN,): ("authorize_sends_codes_anywhere",),
    (_SIGNED_OUT,): ("authorize_gone", "authorize_loses_the_request"),
    (_CSRF,): ("log_in_without_csrf",),
    (_TOKEN,): (
        "token_endpoint_reads_json_alone",
        "proxy_takes_every_authorization_header",
        "token_endpoint_redirects_codes",
        "client_refused_with_any_code",
        "client_refused_with_status_200",
        "client_not_for_this_grant",
        "token_over_at_once",
        "proxy_takes_the_authorization_header",
        "token_endpoint_fails",
        "token_made_up",
        "token_under_another_name",
        "client_refused_with_its_code",
        "code_refused",
        "token_as_a_form",
    ),
    (f"{_PACE}[log-in page]",): ("log_in_page_slow",),
    (f"{_PACE}[log-in]",): ("log_in_slow",),
    (f"{_PACE}[test page]",): ("test_page_slow",),
    (f"{_PACE}[room]",): ("chat_page_slow",),
    (f"{_PACE}[client]",): ("chat_scripts_slow",),
    (f"{_PACE}[authorize]",): ("authorize_slow",),
    (f"{_PACE}[token]",): ("token_slow_for_codes", "token_hangs_for_codes"),
    (f"{_PACE}[identity]",): ("identity_slow_for_tokens", "identity_hangs_for_tokens"),
    (_PKCE,): ("site_wants_pkce", "code_asked_for_its_verifier"),
    (_INVENTED,): (
        "token_kept_for_everybody",
        "token_endpoint_shows_a_page_to_a_client",
        "token_endpoint_as_a_page",
    ),
    (_GET,): ("token_endpoint_gone", "token_endpoint_for_get_too"),
    (_IDENTITY,): (
        "site_account_with_another_role",
        "site_account_with_another_email",
        "site_account_with_another_name",
        "identity_elsewhere_for_tokens",
        "identity_in_windows_1251",
        "identity_changes_its_id",
        "identity_two_levels_below",
        "identity_refuses_and_says_200",
        "identity_as_a_list",
        "identity_says_gzip_and_sends_text",
        "identity_never_sees_the_token",
        "identity_takes_the_token_of_the_query",
        "identity_sends_bearers_to_the_log_in",
        "identity_wants_a_scope",
        "identity_gone_for_tokens",
        "identity_for_post_alone",
        "identity_as_a_page_for_tokens",
        "identity_fails",
        "identity_with_a_number",
        "identity_without_a_name",
        "identity_of_somebody_else",
        "identity_kept_for_everybody",
        "identity_empty_of_an_id",
        "identity_has_one_id_for_all",
        "identity_of_a_made_up_id",
        "identity_limited",
        "identity_by_another_name",
        "identity_without_an_id",
        "identity_without_a_picture",
        "identity_with_other_groups",
    ),
    (_NO_TOKEN,): ("identity_open_to_all", "identity_as_a_page"),
    (_CHAT_TOKEN,): (
        "iframe_address_refuses_the_signed_in",
        "iframe_address_shows_a_page",
        "iframe_address_knows_another_method",
        "iframe_address_hides_its_answer_from_the_chat",
    ),
    (_CHAT_AUTH,): ("chat_auth_open_to_all", "chat_auth_as_a_page"),
    (_stranger("/chat/api/session/-401-None-200-None"),): (
        "session_as_a_page",
        "session_gone",
        "session_kept_by_a_proxy",
        "session_kept_for_strangers",
    ),
    (_TO_TEST_PAGE,): ("test_page_gone", "test_page_forgets_the_way_back"),
    (_TO_INTEGRATED,): ("integrated_page_gone", "integrated_page_forgets_the_way_back"),
    (_stranger("/api/chat/auth/-404-None-404-None"),): ("misspelt_chat_auth_is_back",),
    (_stranger("/api/v1/status/-200-None-200-None"),): ("site_not_ready",),
    (_TEST_FRAME,): (
        "test_page_kept_as_strangers_get_it",
        "test_page_fails_signed_in",
        "test_page_without_a_frame",
        "test_page_shows_the_menus",
    ),
    (_OF_ITS_VISITOR,): (
        "test_page_shown_as_text",
        "test_page_sent_as_a_download",
        "test_page_signs_everybody_out",
        "test_page_kept_for_others",
    ),
    (_INTEGRATED_FRAME,): (
        "integrated_page_fails_signed_in",
        "integrated_page_without_a_frame",
        "integrated_page_on_another_room",
    ),
}
_BY_NAME = {name: tests for tests, names in _BY_TESTS.items() for name in names}
_READ_NOTHING = "sso"

_BY_NAME |= incident_tests.BY_NAME


def caught_by(fault: Fault) -> tuple[str, ...]:
    """Node ids of the tests that must fail while the stack has this fault; never empty.

    ValueError for a fault of a hop that is not named here.
    """
    if fault.name in _BY_NAME:
        return _BY_NAME[fault.name]
    if fault.layer == _READ_NOTHING:
        raise ValueError(f"no test is declared that sees {fault.name!r}")
    return (f"{_CONTRACT}[{fault.layer}]",)


def read_only(tests: Iterable[str]) -> bool:
    """Whether these tests read settings and data, and none does what a person or a client does."""
    return all(name.startswith(_CONTRACT) for name in tests)


def unknown(names: set[str]) -> set[str]:
    """Names of this table that no fault has."""
    return set(_BY_NAME) - names
