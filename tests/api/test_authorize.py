"""`/o/authorize/`: a code for the right question, and for no other."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from besedka.contract import Contract
from besedka.rocketchat import provider
from besedka.site import Site
from tests.api.answer import expect_status
from tests.api.conftest import OAuthFlow
from tests.cases import in_fewest_rooms, scope_of_nobody

pytestmark = pytest.mark.api


def test_a_signed_in_user_gets_a_code_without_a_consent_page(
    contract: Contract, test_user_flow: OAuthFlow
) -> None:
    answer = test_user_flow.authorize(state="abc")

    expect_status(answer, 302)
    location = answer.headers["Location"]
    callback = provider.redirect_uri(contract)
    assert location.startswith(f"{callback}?"), f"sent to {location.partition('?')[0]}, not to {callback}"
    query = parse_qs(urlsplit(location).query)
    assert "error" not in query, f"authorize says {query['error']}: {query.get('error_description')}"
    assert query.get("state") == ["abc"], f"the state came back as {query.get('state')}"
    assert len(query["code"][0]) >= 20, "the code can be guessed"


def test_a_signed_out_visitor_is_sent_to_the_login_and_back(contract: Contract) -> None:
    answer = OAuthFlow(contract, Site.of(contract)).authorize()

    expect_status(answer, 302)
    location = urlsplit(answer.headers["Location"])
    assert Site.of(contract).is_login(location.path), f"sent to {location.path}"
    back = parse_qs(location.query)["next"][0]
    assert back.startswith(contract.site.below(contract.provider.authorize_path)), (
        f"after the log-in the visitor is sent to {back}"
    )


def test_an_unknown_client_is_refused(test_user_flow: OAuthFlow) -> None:
    answer = test_user_flow.authorize(client_id="nobody")

    expect_status(answer, 400)
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://evil.example/_oauth/{name}",
        "{chat}/_oauth/{name}/",
        "{chat}/_oauth/{capital}",
        "{chat}/_oauth-apps/{name}",
        "{other_host}/_oauth/{name}",
        # django-oauth-toolkit below 3 lets a query be added to the registered address.
        pytest.param("{chat}/_oauth/{name}?close", marks=pytest.mark.feature("own_urls")),
    ],
)
def test_a_redirect_uri_must_match_to_the_letter(
    redirect_uri: str, contract: Contract, test_user_flow: OAuthFlow
) -> None:
    chat, name = contract.chat.url, contract.provider.name
    host = urlsplit(chat).hostname or ""
    other_host = chat.replace(host, "localhost" if host == "127.0.0.1" else "127.0.0.1")
    wrong = redirect_uri.format(chat=chat, other_host=other_host, name=name, capital=name.upper())

    answer = test_user_flow.authorize(redirect_uri=wrong)

    expect_status(answer, 400)
    assert "Location" not in answer.headers, "a code or an error was sent to a foreign address"


def test_a_foreign_scope_is_refused_at_the_callback(contract: Contract, test_user_flow: OAuthFlow) -> None:
    answer = test_user_flow.authorize(scope=scope_of_nobody(contract))

    expect_status(answer, 302)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["error"] == ["invalid_scope"]
    assert "code" not in query


def test_a_response_type_other_than_code_is_refused(test_user_flow: OAuthFlow) -> None:
    answer = test_user_flow.authorize(response_type="token")

    query = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    assert answer.status_code in {302, 400}
    assert "code" not in query
    assert "access_token" not in answer.headers.get("Location", "")


def test_a_login_inside_the_flow_needs_its_csrf_token(contract: Contract) -> None:
    path = f"{contract.site.login_path}?next={contract.site.below(contract.provider.authorize_path)}%3Fclient_id%3D"
    user = in_fewest_rooms(contract)

    answer = Site.of(contract).request(
        "POST",
        path + contract.provider.client_id,
        data={"username": user.username, "password": user.secret},
    )

    expect_status(answer, 403)
