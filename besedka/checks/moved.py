"""Where an answer leads that only sends on: to another machine, or to the same address without its slash."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from besedka import address as addresses


def to_another(location: str, asked: str) -> tuple[str, ...]:
    """What a person does about a gate at another machine with a page of its own; nothing without one.

    A service that has moved keeps its paths.
    """
    target = urljoin(asked, location)
    there, here = urlsplit(target), urlsplit(asked)
    if not location or addresses.host(target) == addresses.host(asked) or there.path == here.path:
        return ()
    return (
        f"It redirects to another machine, {addresses.origin(target)}: a gate that asks for a log-in of its "
        "own (oauth2-proxy, Authelia, Cloudflare Access)? Let it spare this address.",
        "If the service has moved there: write that address into besedka.toml.",
    )


def with_www(location: str, asked: str) -> tuple[str, ...]:
    """What a person does where the same name is asked for with www before it."""
    target = urljoin(asked, location)
    if addresses.host(target) != f"www.{addresses.host(asked)}":
        return ()
    return (
        f"It redirects to {addresses.origin(target)}: set PREPEND_WWW = False at the site, or take that "
        "rule out of the proxy. If www is meant: write that address into besedka.toml.",
    )


def without_slash(location: str, asked: str) -> tuple[str, ...]:
    """What a person does where the slash at the end is taken away, which Django puts back."""
    target, first = urlsplit(urljoin(asked, location)), urlsplit(asked)
    if (target.netloc, f"{target.path}/") != (first.netloc, first.path):
        return ()
    return (
        f"Something redirects to the address without its last slash, and Django puts it back ({first.path}): "
        "take that rule out of the proxy's configuration (rewrite, trailingSlash).",
    )
