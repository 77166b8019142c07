"""`[site.adapter]` by itself: rows that point nowhere, and the command for temporary users."""

from __future__ import annotations

import json
import sqlite3
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from besedka import contract as contracts
from besedka.adapter import Adapter, AdapterRowError, Features, LoginCall
from besedka.contract import PROJECT_ROOT
from besedka.errors import ContractError
from besedka.site import SignInRefusedError, Site
from besedka.site_database import SiteDatabase
from besedka.stacks.services import adapter_manage
from fixtures.users import chat_token

SAYS_WHAT_IT_GETS = "import sys; print(sys.stdin.read())"
ROWS = [{"username": "temp_a", "role": "M"}]


def manage(program: str, action: str, *names: str, stdin: str = "") -> str:
    return adapter_manage.run([sys.executable, "-c", program], action, *names, stdin=stdin)


def test_the_command_gets_what_its_page_says() -> None:
    made = manage(SAYS_WHAT_IT_GETS, "ensure_users", stdin=json.dumps(ROWS))
    gone = manage(SAYS_WHAT_IT_GETS, "remove_users", "temp_a", "temp_b")

    assert json.loads(made) == {"action": "ensure_users", "users": ROWS}
    assert json.loads(gone) == {"action": "remove_users", "usernames": ["temp_a", "temp_b"]}


def test_nobody_but_temporary_users_is_made_or_removed() -> None:
    with pytest.raises(LookupError, match="owner: only temp_"):
        manage(SAYS_WHAT_IT_GETS, "remove_users", "owner")
    with pytest.raises(LookupError, match="ensure_oauth_application is no work"):
        manage(SAYS_WHAT_IT_GETS, "ensure_oauth_application")


def test_a_command_that_fails_is_named_by_its_row_with_its_last_words() -> None:
    with pytest.raises(AdapterRowError, match="no such table") as raised:
        manage("raise SystemExit('no such table')", "remove_users", "temp_a")
    assert raised.value.where == "besedka.toml, [site.adapter] manage"


def test_a_command_that_is_not_there_is_named_by_its_row() -> None:
    with pytest.raises(AdapterRowError, match="it cannot be run: No such file"):
        adapter_manage.run(["no-such-program"], "remove_users", "temp_a")


def test_the_example_on_the_page_is_the_one_that_the_clubs_site_runs() -> None:
    page = (PROJECT_ROOT / "docs" / "manage.md").read_text("utf-8")
    command = PROJECT_ROOT / "tests/adoption/site/verein/management/commands/besedka.py"

    assert textwrap.indent(command.read_text("utf-8"), "    ") in page


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ('[site.adapter]\nvisitor = "bob"', "site.adapter.visitor: 'bob' is none of [[users]]"),
        ('[site.adapter.roles]\nchief = "C"', "site.adapter.roles.chief: no user has the role"),
        ('[site.adapter]\ncolumn = "x"', "site.adapter.column: unknown key"),
        ("[site.features]\nmagic = false", "site.features.magic: unknown key"),
    ],
)
def test_a_row_that_means_nothing_is_named(rows: str, named: str, tmp_path: Path) -> None:
    overlay = tmp_path / "mine.toml"
    overlay.write_text(rows, "utf-8")

    with pytest.raises(ContractError) as raised:
        contracts.load(overlays=[overlay])
    assert named in raised.value.text()


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ("token", "schluessel", "the answer has data, userId"),
        ("token", "data.schluessel", "the answer has marke"),
        ("token", "userId.schluessel", "the answer has str"),
        ("user_id", "data.nummer", "the answer has marke"),
    ],
)
def test_a_field_of_chat_auth_that_the_answer_lacks_is_named(row: str, field: str, said: str) -> None:
    plain = contracts.load()
    fields = {"token": "data.marke", "user_id": "userId"} | {row: field}
    adapter = Adapter.model_validate({"chat_auth": fields})
    contract = plain.model_copy(update={"site": plain.site.model_copy(update={"adapter": adapter})})
    answer = requests.Response()
    answer.headers["Content-Type"] = "application/json"
    answer.status_code, answer._content = 200, b'{"data": {"marke": "m"}, "userId": "u"}'

    with pytest.raises(AdapterRowError, match=said) as raised:
        chat_token(contract, answer)
    assert raised.value.where == f"besedka.toml, [site.adapter.chat_auth] {row}"


