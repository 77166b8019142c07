"""What ends a restart: one class per cause. Engine errors: `besedka.stacks.docker.engine_errors`."""

from __future__ import annotations

from besedka.errors import BesedkaError


class ServiceMissingError(BesedkaError):
    """The compose project has no container of a service."""

    exit_status = 70


class ServiceHalfStartedError(BesedkaError):
    """A service that holds data neither stands still nor answers, so that nothing could be counted."""

    exit_status = 71


class PortHeldError(BesedkaError):
    """The site's port is held by a process that is not provably this project's Daphne."""

    exit_status = 72


class DataLostError(BesedkaError):
    """Something that was counted before is missing or another one now."""

    exit_status = 73


class DumpDamagedError(BesedkaError):
    """The folder of a dump is not what its manifest says."""

    exit_status = 74


class NoRoomError(BesedkaError):
    """The disk has no room for the dump."""

    exit_status = 75


class ServiceNotReadyError(BesedkaError):
    """A restarted service did not become ready within its budget."""

    exit_status = 76


class DaphneNotReadyError(BesedkaError):
    """The site's Daphne did not start, or does not answer."""

    exit_status = 77


class RestartStateError(BesedkaError):
    """The folder of the restart is in use by another one, or cannot be read or written."""

    exit_status = 78


class DumpFailedError(BesedkaError):
    """A database could not be dumped or restored."""

    exit_status = 79
