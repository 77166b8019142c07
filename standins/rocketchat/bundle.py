"""`--chat-client DIR`: Rocket.Chat's own web client, from an unpacked bundle's `programs/web.browser`.

Read, put together and served as Meteor does: the manifest and its files as `webapp`, the page as
`boilerplate-generator`, dynamic modules as `dynamic-import`.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

FORMAT = "web-program-pre1"
_ANY = {"Access-Control-Allow-Origin": "*"}
_KINDS = {"js": "application/javascript", "dynamic js": "application/javascript", "css": "text/css"}
_YEAR, _DAY = 365 * 86400, 86400


class _Files(BaseRoute):
    """The manifest's files, which go before everything else (webapp_server.js, staticFilesMiddleware)."""

    def __init__(self, files: dict[str, tuple[Path, str | None, int]]) -> None:
        self.files = files

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        served = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        return (Match.FULL if served and scope["path"] in self.files else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, kind, age = self.files[scope["path"]]
        headers = _ANY | {"Cache-Control": f"public, max-age={age}"}
        await FileResponse(path, headers=headers, media_type=kind)(scope, receive, send)


class Bundle:
    """The client files of one bundle. Raises ValueError for a folder that holds none; the text says why."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        manifest = self._manifest()
        self.files: dict[str, tuple[Path, str | None, int]] = {}
        self._urls: dict[str, list[str]] = {"css": [], "js": []}
        self._parts: dict[str, str] = {}
        for entry in manifest:
            path, kind, url = self._path(entry), entry.get("type"), entry.get("url")
            if kind in {"head", "body"}:
                self._parts[kind] = path.read_text(encoding="utf-8")
            elif isinstance(url, str) and entry.get("where") == "client":
                age = _YEAR if entry.get("cacheable") else _DAY
                self.files[unquote(url.partition("?")[0])] = path, _KINDS.get(str(kind)), age
                # Modules under dynamic/ are asked for one by one, whatever type they have.
                if kind in self._urls and not entry["path"].startswith("dynamic/"):
                    self._urls[kind].append(html.escape(url))

    def _manifest(self) -> list[dict[str, Any]]:
        program = self.root / "program.json"
        if not program.is_file():
            raise ValueError("no program.json there; wanted a bundle's programs/web.browser")
        try:
            found = json.loads(program.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"program.json is no JSON: {error}") from error
        found = found if isinstance(found, dict) else {}
        if found.get("format") != FORMAT:
            raise ValueError(f"program.json has format {found.get('format')!r}, wanted {FORMAT!r}")
        manifest = found.get("manifest")
        if not isinstance(manifest, list) or not all(isinstance(entry, dict) for entry in manifest):
            raise ValueError("program.json has no manifest, wanted a list of files")
        return manifest

    def _path(self, entry: dict[str, Any]) -> Path:
        name = entry.get("path")
        path = (self.root / str(name)).resolve()
        if not isinstance(name, str) or not path.is_relative_to(self.root):
            raise ValueError(f"the manifest names {name!r}, wanted the path of a file below the folder")
        if not path.is_file():
            raise ValueError(f"the manifest names {name}, which is not there; wanted the whole folder")
        return path

    def routes(self) -> list[BaseRoute]:
        return [
            _Files(self.files),
            Route("/__meteor__/dynamic-import/fetch", self.modules, methods=["GET", "POST", "OPTIONS"]),
            Route("/__client__/flags.js", self.flags),
        ]

    async def flags(self, request: Request) -> Response:
        """What Rocket.Chat injects as scripts of its own (`app/ui-master/server/scripts.ts`)."""
        server: Server = request.app.state.server
        rest = json.dumps(bool(server.settings.get("API_Use_REST_For_DDP_Calls")))
        return Response(f"window.USE_REST_FOR_DDP_CALLS = {rest};", media_type="text/javascript")

    async def page(self, _: Request) -> Response:
        """The shell; it still says in its title that the server is a stand-in."""
        styles = "\n".join(
            f'<link rel="stylesheet" type="text/css" class="__meteor-css__" href="{url}">'
            for url in self._urls["css"]
        )
        before, *after = re.split("<meteor-bundled-css[^<>]*>", self._parts.get("head", ""), maxsplit=1)
        head = "\n".join([before, styles, *after] if after else [styles, before])
        urls = ["/meteor_runtime_config.js", "/__client__/flags.js", *self._urls["js"]]
        scripts = "\n".join(f'<script type="text/javascript" src="{url}"></script>' for url in urls)
        return HTMLResponse(
            f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><base href="/">'
            f"<title>Rocket.Chat stand-in</title>\n{head}</head>\n"
            f'<body>{self._parts.get("body", "")}<div id="react-root"></div>\n{scripts}\n</body></html>'
        )

    async def modules(self, request: Request) -> Response:
        """A tree of module names, answered with the tree of those that are there (dynamic-import)."""
        if request.method == "OPTIONS":
            asked = request.headers.get("access-control-request-headers", "*")
            allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": asked}
            return Response(headers=_ANY | allowed)
        if request.method != "POST":
            return PlainTextResponse(f"method {request.method} not allowed", 405, _ANY)
        try:
            tree = self._read((), await request.json())
        except (ValueError, RecursionError) as error:
            return PlainTextResponse(str(error), 400, _ANY)
        return Response(json.dumps(tree), media_type="application/json", headers=_ANY)

    def _read(self, parts: tuple[str, ...], tree: Any) -> Any:
        if not tree or isinstance(tree, list):
            return None
        if isinstance(tree, dict):
            found = {name: self._read((*parts, name), below) for name, below in tree.items()}
            return {name: source for name, source in found.items() if source is not None} or None
        # Meteor writes the colons of package names as underscores.
        folder = self.root / "dynamic"
        try:
            path = folder.joinpath(*(part.replace(":", "_") for part in parts)).resolve()
            return path.read_text(encoding="utf-8") if path.is_relative_to(folder) else None
        except (OSError, ValueError):
            return None
