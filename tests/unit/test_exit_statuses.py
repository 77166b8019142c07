"""An exit status names one cause, and the page tells every one of them."""

from __future__ import annotations

from collections import Counter

from besedka import exit_statuses
from besedka.contract import PROJECT_ROOT
from docs import exit_statuses_page


def test_no_two_errors_share_an_exit_status() -> None:
    rows = exit_statuses.known()
    shared = {status for status, count in Counter(row.status for row in rows).items() if count > 1}

    assert [row for row in rows if row.status in shared] == []
    assert len(rows) > 30
    assert all(row.status >= 10 for row in rows), "statuses below 10 are pytest's and doctor's"


def test_every_status_says_what_it_means() -> None:
    assert [row for row in exit_statuses.known() if not row.meaning] == []


def test_the_page_is_up_to_date() -> None:
    page = (PROJECT_ROOT / "docs" / "exit-statuses.md").read_text("utf-8")
    assert page == exit_statuses_page.text(), "run: python -m docs.exit_statuses_page > docs/exit-statuses.md"
