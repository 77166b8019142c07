"""Besedka end to end: contract, stack, provisioning, checks, faults and page objects."""

__version__ = "0.1.0"
