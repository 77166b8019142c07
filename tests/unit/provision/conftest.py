from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from besedka import contract as contracts
from besedka import provision
from besedka.contract import Contract
from besedka.provision import Options, Outcome, Undoing, run, service, session
from besedka.provision.action import Plan
from besedka.target import Target
from tests.unit.provision.fake import FakeChat
from tests.unit.provision.web import serving


@dataclass
class Desk:
    """Provisioning of the fake: each call is one run of the command, with a log-in of its own."""

    chat: FakeChat
    contract: Contract
    folder: Path

    def plan(self, **options: Any) -> Plan:
        session._tokens.clear()
        return provision.planned(Target.of(self.contract), self.contract, options=Options(**options))

    def bring(self, *, mongo_url: str | None = None, lasting: bool = False, **options: Any) -> Outcome:
        session._tokens.clear()
        return provision.bring(
            Target.of(self.contract, mongo_url=mongo_url),
            self.contract,
            journal_folder=self.folder,
            options=Options(**({"patience": 0.0} | options)),
            lasting=lasting,
        )

    def undo(self, *, dry: bool = False, **options: Any) -> Undoing:
        session._tokens.clear()
        return provision.undo(
            Target.of(self.contract),
            self.contract,
            journal_folder=self.folder,
            options=Options(**options),
            dry=dry,
        )

    def journal_text(self) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.jsonl")))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Provisioning, with a fake Rocket.Chat as it is after its first boot."""
    monkeypatch.setattr(run, "SETTLE_SECONDS", 0.1)
    monkeypatch.setattr(service, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(service, "LIVE_SECONDS", 0.2)
    plain = contracts.load()
    chat = FakeChat(plain)
    with serving(chat.answer) as url:
        chat.contract = plain.at(site_url=plain.site.url, chat_url=url)
        yield Desk(chat, chat.contract, tmp_path / "journal")
