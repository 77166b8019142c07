"""Where browsers reach the site and the chat of an embedded stack: their own ports, https, or one host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from besedka import address, http
from besedka.contract import Contract
from besedka.stacks.services.one_host import OneHost

# Names of ports: what the services listen on, and what may stand before them.
PORTS = ("site", "chat", "one host", "site by https", "chat by https")


@dataclass
class Entrance:
    """`told` is the contract as written, `ports` those of PORTS; `authority` comes with `programs`."""

    told: Contract
    ports: Mapping[str, int]
    tls: bool
    authority: str | None = None

    @property
    def one_host(self) -> bool:
        """Whether the contract gives site and chat one origin."""
        return address.origin(self.told.site.url) == address.origin(self.told.chat.url)

    def fixed(self, wished: Mapping[str, int]) -> dict[str, int]:
        """Ports that somebody wished for, by service, as those that a browser opens, by our names."""
        behind = " by https" if self.tls else ""
        names = {name: f"{own}{behind}" for name, own in (("site", "site"), ("rocketchat", "chat"))}
        if self.one_host and not self.tls:
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
        if self.one_host:
            path = address.path(self.told.chat.url)
            scheme = "https" if self.tls else "http"
            both = OneHost(path, self.ports["chat"], self.ports["site"], scheme)
            yield "one_host", both.command(self.ports["one host"])
        if self.tls:
            from besedka.stacks.services import tls  # noqa: PLC0415 - a library that other stacks do without

            moved = self.contract()
            urls = (moved.site.url, moved.chat.url, moved.provider.url)
            made = tls.issue(folder / "tls", map(address.host, urls))
            self.authority = str(made.authority)
            http.trust(self.authority)
            pairs = {
                self.ports[f"{name} by https"]: self.ports[self._behind(name)] for name in ("site", "chat")
            }
            yield "tls", made.command(pairs)

    def _behind(self, name: str) -> str:
        return "one host" if self.one_host else name

    def _moved(self, url: str, name: str) -> str:
        if self.tls:
            scheme, port = "https", self.ports[f"{'site' if self.one_host else name} by https"]
        else:
            scheme, port = "http", self.ports[self._behind(name)]
        return f"{scheme}://{address.local_host(url)}:{port}{address.path(url)}"
