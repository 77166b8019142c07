"""The first boot of Rocket.Chat from a bundle: it makes indexes and settings and runs every migration."""

from __future__ import annotations

import threading

from besedka.contract import Contract
from besedka.errors import StackStartError
from besedka.progress import Say
from besedka.stacks import readiness
from besedka.stacks.process.processes import ServiceProcess
from besedka.stacks.services.bundle import OPTION, Bundle

PROVIDER_SECONDS = 60.0


def wait(
    bundle: Bundle,
    process: ServiceProcess,
    contract: Contract,
    *,
    say: Say,
    cancelled: threading.Event,
) -> None:
    """Return once Rocket.Chat names its version and has public settings; says so until then.

    Raises StackStartError when it ends, or needs longer than the budget, or when `cancelled` is set. The same
    is raised when its version is not the bundle's or the contract's.
    """
    budget = readiness.start_budget()
    expected = "/api/info with its version, and public settings"

    def ready() -> bool:
        if cancelled.is_set():
            raise StackStartError("the start was given up", expected=expected, where=str(bundle.folder))
        found = readiness.chat_version(contract)
        wanted = contract.chat.version
        if found and wanted and not readiness.same_line(found, wanted):
            raise StackStartError(
                f"Rocket.Chat says that it is {found}",
                expected=wanted,
                where=f"{contract.chat.url}/api/info, of {bundle.folder}",
                next_step=f"name a bundle of that version by {OPTION}, or correct besedka.toml",
            )
        return found is not None

    with readiness.Progress(say, budget=budget, cancelled=cancelled) as progress:
        progress.tell("rocketchat", f"waiting for {expected}")
        process.wait_until(
            ready,
            budget=budget,
            expected=f"{expected}, within the time of {readiness.BUDGET_ENV}",
            seen=lambda: readiness.chat_seen(contract),
        )
        progress.ready("rocketchat")


def wait_for_provider(process: ServiceProcess, contract: Contract) -> None:
    """Return once the log-in page's question is answered with the provider, some seconds after its rows."""
    process.wait_until(
        lambda: readiness.knows_provider(contract),
        budget=PROVIDER_SECONDS,
        expected=f"{contract.provider.name!r} in service.configurations",
    )
