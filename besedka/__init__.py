"""Besedka end to end: contract, stack, provisioning, checks, faults and page objects."""
