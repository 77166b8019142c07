"""`besedka`: the library's command line.

Each command documents its exit statuses in its help. An error ends in one message of found, expected,
where and next step, with the status of its class (see `besedka.errors`), and never in a traceback.
"""

from __future__ import annotations

import sys

import typer

from besedka import http
from besedka.commands import conformance, doctor, provision, restart, stack
from besedka.errors import BesedkaError

app = typer.Typer(
    help="Besedka with Rocket.Chat: run a stack, examine it, bring it to the contract.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for module in (stack, doctor, provision, restart, conformance):
    module.register(app)


def main() -> None:
    """Entry point of the console script."""
    http.bypass_proxies()
    try:
        app()
    except BesedkaError as error:
        sys.stderr.write(f"{error.text()}\n")
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
