"""Whether the DNS knows a mail server: what each answer of the resolver means."""

from __future__ import annotations

import dns.exception
import dns.message
import dns.name
import dns.resolver
import pytest

from besedka.checks import mail_servers

_NOTHING = dns.message.make_response(dns.message.make_query("example.com", "MX"))


@pytest.mark.parametrize(
    ("refusal", "known"),
    [
        (None, True),
        (dns.resolver.NXDOMAIN(), False),
        (dns.resolver.NoAnswer(response=_NOTHING), False),
        (dns.resolver.NoNameservers(), None),
        (dns.resolver.NoResolverConfiguration(), None),
        (dns.resolver.LifetimeTimeout(timeout=1.5, errors=[]), None),
        (dns.name.LabelTooLong(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_answer_is_read(
    monkeypatch: pytest.MonkeyPatch, refusal: dns.exception.DNSException | None, known: bool | None
) -> None:
    asked = []

    def resolve(domain: str, kind: str, *, lifetime: float) -> None:
        asked.append((domain, kind, lifetime < 2))
        if refusal is not None:
            raise refusal

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    assert mail_servers.known("example.com") is known
    assert asked == [("example.com", "MX", True)]
