"""Which Rocket.Chat may be written to: a development stack, or one that somebody names exactly."""

from __future__ import annotations

from besedka import address, hosts
from besedka.contract import Contract
from besedka.provision.errors import ForbiddenTargetError


def check(chat_url: str, contract: Contract, *, confirmed: str | None = None) -> None:
    """Return if `chat_url` may be changed; raise ForbiddenTargetError with the reason otherwise.

    Allowed are loopback, a name that this project has led to it, and the contract's `chat.development_hosts`.
    The host that `confirmed` names letter by letter is allowed, too. A confirmation that names another host
    is refused even where none was needed.
    """
    host = address.host(chat_url)
    if confirmed is not None:
        if confirmed == host:
            return
        raise _refusal(host, f"--yes-this-is names {confirmed!r}, but the target is {host!r}", chat_url)
    if address.is_loopback(host) or hosts.is_led_here(host) or host in contract.chat.development_hosts:
        return
    reason = f"{host!r} is neither loopback nor among chat.development_hosts of the contract"
    raise _refusal(host, reason, chat_url)


def _refusal(host: str, reason: str, chat_url: str) -> ForbiddenTargetError:
    known = "loopback, a host of chat.development_hosts, or --yes-this-is with the exact host"
    return ForbiddenTargetError(
        reason,
        expected=known,
        where=chat_url,
        next_step=f"is this a development stack? Then repeat with --yes-this-is {host}; nothing was changed",
    )
