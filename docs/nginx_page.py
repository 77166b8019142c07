"""docs/nginx.example.conf and docs/nginx.one-host.example.conf, made from the contract.

python -m docs.nginx_page
"""

from __future__ import annotations

from pathlib import Path

from besedka import contract
from besedka.stacks.services import nginx

PAGES = {"nginx.example.conf": False, "nginx.one-host.example.conf": True}


def text(name: str) -> str:
    """One of the pages."""
    return nginx.example(contract.load(overlays=()), one_host=PAGES[name]).text()


if __name__ == "__main__":
    for name in PAGES:
        Path(__file__).with_name(name).write_text(text(name), encoding="utf-8")
