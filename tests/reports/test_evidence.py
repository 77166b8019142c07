"""A test that fails in set-up, call or teardown leaves its evidence, and no secret in it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from besedka.checks.report import contract_values
from besedka.contract import Contract
from besedka.report import ctrf
from besedka.report.model import RUN_FILE, Run
from besedka.report.page import show_trace
from besedka.scrub import COOKIE_CHARACTERS
from besedka.stacks.model import Stack
from tests import inner

pytestmark = pytest.mark.reports

SUBJECT = """
import os, secrets
from pathlib import Path
import pytest

@pytest.fixture
def broken_before(chat_test, contract):
    chat_test(contract.users[0]).wait_for_chat()
    raise RuntimeError("set-up breaks")

@pytest.fixture
def broken_after(chat_test, contract):
    yield chat_test(contract.users[0]).wait_for_chat()
    raise RuntimeError("teardown breaks")

def test_setup(broken_before):
    pass

def test_call(visitor, contract):
    from besedka.pages.login import LoginPage
    from besedka.pages.site import ChatTestPage
    for url in (contract.site.url, contract.chat.url):
        visitor.context.add_cookies([{"name": "sessionid", "value": secrets.token_hex(16), "url": url}])
    LoginPage(visitor, contract).open().sign_in_as(contract.users[0])
    ChatTestPage(visitor, contract).open().wait_for_chat()
    live = [cookie["value"] for cookie in visitor.context.cookies()]
    Path(os.environ["LIVE_COOKIES"]).write_text(chr(10).join(live))
    print("Set-Cookie", live)
    assert False, f"the call breaks: {live}"

def test_teardown(broken_after):
    pass

def test_passes(visitor, contract):
    visitor.goto(contract.site.url)

def test_passes_too(visitor, contract):
    visitor.goto(contract.site.url)
"""


def all_texts(folder: Path) -> dict[str, bytes]:
    """Every text of the evidence, archives unpacked."""
    texts = {}
    for path in folder.rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                texts |= {f"{path.name}/{entry}": archive.read(entry) for entry in archive.namelist()}
        elif path.is_file() and path.suffix != ".png":
            texts[str(path)] = path.read_bytes()
    return texts


def test_each_failing_phase_leaves_its_evidence(
    stack: Stack, contract: Contract, subject: Path, tmp_path: Path
) -> None:
    subject.write_text(SUBJECT, "utf-8")

    live, temporary = tmp_path / "live", tmp_path / "temporary"
    temporary.mkdir()

    junit = tmp_path / "junit.xml"

    finished = inner.run(
        str(subject),
        *inner.attached(stack),
        f"--junitxml={junit}",
        more={"TMPDIR": str(temporary), "LIVE_COOKIES": str(live)},
    )

    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "1 failed, 3 passed, 2 errors" in finished.stdout, finished.stdout
    folder = Path(re.search(r"logs and evidence: (.*)", finished.stdout).group(1)) / "evidence"  # type: ignore[union-attr]
    kept = {re.search(r"test_(setup|call|teardown)", path.name).group(1): path for path in folder.iterdir()}  # type: ignore[union-attr]
    assert set(kept) == {"setup", "call", "teardown"}, "a test that passes leaves nothing"
    for path in kept.values():
        assert str(path) in finished.stdout, "the failure does not say where its evidence is"
        assert (path / "screenshot-1-1.png").stat().st_size > 1000
        assert (path / "page-1-1.html").exists()
        with zipfile.ZipFile(path / "trace-1.zip") as trace:
            assert "trace.trace" in trace.namelist()
        entries = json.loads((path / "network-1.har").read_text("utf-8"))["log"]["entries"]
        assert 302 in {entry["response"]["status"] for entry in entries}, "a hop of the chain is missing"
        assert not [
            name for entry in entries if (name := urlsplit(entry["request"]["url"]).path).endswith(".js")
        ]
        assert not any("text" in entry["response"]["content"] for entry in entries)
        assert not any(entry["request"].get("postData") for entry in entries)
        assert "→ connect" in (path / "websocket.txt").read_text("utf-8")
        assert (path / "frames.txt").read_text("utf-8").startswith("page  http")
    chain = (kept["setup"] / "frames.txt").read_text("utf-8")
    assert f"frame {stack.chat_url}/_oauth/{contract.provider.name}?code=***" in chain
    texts = all_texts(folder.parent)
    assert len(texts) >= 15
    assert {"run.json", "index.html", "configuration.json"} <= {Path(name).name for name in texts}
    assert list(temporary.iterdir()) == [], "something stays in the system's folder for temporary files"
    configuration = json.loads((folder.parent / "configuration.json").read_text("utf-8"))
    held = {row["name"]: row for row in configuration["values"]}
    assert list(held) == list(contract_values(contract))
    assert not [row for row in held.values() if not row["agrees"]], "the stack is as the contract has it"
    cookies = live.read_text("utf-8").split("\n")
    assert len(cookies) >= 4, "the sessions of site and chat, and one of another name for each"
    shown = ctrf.document(Run.read(folder.parent / RUN_FILE))
    texts |= {
        "output": (finished.stdout + finished.stderr).encode(),
        "junit": junit.read_bytes(),
        "ctrf": json.dumps(shown).encode(),
    }
    told = [row.get("value") for row in ET.parse(junit).iter("property") if row.get("name") == "evidence"]
    assert sorted(map(str, told)) == sorted(str(path) for path in kept.values())
    assert "PytestWarning" not in finished.stdout
    secrets = {*contract.secrets, *(cookie for cookie in cookies if len(cookie) >= COOKIE_CHARACTERS)}
    leaks = [(name, secret) for name, text in texts.items() for secret in secrets if secret.encode() in text]
    assert leaks == []


def test_a_test_may_close_its_browser_context_itself(stack: Stack, subject: Path) -> None:
    subject.write_text("def test_closes(visitor):\n    visitor.context.close()\n", "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack))

    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_playwrights_options_do_what_they_say(stack: Stack, subject: Path) -> None:
    subject.write_text(
        "def test_opens(visitor):\n    assert visitor.viewport_size['width'] == 390\n", "utf-8"
    )

    finished = inner.run(str(subject), *inner.attached(stack), "--tracing=on", "--device=iPhone 13")

    assert finished.returncode == 0, finished.stdout + finished.stderr
    folder = Path(re.search(r"logs and evidence: (.*)", finished.stdout).group(1)) / "evidence"  # type: ignore[union-attr]
    (kept,) = folder.iterdir()
    with zipfile.ZipFile(kept / "trace-1.zip") as trace:
        assert trace.testzip() is None
    assert "Listening on http" in first_line_of(show_trace(str(kept / "trace-1.zip")))


def first_line_of(command: str) -> str:
    """What a printed command says first; it would go on until somebody ends it."""
    words = [sys.executable, *shlex.split(command)[1:]]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watchdog = threading.Timer(inner.RUN_SECONDS, running.kill)
    watchdog.start()
    try:
        assert running.stdout is not None
        return next((line for line in running.stdout if line.strip()), "")
    finally:
        watchdog.cancel()
        for process in [*psutil.Process(running.pid).children(recursive=True), running]:
            process.kill()
        running.communicate()
