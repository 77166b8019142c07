"""What run.py does before pytest or the command line can run. Standard library only, Python 3.11 or newer."""
