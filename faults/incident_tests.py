"""Which tests must go red under the faults that incidents asked for; see caught.py, which takes them in."""

from __future__ import annotations

_SIGN_IN = "tests/e2e/test_sign_in.py::test_opening_the_chat_signs_the_user_in[chromium-test_user]"
_CONSOLE = "tests/e2e/test_visibility.py::test_no_console_error_no_failed_request_no_404"
_TYPING = "tests/e2e/test_visibility.py::test_text_that_is_being_typed_stays"
_SWITCHING = "tests/e2e/test_integrated.py::test_switching_rooms_does_not_reload_rocketchat[chromium]"
_CODE = "tests/api/test_authorize.py::test_a_signed_in_user_gets_a_code_without_a_consent_page"
_IDENTITY = "tests/api/test_identity.py::test_the_bearer_is_named[header-test_user]"
_NO_TOKEN = "tests/api/test_identity.py::test_no_token_is_refused_in_json"  # noqa: S105 - a test
_CHAT_AUTH = "tests/api/test_chat_auth.py::test_an_anonymous_caller_gets_json_and_never_a_page"
_PAGES = "tests/api/test_chat_pages.py::"
_FRAME = f"{_PAGES}test_the_page_is_one_document_with_one_frame_on_the_default_room"
_SWITCHERS = f"{_PAGES}test_each_switcher_is_a_button_that_leads_to_its_room"
_MODERATOR = "tests/api/test_urls.py::test_the_integrated_page_has_a_button_for_each_room_of_the_user[admin]"
_STRANGER = "tests/api/test_urls.py::test_anonymous_request"

_BY_TESTS: dict[tuple[str, ...], tuple[str, ...]] = {
    (_SIGN_IN,): (
        "login_service_with_an_old_client_id",
        "login_service_with_an_old_secret",
        "restored_from_four_collections",
        "restored_from_the_golden_backup",
        "script_of_the_test_page_gone",
        "page_sends_a_command_of_its_own",
        "commands_for_another_address",
    ),
    (_SIGN_IN, _CODE): ("redirect_uri_on_localhost",),
    (f"{_STRANGER}[/-200-None-200-None]",): ("home_page_waits_for_rocketchats_database",),
    (f"{_STRANGER}[/chat/integrated/-302-/accounts/login/-200-None]",): (
        "integrated_page_fails_for_visitors",
    ),
    (_CHAT_AUTH,): ("chat_auth_gone",),
    (_NO_TOKEN,): ("identity_shadowed_by_another_view",),
    (_IDENTITY,): (
        "identity_takes_another_kind_of_token",
        "identity_knows_sessions_alone",
        "identity_hands_out_a_token",
    ),
    (f"{_FRAME}[/chat/test/]",): (
        "frame_on_rocketchats_own_authorize",
        "frame_on_an_invented_embed_page",
        "frame_on_the_id_of_the_room",
        "frame_under_another_id",
        "test_page_fails_at_the_first_visit",
    ),
    (f"{_FRAME}[/chat/integrated/]",): (
        "hidden_frame_starts_oauth_itself",
        "integrated_page_shows_the_menus",
        "page_inside_a_page",
    ),
    (_SWITCHERS,): (
        "switchers_are_links",
        "button_leads_to_a_room_that_is_gone",
        "private_rooms_opened_as_public_ones",
    ),
    (_MODERATOR,): (
        "moderator_taken_for_a_guest",
        "moderator_gets_the_vip_button",
        "moderators_button_takes_no_click",
    ),
    (f"{_CONSOLE}[chromium-IntegratedPage]",): ("page_looks_into_the_frame",),
    (_SWITCHING,): ("click_loads_all_of_rocketchat",),
    (f"{_TYPING}[chromium-IntegratedPage]",): ("page_reloads_its_frame_on_a_timer",),
    (f"{_PAGES}test_the_page_stays_until_its_visitor_leaves[/chat/test/]",): ("test_page_loads_itself_anew",),
}
# Name of the fault → node ids.
BY_NAME = {name: tests for tests, names in _BY_TESTS.items() for name in names}
