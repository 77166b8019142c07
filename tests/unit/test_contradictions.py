"""Settings, addresses and texts of a contract that contradict the rest of it, each refused with its row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from besedka import contract
from besedka.errors import ContractError
from besedka.rocketchat import provider

TOLD = contract.load(overlays=())
OWN = provider.base_id(TOLD.provider)
USER, ROOM = TOLD.users[0], TOLD.channels[0]
# Its first letter that has one is of another alphabet.
_TWIN = next(
    USER.username.replace(a, b, 1) for a, b in zip("aeopc", "аеорс", strict=True) if a in USER.username
)
PRIVATE = next(room for room in TOLD.channels if room.private)

REFUSED = {
    "text_for_a_switch": ("settings", 'Iframe_Restrict_Access = "false"', "true or false"),
    "text_for_a_number": ("settings", 'API_User_Limit = "10"', "a whole number"),
    "switch_for_a_number": ("settings", "API_User_Limit = true", "a whole number"),
    "number_for_a_text": ("settings", "Site_Name = 5", "a text in quotation marks"),
    "no_choice": ("settings", 'Accounts_RegistrationForm = "Closed"', "Public, Disabled, Secret URL"),
    "text_for_a_list": ("settings", 'Hide_System_Messages = "uj"', "a list of texts"),
    "list_for_a_text": ("settings", 'Site_Name = ["uj"]', "a text in quotation marks"),
    "no_choice_of_a_list": ("settings", 'Hide_System_Messages = ["uj", "joined"]', "'joined' is none of"),
    "no_frame": ("settings", "Iframe_Restrict_Access = true", "X-Frame-Options: sameorigin"),
    "setup_wizard": ("settings", 'Show_Setup_Wizard = "pending"', "wizard would stand in the frame"),
    "origin_with_a_slash": (
        "settings",
        f'Iframe_Integration_receive_origin = "{TOLD.site.url}/"',
        "as browsers write it",
    ),
    "origin_of_others": ("settings", 'Iframe_Integration_send_target_origin = "http://a.test"', "lacks"),
    "codes_by_mail": ("settings", "Accounts_TwoFactorAuthentication_Enabled = true", "codes by e-mail"),
    "provider_row": ("settings", f'"{OWN}-scope" = "other"', "keep provider.scope"),
    "provider_off": ("settings", f'"{OWN}" = false', "keep the table [provider]"),
    "address_of_another": ("settings", 'Site_Url = "http://a.test"', "keep chat.url"),
    "flow_of_another_way": ("settings", "Accounts_OAuth_Use_Modern_Flow = true", "keep chat.sso"),
    "domains": ("settings", 'Accounts_AllowedDomainsList = "a.test"', f"({USER.username}).email"),
    "closed_first_room": ("settings", f'First_Channel_After_Login = "{PRIVATE.name}"', "may not enter"),
    "first_room_with_a_sign": ("settings", 'First_Channel_After_Login = "#general"', "the bare name"),
    "window_without_a_button": (
        "provider",
        'login_style = "popup"\nshow_button = false',
        "nobody could sign in",
    ),
    "two_lines": ("provider", 'client_id = "a\\nb"', "provider.client_id"),
    "redirect_uri": ("provider", 'more_redirect_uris = ["https://a.test/b c"]', "RFC 6749"),
    "no_group": ("provider", 'username_field = "{{/x/::email}}"', "has no (group)"),
    "no_pattern": ("provider", 'username_field = "{{/(/::email}}"', "no regular expression"),
    "path_of_a_host": ("site", 'test_page = "//a.test/"', "makes another address"),
    "two_names_of_one_machine": ("chat", 'url = "http://localhost:3000"', "write one name in both"),
    "one_page": ("site", f'integrated_page = "{TOLD.site.test_page}"', "integrated_page = false"),
    "page_for_a_token": (
        "site",
        f'chat_auth_path = "{TOLD.site.test_page}"',
        "is the path of site.test_page",
    ),
    "one_port": ("services", f"redis = {TOLD.services.postgres}", "two cannot listen there"),
    "long_name": ("[users]", f'password = "p12345"\nusername = "{"z" * 151}"', "at most 150 characters"),
    "blank_label": ("[channels]", f'name = "{ROOM.name}"\nlabel = "  "', "no line of text"),
    "switch_in_quotation_marks": ("[channels]", f'name = "{ROOM.name}"\nprivate = "yes"', "true or false"),
    "number_in_quotation_marks": ("chat", 'patience = "100"', "a whole number is expected"),
    "half_a_second": ("chat", "patience = 1.5", "a whole number is expected"),
    "port_in_quotation_marks": ("services", 'redis = "6379"', "a whole number is expected"),
    "feature_in_quotation_marks": ("site.features", 'notices = "no"', "true or false is expected"),
    "nul": ("[users]", f'username = "{USER.username}"\nfull_name = "a\\u0000b"', "control character"),
    "role_with_a_blank": ("[users]", f'username = "{USER.username}"\nrole = "a\u00a0"', "without blanks"),
    "twice_a_role": ("[channels]", f'name = "{PRIVATE.name}"\nroles = ["owner", "owner"]', "'owner' twice"),
    # `й` of two signs, as some programs write it, and of one.
    "decomposed_room": (
        "[users]",
        f'username = "{USER.username}"\nchannels = ["ча\u0438\u0306"]',
        r"write '\u0447\u0430\u0439'",
    ),
    "decomposed_email": (
        "[users]",
        f'username = "{USER.username}"\nemail = "jo\u0308@a.test"',
        r"write 'j\xf6@a.test'",
    ),
    "decomposed_role": (
        "[users]",
        f'username = "{USER.username}"\nrole = "гостеи\u0306"',
        "Unicode's form NFC",
    ),
    "wide_letters": (
        "[users]",
        'email = "w@a.test"\nfull_name = "W"\npassword = "p12345"\nrole = "user"\nchannels = ["general"]\n'
        'username = "ｂob"',
        "Unicode's form NFKC",
    ),
    "cyrillic_letter_of_a_user": (
        "[users]",
        'role = "user"\nchannels = ["general"]\nemail = "w@a.test"\nfull_name = "W"\npassword = "p12345"\n'
        'username = "\u0430nna"',
        "character 1 is CYRILLIC SMALL LETTER A",
    ),
    "cyrillic_letter_of_a_room": (
        "[users]",
        f'username = "{USER.username}"\nchannels = ["gen\u0435ral"]',
        "only looks like 'general' of channels.1",
    ),
    "cyrillic_letter_of_a_role": (
        "[channels]",
        f'name = "{PRIVATE.name}"\nroles = ["us\u0435r"]',
        "only looks like 'user' of users.",
    ),
    "cyrillic_letter_of_the_visitor": (
        "site.adapter",
        f'visitor = "{_TWIN}"',
        "1 wrong row: site.adapter.visitor",
    ),
    "cyrillic_letter_of_the_administrator": (
        "chat.admin",
        f'username = "{TOLD.chat.admin.username.replace("o", chr(0x43E))}"',
        "only looks like",
    ),
    "cyrillic_letter_of_the_service": ("provider", 'name = "b\u0435sedka"', "Rocket.Chat drops that letter"),
    "room_of_a_dot": (
        "[channels]",
        'label = "A"\nprivate = true\ndefault = false\nname = ".."',
        "a folder in a path",
    ),
    "service_of_accounts": ("provider", 'name = "Resume"', "how an account signs in by itself"),
    "nobody_in_the_chat": (
        "[users]",
        f'username = "{USER.username}"\nchat_roles = []',
        "may do nothing there",
    ),
    "twice_in_the_chat": (
        "[users]",
        f'username = "{USER.username}"\nchat_roles = ["admin", "user", "user"]',
        "lists the role 'user' twice",
    ),
    "long_email": ("[users]", f'username = "{USER.username}"\nemail = "{"z" * 250}@a.test"', "is no address"),
    "client_with_a_colon": ("provider", 'client_id = "a:b"', "HTTP Basic ends the name"),
    "secret_of_two_lines": ("provider", 'client_secret = "a\\nb"', "goes through no form"),
    "login_with_a_query": ("site", 'login_path = "/in/?next=/"', "holds a query"),
    "login_in_the_folder": ("site", 'login_path = "/./in/"', "makes another address"),
    "host_that_django_refuses": ("site", 'url = "http://my_site.test"', "answers 400"),
    "development_host_with_a_port": (
        "chat",
        'development_hosts = ["chat.test:3000"]',
        "without scheme and port",
    ),
    "half_a_template": ("provider", 'username_field = "{{name"', "neither the name of a field"),
    "blank_field": ("provider", 'email_field = " "', "neither the name of a field"),
    "two_parameters": ("provider", 'access_token_param = "a&b"', "a text that matches"),
    "twice_a_member": ("[users]", f'username = "{USER.username}"\nchannels = ["a", "a"]', "twice"),
}


@pytest.mark.parametrize(("table", "row", "said"), REFUSED.values(), ids=REFUSED)
def test_what_contradicts_the_rest_is_refused_with_its_row(
    table: str, row: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "overlay.toml"
    path.write_text(f"[{table}]\n{row}\n", "utf-8")

    with pytest.raises(ContractError) as raised:
        contract.load(overlays=[path])

    assert said in raised.value.found
    first = row.rsplit("\n", 1)[-1].partition(" = ")[0].strip('"')
    assert first in raised.value.found or said.startswith("(")


TAKEN = {
    "codes_by_app": "Accounts_TwoFactorAuthentication_Enabled = true\n"
    "Accounts_TwoFactorAuthentication_By_Email_Enabled = false",
    "any_origin": 'Iframe_Integration_receive_origin = "*"',
    "other_pages_too": f'Iframe_Integration_receive_origin = "https://a.test,{TOLD.site.url}"',
    "no_first_room": 'First_Channel_After_Login = ""',
    "same_address": f'Site_Url = "{TOLD.chat.url}"',
    "colour_of_the_button": f'"{OWN}-button_color" = "#ffcc00"',
    "of_no_known_kind": 'Somebody_Elses_Setting = "false"',
    "frame_ancestors_beside_it": 'Iframe_Restrict_Access = true\n[proxy]\nframe_ancestors = "http://127.0.0.1:*"',
    "a_word_that_browsers_pass_by": 'Iframe_Restrict_Access = true\nIframe_X_Frame_Options = "ALLOW-FROM x"',
}


@pytest.mark.parametrize("rows", TAKEN.values(), ids=TAKEN)
def test_what_is_unusual_and_right_is_taken(rows: str, tmp_path: Path) -> None:
    path = tmp_path / "overlay.toml"
    path.write_text(f"[settings]\n{rows}\n", "utf-8")

    told = contract.load(overlays=[path])
    moved = told.at(site_url="http://127.0.0.1:8901", chat_url="http://127.0.0.1:8902")

    assert moved.settings.get("Site_Url", moved.chat.url) == moved.chat.url


def test_two_names_of_one_machine_are_taken_by_https(tmp_path: Path) -> None:
    path = tmp_path / "overlay.toml"
    path.write_text(
        '[site]\nurl = "https://127.0.0.1:8001"\n[chat]\nurl = "https://localhost:3000"\n', "utf-8"
    )

    assert contract.load(overlays=[path]).chat.url == "https://localhost:3000"


def test_a_row_of_the_header_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "overlay.toml"
    path.write_text('[overlay]\nname = "a"\nreason = "b"\nreplace = ["users"]\n', "utf-8")

    with pytest.raises(ContractError, match=r"overlay\.replace: there is no such row"):
        contract.load(overlays=[path])


@pytest.mark.parametrize("formula", [r"(?<name>[^@]+)@", r"([\p{L}\d]+)@", "([^]+)@"])
def test_an_expression_of_javascript_alone_is_taken(formula: str, tmp_path: Path) -> None:
    path = tmp_path / "overlay.toml"
    field = f"{{{{/{formula}/::email}}}}"
    path.write_text(f"[provider]\nusername_field = '{field}'\n", "utf-8")

    assert contract.load(overlays=[path]).provider.username_field == field


def test_a_private_first_room_is_refused(tmp_path: Path) -> None:
    """Rocket.Chat looks for it among the public ones."""
    room = '[[channels]]\nname = "desk"\nlabel = "Desk"\nprivate = true\ndefault = false\n'
    people = "".join(
        f'[[users]]\nusername = "{user.username}"\nchannels = {json.dumps([*user.channels, "desk"])}\n'
        for user in TOLD.users
    )
    path = tmp_path / "overlay.toml"
    path.write_text(f'{room}{people}[settings]\nFirst_Channel_After_Login = "desk"\n', "utf-8")

    with pytest.raises(ContractError, match="'desk' is private"):
        contract.load(overlays=[path])
