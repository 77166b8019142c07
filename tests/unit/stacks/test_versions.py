"""The table of supported versions, and what the nightly makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

import pytest

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.restart.upgrade import mongo_steps
from besedka.stacks import versions
from besedka.stacks.docker.engine_errors import ImageVersionError
from besedka.values import LINES


def test_each_line_has_a_release_of_its_own() -> None:
    assert [versions.pair(row.release) for row in versions.PAIRS] == list(versions.PAIRS)


def test_an_upgrade_goes_one_line_on_and_takes_a_mongodb_of_both() -> None:
    for old, new in versions.upgrades():
        rows = versions.PAIRS
        assert rows.index(versions.pair(new)) == rows.index(versions.pair(old)) + 1
        # The data of the old server's MongoDB is opened by the next one.
        assert versions.pair(old).mongo_image.partition(":")[2][0] < versions.pair(new).mongo_image[6]


def test_the_nightly_reads_the_matrix_from_the_table() -> None:
    command = [sys.executable, "-m", "besedka.stacks.versions"]
    printed = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout

    told = {
        name: json.loads(rows) for name, _, rows in (line.partition("=") for line in printed.splitlines())
    }
    assert told["list"] == [row.release for row in versions.PAIRS]
    assert [(step["from"], step["to"]) for step in told["upgrades"]] == versions.upgrades()
    workflow = (PROJECT_ROOT / ".github" / "workflows" / "nightly.yml").read_text("utf-8")
    typed = [release for release in told["list"] if f'"{release}"' in workflow]
    assert typed == []


def test_the_contracts_version_is_among_the_lines() -> None:
    version = contracts.load().chat.version
    assert version is None or versions.pair(version) in versions.PAIRS


def test_what_needs_no_custom_oauth_has_one_line_more() -> None:
    release = LINES["9.x"]
    assert versions.pair(release, "iframe-auth") is versions.WITHOUT_CUSTOM_OAUTH
    assert versions.WITHOUT_CUSTOM_OAUTH.release == release
    told = contracts.load()
    by_iframe = told.model_copy(update={"chat": told.chat.model_copy(update={"sso": "iframe-auth"})})
    assert versions.of_contract(by_iframe, "9.x").chat.version == release
    with pytest.raises(ImageVersionError, match="is not supported") as refused:
        versions.of_contract(told, "9.x")
    assert "iframe-auth" in str(refused.value)


def test_a_way_passes_every_line_and_never_back() -> None:
    first, middle, last = (row.release for row in versions.PAIRS)
    assert versions.path(first, last) == [first, middle, last]
    assert versions.path(first, middle) == [first, middle]
    for wrong in ((last, first), (first, first)):
        with pytest.raises(ImageVersionError, match="is not after"):
            versions.path(*wrong)


def test_mongodb_goes_series_by_series() -> None:
    first, middle, last = (row.release for row in versions.PAIRS)
    assert mongo_steps("6.0.16", middle) == ["6.0", "7.0"]
    assert mongo_steps("6.0.16", last) == ["6.0", "7.0", "8.0"]
    assert mongo_steps("7.0.14", middle) == ["7.0"]
    assert mongo_steps("7.0.14", first) == ["7.0"], "a MongoDB that is later stays"


def test_each_line_names_its_source() -> None:
    table = tomllib.loads((PROJECT_ROOT / "besedka" / "stacks" / "versions.toml").read_text("utf-8"))
    rows = [*table["line"], table["end"]]
    assert [row["release"] for row in rows if not row["source"]] == []
    assert {f"{row['since'][0]}.x": row["release"] for row in rows} == LINES
