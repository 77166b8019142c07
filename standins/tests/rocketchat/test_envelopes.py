"""Shapes and statuses of answers (apps/meteor/app/api/server/ApiClass.ts, before 7.6 api.ts)."""

from __future__ import annotations

import json

import pytest

from .chat import Chat, error_type
from .client import Answer
from .versions import at

pytestmark = pytest.mark.conformance
# api.ts of 6.5.3 makes its table of routes anew and empty; changed limits then wait for a restart (measured).
STANDIN_ONLY = "a real server's rate limits freeze once its CORS settings were changed"


def test_success_is_200_with_success_true(chat: Chat) -> None:
    """A handler's fields plus `success` (ApiClass.ts, success)."""
    answer = chat.anna.get("me")
    assert (answer.status, answer.body["success"]) == (200, True)
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.trap("Envelopes and statuses", "400 with `error` and `errorType`")
def test_a_failure_is_400_with_reason_and_code(chat: Chat) -> None:
    """`error` is "<reason> [<code>]" and `errorType` the code (ApiClass.ts, failure; no stack)."""
    answer = chat.anna.get("channels.info", roomName="temp-no-such-room")
    assert error_type(answer) == (400, "error-room-not-found")
    assert answer.body["success"] is False
    assert answer.body["error"].endswith(" [error-room-not-found]")
    assert "stack" not in answer.body


@pytest.mark.trap("Envelopes and statuses", "`/api/v1/info` is no route")
def test_an_unknown_path_proves_nothing_by_its_status(chat: Chat) -> None:
    """Before 7.6 a GET gets the client's page with 200 (measured on 6.13.0); /api/v1/info is no route (info.ts)."""
    statuses = at(chat.version, "unknown path")
    for path in ("temp.no.such.route", "info"):
        answers = chat.anna.get(path), chat.anna.post(path)
        assert tuple(answer.status for answer in answers) == statuses
        assert not any(answer.body.get("success") for answer in answers)


def test_a_wrong_verb_is_405(chat: Chat) -> None:
    """On a route that is there (measured on 6.13.0)."""
    answer = chat.anna.get("channels.kick")
    assert (answer.status, answer.body["message"]) == (405, "API endpoint does not exist")


@pytest.mark.trap("Envelopes and statuses", "a missing permission is 403, not 401")
def test_a_missing_permission_is_403_not_401(chat: Chat) -> None:
    """Which status it is differs by route and version (ApiClass.ts; v1/roles.ts, v1/users.ts, v1/settings.ts)."""
    victim = chat.account()
    refused = chat.anna.post("users.delete", {"userId": victim["_id"]})
    assert (refused.status, refused.body["success"]) == (401 if chat.version >= (8,) else 403, False)
    assert chat.anna.get("settings/Site_Url").status in {401, 403}
    by_route = chat.anna.get("roles.getUsersInRole", role="admin")
    assert by_route.status == at(chat.version, "missing permission")
    assert by_route.body["error"] == at(chat.version, "words of a missing permission")


@pytest.mark.trap("Envelopes and statuses", "401 says it in `error` or in `message`")
def test_without_a_session_it_is_401(chat: Chat) -> None:
    """The body differs by version, `error` or `message` says it in each (router.ts since 7.6)."""
    answer = chat.anybody().get("me")
    assert answer.status == 401
    assert set(answer.body) == at(chat.version, "names in a 401")
    assert (answer.body.get("error") or answer.body.get("message")) == "You must be logged in to do this."


def test_a_session_needs_both_headers(chat: Chat) -> None:
    """X-Auth-Token and X-User-Id, of one user (ApiClass.ts, authenticatedRoute)."""
    token, user_id = str(chat.anna.token), str(chat.anna.user_id)
    for headers in (
        {"X-Auth-Token": token},
        {"X-User-Id": user_id},
        {"X-Auth-Token": token, "X-User-Id": str(chat.boris.user_id)},
        {"X-Auth-Token": "x", "X-User-Id": user_id},
    ):
        assert chat.anybody().request("GET", "/api/v1/me", headers=headers).status == 401


@pytest.mark.trap("Envelopes and statuses", "a schema miss")
def test_a_schema_miss_is_invalid_params(chat: Chat) -> None:
    """ajv's words, then the code (ApiClass.ts, validateParams)."""
    answer = chat.anna.post("channels.join", {})
    assert error_type(answer) == (400, "invalid-params")
    assert answer.body["error"].endswith("[invalid-params]")
    assert "must have required property" in answer.body["error"]


def test_refusals_without_a_code_have_no_error_type(chat: Chat) -> None:
    """A plain Error is 400 with its message alone (v1/channels.ts, create.validate)."""
    answer = chat.anna.post("channels.create", {})
    assert error_type(answer) == (400, None)
    assert "name" in answer.body["error"]


@pytest.mark.trap("Envelopes and statuses", "hidden and missing settings")
def test_a_hidden_or_missing_setting_is_a_bare_400(chat: Chat) -> None:
    """`failure()` with nothing in it (v1/settings.ts)."""
    for name in ("temp_no_such_setting", "Accounts_SystemBlockedUsernameList"):
        for answer in (
            chat.admin.get(f"settings/{name}"),
            chat.admin.post(f"settings/{name}", {"value": "x"}),
        ):
            assert (answer.status, answer.body) == (400, {"success": False})


