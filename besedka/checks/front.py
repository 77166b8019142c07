"""What stands before site and chat, a reverse proxy as a rule: what it lets through, and by what name."""

from __future__ import annotations

import math
import socket
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

import requests
from cryptography import x509
from websockets.exceptions import ConnectionClosed

from besedka import address as addresses
from besedka import http
from besedka.checks.check import Check, check
from besedka.checks.examination import TIMEOUT_SECONDS, Examination
from besedka.checks.finding import Answer, Finding, Ok, answer, finding
from besedka.contract import Contract

# OpenSSL's X509_V_ERR_*: not yet valid, expired; for another host, for another address.
_KINDS = {9: "expired", 10: "expired", 62: "names", 64: "names"}
_CERTIFICATE_ADVICE = {
    "expired": "In the proxy's configuration: name a renewed certificate (ssl_certificate), and reload it.",
    "names": "In the proxy's configuration: name a certificate that lists every host (ssl_certificate).",
    "authority": "In the proxy's configuration: name the whole chain (fullchain.pem) in ssl_certificate. An "
    "authority of your own is named in SSL_CERT_FILE.",
    "no_tls": "In the proxy's configuration: `listen … ssl` for this port; or write http into besedka.toml.",
}
# Rocket.Chat's default of FileUpload_MaxFileSize (`apps/meteor/server/settings/file-upload.ts`, 7.7.1).
_USUAL_BYTES = 104_857_600
# The server's first ping comes after 15 s (Meteor, `packages/ddp-server/livedata_server.js`,
# heartbeatInterval): what closes a silent socket sooner closes each.
_SILENT_SECONDS = 16.0
_GLANCE_SECONDS = 0.1


@check("services.certificate", codes="expired names authority no_tls")
def certificate(examination: Examination) -> Answer:
    """Do browsers accept the certificate of each address?"""
    contract = examination.contract
    urls = [url for url in (contract.site.url, contract.chat.url) if url.startswith("https:")]
    found = [one for url in dict.fromkeys(map(addresses.origin, urls)) for one in _refused(url)]
    return answer(found, evidence=f"{len(urls)} by https")


def _refused(url: str) -> list[Finding]:
    place = (addresses.host(url), addresses.port(url))
    expected = f"a certificate for {place[0]} that has not expired, of an authority that is trusted"
    try:
        with (
            socket.create_connection(place, timeout=TIMEOUT_SECONDS) as plain,
            http.authorities().wrap_socket(plain, server_hostname=place[0]),
        ):
            return []
    except ssl.SSLCertVerificationError as error:
        kind = _KINDS.get(error.verify_code, "authority")
        seen = f"{error.verify_message}; {_shown(place)}"
    except ssl.SSLError as error:
        kind, seen = "no_tls", f"no TLS: {error.reason}"
    except OSError:
        return []  # nobody is there, which is another check's
    advice = (_CERTIFICATE_ADVICE[kind],)
    return [finding(f"services.certificate.{kind}", seen, expected, url, advice=advice)]


def _shown(place: tuple[str, int]) -> str:
    """Whose certificate that is, and until when."""
    with suppress(OSError, ValueError, x509.ExtensionNotFound):
        shown = x509.load_pem_x509_certificate(
            ssl.get_server_certificate(place, timeout=TIMEOUT_SECONDS).encode()
        )
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = ", ".join(str(name.value) for name in names)
        days = (shown.not_valid_after_utc - datetime.now(UTC)).days
        return f"it is for {hosts}, and ends in {days} days"
    return "it cannot be read"


@check("services.body_limit", codes="small", needs=["services.admin"])
def body_limit(examination: Examination) -> Answer:
    """Does a file as large as Rocket.Chat allows reach it?"""
    allowed = examination.effective.get("FileUpload_MaxFileSize")
    size = allowed if isinstance(allowed, int) and allowed > 0 else _USUAL_BYTES
    status = _announced(f"{examination.contract.chat.url}/api/v1/rooms.media/none", size)
    found = []
    if status == requests.codes.request_entity_too_large:
        found = [
            finding(
                "services.body_limit.small",
                f"413 for a body of {size} bytes, which Rocket.Chat allows",
                "no answer before the body",
                examination.where("FileUpload_MaxFileSize"),
                advice=(
                    f"In the proxy's configuration: client_max_body_size {size // 1_000_000 + 5}m; nginx's "
                    "own default is 1m.",
                ),
            )
        ]
    return answer(found, evidence=f"{size} bytes may come (answer {status})")


def _announced(url: str, size: int) -> int:
    """Status of the first answer to a POST that announces so many bytes; none of them is sent."""
    parts = urlsplit(url)
    place = addresses.host(url), addresses.port(url)
    connection = (
        HTTPSConnection(*place, timeout=TIMEOUT_SECONDS, context=http.authorities())
        if parts.scheme == "https"
        else HTTPConnection(*place, timeout=TIMEOUT_SECONDS)
    )
    try:
        connection.putrequest("POST", parts.path)
        for name, value in (("Content-Length", str(size)), ("Expect", "100-continue")):
            connection.putheader(name, value)
        connection.endheaders()
        head: bytes = connection.sock.recv(64)
        return int(head.split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    finally:
        connection.close()


@check("iframe.socket", codes="cut", needs=["services.websocket"])
def silent_socket(examination: Examination) -> Answer:
    """Does a WebSocket that is silent for a while stay open?"""
    kept = examination.silent_socket
    if kept is None:
        return Ok("nothing to look at: see services.websocket")
    began, connection = kept
    # Without a sign of a proxy nobody waits for one: what has been closed by now says enough.
    until = began + _SILENT_SECONDS if examination.by_proxy else time.monotonic() + _GLANCE_SECONDS
    if until > began + _SILENT_SECONDS:
        return Ok("no proxy is in sight")
    try:
        while (left := until - time.monotonic()) > 0:
            if '"ping"' in str(connection.recv(timeout=left)).replace("\\", ""):
                return Ok("the server's ping came over it")
    except TimeoutError:
        pass
    except ConnectionClosed:
        lived = time.monotonic() - began
        found = finding(
            "iframe.socket.cut",
            f"closed after {math.ceil(lived)} s of silence",
            f"open for {_SILENT_SECONDS:.0f} s: the server's first ping comes after 15 s",
            f"WebSocket {examination.contract.chat.url}",
            advice=(
                "In the proxy's configuration: proxy_read_timeout and proxy_send_timeout above 60 s.",
                "Else the chat loses its connection again and again.",
            ),
        )
        return answer([found], evidence="")
    return Ok(f"open after {time.monotonic() - began:.0f} s")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (certificate, body_limit, silent_socket)
