#!/usr/bin/env python3
# -*- coding: utf-8 -*-  # noqa: UP009 - for Python 2
"""Set the project up, then run it: `python3 run.py e2e`. Standard library only; Linux, macOS, Windows.

Set-up makes .venv, installs requirements.lock with its hashes and finds a browser. For doctor, provision,
status and env it installs the few packages of requirements-base.lock, and no browser. uv installs: the one on
PATH, or one fetched from the package index; where neither is to be had, pip does. Each step says in one line
what it does; a step whose result still holds is not done again, an interrupted one is done again. All of that
goes to stderr: stdout belongs to the command. uv, pip, apt-get and Playwright are configured as the machine
configures them; uv looks where pip is told to look.

The browser is the first that runs of: the one named by BESEDKA_BROWSER; chromium (its headless shell first),
Google Chrome or Edge on PATH or where they are usually installed; a Playwright build already there;
`playwright install chromium`; on Debian or Ubuntu as root `apt-get install chromium-headless-shell`, else
`apt-get install chromium`.

Exit statuses of set-up (any other status comes from pytest or from the command that was called):
    20  this Python is too old
    21  this Python cannot make virtual environments (venv or ensurepip is missing)
    22  no disk space
    23  no network while installing
    24  a downloaded package does not match its hash in requirements.lock
    25  no package that fits this machine ("no matching distribution")
    26  no browser that runs, and none could be installed
    27  the project folder cannot be written to
    28  no such command
    29  set-up failed for another reason, which is shown
   130  interrupted by Ctrl-C; 143: terminated
"""

# Every Python that may be called `python3` or `python` must understand this file, 2.7 included. So each is
# told what is wrong. Everything newer is in bootstrap/, imported once the version will do.
from __future__ import unicode_literals  # noqa: UP010 - for Python 2

import os
import sys

OLDEST_PYTHON = (3, 11)
TOO_OLD = 20
# In English, and in Russian.
TOO_OLD_TOLD = (
    """\
    found: Python %(found)s
 expected: Python %(oldest)s or newer
    where: %(where)s
next step: install Python %(oldest)s, then call it by name: python%(oldest)s run.py
""",
    """\
     сейчас: Python %(found)s
должно быть: Python %(oldest)s или новее
        где: %(where)s
 что дальше: установите Python %(oldest)s и вызовите его по имени: python%(oldest)s run.py
""",
)


def main():  # type: ignore[no-untyped-def]
    """Refuse an old Python, else hand over to bootstrap/. Returns the exit status."""
    if sys.version_info < OLDEST_PYTHON:
        told = TOO_OLD_TOLD[is_russian()] % {
            "found": "%d.%d.%d" % tuple(sys.version_info[:3]),  # noqa: UP031
            "oldest": "%d.%d" % OLDEST_PYTHON,  # noqa: UP031
            "where": ascii_text(sys.executable),
        }
        encoding = sys.stderr.encoding or "ascii"
        shown = told.encode(encoding, "backslashreplace")
        sys.stderr.write(shown if sys.version_info[0] < 3 else shown.decode(encoding))  # type: ignore[arg-type]
        return TOO_OLD
    # Not there by itself under PYTHONSAFEPATH, -P and -I.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from bootstrap.command import run  # noqa: PLC0415

    return run(sys.argv[1:], __doc__)


def is_russian():  # type: ignore[no-untyped-def]
    """Whether `--lang` or the environment asks for Russian, on a console that shows it."""
    told = [row[len("--lang=") :] for row in sys.argv if row.startswith("--lang=")]
    told += [after for row, after in zip(sys.argv, sys.argv[1:]) if row == "--lang"]  # noqa: B905
    told += [os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)]
    try:
        TOO_OLD_TOLD[1].encode(sys.stderr.encoding or "ascii")
    except UnicodeError:
        return False
    return bool(told) and told[0].lower().startswith("ru")


def ascii_text(text):  # type: ignore[no-untyped-def]
    """The text with everything that is not ASCII escaped: no console's encoding turns it into a traceback."""
    return repr(text)[1:-1] if sys.version_info[0] < 3 else ascii(text)[1:-1]


if __name__ == "__main__":
    sys.exit(main())
