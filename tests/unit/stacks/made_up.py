"""Programs that no test can have real: a `mongod` and a server bundle of Rocket.Chat, made of the stand-ins.

They are told what the real ones are told and answer what the start asks. Nothing more can be shown by them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from besedka.contract import PROJECT_ROOT

# A new member of no set answers `hello` so, in MongoDB 7.0: neither primary nor secondary, and no setName.
MONGOD = """#!{python}
import asyncio, json, sys
from pathlib import Path
if "--version" in sys.argv:
    print({said!r}); sys.exit(0)
sys.path.insert(0, {root!r})
from standins.mongo import __main__ as program, commands
told = dict(zip(sys.argv[1::2], sys.argv[2::2]))
class Member(commands.Node):
    initiated = False
    def do_hello(self, ignored=None):
        row = super().do_hello()
        if self.initiated:
            return row
        for name in ("setName", "setVersion", "hosts", "primary", "me"):
            row.pop(name, None)
        info = "Does not have a valid replica set config"
        return row | dict(isWritablePrimary=False, ismaster=False, isreplicaset=True, info=info)
    def do_replSetInitiate(self, value):
        with open({heard!r}, "a") as heard:
            heard.write(json.dumps(value) + chr(10))
        if {refuses!r}:
            raise commands.OperationFailure("refused", {refuses!r})
        self.initiated = True
        return {{}}
commands.Node = Member
sys.exit(asyncio.run(program.serve("127.0.0.1", int(told["--port"]), Path(told["--dbpath"]), told["--replSet"])))
"""
MAIN = """
const fs = require('fs');
const {{spawn}} = require('child_process');
fs.writeFileSync({told}, JSON.stringify({{environment: process.env, cwd: process.cwd()}}));
{before}
const child = spawn({python}, ['-m', 'standins.rocketchat'], {{
  cwd: {root}, stdio: 'inherit', env: {{...process.env, PYTHONPATH: {root}}},
}});
process.on('SIGTERM', () => child.kill());
child.on('exit', (status) => process.exit(status === null ? 1 : status));
"""
# As rocketchat-version's plugin writes it, inside Meteor's wrapping of every module.
APP = """}},"rocketchat.info.js":function module(require,exports,module){{
exports.Info = {{
    "version": "{version}",
    "build": {{"date": "2025-06-26T19:00:00.000Z", "nodeVersion": "v22.14.0"}}
}};
}},"""


@cache
def node() -> tuple[str, str]:
    """A Node.js that is there wherever the browser's driver is: path and version."""
    path = str(compute_driver_executable()[0])
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return path, said.strip().removeprefix("v")


def mongod(folder: Path, *, said: str = "db version v7.0.14", refuses: int = 0) -> Path:
    """A `mongod` that is no member of a set until it is told to be; `initiations` says what it heard.

    `refuses` is the error code it answers instead of becoming one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "mongod"
    told = {"python": sys.executable, "root": str(PROJECT_ROOT), "heard": str(folder / "heard")}
    program.write_text(MONGOD.format(said=said, refuses=refuses, **told), encoding="utf-8")
    program.chmod(0o755)
    return program


def initiations(program: Path) -> list[object]:
    """What each `replSetInitiate` held that a made-up `mongod` heard."""
    heard = program.with_name("heard")
    return [json.loads(line) for line in heard.read_text("utf-8").splitlines()] if heard.exists() else []


def bundle(folder: Path, *, version: str | None = "7.7.1", before: str = "") -> Path:
    """An unpacked bundle, ready to run, whose `main.js` does `before` and then is the stand-in.

    It writes what it is told to `told.json` in its folder.
    """
    server, client = folder / "programs/server", folder / "programs/web.browser"
    for path in (server / "app", server / "node_modules", client):
        path.mkdir(parents=True)
    told = {"told": folder / "told.json", "python": sys.executable, "root": PROJECT_ROOT}
    quoted = {name: json.dumps(str(value)) for name, value in told.items()}
    (folder / "main.js").write_text(MAIN.format(before=before, **quoted), encoding="utf-8")
    star = {"format": "site-archive-pre1", "meteorRelease": "METEOR@3.1.2", "nodeVersion": node()[1]}
    (folder / "star.json").write_text(json.dumps(star), encoding="utf-8")
    (folder / ".node_version.txt").write_text(f"v{node()[1]}\n", encoding="utf-8")
    (server / "boot.js").touch()
    (server / "package.json").write_text('{"name": "meteor-dev-bundle"}', encoding="utf-8")
    (client / "program.json").write_text("{}", encoding="utf-8")
    if version:
        (server / "app/app.js").write_text(APP.format(version=version), encoding="utf-8")
    return folder
