"""Settings (apps/meteor/app/api/server/v1/settings.ts, app/settings/server/CachedSettings.ts)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest

from .chat import Chat, collection, eventually
from .client import Client
from .provider import MAIN, SERVICE, disconnect, service_key
from .standin import ADMIN, ADMIN_PASSWORD, Standins
from .versions import at

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "starts servers on databases and environments of its own"


@pytest.fixture
def fresh(changeable: Chat) -> Iterator[Chat]:
    """A server that has no provider of the tests' before and after the test."""
    yield changeable
    disconnect(changeable)


def _enable(chat: Chat, **values: object) -> None:
    """Add the provider and set its rows, the main one last; then let the clock run.

    Without an address a real server makes no service, if the same name was removed before: the rows of one
    that is added again have no values until a restart (measured on 6.5.3; SettingsRegistry.ts).
    """
    assert chat.admin.post("settings.addCustomOAuth", {"name": "tempbesedka"}).status == 200
    for suffix, value in ({"url": "http://127.0.0.1:1"} | values).items():
        assert chat.admin.post(f"settings/{MAIN}-{suffix}", {"value": value}).status == 200
    assert chat.admin.post(f"settings/{MAIN}", {"value": True}).status == 200
    chat.advance(3)
    eventually(lambda: chat.service(SERVICE) is not None, "the service comes")


@pytest.mark.trap("Settings and providers", "values are not type-checked")
def test_a_value_is_not_checked_against_its_type(changeable: Chat) -> None:
    """POST writes what it is given (v1/settings.ts)."""
    for value in ("yes", 5, {"a": 1}, None):
        changeable.set("Discussion_enabled", value)
        assert changeable.admin.get("settings/Discussion_enabled").body["value"] == value


@pytest.mark.trap("Settings and providers", "a method writes hidden settings")
def test_the_method_of_the_administration_writes_hidden_settings_too(changeable: Chat) -> None:
    """saveSettings looks for `blocked` alone and checks the type (saveSettings.ts; seen on a running 6.5.3)."""
    name = "Accounts_SystemBlockedUsernameList"
    with collection(changeable.mongo_url, "rocketchat_settings") as rows:
        before = (rows.find_one({"_id": name}) or {})["value"]
    try:
        written = changeable.admin.method("saveSettings", [{"_id": name, "value": "temp_reserved"}])
        assert written.get("result") is True, written
        assert "error" in changeable.admin.method("saveSettings", [{"_id": name, "value": 5}])
        person = {"username": "temp_reserved", "name": "x", "email": "temp_reserved@besedka.test"}
        refused = changeable.admin.post("users.create", person | {"password": "temp_reserved-pass"})
        assert refused.body["errorType"] in {"error-blocked-username", "error-field-unavailable"}
    finally:
        back = changeable.admin.method("saveSettings", [{"_id": name, "value": before}])
    assert back.get("result") is True, back


@pytest.mark.trap("Settings and providers", "a write by REST is live at once")
def test_a_change_is_live_at_once(changeable: Chat) -> None:
    """The copy in memory changes with the row (CachedSettings.ts)."""
    changeable.set("Site_Name", "Беседка")
    named = {"_id": "Site_Name"}
    asked = named if at(changeable.version, "settings.public takes _id") else {"query": json.dumps(named)}
    rows = changeable.anybody().get("settings.public", **asked).body["settings"]
    assert [(row["_id"], row["value"]) for row in rows] == [("Site_Name", "Беседка")]


def test_anybody_reads_public_settings_and_no_others(chat: Chat) -> None:
    """settings.public needs no session; a private row needs view-privileged-setting (v1/settings.ts)."""
    answer = chat.anybody().get("settings.public", count=100)
    assert answer.status == 200
    assert answer.body["total"] >= answer.body["count"] > 10
    assert all("value" in row for row in answer.body["settings"])
    assert not [row for row in answer.body["settings"] if row["_id"].startswith("Accounts_OAuth_Custom-")]
    assert chat.anna.get("settings/Site_Url").status == 403
    assert chat.anna.post("settings/Site_Url", {"value": "x"}).status == 403
    assert chat.anybody().get("settings/Site_Url").status == 401


@pytest.mark.trap("Settings and providers", "a workspace that has moved")
def test_another_site_url_is_asked_about(changeable: Chat) -> None:
    """Over the chat of administrators, until one answers (server/settings/misc.ts, v1/misc.ts, 6.5.3 and 7.7.1)."""

    def verified() -> bool:
        return bool(changeable.admin.get("settings/Deployment_FingerPrint_Verified").body["value"])

    assert verified()
    changeable.set("Site_Url", "http://elsewhere.example")
    eventually(lambda: not verified(), "the question is asked")
    wrong = changeable.admin.post("fingerprint", {"setDeploymentAs": "elsewhere"})
    assert (wrong.status, wrong.body["errorType"]) == (400, "invalid-params")
    answered = changeable.admin.post("fingerprint", {"setDeploymentAs": "updated-configuration"})
    assert (answered.status, verified()) == (200, True)


