"""What both stand-ins ask of the system for their process."""

import sys


def take_all_file_descriptors() -> None:
    """As many as the system grants, for thousands of connections; Windows has no such limit."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on Windows

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
