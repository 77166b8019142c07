"""Processes of this machine: started, supervised and ended."""