@pytest.mark.trap("Settings and providers", "several ids at once")
def test_settings_public_takes_several_ids(chat: Chat) -> None:
    """Since 7.0 (PR #33787); before, the first page comes whatever is named (measured on 6.13.0)."""
    wanted = {"Site_Url", "Site_Name"}
    rows = chat.anybody().get("settings.public", _id=",".join(wanted)).body["settings"]
    assert ({row["_id"] for row in rows} == wanted) is at(chat.version, "settings.public takes _id")


def test_a_write_without_a_value_is_a_bare_400(chat: Chat) -> None:
    """v1/settings.ts."""
    answer = chat.admin.post("settings/Site_Name", {"velue": "x"})
    assert answer.status == 400
    assert answer.body["success"] is False


@pytest.fixture
def framed(changeable: Chat) -> Chat:
    """A server that lets its pages stand in frames of its own origin only, as a fresh one does."""
    if changeable.mongo_url is None:
        pytest.skip("writes into Rocket.Chat's database: no --mongo-url")
    changeable.set("Iframe_Restrict_Access", True)
    eventually(lambda: _frame_header(changeable) == "sameorigin", "the header is there")
    return changeable


def _frame_header(chat: Chat) -> str | None:
    found: str | None = chat.anybody().request("GET", "/home").headers.get("X-Frame-Options")
    return found


@pytest.mark.trap("Settings and providers", "a write into Mongo is not")
def test_a_write_into_mongo_is_live_before_7_7(framed: Chat) -> None:
    """Measured on 6.13.0. Since 7.7.0 the watchers are off (PR #35981): REST shows the row, nothing acts on it."""
    with collection(framed.mongo_url, "rocketchat_settings") as rows:
        rows.update_one({"_id": "Iframe_Restrict_Access"}, {"$set": {"value": False}})
        assert framed.admin.get("settings/Iframe_Restrict_Access").body["value"] is False
        if at(framed.version, "Mongo write is live"):
            eventually(lambda: _frame_header(framed) is None, "the header goes")
        else:
            framed.advance(60 if framed.has_clock else 1)
            assert _frame_header(framed) == "sameorigin"
        rows.update_one({"_id": "Iframe_Restrict_Access"}, {"$set": {"value": True}})
        eventually(lambda: _frame_header(framed) == "sameorigin", "the header is back")


@pytest.mark.trap("Settings and providers", "unknown rows are ignored")
def test_unknown_rows_are_ignored(framed: Chat) -> None:
    """A row that nobody registered changes nothing (settingsRegenerator.ts keeps it, code never reads it)."""
    junk = {"_id": "Restrict_access_inside_any_Iframe", "value": False}
    with collection(framed.mongo_url, "rocketchat_settings") as rows:
        rows.insert_one(junk)
        assert _frame_header(framed) == "sameorigin"
        rows.delete_one(junk)


@pytest.mark.trap("Settings and providers", "a provider's rows")
def test_add_custom_oauth(fresh: Chat) -> None:
    """Creates rows with defaults, disabled; twice is once (server/lib/oauth/addOAuthService.ts)."""
    # A name of its own: one that was removed comes back without values (measured on 6.5.3).
    name = f"temp{secrets.token_hex(4)}"
    main = f"Accounts_OAuth_Custom-{name.capitalize()}"
    refused = fresh.anna.post("settings.addCustomOAuth", {"name": name})
    assert (refused.status, refused.body["errorType"]) == (400, "error-action-not-allowed")
    blank = fresh.admin.post("settings.addCustomOAuth", {"name": " "})
    assert (blank.status, blank.body["errorType"]) == (400, "error-name-param-not-provided")
    assert (
        fresh.admin.post("settings.addCustomOAuth", {"name": f"{name[:4].title()}-{name[4:]} !"}).status
        == 200
    )
    assert fresh.admin.get(f"settings/{main}").body["value"] is False
    fresh.admin.post(f"settings/{main}-scope", {"value": "read"})
    assert fresh.admin.post("settings.addCustomOAuth", {"name": name}).status == 200
    defaults = {
        "scope": "read",
        "token_path": "/oauth/token",
        "identity_path": "/me",
        "authorize_path": "/oauth/authorize",
        "access_token_param": "access_token",
        "token_sent_via": "payload",
        "identity_token_sent_via": "default",
        "login_style": "popup",
        "key_field": "username",
        "merge_users": False,
        "merge_users_distinct_services": False,
        "show_button": True,
    }
    found = {suffix: fresh.admin.get(f"settings/{main}-{suffix}").body["value"] for suffix in defaults}
    assert found == defaults
    assert fresh.service(name) is None
    assert "error" not in fresh.admin.method("removeOAuthService", name)


