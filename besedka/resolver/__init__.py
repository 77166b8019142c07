"""What leads host names to this machine in a program that knows nothing of it; see besedka/hosts.py."""