def test_identity_may_stand_where_the_other_paths_stand(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.toml"
    overlay.write_text('[site.adapter]\nidentity_path = "/who/"', "utf-8")

    assert contracts.load(overlays=[overlay]).provider.identity_path == "/who/"


def test_a_site_without_an_integrated_page_needs_no_address_of_it() -> None:
    contract = contracts.load()
    raw: dict[str, Any] = contract.site.model_dump() | {"features": {"integrated_page": False}}
    del raw["integrated_page"]

    site = type(contract.site).model_validate(raw)

    assert site.chat_pages == (site.test_page,)
    assert site.features.missing("integrated_page") == "the site has no integrated_page ([site.features])"


def test_a_feature_that_is_none_is_an_error() -> None:
    with pytest.raises(KeyError):
        Features().missing("integrated_pages")


def test_columns_may_be_joined_and_may_be_none(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT, email TEXT, password TEXT,"
            " first_name TEXT, last_name TEXT, role TEXT);"
            "CREATE TABLE oauth2_provider_grant (id INTEGER PRIMARY KEY, user_id INT REFERENCES auth_user (id));"
            "INSERT INTO auth_user VALUES (1, 'anna', 'a@b.c', 'x', 'Anna', 'Ahorn', 'V');"
        )
    columns = {"full_name": ["first_name", "last_name"], "role": "none"}
    adapter = Adapter.model_validate({"columns": columns})

    (user,) = SiteDatabase(f"sqlite:///{path}", adapter=adapter).users()

    assert (user.full_name, user.role, user.is_active) == ("Anna Ahorn", None, True)


@pytest.mark.parametrize("status", [200, 400])
def test_a_log_in_by_a_call_is_one_by_its_status(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    call = LoginCall(path="/enter/", name="who", password="word")
    site = Site("http://127.0.0.1:9", login_path="/in/", adapter=Adapter(login_call=call))
    sent: list[tuple[str, str, Any]] = []

    def request(_: object, verb: str, address: str, **options: Any) -> requests.Response:
        sent.append((verb, address.removeprefix("http://127.0.0.1:9"), options.get("json")))
        answer = requests.Response()
        answer.status_code = status if verb == "POST" else 200
        return answer

    monkeypatch.setattr(requests.Session, "request", request)
    if status == 200:
        site.sign_in("anna", "secret", email="a@a.test")
    else:
        with pytest.raises(SignInRefusedError, match="POST answered 400"):
            site.sign_in("anna", "secret", email="a@a.test")

    assert sent == [("GET", "/in/", None), ("POST", "/enter/", {"who": "anna", "word": "secret"})]


def test_a_call_that_asks_for_an_address_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    call = LoginCall(path="/enter/", name="email")
    site = Site("http://127.0.0.1:9", adapter=Adapter(login_call=call))
    answer = requests.Response()
    answer.status_code = 200
    told: list[Any] = []
    monkeypatch.setattr(
        requests.Session, "request", lambda _, *__, **options: told.append(options.get("json")) or answer
    )

    site.sign_in("anna", "secret", email="a@a.test")

    assert told == [None, {"email": "a@a.test", "password": "secret"}]


def test_a_site_that_has_taken_an_address_is_still_told_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """One account that only its address opens says nothing of the others."""
    site, taken = Site("http://127.0.0.1:9"), ("a@a.test", "berta")
    asked: list[str] = []

    def request(http: requests.Session, verb: str, address: str, **options: Any) -> requests.Response:
        answer = requests.Response()
        answer.url, answer.status_code, answer.headers["Content-Type"] = address, 200, "text/html"
        answer._content = (
            b'<form method="post"><input name="username"><input name="password" type="password">'
        )
        if verb == "POST":
            asked.append(options["data"]["username"])
            if asked[-1] in taken:
                answer.status_code, answer.headers["Location"] = 302, "/"
                http.cookies.set("sessionid", "of-somebody")
        return answer

    monkeypatch.setattr(requests.Session, "request", request)

    site.sign_in("anna", "secret", email="a@a.test")
    site.sign_in("berta", "secret", email="b@b.test")

    assert asked == ["anna", "a@a.test", "b@b.test", "berta"]
