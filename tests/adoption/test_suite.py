"""The e2e suite on a site that is not ours: green by its adapter alone, and red by the row that is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from besedka.contract import OVERLAYS_ENV
from fixtures.features import DOES_NOT_APPLY
from tests import inner
from tests.adoption.foreign import OVERLAY, Foreign

pytestmark = pytest.mark.adoption

# The stack has two cores at most, and the site one process.
WORKERS = ("-n", "2")
# All e2e tests, on a machine that may be at work for others, too.
SUITE_SECONDS = 480.0
NO_STACK = ("--deselect", "tests/e2e/test_switcher.py")


def run(club: Foreign, *words: str, overlay: Path = OVERLAY) -> tuple[int, str]:
    """The status of a run attached to the club, and what it printed."""
    more = {**os.environ, OVERLAYS_ENV: str(overlay)}
    finished = inner.run(*club.options, *words, more=more, seconds=SUITE_SECONDS)
    return finished.returncode, finished.stdout + finished.stderr


def test_the_suite_is_green_by_the_adapter_alone(club: Foreign, tmp_path: Path) -> None:
    record = tmp_path / "record.xml"

    status, said = run(club, "-m", "e2e", "--write", *NO_STACK, *WORKERS, f"--junitxml={record}")

    assert status == 0, said
    cases = list(ElementTree.parse(record).iter("testcase"))
    skipped = [found.get("message", "") for case in cases for found in case.iter("skipped")]
    assert [reason for reason in skipped if not reason.startswith(DOES_NOT_APPLY)] == []
    assert len(cases) - len(skipped) >= 30, "nearly nothing was asked"


def test_a_site_without_an_integrated_page_is_asked_on_its_test_page(club: Foreign, tmp_path: Path) -> None:
    overlay = tmp_path / "one_page.toml"
    text = OVERLAY.read_text("utf-8").replace('integrated_page = "/plausch/raeume/"\n', "")
    overlay.write_text(text.replace("[site.features]", "[site.features]\nintegrated_page = false"), "utf-8")

    asked = ("tests/e2e/test_membership.py", "tests/e2e/test_first_login.py")
    status, said = run(club, *asked, "--write", *WORKERS, overlay=overlay)

    assert status == 0, said
    assert "skipped" not in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("row", "test"),
    [
        ('login_form = "form.anmeldung"', "test_sign_in.py::test_a_visitor_logs_in"),
        ('chat_link = "a.chat"', "test_sign_in.py::test_the_header_leads_to_the_chat"),
        ('switcher = "nav.raeume"', "test_integrated.py::test_each_user_gets_the_buttons"),
        ('state = "data-zustand"', "test_sign_in.py::test_the_chat_stays_signed_in"),
    ],
    ids=lambda value: value.partition(" ")[0],
)
def test_a_selector_that_finds_nothing_is_named(row: str, test: str, club: Foreign, tmp_path: Path) -> None:
    name, overlay = row.partition(" ")[0], tmp_path / "wrong.toml"
    head, _, rest = OVERLAY.read_text("utf-8").partition("[site.selectors]\n")
    rest = "\n".join(line for line in rest.splitlines() if line.partition(" ")[0] != name)
    overlay.write_text(f"{head}[site.selectors]\n{row}\n{rest}", "utf-8")
    file, _, words = test.partition("::")

    status, said = run(club, f"tests/e2e/{file}", "-k", words, "-x", "--no-diagnosis", overlay=overlay)

    assert status == 1, said
    assert f"[site.selectors] {name}" in said
