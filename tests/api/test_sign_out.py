"""Log-out of the site: who has left is a stranger again."""

from __future__ import annotations

import pytest

from besedka.contract import Contract
from besedka.site import Site
from tests.cases import in_fewest_rooms

pytestmark = pytest.mark.api


@pytest.mark.feature("own_urls")
def test_who_signs_out_is_a_stranger_again(contract: Contract) -> None:
    user, site = in_fewest_rooms(contract), Site.of(contract)
    site.sign_in(user.username, user.secret, email=user.email)

    site.sign_out()

    assert site.left is not None
    assert site.left.status_code < 400, f"the log-out answered {site.left.status_code}"
    page = site.get(contract.site.test_page)
    assert page.is_redirect, f"the chat's page answered {page.status_code} to somebody who has left"
