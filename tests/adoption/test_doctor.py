"""Doctor and provisioning on a site that is not ours: everything asked, the right order, each wrong row named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from besedka import contract as contracts
from besedka import provision
from besedka.checks import explain
from besedka.checks.finding import Status
from besedka.checks.report import Report
from besedka.checks.run import examine
from tests.adoption.foreign import OVERLAY, Foreign

pytestmark = pytest.mark.adoption

ADAPTER_LINES = 25


def examined(stack: Foreign, *, write: bool = False, wrong: Path | None = None) -> Report:
    """What doctor says; with `wrong`, by an adapter that this overlay has changed."""
    contract = contracts.load(overlays=[OVERLAY, wrong]) if wrong else stack.contract
    target = replace(stack, contract=stack.target.moved(contract)).target
    return examine(replace(target, may_write=write), contract)


def test_the_adapter_is_short() -> None:
    text = OVERLAY.read_text("utf-8")
    own = text[text.index("[site.adapter]") : text.index("[chat.admin]")]

    assert len([line for line in own.splitlines() if line]) <= ADAPTER_LINES


@pytest.mark.parametrize("write", [False, True], ids=["reading", "writing"])
def test_the_whole_chain_is_asked_and_nothing_is_wrong(club: Foreign, write: bool) -> None:
    report = examined(club, write=write)

    assert [f"{found.code}: {found.seen}" for found in report.findings] == []
    sso = {row.check: row.status for row in report.results if row.layer == "sso"}
    assert {name: status for name, status in sso.items() if status is not Status.OK} == {}
    assert len(sso) >= 14
    assert report.leftovers == ()


def test_provisioning_changes_nothing_the_second_time(club: Foreign) -> None:
    plan = provision.planned(club.target, club.contract)

    assert [action.text() for action in plan.actions] == []
    assert [notice.text for notice in plan.notices] == []


def test_what_is_wrong_with_the_site_as_found_comes_in_the_order_of_the_chain(unmended: Foreign) -> None:
    report = examined(unmended)

    wanted = ["sso.token.pkce", "sso.identity.rejected", "sso.foreign_redirect.open", "sso.commands.none"]
    assert list(dict.fromkeys(found.code for found in report.findings)) == wanted
    pkce = report.findings[0]
    assert "Code verifier required" in pkce.seen
    assert 'OAUTH2_PROVIDER["PKCE_REQUIRED"] = False' in pkce.advice[0]


@pytest.mark.parametrize(
    ("table", "row", "code"),
    [
        ("site.adapter", 'manage = "no-such-program"', "sso.user.unanswered"),
        ("site.adapter", "manage = \"python3 -c 'raise SystemExit(3)'\"", "sso.user.unanswered"),
        ("site.adapter", 'status_path = "/nicht/da/"', "services.site.not_json"),
        ("site.adapter", 'session_cookie = "sitzung"', "sso.user.unanswered"),
        ("site.adapter", 'csrf_cookie = "marke"', "sso.user.unanswered"),
        ("site.adapter.columns", 'username = "spitzname"', "services.site_database.unanswered"),
        ("site.adapter.columns", 'full_name = ["vorname", "nachname"]', "services.site_database.unanswered"),
        ("site.adapter.columns", 'role = "amt"', "services.site_database.unanswered"),
        ("site.adapter.tables", 'application = "verein_app"', "application.exists.unanswered"),
        ("site.adapter.columns", 'id = "kennung"', "services.site_database.unanswered"),
        ("site.adapter.columns", 'email = "post"', "services.site_database.unanswered"),
        ("site.adapter.columns", 'password = "kennwort"', "services.site_database.unanswered"),
        ("site.adapter.columns", 'is_active = "aktiv"', "services.site_database.unanswered"),
        ("site.adapter.tables", 'grant = "verein_grant"', "services.site_database.unanswered"),
        ("site.adapter.tables", 'access_token = "verein_token"', "application.codes.unanswered"),
        ("site.adapter.tables", 'user = "verein_leute"', "services.site_database.unanswered"),
        ("provider", 'identity_path = "/nicht/da/"', "site.identity.status"),
        ("provider", 'token_path = "/nicht/da/"', "site.token_endpoint.status"),
        ("site.selectors", 'frame = "iframe#fenster"', "sso.test_page.frame_id"),
    ],
    ids=lambda value: value.partition(" ")[0],
)
def test_a_row_that_points_nowhere_is_named(
    table: str, row: str, code: str, club: Foreign, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    # Of two overlays the second may not contradict the first: it is the first one with the row replaced.
    name = row.partition(" ")[0]
    wrong.write_text(_replaced(OVERLAY.read_text("utf-8"), table, name, row), "utf-8")

    contract = contracts.load(overlays=[wrong])
    report = examine(
        replace(replace(club, contract=club.target.moved(contract)).target, may_write=True), contract
    )

    cause = report.findings[0]
    assert cause.code == code, [f"{found.code}: {found.seen}" for found in report.findings]
    told = f"{cause.seen} {cause.where.place} {' '.join(cause.advice)}"
    assert f"[{table}] {name}" in told


def test_a_log_out_that_points_nowhere_is_named_where_it_left_a_session(
    club: Foreign, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    text = OVERLAY.read_text("utf-8")
    wrong.write_text(_replaced(text, "site.adapter", "logout_path", 'logout_path = "/nicht/da/"'), "utf-8")

    report = _by(club, wrong)

    assert report.findings == ()
    assert any("[site.adapter] logout_path /nicht/da/ did not end" in trace for trace in report.traces)


def test_a_session_path_that_points_nowhere_is_named(club: Foreign, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    text = OVERLAY.read_text("utf-8").replace("session_endpoint = false\n", "")
    row = 'session_path = "/nicht/da/"'
    wrong.write_text(_replaced(text, "site.adapter", "session_path", row), "utf-8")

    report = _by(club, wrong)

    (point,) = [one for one in explain.points(report, club.target) if "session_path" in one.do]
    assert (point.mark, point.seen) == (explain.Mark.LACKS, "404 to a stranger, not 401")
    assert point.do.startswith("correct [site.adapter] session_path")


def _by(club: Foreign, overlay: Path) -> Report:
    """What doctor says by that overlay in place of the right one."""
    contract = club.target.moved(contracts.load(overlays=[overlay]))
    return examine(replace(club, contract=contract).target, contract)


def _replaced(text: str, table: str, name: str, row: str) -> str:
    """The overlay with one row of a table changed, whether the table is written in one line or not."""
    whole, _, inner = table.rpartition(".")
    if whole == "site.adapter":
        head, _, rest = text.partition(f"\n{inner} = {{")
        body, _, tail = rest.partition("}")
        kept = ", ".join(one.strip() for one in body.split(", ") if one.strip().partition(" ")[0] != name)
        return f"{head}\n{inner} = {{ {', '.join(one for one in (kept, row) if one)} }}{tail}"
    head, _, rest = text.partition(f"[{table}]\n")
    body, separator, tail = rest.partition("\n\n")
    kept = "\n".join(line for line in body.splitlines() if line.partition(" ")[0] != name)
    return f"{head}[{table}]\n{kept}\n{row}{separator}{tail}"
