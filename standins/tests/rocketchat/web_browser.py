"""A web client in the layout of a Meteor bundle's `programs/web.browser`, small enough to read.

Names, types and places are those that Meteor's build writes (tools/isobuild/bundler.js) and its server reads
(packages/webapp/webapp_server.js): `program.json`, `head.html`, files named by their hash with
`?meteor_js_resource=true`, modules below `dynamic/`, assets of packages.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

HEAD = '<meta name="before"><meteor-bundled-css /><meta name="after">'
STYLE = "#react-root { color: rgb(1, 2, 3) }"
# As a Meteor client starts: its environment, its socket's address, then modules asked for by name.
VERSION = "7.7.1"
SCRIPT = """
const compiled = { "rocketchat.info.js"(module) { module.Info={version:"7.7.1",build:{}}; } };
const { meteorEnv, isModern, ROOT_URL } = __meteor_runtime_config__;
const said = [meteorEnv.NODE_ENV, isModern, USE_REST_FOR_DDP_CALLS].join(' ');
const tree = { node_modules: { 'meteor': { 'temp:package': { 'view.js': 1 } }, 'gone.js': 1 } };
fetch(ROOT_URL + '/__meteor__/dynamic-import/fetch', { method: 'POST', body: JSON.stringify(tree) })
    .then((answer) => answer.json())
    .then(({ node_modules: { meteor } }) => (0, eval)('(' + meteor['temp:package']['view.js'] + ')'))
    .then((module) => module(document.querySelector('#react-root'), said));
"""
MODULE = "function (root, said) { root.textContent = 'client: ' + said; }"
OAUTH_END = "/* the bundle's own end of the redirect */"


TEXTS = '{"Message": "Сообщение"}'
LOCALE = "this.moment.defineLocale('ru', {});"
ICON = '<svg xmlns="http://www.w3.org/2000/svg"/>'


def write_server(folder: Path) -> None:
    """What a client needs of the bundle's `programs/server`, beside its own folder."""
    texts = (("i18n/en.i18n.json", "{}"), ("i18n/ru.i18n.json", TEXTS))
    for path, text in (*texts, ("moment-locales/ru.js", LOCALE)):
        file = folder.parent / "server" / "assets" / "app" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def write(folder: Path, *, version: str = VERSION) -> Path:
    """Make the folder; its path."""
    code = SCRIPT.replace(VERSION, version)
    manifest: list[dict[str, Any]] = []

    def add(kind: str, path: str, text: str, *, url: str | None = None, where: str = "client") -> None:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        row = {"path": path, "where": where, "type": kind, "hash": digest}
        if url:
            row |= {"cacheable": "resource" in url, "url": url, "size": len(text), "sri": digest}
        manifest.append(row)

    script, style = (hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() for text in (code, STYLE))
    add("css", f"{style}.css", STYLE, url=f"/{style}.css?meteor_css_resource=true")
    add("js", f"{script}.js", code, url=f"/{script}.js?meteor_js_resource=true")
    module = "dynamic/node_modules/meteor/temp_package/view.js"
    add("dynamic js", module, MODULE, url=f"/{module}")
    end = "packages/oauth/end_of_redirect_response.js"
    add("asset", end, OAUTH_END, url=f"/{end}")
    add("asset", "app/images/logo/icon.svg", ICON, url="/images/logo/icon.svg")
    add("asset", "app/public/a b.txt", "with a blank", url="/public/a%20b.txt")
    add("head", "head.html", HEAD, where="internal")
    program = {"format": "web-program-pre1", "manifest": manifest}
    (folder / "program.json").write_text(json.dumps(program), encoding="utf-8")
    (folder.parent / "secret.txt").write_text("not of the client", encoding="utf-8")
    return folder
