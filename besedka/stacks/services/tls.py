"""https in front of an embedded stack: certificates made for one run, and a process that ends TLS.

Daphne and Rocket.Chat stand behind something that ends TLS for them, wherever they are served by https. This
hands on every byte as it is, so it adds no `X-Forwarded-Proto`. Run as a program: certificate chain, key,
and pairs `<port>:<port behind>` of 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID = timedelta(days=7)
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: the authority that vouches for the rest, a server's certificate, its key."""

    authority: Path
    server: Path
    key: Path

    def command(self, ports: Mapping[int, int]) -> list[str]:
        """The program that listens with TLS on each port and hands on to the one it maps to."""
        pairs = [f"{port}:{behind}" for port, behind in ports.items()]
        return [sys.executable, "-m", __name__, str(self.server), str(self.key), *pairs]


def issue(folder: Path, hosts: Iterable[str], *, valid: timedelta = VALID) -> Certificates:
    """Make an authority and its certificate for the hosts, below `folder`; its key is not kept."""
    folder.mkdir(parents=True, exist_ok=True)
    authority_key, server_key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Besedka, for one run")])
    leaf = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "besedka")])
    authority = (
        _builder(root, root, authority_key, valid)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([_name(host) for host in dict.fromkeys(hosts)])
    server = (
        _builder(leaf, root, server_key, valid)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    made.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    made.server.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    made.key.touch(mode=0o600)
    made.key.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that runs behind is no reason to refuse.
        .not_valid_before(min(now, now + valid) - timedelta(days=1))
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write what is read, until either side ends."""
    # The side that goes away ends this direction; the other one ends by itself.
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


async def _serve(context: ssl.SSLContext, port: int, behind: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", behind)
        except OSError:
            writer.close()
            return
        await asyncio.gather(hand_on(reader, inner_writer), hand_on(inner_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=context)
    async with server:
        await server.serve_forever()


async def _main(chain: str, key: str, pairs: list[str]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    ports = [tuple(map(int, pair.split(":"))) for pair in pairs]
    await asyncio.gather(*(_serve(context, port, behind) for port, behind in ports))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], sys.argv[3:]))
