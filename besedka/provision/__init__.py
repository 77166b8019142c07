"""Provisioning: bring Rocket.Chat to the contract, and take it back again."""

from besedka.provision.plan import Options
from besedka.provision.run import Outcome, Undoing, bring, planned, undo

__all__ = ["Options", "Outcome", "Undoing", "bring", "planned", "undo"]
