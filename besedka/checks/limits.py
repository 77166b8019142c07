"""Rocket.Chat's limit of log-ins, which a second doctor within a minute meets: it says how long it lasts."""

from __future__ import annotations

import sys
import threading

from besedka.contract import Contract
from besedka.rocketchat.rest import RocketChat, RocketChatError
from besedka.translation import spoken


def signed_in(contract: Contract, timeout: float) -> RocketChat:
    """Rocket.Chat as the contract's administrator; a limit that names its end within a minute is waited for.

    Nearly every other check needs the administrator: without the wait a hundred would not be asked.
    """
    admin, url = contract.chat.admin, contract.chat.url
    try:
        return RocketChat.sign_in(url, admin.username, admin.secret, timeout=timeout, patient=True)
    except RocketChatError as error:
        seconds = error.short_wait
        if seconds is None:
            raise
        told = f"Rocket.Chat takes no more log-ins from here for {seconds:.0f} s: doctor waits"
        sys.stderr.write(f"{spoken(told)}\n")
        wait(seconds)
    return RocketChat.sign_in(url, admin.username, admin.secret, timeout=timeout, patient=True)


def wait(seconds: float) -> None:
    """Let that time pass."""
    threading.Event().wait(seconds)
