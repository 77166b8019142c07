"""Where browsers reach site and chat of an embedded stack: their own ports, https, one host, a proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from besedka import address, client_environment, hosts
from besedka.contract import Contract
from besedka.stacks.services import nginx
from besedka.stacks.services.one_host import OneHost
from besedka.stacks.services.options import Programs

if TYPE_CHECKING:
    from besedka.stacks.services.tls import Certificates

# Names of ports: what the services listen on, and what may stand before them.
PORTS = ("site", "chat", "one host", "site by https", "chat by https")


@dataclass
class Entrance:
    """`told` is the contract as written, `ports` those of PORTS; `authority` comes with `programs`."""

    told: Contract
    ports: Mapping[str, int]
    wanted: Programs
    authority: str | None = None

    def __post_init__(self) -> None:
        """Behind a proxy both have the host names of the contract's `[proxy]`."""
        if self.wanted.proxy:
            told, scheme = nginx.settings(self.told), "https" if self.tls else "http"
            site, chat = f"{scheme}://{told.site_host}", f"{scheme}://{told.chat_host}"
            if self.wanted.one_host or self.one_host:
                chat = f"{site}{told.chat_path}"
            self.told = self.told.at(site_url=site, chat_url=chat)

    @property
    def tls(self) -> bool:
        """Whether browsers speak https."""
        return self.wanted.tls

    @property
    def one_host(self) -> bool:
        """Whether the contract gives site and chat one origin."""
        return address.origin(self.told.site.url) == address.origin(self.told.chat.url)

    @property
    def one_port(self) -> bool:
        """Whether one port serves both."""
        return self.one_host or self.wanted.proxy

    def fixed(self, wished: Mapping[str, int]) -> dict[str, int]:
        """Ports that somebody wished for, by service, as those that a browser opens, by our names."""
        behind = " by https" if self.tls else ""
        names = {name: f"{own}{behind}" for name, own in (("site", "site"), ("rocketchat", "chat"))}
        if self.one_port and not self.tls:
            names["site"] = "one host"
        return {names.get(name, name): port for name, port in wished.items()}

    def contract(self) -> Contract:
        """The contract at free ports, on its own spellings of this machine where they lead here."""
        told, own = self.told, self.told.own_provider_url
        return told.at(
            site_url=self._moved(told.site.url, "site"),
            chat_url=self._moved(told.chat.url, "chat"),
            provider_url=self._moved(own, "site") if own else None,
        )

    def programs(self, folder: Path) -> Iterator[tuple[str, list[str]]]:
        """Name and command of each program that stands before the services; certificates go to the folder."""
        secured = self._certified(folder / "tls") if self.tls else None
        if self.wanted.proxy:
            hosts.lead(map(address.host, (self.told.site.url, self.told.chat.url)))
        if self.wanted.nginx:
            yield nginx.NAME, nginx.command(self.wanted.nginx, self.front(secured), folder / nginx.NAME)
            return
        if self.one_port:
            scheme = "https" if self.tls else "http"
            host = "" if self.one_host else address.host(self.told.chat.url)
            path = address.path(self.told.chat.url)
            ancestors = (self.told.proxy and self.told.proxy.frame_ancestors) or ""
            chat, site = self.ports["chat"], self.ports["site"]
            both = OneHost(path, chat, site, scheme, host, self.wanted.delay, ancestors)
            yield "one_host", both.command(self.ports["one host"])
        if secured:
            pairs = {
                self.ports[f"{name} by https"]: self.ports[self._behind(name)] for name in ("site", "chat")
            }
            yield "tls", secured.command(pairs)

    def front(self, secured: Certificates | None) -> nginx.Front:
        """How nginx is told of this stack."""
        told = nginx.settings(self.told)
        return nginx.Front(
            told.site_host,
            told.chat_host,
            self.ports["site by https" if self.tls else "one host"],
            self.ports["site"],
            self.ports["chat"],
            told.body_megabytes,
            told.socket_seconds,
            address.path(self.told.chat.url),
            # Beside the folder of the configuration, to which nginx takes such places.
            f"../{secured.server.parent.name}/{secured.server.name}" if secured else "",
            f"../{secured.key.parent.name}/{secured.key.name}" if secured else "",
            told.frame_ancestors or "",
        )

    def _certified(self, folder: Path) -> Certificates:
        """Certificates for every name of the stack, from an authority that all clients trust from now on."""
        from besedka.stacks.services import tls  # noqa: PLC0415 - a library that other stacks do without

        moved = self.contract()
        urls = (moved.site.url, moved.chat.url, moved.provider.url)
        made = tls.issue(folder, map(address.host, urls))
        self.authority = str(made.authority)
        client_environment.trust(self.authority)
        return made

    def _behind(self, name: str) -> str:
        return "one host" if self.one_port else name

    def _moved(self, url: str, name: str) -> str:
        if self.tls:
            scheme, port = "https", self.ports[f"{'site' if self.one_port else name} by https"]
        else:
            scheme, port = "http", self.ports[self._behind(name)]
        host = address.host(url) if self.wanted.proxy else address.local_host(url)
        if ":" in host and (self.tls or self.one_port):
            # What stands before the services listens on IPv4 alone.
            host = "127.0.0.1"
        return f"{scheme}://{host}:{port}{address.path(url)}"
