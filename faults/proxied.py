"""An embedded stack whose site and Rocket.Chat stand behind proxies, so that faults can come between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from besedka.stacks.embedded import EmbeddedStack
from besedka.stacks.process.ports import free_port
from faults.proxy import Proxy


@dataclass
class ProxiedStack(EmbeddedStack):
    """The proxies have the stack's addresses; the services behind them listen on ports of their own."""

    proxies: dict[str, Proxy] = field(default_factory=dict)
    upstream_ports: dict[str, int] = field(default_factory=dict)

    def start_chat(self) -> None:
        """Start Rocket.Chat's stand-in behind its proxy."""
        with self._behind("chat"):
            super().start_chat()

    def start_site(self) -> None:
        """Start Daphne behind its proxy."""
        with self._behind("site"):
            super().start_site()

    def stop(self) -> None:
        """End the services, then the proxies."""
        super().stop()
        for proxy in self.proxies.values():
            proxy.close()
        self.proxies.clear()

    @contextmanager
    def _behind(self, name: str) -> Iterator[None]:
        outer = self.ports[name]
        if name not in self.proxies:
            self.proxies[name] = Proxy(outer, self.upstream_ports.setdefault(name, free_port()))
        self.ports[name] = self.proxies[name].upstream_port
        try:
            yield
        finally:
            self.ports[name] = outer
