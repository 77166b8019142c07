"""Behaviours of Rocket.Chat that the suite relies on, by area: what it is → which test asks about it.

The list behind docs/conformance.md.
"""

from __future__ import annotations

TRAPS: dict[str, dict[str, str]] = {
    "Envelopes and statuses": {
        "a missing permission is 403, not 401": "test_envelopes.py::test_a_missing_permission_is_403_not_401",
        "401 says it in `error` or in `message`": "test_envelopes.py::test_without_a_session_it_is_401",
        "bodies of 401 and of a refused log-in": "test_sessions.py::test_bad_user_and_bad_password_look_alike",
        "400 with `error` and `errorType`": "test_envelopes.py::test_a_failure_is_400_with_reason_and_code",
        "a schema miss": "test_envelopes.py::test_a_schema_miss_is_invalid_params",
        "swapped error types of setDefault": "test_envelopes.py::test_the_error_types_of_set_default_are_swapped",
        "setDefault takes truths of several kinds": "test_calls_in_use.py::test_default_takes_truths_of_several_kinds",
        "200 with the error inside `method.call`": (
            "test_envelopes.py::test_method_call_answers_200_with_the_error_inside"
        ),
        "`/api/v1/info` is no route": "test_envelopes.py::test_an_unknown_path_proves_nothing_by_its_status",
        "a page for every path, with 200": "test_envelopes.py::test_any_page_is_the_shell_with_200",
        "hidden and missing settings": "test_envelopes.py::test_a_hidden_or_missing_setting_is_a_bare_400",
        "paging": "test_envelopes.py::test_paging",
        "CORS is off": "test_envelopes.py::test_cors_is_off",
        "`query` and `fields` are ignored since 7.0": "test_json_query.py::test_they_are_ignored_since_7",
    },
    "Log-in and sessions": {
        "URL-encoded log-ins are refused": "test_sessions.py::test_urlencoded_logins_are_refused",
        "unusual bodies go to Meteor's log-in": "test_sessions.py::test_a_resume_token_logs_in_and_stays_itself",
        "names, addresses, digests": "test_sessions.py::test_login_takes_names_addresses_and_digests",
        "failures block a user": "test_sessions.py::test_ten_failures_block_a_user_for_five_minutes",
        "tokens expire": "test_sessions.py::test_a_token_older_than_ninety_days_signs_nobody_in",
        "a token dies with its own log-out": "test_sessions.py::test_a_token_dies_with_its_own_logout_only",
        "info without and with permission": "test_sessions.py::test_info_names_major_and_minor_to_anybody",
        "/health by version": "test_sessions.py::test_health",
        "tokens for others need the environment": "test_sessions.py::test_create_token_needs_the_environment",
        "tokens for who never logged in": "test_calls_in_use.py::test_tokens_for_others_with_the_environment",
        "their secret since 8.0": "test_calls_in_use.py::test_tokens_for_others_want_a_secret_since_8",
    },
    "Second factor": {
        "grace of a young administrator": (
            "test_second_factor.py::test_a_young_administrator_is_exempt_for_half_an_hour"
        ),
        "what totp-required says": "test_second_factor.py::test_totp_required_names_the_password",
        "the code is a SHA-256": "test_second_factor.py::test_the_code_is_the_sha256_of_the_password",
        "remembered by token and fingerprint": (
            "test_second_factor.py::test_token_and_fingerprint_are_remembered_together"
        ),
        "a personal access token bypasses it": "test_second_factor.py::test_a_personal_access_token_may_bypass_it",
        "e-mail 2FA of new users": "test_second_factor.py::test_a_verified_address_asks_for_a_code_by_email",
        "e-mail 2FA blocks OAuth by default": "test_oauth.py::test_email_2fa_blocks_oauth_under_default_settings",
    },
    "Rate limits": {
        "five log-ins in ten seconds": "test_rate_limits.py::test_the_sixth_log_in_within_ten_seconds_is_refused",
        "ten a minute, with headers": "test_rate_limits.py::test_ten_calls_a_minute_for_a_route_and_an_address",
        "the words of 429": "test_rate_limits.py::test_429_says_how_long",
        "Reset is an absolute time in ms": "test_rate_limits.py::test_the_reset_is_a_time_in_milliseconds_and_comes",
        "log-in is limited too": "test_rate_limits.py::test_login_is_limited_for_anybody",
        "who is exempt": "test_rate_limits.py::test_who_may_bypass_is_not_counted",
        "methods have their own": "test_rate_limits.py::test_methods_have_a_limit_of_their_own",
        "also on the socket": "test_realtime.py::test_method_limits_count_per_connection",
        "whose address counts": "test_calls_in_use.py::test_the_address_behind_proxies",
    },
    "Settings and providers": {
        "values are not type-checked": "test_settings.py::test_a_value_is_not_checked_against_its_type",
        "a write by REST is live at once": "test_settings.py::test_a_change_is_live_at_once",
        "a write into Mongo is not": "test_settings.py::test_a_write_into_mongo_is_live_before_7_7",
        "unknown rows are ignored": "test_settings.py::test_unknown_rows_are_ignored",
        "several ids at once": "test_settings.py::test_settings_public_takes_several_ids",
        "a provider's rows": "test_settings.py::test_add_custom_oauth",
        "the service comes 2.5 s after the last write": (
            "test_settings.py::test_the_service_appears_two_and_a_half_seconds_after_the_last_write"
        ),
        "it goes as late": "test_settings.py::test_disabling_takes_the_service_away",
        "enterprise fields are inert": "test_settings.py::test_enterprise_fields_are_inert",
        "a lower-case row removes the service": "test_settings.py::test_a_lower_case_row_removes_the_service",
        "OVERWRITE_SETTING at every boot": "test_settings.py::test_the_environment_overwrites_at_boot",
        "a provider by environment": "test_calls_in_use.py::test_a_provider_by_environment_is_an_initial_value",
        "OVERWRITE_SETTING makes no provider": (
            "test_calls_in_use.py::test_overwriting_a_provider_that_is_not_registered_does_nothing"
        ),
    },
    "OAuth": {
        "the authorize address and `state`": (
            "test_iframe_oauth.py::test_the_frame_signs_in_and_comes_back_where_it_was_told"
        ),
        "the callback is 200 whatever comes": "test_oauth.py::test_the_callback_is_200_whatever_comes",
        "escaped JSON and a script by style": "test_oauth.py::test_the_callback_hands_over_a_secret",
        "a foreign redirectUrl": "test_oauth.py::test_a_foreign_redirect_url_is_replaced",
        "a credential lives a minute": "test_oauth.py::test_a_credential_needs_its_secret_and_lives_a_minute",
        "token request, payload": "test_oauth.py::test_the_token_request_in_payload_mode",
        "token request, header": "test_oauth.py::test_the_token_request_in_header_mode",
        "a row changed by hand": "test_oauth.py::test_of_a_row_changed_by_hand_only_id_and_secret_count",
        "identity request": "test_oauth.py::test_the_identity_request",
        "error of the handshake": "test_oauth.py::test_a_refused_token_is_a_failed_handshake",
        "error of the identity": "test_oauth.py::test_a_refused_identity_is_named",
        "error of a missing field": "test_oauth.py::test_a_configured_field_that_is_missing_is_named",
        "log-in by the provider's token": "test_oauth.py::test_login_by_access_token",
        "templates of fields": "test_oauth_accounts.py::test_fields_are_keys_paths_and_templates",
        "where an id is looked for": "test_oauth_accounts.py::test_an_id_is_looked_for_in_known_places",
        'the id 1 is not the id "1"': "test_oauth_accounts.py::test_string_and_number_ids_are_different_people",
        "adoption by e-mail, flags or not": (
            "test_oauth_accounts.py::test_a_verified_address_is_adopted_whatever_the_flags_say"
        ),
        "an unverified address costs the password": (
            "test_oauth_accounts.py::test_an_unverified_address_costs_the_password"
        ),
        "one identity, one account": "test_oauth_accounts.py::test_two_accounts_cannot_have_one_identity",
        "a failed handshake's text never arrives": "test_oauth.py::test_why_a_handshake_failed_never_arrives",
        "a callback that hangs": "test_oauth.py::test_a_state_that_names_no_end_gets_no_answer",
        "merging needs both flags": (
            "test_oauth_accounts.py::test_a_local_account_of_the_same_name_is_adopted_with_both_flags_only"
        ),
        "a changed identity needs merging": (
            "test_oauth_accounts.py::test_a_changed_identity_comes_back_only_with_merging"
        ),
        "default rooms at the first log-in only": (
            "test_oauth_accounts.py::test_default_channels_are_joined_at_the_first_login_only"
        ),
        "no username_field: Register username": (
            "test_oauth_accounts.py::test_without_a_username_field_the_user_is_asked_for_a_name"
        ),
    },
    "Iframe": {
        "X-Frame-Options on every route, gone live": (
            "test_iframe_headers.py::test_every_route_has_the_header_and_loses_it_live"
        ),
        "no frame-ancestors": "test_iframe_headers.py::test_the_policy_names_no_ancestors",
        "order of the events": "test_iframe_commands.py::test_the_order_of_the_events",
        "both gates of commands": "test_iframe_commands.py::test_commands_of_others_are_not_heard",
        "the gate of events": "test_iframe_commands.py::test_without_the_switch_nothing_is_sent",
        "login-with-token": "test_iframe_commands.py::test_login_with_token_signs_in",
        "a wrong token is met with silence": "test_iframe_commands.py::test_a_wrong_token_is_met_with_silence",
        "no redirectUrl: /home, layout lost": (
            "test_iframe_oauth.py::test_another_address_is_replaced_and_the_layout_lost"
        ),
        "services by lower-case name, else silence": (
            "test_iframe_oauth.py::test_a_service_goes_by_its_lower_case_name"
        ),
        "go": "test_iframe_commands.py::test_go_changes_the_room_and_keeps_the_layout",
        "logout": "test_iframe_commands.py::test_logout_ends_the_token",
        "resumeToken is taken out of the address": (
            "test_iframe_commands.py::test_a_resume_token_in_the_address_signs_in"
        ),
        "resumeToken over another session": (
            "test_iframe_commands.py::test_a_resume_token_takes_the_place_of_another_session"
        ),
        "iframe authentication asks the site": (
            "test_iframe_oauth.py::test_iframe_authentication_asks_the_site_first"
        ),
        "else it shows the site's page": (
            "test_iframe_oauth.py::test_iframe_authentication_shows_the_page_of_the_site_otherwise"
        ),
        "its log-in on the server": "test_sessions.py::test_iframe_authentication_by_token",
    },
    "Rooms": {
        "default rooms only at creation": (
            "test_rooms.py::test_default_channels_are_joined_when_the_account_is_made"
        ),
        "a private default room": "test_calls_in_use.py::test_a_private_room_becomes_default_by_its_settings",
        "viewing never joins": "test_rooms.py::test_viewing_never_joins",
        "one subscription": "test_rooms.py::test_a_subscription_is_unique",
        "join codes and their errors": "test_rooms.py::test_join_codes",
        "read-only": "test_rooms.py::test_read_only",
        "archived": "test_rooms.py::test_archived",
        "muted": "test_rooms.py::test_who_is_muted_cannot_write",
        "an administrator outside a private room": (
            "test_rooms.py::test_what_an_administrator_may_do_outside_a_private_room"
        ),
        "unknown parameters": "test_rooms.py::test_unknown_parameters_are_refused",
        "private rooms": "test_rooms.py::test_private_rooms_are_not_found_by_others",
        "the calls of private rooms": "test_calls_in_use.py::test_private_rooms_have_the_calls_of_public_ones",
        "Room not found": "test_rooms.py::test_a_room_that_is_not_there",
        "reserved names": "test_rooms.py::test_reserved_and_taken_names",
        "a last owner": "test_last_owner.py::test_a_last_owner_is_refused_with_the_rooms_by_name",
    },
    "Database": {
        "how a session is stored": "test_calls_in_use.py::test_how_an_account_and_its_session_are_stored",
        "how a room is stored": "test_calls_in_use.py::test_how_a_room_and_its_subscription_are_stored",
        "a subscription put there by hand": (
            "test_calls_in_use.py::test_a_subscription_put_into_mongo_is_not_announced"
        ),
        "watchers by version": "test_versions.py::test_watchers_can_be_switched_on_again",
    },
    "Real-time": {
        "the 31 calls of the web client": "test_web_client_calls.py::test_the_walk_with_a_stored_session",
        "after OAuth, both styles": "test_web_client_calls.py::test_the_walk_after_oauth",
        "both shapes of */get": "test_realtime.py::test_get_methods_have_two_shapes",
        "joining pushes": "test_realtime.py::test_joining_pushes_the_subscription_and_the_room",
        "settings and permissions push": "test_realtime.py::test_settings_and_permissions_are_pushed",
        "messages push": "test_realtime.py::test_a_message_is_pushed_to_readers",
        "unknown methods and subscriptions": "test_realtime.py::test_unknown_methods_and_subscriptions_are_404",
        "a connection ends with its token": "test_realtime.py::test_a_connection_ends_with_its_token",
    },
}
