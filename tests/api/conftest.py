"""The OAuth flow by hand: what the tests of single endpoints start from."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from besedka.contract import Contract, User
from besedka.rocketchat import provider
from besedka.site import Site
from fixtures.users import SiteSession
from tests.api.answer import expect_status
from tests.cases import in_fewest_rooms


@dataclass(frozen=True)
class OAuthFlow:
    """One signed-in visitor's walk through the provider, with every parameter open to be wrong."""

    contract: Contract
    site: Site

    def code(self, **wrong: str) -> str:
        """A fresh authorization code."""
        answer = self.authorize(**wrong)
        expect_status(answer, 302)
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert "code" in query, answer.headers["Location"]
        return query["code"][0]

    def authorize(self, **wrong: str):  # type: ignore[no-untyped-def]
        """The authorization request, with `wrong` in place of the right parameters."""
        right = {
            "client_id": self.contract.provider.client_id,
            "redirect_uri": provider.redirect_uri(self.contract),
            "scope": self.contract.provider.scope,
            "state": secrets.token_urlsafe(8),
        }
        return self.site.authorize(**(right | wrong))  # type: ignore[arg-type]

    def exchange(self, code: str, **wrong: str):  # type: ignore[no-untyped-def]
        """The code exchange, with `wrong` in place of the right parameters."""
        right = {
            "redirect_uri": provider.redirect_uri(self.contract),
            "client_id": self.contract.provider.client_id,
            "client_secret": self.contract.provider.secret,
        }
        return self.site.token(code, **(right | wrong))  # type: ignore[arg-type]

    def token(self) -> str:
        """A fresh access token."""
        answer = self.exchange(self.code())
        expect_status(answer, 200)
        return str(answer.json()["access_token"])


@pytest.fixture
def flow(contract: Contract, sign_in: Callable[[User], SiteSession]) -> Callable[[User], OAuthFlow]:
    """The walk of one user."""

    def begin(user: User) -> OAuthFlow:
        return OAuthFlow(contract, sign_in(user).site)

    return begin


@pytest.fixture
def test_user_flow(contract: Contract, flow: Callable[[User], OAuthFlow]) -> OAuthFlow:
    """The walk of `test_user`."""
    return flow(in_fewest_rooms(contract))
