"""A bundle of Rocket.Chat is checked before anything starts, then told what the containers' one is told."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from besedka import contract as contracts
from besedka.errors import StackStartError
from besedka.stacks import embedded, environment, run_folders
from besedka.stacks.services import bundle, mongod, options
from tests import inner
from tests.unit.stacks import made_up

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="the made-up programs are scripts")

CONTRACT = contracts.load()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return made_up.bundle(tmp_path / "bundle")


def wanted(folder: Path, mongod_said: str = "db version v7.0.14") -> options.ServiceOptions:
    program = made_up.mongod(folder.parent / "mongo", said=mongod_said)
    return options.ServiceOptions(str(program), "none", "none", str(folder), made_up.node()[0])


def found(folder: Path) -> options.Programs:
    return options.find(wanted(folder), CONTRACT, say=print)


def test_a_stack_runs_the_bundle_and_says_what_it_is(good: Path) -> None:
    said: list[str] = []

    with embedded.running(CONTRACT, programs=found(good), say=said.append) as running:
        stack = running.stack
        told = json.loads((good / "told.json").read_text("utf-8"))
        wanted = environment.chat(
            running.contract,
            mongo_url=running.mongo_url,
            oplog_url=mongod.url(running.ports["mongo"], "local"),
            port=running.ports["chat"],
        )
        family = inner.processes_of(running.folder)
        names = {process.name() for process in family}

    assert stack is not None
    rows = {row.name: (row.version, row.nature) for row in stack.services}
    assert rows == {
        "site": ("1.0.0", "real"),
        # Its `main.js` hands over to the stand-in: a bundle is not called real for being one.
        "rocketchat": ("7.7.1", "stand-in"),
        # A program of that name which is the stand-in is not called real for its name.
        "mongo": ("7.0.0", "stand-in"),
    }
    assert told["cwd"] == str(good)
    assert wanted.items() <= told["environment"].items(), "told as the containers' one is"
    assert told["environment"]["BIND_IP"] == "127.0.0.1"
    assert any("rocketchat" in line and "ready after" in line for line in said)
    assert any(name.startswith("node") for name in names), names
    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def test_the_folder_above_the_bundle_does_too(good: Path) -> None:
    assert bundle.find(str(good.parent), made_up.node()[0]).folder == good


def test_a_bundle_that_does_not_say_its_version_is_asked(tmp_path: Path) -> None:
    unknown = made_up.bundle(tmp_path / "bundle", version=None)
    assert bundle.find(str(unknown), made_up.node()[0]).version is None

    with embedded.running(CONTRACT, programs=found(unknown)) as running:
        assert running.stack is not None
        assert running.stack.service("rocketchat").version == "7.7"


def test_the_contract_follows_the_bundle(tmp_path: Path) -> None:
    older = made_up.bundle(tmp_path / "bundle", version="6.4.8")

    assert bundle.find(str(older), made_up.node()[0]).contract(CONTRACT).chat.version == "6.4.8"


def _star(folder: Path, text: str) -> None:
    (folder / "star.json").write_text(text, encoding="utf-8")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no-folder": (lambda folder: folder.rename(folder.with_name("elsewhere")), "there is no such folder"),
    "sources": (lambda folder: (folder / "apps/meteor").mkdir(parents=True), "sources, not a bundle"),
    "half-unpacked": (
        lambda folder: shutil.rmtree(folder / "programs/web.browser"),
        "lacks programs/web.browser/program.json",
    ),
    "not-installed": (
        lambda folder: (folder / "programs/server/node_modules").rmdir(),
        "packages are not installed",
    ),
    "torn-star": (lambda folder: _star(folder, '{"nodeVersion": '), "star.json cannot be read"),
    "list-star": (lambda folder: _star(folder, "[]"), "star.json cannot be read"),
    "node-unknown": (
        lambda folder: (_star(folder, "{}"), (folder / ".node_version.txt").unlink()),
        "neither star.json nor .node_version.txt",
    ),
    "other-node": (
        lambda folder: _star(folder, '{"nodeVersion": "14.21.3"}'),
        "under any other major version",
    ),
    "nine": (
        lambda folder: (folder / bundle._APP).write_text(made_up.APP.format(version="9.0.0"), "utf-8"),
        "9.0.0 is not supported",
    ),
    "candidate": (
        lambda folder: (folder / bundle._APP).write_text(made_up.APP.format(version="7.8.0-rc.1"), "utf-8"),
        "'7.8.0-rc.1' is no complete version",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_would_keep_it_from_starting_is_said_before_anything_starts(name: str, good: Path) -> None:
    spoil, expected = BAD[name]
    spoil(good)

    with pytest.raises(StackStartError) as error:
        bundle.find(str(good), made_up.node()[0])

    assert expected in error.value.found
    assert error.value.expected
    assert str(good) in error.value.where
    assert error.value.next_step


def test_an_archive_is_not_unpacked_for_the_user(tmp_path: Path) -> None:
    archive = tmp_path / "rocket.chat-7.7.1.tgz"
    archive.touch()

    with pytest.raises(StackStartError) as error:
        bundle.find(str(archive))

    assert "tar -xzf rocket.chat-7.7.1.tgz" in error.value.next_step


def test_the_fallback_for_the_nodes_version_is_the_text_file(good: Path) -> None:
    _star(good, "{}")

    assert bundle.find(str(good), made_up.node()[0]).node == made_up.node()[0]


@pytest.mark.parametrize(
    ("named", "expected"),
    [("/no/such/node", "not an executable file"), ("/bin/false", "ended with status 1")],
)
def test_a_named_node_that_is_none(named: str, expected: str, good: Path) -> None:
    with pytest.raises(StackStartError, match=expected):
        bundle.find(str(good), named)


def test_no_node_at_all(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(good))

    with pytest.raises(StackStartError, match="and there is none"):
        bundle.find(str(good))


def test_the_stand_in_for_mongodb_cannot_serve_it(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(good))

    with pytest.raises(StackStartError, match="needs a real MongoDB, and none was found"):
        options.find(
            options.ServiceOptions(None, "none", "none", str(good), made_up.node()[0]), CONTRACT, say=print
        )


@pytest.mark.parametrize(
    ("said", "expected"),
    [("db version v4.2.24", "MongoDB 4.2.24 does not go with Rocket.Chat 7.7.1"), ("hello", "said 'hello'")],
)
def test_a_mongod_that_does_not_go_with_it(said: str, expected: str, good: Path) -> None:
    with pytest.raises(StackStartError, match=expected):
        options.find(wanted(good, said), CONTRACT, say=print)


@pytest.mark.parametrize(
    ("before", "budget", "expected"),
    [
        (
            "console.log('SERVER ERROR'); process.exit(1);",
            "60",
            "rocketchat ended with status 1 while starting",
        ),
        (
            "setInterval(() => {}, 1000); return;",
            "1.5",
            "was not ready after 2 s: Rocket.Chat did not answer",
        ),
        (
            "require('http').createServer((_, answer) => answer.setHeader('Content-Type', 'text/html')"
            ".end('<!DOCTYPE html>')).listen(process.env.PORT, '127.0.0.1'); return;",
            "3",
            "was not ready after 3 s: GET /api/info answered 200 with text/html instead of JSON",
        ),
        (
            "require('http').createServer(() => {}).listen(process.env.PORT, '127.0.0.1'); return;",
            "3",
            "was not ready after 3 s: Rocket.Chat did not answer: it took the connection and said nothing",
        ),
    ],
    ids=["dies", "hangs", "html-to-everything", "never-answers"],
)
def test_a_boot_that_fails_is_infrastructure(
    before: str, budget: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BESEDKA_START_BUDGET", budget)
    folder = run_folders.new()
    failing = made_up.bundle(tmp_path / "bundle", before=before)

    with (
        pytest.raises(StackStartError, match=expected),
        embedded.running(CONTRACT, folder=folder, programs=found(failing)),
    ):
        pass

    assert inner.processes_of(folder) == []


def test_another_version_than_it_said(tmp_path: Path) -> None:
    lying = made_up.bundle(tmp_path / "bundle", version="7.5.0")

    with (
        pytest.raises(StackStartError, match=r"says that it is 7\.7"),
        embedded.running(CONTRACT, programs=found(lying)),
    ):
        pass


def test_a_boot_is_given_up_when_the_site_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BESEDKA_START_BUDGET", "20")
    endless = made_up.bundle(tmp_path / "bundle", before="setInterval(() => {}, 1000); return;")
    dying = tmp_path / "redis-server"
    dying.write_text("#!/bin/sh\necho 'out of memory'; exit 1\n", encoding="utf-8")
    dying.chmod(0o755)

    with (
        pytest.raises(StackStartError, match="redis ended with status 1 while starting"),
        embedded.running(CONTRACT, programs=replace(found(endless), redis=str(dying))),
    ):
        pass


def test_a_boot_is_given_up_when_the_run_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESEDKA_START_BUDGET", "20")
    given_up = threading.Event()
    given_up.set()
    endless = made_up.bundle(tmp_path / "bundle", before="setInterval(() => {}, 1000); return;")

    with (
        pytest.raises(StackStartError, match="the start was given up"),
        embedded.running(CONTRACT, programs=found(endless), cancelled=given_up),
    ):
        pass


def test_a_client_alone_is_no_bundle_and_is_told_where_it_goes(tmp_path: Path) -> None:
    whole = made_up.bundle(tmp_path / "whole")
    for folder in (whole / "programs/web.browser", tmp_path / "only"):
        if not folder.exists():
            shutil.copytree(whole / "programs/web.browser", folder / "programs/web.browser")
        with pytest.raises(
            StackStartError, match=r"(?s)the web client alone.*--chat-client serves"
        ) as caught:
            bundle.find(str(folder), made_up.node()[0])
        assert str(folder) in str(caught.value)


def test_a_server_and_a_client_of_two_versions(tmp_path: Path) -> None:
    folder = made_up.bundle(tmp_path / "bundle", version="6.13.0")
    script = folder / "programs/web.browser/abc.js"
    script.write_text('e.exports.Info={"version":"6.13.0","build":1}', encoding="utf-8")
    assert bundle.find(str(folder), made_up.node()[0]).version == "6.13.0"

    script.write_text('e.exports.Info={version:"6.5.3",build:1}', encoding="utf-8")
    with pytest.raises(StackStartError, match=r"its server is 6\.13\.0, its web client 6\.5\.3"):
        bundle.find(str(folder), made_up.node()[0])


def test_the_client_says_it_where_the_server_does_not(tmp_path: Path) -> None:
    """Where app.js is written otherwise than by Meteor 2 and 3; the client is of the same build."""
    folder = made_up.bundle(tmp_path / "bundle", version=None)
    script = folder / "programs/web.browser/abc.js"
    script.write_text('e.exports.Info={version:"6.5.3",build:1}', encoding="utf-8")
    assert bundle.find(str(folder), made_up.node()[0]).contract(CONTRACT).chat.version == "6.5.3"

    script.write_text('e.exports.Info={version:"5.4.10",build:1}', encoding="utf-8")
    with pytest.raises(StackStartError, match=r"5\.4\.10"):
        bundle.find(str(folder), made_up.node()[0])
