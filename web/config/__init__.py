"""The site's own settings, addresses and middleware.

The chat's pages and its sign-in are those of the package besedka-chat, from this repository beside web/.
"""

from __future__ import annotations

import sys
from pathlib import Path

# First, so that the site never runs with another version that happens to be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packages" / "besedka_chat" / "src"))
