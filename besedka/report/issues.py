"""One issue for each cause of a red nightly: opened, told again while it lasts, closed when it is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from besedka.report.model import CauseRow, Run, Verdict

LABEL = "nightly"
_TITLE = "Nightly: "
# What stands in place of a cause's code.
_JOB = "job "
INFRASTRUCTURE, UNEXPLAINED = "infrastructure", "failures that doctor does not explain"


@dataclass
class Trouble:
    """One cause, and the runs that met it."""

    key: str
    cause: CauseRow | None = None
    said: str = ""
    runs: list[Run] = field(default_factory=list)
    tests: dict[str, None] = field(default_factory=dict)

    def body(self, link: str) -> str:
        """What the issue says, in GitHub's Markdown."""
        met = f"Runs: {', '.join(named(run) for run in self.runs)}." if self.runs else ""
        lines = [f"{met} {link}".strip(), ""]
        if self.cause:
            lines += [
                f"- found: {self.cause.seen}",
                f"- expected: {self.cause.expected}",
                f"- where: {self.cause.where.get('place', '')} {self.cause.where.get('en', '')}".rstrip(),
                *(f"- do: {line}" for line in self.cause.advice),
                *(f"\n```\n{line}\n```" for line in self.cause.commands),
            ]
        if self.said:
            lines += [f"```\n{self.said.replace('```', '')}\n```"]
        lines += [f"- `{name}`" for name in self.tests]
        return "\n".join(lines).strip() + "\n"


@dataclass(frozen=True)
class Step:
    """One call of GitHub's command line: its words, and what it reads as body."""

    words: tuple[str, ...]
    body: str


def named(run: Run) -> str:
    """The run as a reader of the nightly knows it: by its version of Rocket.Chat."""
    services = run.stack.services if run.stack else ()
    version = next((row.version for row in services if row.name == "rocketchat"), "")
    return f"Rocket.Chat {version}" if version else run.id


def troubles(runs: Iterable[Run]) -> dict[str, Trouble]:
    """What is wrong, by cause; beside them what no cause explains, and stacks that failed."""
    found: dict[str, Trouble] = {}
    for run in runs:
        for key, cause, said, tests in _of(run):
            trouble = found.setdefault(key, Trouble(key, cause, said))
            trouble.runs.append(run)
            trouble.tests |= dict.fromkeys(tests)
    return found


def red_jobs(needs: Mapping[str, Mapping[str, object]], runs: Sequence[Run]) -> list[str]:
    """The jobs of CI that went wrong without a red run to say why: set-up, images, tables, a time limit.

    `needs` is GitHub's context of that name: job → its `result`.
    """
    told = {run.job for run in runs if run.verdict is not Verdict.PASSED}
    return [
        name
        for name, job in needs.items()
        if job["result"] not in {"success", "skipped"} and name not in told
    ]


def _of(run: Run) -> Iterator[tuple[str, CauseRow | None, str, Sequence[str]]]:
    if run.verdict is Verdict.INFRASTRUCTURE:
        yield INFRASTRUCTURE, None, run.trouble, ()
        return
    if not run.broken:
        return
    explaining = [cause for cause in run.causes if cause.tests]
    for cause in explaining:
        yield cause.code, cause, "", cause.tests
    if run.unexplained:
        yield UNEXPLAINED, None, "", [test.id for test in run.unexplained]


def plan(
    runs: Sequence[Run], known: Mapping[str, int], link: str = "", jobs: Sequence[str] = ()
) -> list[Step]:
    """The calls that bring the issues up to date; `known` has the open ones, title → number.

    `jobs` went wrong without a run that says why; each is a trouble of its own. An issue is closed only when
    every run had a verdict, and no job went wrong so: a stack that failed proves nothing gone.
    """
    steps = []
    found = troubles(runs)
    for name in jobs:
        found[f"{_JOB}{name}"] = Trouble(
            f"{_JOB}{name}", said="It went wrong, and no run says why: see its log."
        )
    for key, trouble in found.items():
        title, body = f"{_TITLE}{key}", trouble.body(link)
        if title in known:
            steps.append(Step(("issue", "comment", str(known[title]), "--body-file", "-"), body))
        else:
            words = ("issue", "create", "--title", title, "--label", LABEL, "--body-file", "-")
            steps.append(Step(words, body))
    decided = runs and not jobs and all(run.verdict in {Verdict.PASSED, Verdict.FAILED} for run in runs)
    for title, number in known.items():
        if decided and title.startswith(_TITLE) and title.removeprefix(_TITLE) not in found:
            body = f"Gone in {', '.join(named(run) for run in runs)}. {link}".strip()
            steps.append(Step(("issue", "close", str(number), "--comment", body), ""))
    return steps
