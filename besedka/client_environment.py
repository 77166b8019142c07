"""What programs read from the environment before they ask anything: proxies, and certificates to trust.

Apart from `besedka.http`, because `requests` takes a tenth of a second to import.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from besedka import hosts

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# requests and Node.js read the address range, httpx and Go the names.
_LOOPBACK = ("127.0.0.1", "localhost", "::1", "127.0.0.0/8", ".localhost")


def trust(authority: str) -> None:
    """Let every client of this process, and of those it starts, trust what that file of certificates does."""
    os.environ.update(dict.fromkeys(BUNDLES, authority))


def forget_postgres(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take away what libpq would add to the address of a stack's own database, as PGSSLMODE and PGOPTIONS do.

    An attached database keeps them: its address may count on PGPASSWORD or PGSSLROOTCERT.
    """
    for name in [name for name in environment if name.startswith("PG") and name.isupper()]:
        del environment[name]


@contextmanager
def trusted(*authorities_of: str) -> Iterator[None]:
    """Within the block these files of certificates are trusted, and no other of the environment's."""
    before = {name: os.environ.pop(name, None) for name in BUNDLES}
    for authority in authorities_of:
        trust(authority)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def bypass_proxies(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let this process and all that it starts reach loopback without a proxy, whatever HTTP_PROXY says."""
    hosts.heed()
    for name in ("no_proxy", "NO_PROXY"):
        listed = [entry for entry in environment.get(name, "").split(",") if entry]
        if listed != ["*"]:
            environment[name] = ",".join(dict.fromkeys([*listed, *_LOOPBACK, *hosts.led()]))
