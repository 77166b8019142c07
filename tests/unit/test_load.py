"""`besedka load`: what is made of Locust's tables, and which hosts are refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from besedka import contract as contracts
from besedka import language
from besedka.load import run
from besedka.provision.errors import ForbiddenTargetError

CONTRACT = contracts.load(overlays=())
STATS = """Type,Name,Request Count,Failure Count,50%,95%,99%
hop,7 socket,3,1,20,40.0,50
hop,1 site log-in,4,0,10,30,35
,Aggregated,7,1,15,40,50
"""
FAILURES = """Method,Name,Error,Occurrences
hop,7 socket,RuntimeError('<timed out>'),1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "load_stats.csv").write_text(STATS, "utf-8")
    (tmp_path / "load_failures.csv").write_text(FAILURES, "utf-8")
    return tmp_path


def test_each_hop_has_its_percentiles_and_each_cause_its_number(folder: Path) -> None:
    came = run.outcome(4, folder)

    assert [hop.name for hop in came.hops] == ["1 site log-in", "7 socket"]
    assert came.hops[1].milliseconds == {"50%": 20, "95%": 40, "99%": 50}
    assert came.errors == (("7 socket", "RuntimeError('<timed out>')", 1),)
    assert came.signed_in == 2


@pytest.mark.parametrize(("lang", "words"), [("en", "2 of 4 signed in"), ("ru", "вошли 2 из 4")])
def test_the_page_speaks_the_language_of_the_run(
    folder: Path, lang: language.Language, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "_spoken", [lang])

    page = run.outcome(4, folder).page()

    assert words in page.lower() or words in page
    assert "&lt;timed out&gt;" in page
    assert f'<html lang="{lang}">' in page


def test_a_run_without_a_table_has_no_hop(tmp_path: Path) -> None:
    assert run.outcome(4, tmp_path) == run.Load(4, (), ())


@pytest.mark.parametrize("which", ["site_url", "chat_url"])
def test_a_host_that_is_no_development_host_is_refused(which: str) -> None:
    urls = {"site_url": CONTRACT.site.url, "chat_url": CONTRACT.chat.url} | {
        which: "https://chat.example.org"
    }

    with pytest.raises(ForbiddenTargetError, match=r"chat\.example\.org"):
        run.check(CONTRACT.at(**urls))


def test_locust_finds_the_people_in_the_file() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(run.LOCUSTFILE), "--list"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "Person" in listed.stdout + listed.stderr


def test_a_quarter_of_the_time_is_for_arriving(tmp_path: Path) -> None:
    options = run.headless(200, 5, tmp_path)

    assert {"--users=200", "--run-time=300s", "--spawn-rate=2.7"} < set(options)
