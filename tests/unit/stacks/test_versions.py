"""The table of supported versions, and what the nightly makes of it."""

from __future__ import annotations

import json
import subprocess
import sys

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.stacks import versions


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
