"""Host names that lead elsewhere than the system says, in any Python program: no /etc/hosts is changed.

Python imports a module of this name at its start where PYTHONPATH holds this folder (docs.python.org,
`site`). BESEDKA_HOSTS holds the names, as `besedka.test=127.0.0.1,chat.besedka.test=127.0.0.1`.
"""

from __future__ import annotations

import os
import socket
from typing import Any

VARIABLE = "BESEDKA_HOSTS"
_of_the_system = socket.getaddrinfo


def led() -> dict[str, str]:
    """Each name with the address that it leads to."""
    pairs = (pair.partition("=") for pair in os.environ.get(VARIABLE, "").split(",") if pair)
    return {name.lower(): address for name, _, address in pairs}


def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    """`socket.getaddrinfo` that knows the names."""
    # Names beyond ASCII are told as `xn--…`; some clients ask for them so, others as they are written.
    name = host.encode("idna") if isinstance(host, str) and not host.isascii() else host
    name = name.decode("ascii") if isinstance(name, bytes) else name
    known = led().get(name.lower()) if isinstance(name, str) else None
    return _of_the_system(known or host, *arguments, **options)


def install() -> None:
    """Let every connection of this process ask for names here first."""
    socket.getaddrinfo = getaddrinfo


if os.environ.get(VARIABLE):
    install()
