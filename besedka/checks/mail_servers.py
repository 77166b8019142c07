"""Whether the DNS knows a mail server for a domain, asked as any resolver does (RFC 1035)."""

from __future__ import annotations

import secrets
import socket
import struct
from contextlib import suppress
from pathlib import Path

_RESOLVERS = Path("/etc/resolv.conf")
_SECONDS = 1.5
_PORT, _LARGEST = 53, 4096
_MX, _INTERNET, _RECURSIVELY = 15, 1, 0x0100
_NO_SUCH_NAME = 3
_HEADER = struct.Struct(">HHHHHH")


def known(domain: str) -> bool | None:
    """Whether there is an MX record for the domain; None where nobody answers here."""
    own_id = secrets.randbelow(1 << 16)
    try:
        name = b"".join(bytes([len(part)]) + part for part in domain.encode("idna").split(b".") if part)
    except UnicodeError:
        return False
    question = _HEADER.pack(own_id, _RECURSIVELY, 1, 0, 0, 0) + name + struct.pack(">xHH", _MX, _INTERNET)
    told = _answer(question)
    if told is None or len(told) < _HEADER.size:
        return None
    header: tuple[int, ...] = _HEADER.unpack(told[: _HEADER.size])
    back, code, answers = header[0], header[1] & 0xF, header[3]
    if back != own_id or code not in {0, _NO_SUCH_NAME}:
        return None
    return code == 0 and answers > 0


def _answer(question: bytes) -> bytes | None:
    """What the first name server of this machine answers."""
    with suppress(OSError):
        lines = map(str.split, _RESOLVERS.read_text(encoding="utf-8", errors="replace").splitlines())
        server = next((words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1), "")
        if not server:
            return None
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.settimeout(_SECONDS)
            asked.sendto(question, (server, _PORT))
            return asked.recv(_LARGEST)
    return None
