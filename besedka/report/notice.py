"""A message about red runs to a webhook, in the format of Rocket.Chat's incoming integrations.

Format: `text` and `attachments` with title, title_link, text and color (docs.rocket.chat, "Integrations",
"Incoming webhook"; `apps/meteor/app/integrations/server/api/api.ts`, 7.7.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from besedka.language import Language
from besedka.report.issues import named, troubles
from besedka.report.model import Run, Verdict
from besedka.report.wording import verdict
from besedka.translation import translated

_COLOUR = {Verdict.PASSED: "#177245", Verdict.FAILED: "#b3261e"}
_TROUBLE_COLOUR = "#8a5a00"


def message(
    runs: Sequence[Run], language: Language, link: str = "", jobs: Sequence[str] = ()
) -> dict[str, Any] | None:
    """The message; None where every run passed and no job of CI went wrong without one."""
    if all(run.verdict is Verdict.PASSED for run in runs) and not jobs:
        return None
    attachments = [
        {
            "title": named(run),
            **({"title_link": link} if link else {}),
            "text": "\n".join([verdict(run, language), *_causes(run, language)]),
            "color": _COLOUR.get(run.verdict, _TROUBLE_COLOUR),
        }
        for run in runs
    ]
    causes = [*troubles(runs), *(f"job {name}" for name in jobs)]
    return {"text": "; ".join(causes) or verdict(runs[0], language), "attachments": attachments}


def _causes(run: Run, language: Language) -> list[str]:
    return [
        f"• {translated(cause.question, language)} `{cause.code}`: {translated(cause.seen, language)}"
        for cause in run.causes[:3]
    ]
