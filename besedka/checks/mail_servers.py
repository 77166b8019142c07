"""Whether the DNS knows a mail server for a domain."""

from __future__ import annotations

import dns.exception
import dns.resolver

_SECONDS = 1.5


def known(domain: str) -> bool | None:
    """Whether there is an MX record for the domain; None where nobody answers here."""
    try:
        dns.resolver.resolve(domain, "MX", lifetime=_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return False
    except dns.exception.DNSException:
        # No name server, none that answers in time, or a name that cannot be asked for.
        return None
    return True