@pytest.mark.trap("Envelopes and statuses", "swapped error types of setDefault")
def test_the_error_types_of_set_default_are_swapped(chat: Chat) -> None:
    """Rocket.Chat's own slip (v1/channels.ts, channels.setDefault)."""
    room = chat.room()
    missing = chat.admin.post("channels.setDefault", {"roomId": room["_id"]})
    assert error_type(missing) == (400, "error-channels-setdefault-is-same")
    done = chat.admin.post("channels.setDefault", {"roomId": room["_id"], "default": "true"})
    assert (done.status, done.body["channel"]["default"]) == (200, True)
    same = chat.admin.post("channels.setDefault", {"roomId": room["_id"], "default": True})
    assert error_type(same) == (400, "error-channels-setdefault-missing-default-param")


@pytest.mark.trap("Envelopes and statuses", "200 with the error inside `method.call`")
def test_method_call_answers_200_with_the_error_inside(chat: Chat) -> None:
    """A refused method is a success of the route (v1/misc.ts, method.call)."""
    frame = chat.anna.method("removeOAuthService", "temp_no_such_service")
    assert frame["msg"] == "result"
    assert frame["id"] == "1"
    assert frame["error"]["error"] == "error-not-allowed"
    assert "result" not in frame


def test_an_unknown_method_is_404_inside(chat: Chat) -> None:
    """Meteor's "Method '…' not found" (meteor ddp-server, livedata_server.js)."""
    error = chat.anna.method("temp_no_such_method")["error"]
    assert (error["error"], error["reason"]) == (404, "Method 'temp_no_such_method' not found")


def test_method_call_needs_a_session_and_call_anon_does_not(chat: Chat) -> None:
    """method.call is a route with authRequired (v1/misc.ts)."""
    message = json.dumps({"msg": "method", "id": "1", "method": "public-settings/get", "params": []})
    nobody = chat.anybody()
    assert nobody.post("method.call/public-settings:get", {"message": message}).status == 401
    assert nobody.post("method.callAnon/public-settings:get", {"message": message}).status == 200


def test_dates_are_ejson_in_methods_and_iso_in_rest(chat: Chat) -> None:
    """EJSON `{"$date": ms}` inside `message` (v1/misc.ts); JSON.stringify's dates in all other places."""
    room = chat.room(chat.anna)
    assert room["ts"].endswith("Z")
    frame = chat.anna.method("getRoomByTypeAndName", "c", room["name"])
    assert set(frame["result"]["ts"]) == {"$date"}


@pytest.mark.trap("Envelopes and statuses", "a page for every path, with 200")
@pytest.mark.parametrize("path", ["/", "/home", "/channel/temp-none", "/temp/no/such/page"])
def test_any_page_is_the_shell_with_200(chat: Chat, path: str) -> None:
    """One page for every address (meteor webapp); a 200 proves nothing about a room."""
    answer = chat.anybody().request("GET", path)
    assert answer.status in ({200, 302} if path == "/" else {200})
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.trap("Envelopes and statuses", "paging")
def test_paging(chat: Chat) -> None:
    """`count`, `offset`, `total`; API_Default_Count 50 (getPaginationItems.ts)."""
    for _ in range(3):
        chat.room(chat.anna)
    first = chat.anna.get("channels.list.joined", count=2).body
    rest = chat.anna.get("channels.list.joined", count=2, offset=2).body
    assert (first["count"], len(first["channels"]), first["offset"]) == (2, 2, 0)
    assert first["total"] == rest["total"] >= 3
    assert rest["offset"] == 2
    assert not {room["_id"] for room in first["channels"]} & {room["_id"] for room in rest["channels"]}


def test_a_body_that_is_no_json_is_400(chat: Chat) -> None:
    """Never a 500: empty since 7.6 (router.ts, parseBodyParams), a page before (measured on 6.13.0)."""
    for raw in (b"{", b"\xff\xfe"):
        answer = _create_by(chat, raw)
        assert answer.status == 400, (raw, answer.text)
        assert answer.headers["Content-Type"].startswith(at(chat.version, "broken body"))


def test_a_body_that_is_no_object_counts_as_empty(chat: Chat) -> None:
    """Its parameters are missing (measured on 6.13.0; v1/channels.ts, create.validate)."""
    answer = _create_by(chat, b"[]")
    assert (answer.status, answer.body["success"]) == (400, False)
    assert "name" in answer.body["error"]


def _create_by(chat: Chat, raw: bytes) -> Answer:
    headers = {"Content-Type": "application/json"}
    return chat.anna.request("POST", "/api/v1/channels.create", data=raw, headers=headers)


def _preflight(chat: Chat) -> Answer:
    headers = {"Origin": "http://127.0.0.1:1", "Access-Control-Request-Method": "POST"}
    return chat.anybody().request("OPTIONS", "/api/v1/me", headers=headers)


@pytest.mark.trap("Envelopes and statuses", "CORS is off")
def test_cors_is_off(chat: Chat) -> None:
    """A preflight is refused with text while API_Enable_CORS is false (ApiClass.ts, _initCors)."""
    if chat.admin.get("settings/API_Enable_CORS").body["value"]:
        pytest.skip("this server allows CORS, and its limits would freeze if that were changed")
    refused = _preflight(chat)
    assert refused.status == 405
    assert refused.text.startswith("CORS not enabled")


def test_cors_is_live(own: Chat) -> None:
    """API_Enable_CORS (ApiClass.ts, _initCors)."""
    own.set("API_Enable_CORS", True)
    allowed = _preflight(own)
    assert allowed.status == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "*"
