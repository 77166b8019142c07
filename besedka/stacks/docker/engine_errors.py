"""What stands between a machine and a stack in containers: one class per cause, found before a start."""

from __future__ import annotations

from besedka.errors import BesedkaError, StackStartError


class NoEngineError(BesedkaError):
    """No Docker engine answers."""

    exit_status = 80


class EnginePermissionError(BesedkaError):
    """A Docker engine is there, and this user may not talk to it."""

    exit_status = 81


class EngineTooOldError(BesedkaError):
    """The engine lacks what a stack needs (`host-gateway` came with 20.10)."""

    exit_status = 82


class NoSpaceError(BesedkaError):
    """The disk that holds the engine's images and volumes is nearly full."""

    exit_status = 83


class NoMemoryError(BesedkaError):
    """The engine has less memory than MongoDB and Rocket.Chat take."""

    exit_status = 84


class ImageMissingError(BesedkaError):
    """An image is not on the engine and cannot be pulled."""

    exit_status = 85


class ImageVersionError(BesedkaError):
    """An image holds another version than the one asked for, or the version is not supported."""

    exit_status = 86


class PortBusyError(BesedkaError):
    """Another program holds a port that the stack has to publish."""

    exit_status = 87


class ComposeFileError(BesedkaError):
    """docker-compose.local.yml cannot be read, or lacks a service."""

    exit_status = 88


class ContainersStartError(StackStartError):
    """A container died or did not become ready in its budget: infrastructure, never a red test."""

    exit_status = 89
