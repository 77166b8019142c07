"""One port for site and chat: a small reverse proxy, for a contract of one origin, or in place of nginx.

A request for the chat's host goes to the chat. Where both have one host, a request for its path does. The
rest goes to the site. Each connection carries one request, so that none can reach the wrong side; a WebSocket
keeps its own. It tells both sides who asked and by which scheme (`X-Forwarded-For`, `X-Forwarded-Proto`) and
leaves `Host` alone. Arguments as a program: the port, the chat's path, the ports of chat and site (all on
127.0.0.1). Then the scheme, the chat's host, the delay, and which pages may show the chat in a frame.
"""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

from besedka.stacks.services.tls import hand_on

_CONNECTION = re.compile(rb"^connection:.*\r\n", re.IGNORECASE | re.MULTILINE)
_HOST = re.compile(rb"^host:\s*([^:\r\n]*)", re.IGNORECASE | re.MULTILINE)
_ANCESTORS = b"Content-Security-Policy: frame-ancestors "
_UPGRADE = re.compile(rb"^upgrade:\s*websocket", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class OneHost:
    """The ports of both, the chat's path, which begins with `/`, and the scheme that browsers speak.

    `chat_host` takes the path's place: all that is asked of that host is the chat's. Each answer comes
    `delay` seconds later than it would; a WebSocket opens as much later. `ancestors` is the chat's
    `frame-ancestors`, empty for none.
    """

    chat_path: str
    chat_port: int
    site_port: int
    scheme: str
    chat_host: str = ""
    delay: float = 0.0
    ancestors: str = ""

    def command(self, port: int) -> list[str]:
        """The program that listens on that port."""
        told = (port, self.chat_path, self.chat_port, self.site_port, self.scheme, self.chat_host, self.delay)
        return [sys.executable, "-m", __name__, *map(str, told), self.ancestors]

    def port_of(self, target: str, host: str = "") -> int:
        """Whose the request is: the chat's by its host, or by its path and what lies below."""
        if self.chat_host:
            return self.chat_port if host.lower() == self.chat_host else self.site_port
        path, own = unquote(target.partition("?")[0]), unquote(self.chat_path)
        below = path == own or path.startswith(f"{own}/")
        return self.chat_port if below else self.site_port

    def head(self, head: bytes, peer: str) -> bytes:
        """The request's head as the side behind gets it."""
        more = f"X-Forwarded-For: {peer}\r\nX-Forwarded-Proto: {self.scheme}\r\n".encode()
        if not _UPGRADE.search(head):
            head, more = _CONNECTION.sub(b"", head), more + b"Connection: close\r\n"
        return head[:-2] + more + b"\r\n"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a browser, to its end."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
            head = await reader.readuntil(b"\r\n\r\n")
            host = _HOST.search(head)
            port = self.port_of(
                head.split(b" ", 2)[1].decode("latin-1"), host[1].decode("latin-1") if host else ""
            )
            if self.delay:
                await asyncio.sleep(self.delay)
            behind, to_it = await asyncio.open_connection("127.0.0.1", port)
            to_it.write(self.head(head, writer.get_extra_info("peername")[0]))
            answers = self._answers(behind, writer, of_chat=port == self.chat_port)
            await asyncio.gather(hand_on(reader, to_it), answers)
        writer.close()

    async def _answers(
        self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter, *, of_chat: bool
    ) -> None:
        if self.ancestors and of_chat:
            with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                head = await behind.readuntil(b"\r\n\r\n")
                writer.write(head[:-2] + _ANCESTORS + self.ancestors.encode() + b"\r\n\r\n")
        await hand_on(behind, writer)


async def _main(*told: str) -> None:
    port, chat_path, chat_port, site_port, scheme, chat_host, delay, ancestors = told
    front = OneHost(chat_path, int(chat_port), int(site_port), scheme, chat_host, float(delay), ancestors)
    server = await asyncio.start_server(front.connected, "127.0.0.1", int(port))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
