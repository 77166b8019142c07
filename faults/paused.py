"""Processes that hang: the kernel goes on taking connections for them, and nobody answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil


@contextmanager
def paused(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """SIGSTOP to each, SIGCONT at the end."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()