@pytest.mark.trap("Settings and providers", "the service comes 2.5 s after the last write")
def test_the_service_appears_two_and_a_half_seconds_after_the_last_write(fresh: Chat) -> None:
    """500 ms for a setting, then 2000 ms for the rows (server/configuration/oauth.ts).

    The clock stands but for what real time passes, so two seconds moved are surely not enough.
    """
    fresh.admin.post("settings.addCustomOAuth", {"name": "tempbesedka"})
    fresh.admin.post(f"settings/{MAIN}-url", {"value": "http://127.0.0.1:1"})
    fresh.admin.post(f"settings/{MAIN}", {"value": True})
    fresh.advance(1.5)
    assert fresh.service(SERVICE) is None
    fresh.admin.post(f"settings/{MAIN}-scope", {"value": "read"})
    fresh.advance(1.5)
    assert fresh.service(SERVICE) is None, "each write begins the wait anew"
    fresh.advance(1.5)
    eventually(lambda: fresh.service(SERVICE) is not None, "the service comes")
    assert (fresh.service(SERVICE) or {})["scope"] == "read"


def test_a_service_is_shown_whole_but_for_its_secret(fresh: Chat) -> None:
    """settings.oauth and service.configurations, to anybody (v1/settings.ts)."""
    _enable(fresh, id="an-id", secret="a-secret", url="http://127.0.0.1:1", button_label_text="Войти")
    for path, name in (("settings.oauth", "services"), ("service.configurations", "configurations")):
        row = next(row for row in fresh.anybody().get(path).body[name] if row["service"] == "tempbesedka")
        assert (row["custom"], row["clientId"], row["serverURL"]) == (True, "an-id", "http://127.0.0.1:1")
        assert row["buttonLabelText"] == "Войти"
        assert "secret" not in row


@pytest.mark.trap("Settings and providers", "it goes as late")
def test_disabling_takes_the_service_away(fresh: Chat) -> None:
    """Same delay (updateOAuthServices.ts)."""
    _enable(fresh)
    fresh.admin.post(f"settings/{MAIN}", {"value": False})
    assert fresh.service(SERVICE) is not None
    fresh.advance(3)
    eventually(lambda: fresh.service(SERVICE) is None, "the service goes")


def test_removing_is_a_method_for_administrators(fresh: Chat) -> None:
    """removeOAuthService removes the settings (server/methods/removeOAuthService.ts)."""
    _enable(fresh)
    refused = fresh.anna.method("removeOAuthService", "tempbesedka")
    assert refused["error"]["error"] == "error-not-allowed", "measured on 6.13.0"
    disconnect(fresh)
    assert fresh.admin.get(f"settings/{MAIN}").status == 400
    assert fresh.service(SERVICE) is None


def test_an_enabled_service_that_is_removed_leaves_its_row(fresh: Chat) -> None:
    """Nothing takes it away but disabling a provider of that name (measured on 6.5.3)."""
    _enable(fresh)
    assert "error" not in fresh.admin.method("removeOAuthService", "tempbesedka")
    fresh.advance(3)
    assert fresh.admin.get(f"settings/{MAIN}").status == 400
    assert fresh.service(SERVICE) is not None
    _enable(fresh)


@pytest.mark.trap("Settings and providers", "enterprise fields are inert")
def test_enterprise_fields_are_inert(fresh: Chat) -> None:
    """Without a licence they read as their invalidValue (ee/app/settings/server/settings.ts)."""
    _enable(fresh, map_channels=True, merge_roles=True, groups_claim="my_groups", roles_to_sync="admin")
    row = fresh.service(SERVICE) or {}
    inert = {"map_channels": False, "merge_roles": False, "groups_claim": "groups", "roles_to_sync": ""}
    assert {suffix: row[service_key(suffix)] for suffix in inert} == inert


@pytest.mark.trap("Settings and providers", "a lower-case row removes the service")
def test_a_lower_case_row_removes_the_service(standins: Standins) -> None:
    """The watcher's pattern has lower case only; a falsy row of it removes (server/configuration/oauth.ts).

    Written into Mongo by hand before the server starts, as a script that guessed the ids would do.
    """
    with standins.running() as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD)
        _enable(chat)
        standin.stop()
        ghost = {"_id": "Accounts_OAuth_Custom-tempbesedka", "value": True, "type": "boolean"}
        with collection(standin.mongo_url, "rocketchat_settings") as rows:
            rows.insert_one(ghost)
        standin.start()
        assert chat.service(SERVICE) is not None
        assert chat.admin.post("settings/Accounts_OAuth_Custom-tempbesedka", {"value": False}).status == 200
        chat.advance(1)
        eventually(lambda: chat.service(SERVICE) is None, "the service is gone")


@pytest.mark.trap("Settings and providers", "OVERWRITE_SETTING at every boot")
def test_the_environment_overwrites_at_boot(standins: Standins) -> None:
    """OVERWRITE_SETTING_<id> at every boot, a plain <id> only the first time (SettingsRegistry.ts)."""
    forced = {"OVERWRITE_SETTING_Site_Name": "forced", "Layout_Home_Title": "initial"}
    with standins.running(**forced) as standin:
        admin = Client(standin.url).sign_in(ADMIN, ADMIN_PASSWORD)
        names = ("Site_Name", "Layout_Home_Title")
        assert [admin.get(f"settings/{name}").body["value"] for name in names] == ["forced", "initial"]
        for name in names:
            assert admin.post(f"settings/{name}", {"value": "edited"}).status == 200
        standin.stop()
        standin.start()
        assert [admin.get(f"settings/{name}").body["value"] for name in names] == ["forced", "edited"]
