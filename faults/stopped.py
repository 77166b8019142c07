"""What a fault stops people from doing, and what its severity follows from.

Tried over HTTP (`faults/people_at_work.py`); what only a browser shows is seen by the tests of `caught.py`.
The hops of the SSO, the chat's own page and the services are not in the table: there the declared tests are
red as people meet the fault.
"""

from __future__ import annotations

from faults.caught import NO_STACK, caught_by
from faults.fault import Fault
from faults.people_at_work import ACTS

_MESSAGES, _ROOMS, _AGAIN, _FIRST = ACTS
# Where a test of these is red, people meet the fault in their browsers.
_IN_A_BROWSER = ("tests/e2e/", "tests/api/test_chat_pages.py", "tests/api/test_urls.py", NO_STACK)

_STOPS: dict[tuple[str, ...], tuple[str, ...]] = {
    (_AGAIN, _FIRST): (
        "login_page_without_its_form",
        "cookie_of_another_host",
        "identity_open_to_all",
        "identity_shadowed_by_another_view",
        "identity_as_a_page",
        "token_endpoint_gone",
        "token_endpoint_as_a_page",
        "authorize_gone",
        "authorize_loses_the_request",
        "site_unreachable_from_chat",
        "site_does_not_know_its_host_name",
        "token_endpoint_redirects_to_itself",
        "gateway_between_chat_and_site",
        "provider_added_and_left_blank",
        "login_service_gone",
        "login_service_with_another_url",
        "provider_url",
        "provider_token_path",
        "provider_scope",
        "provider_username_field",
        "provider_email_field",
        "provider_switched_off",
        "provider_url_with_a_blank_at_its_end",
        "provider_url_by_https",
        "provider_url_on_localhost",
        "provider_id_in_lower_case",
        "provider_secret_with_a_line_break",
        "provider_token_path_without_its_slash",
        "provider_email_field_in_capitals",
        "provider_scope_empty",
        "provider_id_and_secret_swapped",
    ),
    (_AGAIN,): (
        "account_deactivated",
        "account_with_its_roles_as_text",
        "account_with_its_address_as_text",
        "account_with_a_list_of_addresses",
        "account_of_an_app",
        "account_renamed_behind_its_memberships",
    ),
    (_MESSAGES, _ROOMS, _AGAIN): ("account_with_its_tokens_as_text",),
    (_FIRST,): ("general_is_no_default",),
    (_MESSAGES, _ROOMS): (
        "vip_renamed",
        "owner_unsubscribed_from_vip",
        "vip_open_to_all",
        "vip_renamed_in_cyrillic",
    ),
    (_MESSAGES, _ROOMS, _FIRST): ("general_gone", "general_renamed"),
    (_MESSAGES,): ("owner_muted_in_vip",),
    (_MESSAGES, _FIRST): ("general_read_only", "room_whose_count_is_a_text"),
    (): (
        "membership_under_an_old_name",
        "vip_archived",
        "account_told_to_reset_its_password",
        "site_account_with_another_role",
        "site_account_with_another_email",
        "site_account_with_another_name",
        "log_in_page_names_no_ancestors",
        "log_in_page_slow",
        "home_page_waits_for_rocketchats_database",
        "integrated_page_fails_for_visitors",
        "test_page_gone",
        "test_page_forgets_the_way_back",
        "integrated_page_gone",
        "integrated_page_forgets_the_way_back",
        "chat_auth_open_to_all",
        "chat_auth_gone",
        "chat_auth_as_a_page",
        "session_as_a_page",
        "session_gone",
        "session_kept_by_a_proxy",
        "token_endpoint_for_get_too",
        "codes_never_exchanged",
        "provider_inert_without_a_licence",
        "provider_missing",
        "provider_written_into_mongo_alone",
        "second_login_service",
        "second_login_service_left_blank",
        "messages_deleted_after_a_day",
        "login_service_that_is_not_custom",
        "login_service_with_an_old_address",
        "setting_Iframe_Integration_receive_enable",
        "setting_Iframe_Integration_send_target_origin",
        "setting_Accounts_TwoFactorAuthentication_Enforce_Password_Fallback",
        "setting_Accounts_SystemBlockedUsernameList",
        "setting_Accounts_RegistrationForm",
        "setting_Show_Setup_Wizard",
        "setting_Accounts_AllowAnonymousRead",
        "setting_API_Enable_Rate_Limiter_Limit_Calls_Default",
        "setting_DDP_Rate_Limit_Connection_By_Method_Requests_Allowed",
        "provider_merge_users",
        "provider_merge_users_distinct_services",
        "provider_key_field",
        "provider_name_field",
        "provider_avatar_field",
        "iframe_setting_written_into_mongo",
        "provider_url_with_a_slash_at_its_end",
        "iframe_login_of_rocketchat_on",
        "setting_outside_its_choices",
        "invented_setting",
        "setting_of_nobody",
        "setting_of_a_wrong_type",
        "setting_date_as_text",
        "garbled_room_name",
        "banner_over_the_chat",
        "account_without_a_way_in",
        "account_date_as_text",
        "forged_sso_link",
        "room_without_an_owner",
        "room_date_as_text",
        "room_of_the_future",
        "clock_of_rocketchat_ahead",
        "membership_of_no_room",
        "role_that_does_not_exist",
        "room_counts_a_member_too_many",
        "database_of_a_newer_version",
        "account_twice_by_case",
        "account_twice_by_email",
        "account_with_a_time_stamp",
        "room_in_cyrillic",
        "second_vip_by_case",
        "membership_with_an_object_id",
        "account_with_an_object_id",
        "account_whose_id_is_its_name",
        "setting_inserted_by_hand",
        "sso_link_with_a_number",
        "membership_of_nobody",
        "room_with_its_muted_as_text",
        "account_whose_tokens_have_text_for_dates",
        "account_whose_tokens_have_no_hash",
        "account_of_a_bot",
        "member_missing_among_the_members",
        "membership_of_another_kind",
        "membership_without_a_kind",
        "role_of_rocketchat_gone",
        "vip_chat_beside_vip",
        "vip_asks_for_a_join_code",
        "vip_is_a_default",
        "account_locked_after_failures",
        "account_with_another_email",
        "account_with_another_name",
        "administrator_with_an_unverified_address",
        "account_with_an_unverified_address",
        "account_without_its_role",
        "administrator_too_many",
        "general_made_anew_by_a_script",
        "room_with_an_object_id",
        "membership_with_a_role_that_does_not_exist",
        "setting_date_as_a_document",
        "wizard_state_as_a_boolean",
        "seats_banner_until_the_end_of_time",
        "roles_mapped_to_rooms_that_do_not_exist",
        "roles_in_place_of_the_rooms_administrator",
        "administrator_may_make_no_rooms",
        "rule_of_room_names_refuses_the_rooms",
        "memberships_without_an_index",
        "account_in_a_room_that_is_gone",
        "messages_of_a_room_that_is_gone",
        "namesake_waits_to_be_adopted",
    ),
}
_BY_NAME = {name: acts for acts, names in _STOPS.items() for name in names}
# Broken all the same: codes, or the beginning of several → what no act over HTTP and no declared test shows.
_JUDGED = {
    "iframe.authentication": "the client asks the site in place of the log-in service",
    "integrity.ids": "what doctor asks about rooms stands on it",
    "integrity.room_names": "what doctor asks about rooms stands on it",
    "integrity.users_unique.name": "the sign-in is refused in a browser (measured on 6.13.0)",
    "login_service.alone": "the client makes an object of each row, and throws (customOAuth.ts)",
    "provider.exists": "the next start of Rocket.Chat reads the settings anew",
    "provider.key_field": "the sign-in is refused in a browser (measured on 6.13.0)",
    "provider.merge_users": "the sign-in is refused in a browser (measured on 6.13.0)",
    "provider.step.licence": "from 9.0 on there is no Custom OAuth without it",
    "rooms.default.extra": "everybody reads what is kept for some",
    "rooms.exist.twin": "people write into two rooms",
    "rooms.kind.archived": "the client shows no message box there",
    "rooms.roles.none": "it may do nothing, and is refused without the field (startup/index.js)",
    "rooms.verified": "the frame asks for a new password (measured on 6.13.0)",
    "setting.Iframe_Integration_receive_enable": "no command is carried out (measured on 6.13.0)",
    "setting.Iframe_Integration_send_target_origin": "the page hears nothing (measured on 6.13.0)",
    "setting.Iframe_Restrict_Access": "it holds until the next start of Rocket.Chat",
    "setting.Show_Setup_Wizard": "the frame lands on the wizard (measured on 6.13.0)",
    "site.accounts.role": "the page has the buttons of other rooms",
}


def stopped_by(fault: Fault) -> tuple[str, ...] | None:
    """Those of `ACTS` that do not work for somebody under the fault; None where nobody has tried."""
    return _BY_NAME.get(fault.name)


def met_in_a_browser(fault: Fault) -> bool:
    """Whether a test that does what people do in a browser is red under the fault."""
    return any(test.startswith(_IN_A_BROWSER) for test in caught_by(fault))


def judged(code: str) -> bool:
    """Whether it is broken by judgement, for the reason in the table."""
    return any(code == known or code.startswith(f"{known}.") for known in _JUDGED)


def unknown(names: set[str]) -> set[str]:
    """Names of the table that no fault has."""
    return set(_BY_NAME) - names
