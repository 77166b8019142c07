"""Which form of a page is the log-in, told from its HTML."""

from __future__ import annotations

import pytest
import requests

from besedka.login_form import HTMX, LoginForm, leads_on

SEARCH = '<form role="search"><input name="q" type="search"></form><form><input name="words"></form>'
TOKEN = '<input type="hidden" name="csrfmiddlewaretoken" value="t">'


def form(html: str) -> LoginForm:
    page = requests.Response()
    page.status_code, page._content = 200, html.encode()
    return LoginForm.of(page)


def test_the_form_with_a_password_is_the_log_in_whatever_stands_before_it() -> None:
    letter = '<form method="post"><input name="letter" type="email"></form>'
    own = f'<form method="post" action="/in/">{TOKEN}<input name="who"><input type="password" name="word"></form>'

    found = form(SEARCH + letter + own)

    assert (found.name_field, found.password_field, found.action) == ("who", "word", "/in/")
    assert found.hidden == {"csrfmiddlewaretoken": "t"}
    assert not found.asks_for_email


def test_a_posted_form_with_a_name_is_the_first_page_of_two() -> None:
    found = form(f'{SEARCH}<form method="POST">{TOKEN}<input type="email" name="login"></form>')

    assert (found.found, found.name_field, found.password_field) == (True, "login", "")
    assert found.asks_for_email


def test_the_second_page_of_two_asks_for_no_name() -> None:
    found = form(f'{SEARCH}<form method="post">{TOKEN}<input type="password" name="word"></form>')

    assert (found.name_field, found.password_field) == ("", "word")


@pytest.mark.parametrize("html", ["", SEARCH, '<input name="who"><input type="password" name="word">'])
def test_a_page_without_a_form_to_log_in_by_has_none(html: str) -> None:
    assert not form(html).found


def test_a_page_that_asks_once_more_gives_its_token() -> None:
    assert form(f'{SEARCH}<form method="post">{TOKEN}<button>Out</button></form>').hidden == {
        "csrfmiddlewaretoken": "t"
    }


def test_a_form_that_makes_an_account_is_no_log_in() -> None:
    new = '<form method="post"><input name="e"><input type="password" name="a"><input type="password" name="b"></form>'
    own = '<form method="post"><input name="login"><input type="password" name="password"></form>'

    assert form(new + own).name_field == form(own + new).name_field == "login"
    assert form(new).found


def test_what_a_browser_sends_unasked_goes_along() -> None:
    more = (
        '<input type="checkbox" name="remember" checked><input type="checkbox" name="letter">'
        '<input type="radio" name="as" value="guest"><input type="radio" name="as" value="member" checked>'
        '<select name="club"><option value="1">One</option><option value="2" selected>Two</option></select>'
        '<select name="town"><option value="a">A</option><option value="b">B</option></select>'
        '<input type="hidden" name="off" value="1" disabled>'
        '<button name="action" value="enter">In</button><button name="other" value="x">Forgot</button>'
    )

    found = form(f'<form method="post"><input name="who"><input type="password" name="word">{more}</form>')

    assert found.hidden == {
        "remember": "on", "as": "member", "club": "2", "town": "a", "action": "enter"
    }  # fmt: skip


def test_a_form_that_htmx_loads_and_sends_is_read_where_it_comes_from() -> None:
    page = requests.Response()
    page.status_code, page.url = 200, "http://site.test/in/"
    page._content = b'<div hx-get="/form/?next=/x" hx-trigger="load"></div>'
    asked: list[str] = []

    def ask(address: str) -> requests.Response:
        asked.append(address)
        piece = requests.Response()
        piece.status_code, piece.url = 200, address
        piece._content = (
            b'<form data-hx-post="/enter/"><input name="who"><input type="password" name="word"></form>'
        )
        return piece

    found = LoginForm.of(page, ask)

    assert asked == ["http://site.test/form/?next=/x"]
    assert (found.action, found.name_field, found.headers) == ("/enter/", "who", HTMX)
    assert not LoginForm.of(page).found


@pytest.mark.parametrize(
    ("status", "headers", "leads"),
    [
        (302, {"Location": "/"}, True),
        (204, {"HX-Redirect": "/"}, True),
        (200, {"hx-location": "/"}, True),
        (200, {}, False),
        (403, {}, False),
    ],
)
def test_a_log_in_leads_on(status: int, headers: dict[str, str], leads: bool) -> None:
    answer = requests.Response()
    answer.status_code = status
    answer.headers.update(headers)

    assert leads_on(answer) is leads
