"""A plugin for pytest: the run records nothing of its browsers, as a measure of what recording costs."""

from __future__ import annotations

from typing import Any

from playwright.sync_api._generated import Tracing

from fixtures.network import Network


def _nothing(*_: Any, **__: Any) -> None:
    return


for _method in ("begin", "end", "watch", "scrub"):
    setattr(Network, _method, _nothing)
for _method in ("start", "stop"):
    setattr(Tracing, _method, _nothing)
