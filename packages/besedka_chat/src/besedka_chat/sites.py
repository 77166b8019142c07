"""When two addresses are one site to a browser, so that cookies pass between page and frame."""

from __future__ import annotations

from urllib.parse import urlsplit


def same_site(one: str, other: str) -> bool:
    """Whether both have one scheme and one domain; the port does not matter.

    The domain is the last two labels: shorter than the truth for names such as `example.co.uk`, so too
    lenient there. An address is its own.
    """
    return _site(one) == _site(other)


def _site(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    numeric = host.replace(".", "").isdecimal() or ":" in host
    return parts.scheme, host if numeric else ".".join(host.split(".")[-2:])
