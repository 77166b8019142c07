"""All checks, loaded in the order of their ground."""

from __future__ import annotations

import importlib

from besedka.contract import Contract

# A module whose checks depend on the contract (one per setting) has `declare(contract)`.
_MODULES = (
    "services",
    "services_chat",
    "site",
    "application",
    "provider",
    "login_service",
    "iframe",
    "integrity_settings",
    "integrity_people",
    "integrity_rooms",
    "integrity_mapping",
    "rooms",
    "sso",
    "sso_pages",
    "sso_roles",
    "sso_chat",
)


def load(contract: Contract) -> None:
    """Declare every check for this contract; what is declared already stays."""
    for name in _MODULES:
        module = importlib.import_module(f"besedka.checks.{name}")
        if hasattr(module, "declare"):
            module.declare(contract)
