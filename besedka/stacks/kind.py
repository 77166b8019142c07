"""Which kind of stack a run gets: the one that was wished for, else containers where they can be had.

`auto` is no kind: it takes containers where a Docker engine answers and the images can be had. Elsewhere it
takes the embedded stack, and says why.
"""

from __future__ import annotations

from collections.abc import Sequence

from besedka.contract import Contract
from besedka.errors import UsageError
from besedka.scrub import without_credentials
from besedka.stacks.docker.presence import engine_is_likely
from besedka.stacks.versions import VERSION_ENV

AUTO = "auto"
KIND_ENV = "BESEDKA_STACK"


def resolved(
    wished: str, contract: Contract, version: str | None, embedded_only: Sequence[str] = ()
) -> tuple[str, str]:
    """The kind, and the reason for it, to be said at the head of a run; empty where it was wished for.

    `embedded_only` are the options given that no other kind obeys.
    """
    if wished != AUTO:
        return wished, ""
    if embedded_only:
        return "embedded", f"because of {without_credentials(embedded_only[0])}"
    if version:
        return "containers", "because a version of Rocket.Chat was named"
    if not engine_is_likely():
        return "embedded", "no Docker engine is here"
    # A second of imports, and questions to an engine, that a machine without Docker does without.
    from besedka.stacks import containers  # noqa: PLC0415
    from besedka.stacks.docker import engine  # noqa: PLC0415

    _, services = containers.plan(contract)
    why_not = engine.unfit(services)
    return ("embedded", why_not) if why_not else ("containers", "a Docker engine answers")


def reject_unsupported_options(kind: str, version: str | None, embedded_only: Sequence[str]) -> None:
    """Raise UsageError for options that this kind would not obey: a wish is not silently dropped."""
    if embedded_only and (kind not in {"embedded", AUTO} or version):
        other = f"--rocketchat-version {version}" if version else f"--stack={kind}"
        raise UsageError(
            f"{' '.join(embedded_only)} with {other}",
            expected="an embedded stack, where programs of this machine can be chosen",
            where="the command line, or the environment",
            next_step="leave out the one or the other",
        )
    if version and kind not in {"containers", AUTO}:
        raise UsageError(
            f"--rocketchat-version {version} with --stack={kind}",
            expected="--stack=containers, where an image can be chosen",
            where="the command line",
            next_step=f"leave out --rocketchat-version, or {VERSION_ENV}, or --stack",
        )
