"""Scripts that a browser cannot read: a syntax error keeps a script, and all that import it, from running.

V8 says so, which is Chromium's own parser: in the Node.js that Playwright brings, or in one of this machine.
Where neither works, nothing is said; a browser quotes its console (besedka/pages/script_errors.py).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache

# It parses and runs nothing (https://nodejs.org/api/vm.html).
_PARSES = """
const vm = require("vm"), said = {};
for (const [address, [text, module]] of Object.entries(JSON.parse(require("fs").readFileSync(0, "utf8")))) {
  try { module ? new vm.SourceTextModule(text) : new vm.Script(text); }
  catch (error) {
    const line = /:(\\d+)\\n/.exec(error.stack ?? "");
    said[address] = `${line ? `line ${line[1]}: ` : ""}${error.name}: ${error.message}`;
  }
}
process.stdout.write(JSON.stringify(said));
"""
_SECONDS = 20.0


@cache
def _node() -> str | None:
    try:
        from playwright._impl._driver import compute_driver_executable  # noqa: PLC0415 - an extra of ours
    except ImportError:
        return shutil.which("node")
    return str(compute_driver_executable()[0])


def unreadable(texts: Mapping[str, str], modules: frozenset[str]) -> dict[str, str]:
    """Address → V8's words, for each script that it cannot parse; `modules` are parsed as such."""
    return dict(_said(tuple(sorted((name, text, name in modules) for name, text in texts.items()))))


@cache
def _said(texts: tuple[tuple[str, str, bool], ...]) -> tuple[tuple[str, str], ...]:
    node = _node()
    if node is None or not texts:
        return ()
    try:
        done = subprocess.run(  # noqa: S603 - a program of ours, that parses
            [node, "--no-warnings", "--experimental-vm-modules", "-e", _PARSES],
            input=json.dumps({name: [text, module] for name, text, module in texts}),
            capture_output=True,
            encoding="utf-8",
            timeout=_SECONDS,
            check=True,
        )
        return tuple(json.loads(done.stdout).items())
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()
