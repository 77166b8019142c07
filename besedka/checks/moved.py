"""Where an answer leads that only sends on: to another machine, or to the same address without its slash."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from besedka import address as addresses


def to_another(location: str, asked: str) -> tuple[str, ...]:
    """What a person does about an address that leads to another machine; nothing where it does not."""
    target = urljoin(asked, location)
    if addresses.host(target) == addresses.host(asked) or not location:
        return ()
    if addresses.host(target) == f"www.{addresses.host(asked)}":
        return (
            f"It redirects to {addresses.origin(target)}: set PREPEND_WWW = False at the site, or take that "
            "rule out of the proxy. If www is meant: write that address into besedka.toml.",
        )
    return (
        f"It redirects to another machine, {addresses.origin(target)}: a gate that asks for a log-in of its "
        "own (oauth2-proxy, Authelia, Cloudflare Access)? Let it spare this address.",
        "If the service has moved there: write that address into besedka.toml.",
    )


def without_slash(location: str, asked: str) -> tuple[str, ...]:
    """What a person does where the slash at the end is taken away, which Django puts back."""
    target, first = urlsplit(urljoin(asked, location)), urlsplit(asked)
    if (target.netloc, f"{target.path}/") != (first.netloc, first.path):
        return ()
    return (
        f"Something takes the slash at the end away, and Django puts it back ({first.path}): take that rule "
        "out of the proxy's configuration (rewrite, trailingSlash).",
    )
