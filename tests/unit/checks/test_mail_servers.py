"""Whether the DNS knows a mail server: what is asked, and what each answer means."""

from __future__ import annotations

import struct

import pytest

from besedka.checks import mail_servers


def answered(code: int, answers: int) -> object:
    def answer(question: bytes) -> bytes:
        assert question.endswith(b"\x07example\x03com\x00" + struct.pack(">HH", 15, 1))
        return question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, answers, 0, 0) + question[12:]

    return answer


@pytest.mark.parametrize(
    ("code", "answers", "known"), [(0, 1, True), (0, 0, False), (3, 0, False), (2, 0, None), (5, 0, None)]
)
def test_an_answer_is_read(
    monkeypatch: pytest.MonkeyPatch, code: int, answers: int, known: bool | None
) -> None:
    monkeypatch.setattr(mail_servers, "_answer", answered(code, answers))
    assert mail_servers.known("example.com") is known


def test_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_servers, "_answer", lambda _: None)
    assert mail_servers.known("example.com") is None


def test_the_answer_to_another_question_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        mail_servers, "_answer", lambda asked: bytes([asked[0] ^ 1]) + asked[1:2] + b"\x81\x80" + asked[4:]
    )
    assert mail_servers.known("example.com") is None
