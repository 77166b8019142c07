"""The certificates that browsers are told to trust, because the environment's authority vouches for them."""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from besedka import address, http

_SECONDS = 5.0


def trusted_keys(urls: Iterable[str]) -> Iterator[str]:
    """SHA-256 of the public key of each https server that REQUESTS_CA_BUNDLE or SSL_CERT_FILE vouches for.

    Chromium on Linux reads neither, but takes a list of keys. A server whose certificate is expired, for
    another name or of another authority is not listed: the browser then refuses it, as it does for people.
    """
    context = http.authorities()
    for place in sorted({(address.host(url), address.port(url)) for url in urls if _is_https(url)}):
        try:
            with (
                socket.create_connection(place, timeout=_SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=place[0]) as connection,
            ):
                certificate = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
        except (OSError, ValueError):
            continue
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield base64.b64encode(hashlib.sha256(key).digest()).decode()


def _is_https(url: str) -> bool:
    return urlsplit(url).scheme.lower() == "https"
