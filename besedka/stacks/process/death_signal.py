"""Linux alone: the kernel kills a process when its parent ends (prctl(2), PR_SET_PDEATHSIG).

Where this module is not to be had, the pipe to the owner does the same. It does not when a guard itself is
killed. Standard library only, and little of it: each service waits for this.
"""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1

if sys.platform != "linux":
    raise ImportError(sys.platform)


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
