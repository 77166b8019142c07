"""pip, where there is no uv: slower, and in need of Python's modules venv and ensurepip."""

from collections.abc import Mapping
from pathlib import Path


class Pip:
    """The installer that comes with .venv."""

    name = "pip"
    environment: Mapping[str, str] = {}

    @staticmethod
    def venv(python: str, folder: Path) -> list[str]:
        """The command that makes an empty .venv, in place of what may be there."""
        return [python, "-m", "venv", "--clear", str(folder)]

    @staticmethod
    def install(python: Path, lock: Path) -> list[str]:
        """The command that installs the lock, each file by its hash."""
        return [str(python), "-m", "pip", "install", "--require-hashes", "-r", str(lock)]

    @staticmethod
    def changed(output: str) -> bool:
        """Whether it had begun to change .venv when it failed."""
        return "Installing collected packages" in output
